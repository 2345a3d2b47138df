import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { discTable, mean, PERCENT } from '../round-trip/overlapping-discs.ts';

/** Column of each diameter; those of 20 and 40 px have the reference's before. */
const FIRST = [1, 4, 6];

const page = readFileSync(new URL('../../docs/flows-to-labels.md', import.meta.url), 'utf8');

describe('docs/flows-to-labels.md', () => {
  it('its example runs on the built package and prints what it says', async () => {
    const example = /```js\n([\s\S]*?)```/.exec(page)?.[1];
    assert.ok(example);
    const entry = new URL('../../dist/segmentation.js', import.meta.url).href;
    const source = example.replace("'cytopane/segmentation'", JSON.stringify(entry));
    assert.notEqual(source, example);
    const printed: string[] = [];
    const { log } = console;
    console.log = (text: string) => printed.push(text);
    try {
      await import(`data:text/javascript,${encodeURIComponent(source)}`);
    } finally {
      console.log = log;
    }
    assert.deepEqual(printed, ['AP at IoU 0.5, 0.75, 0.9: 1, 1, 1']);
  });

  it('its table of overlapping discs is what comes out', async () => {
    const rows = page
      .split('\n')
      .filter((line) => /^\| +\d+ % /.test(line))
      .map((line) => line.split('|').slice(2, -1).map(Number));
    assert.equal(rows.length, PERCENT.length);
    const kernels = await WasmKernels.create();
    const tables = [await discTable(kernels, false), await discTable(kernels, true)];
    for (const [which, table] of tables.entries())
      for (const [d, values] of table.entries())
        for (const [k, value] of values.entries())
          assert.ok(Math.abs(rows[k][FIRST[d] + which] - value) < 0.0006, `${PERCENT[k]} %, ${value}`);
    // Reference flows of 100 px, separate flows from 40 px on.
    assert.ok(mean(tables[0][2]) >= 0.976);
    assert.ok(mean(tables[1][1]) >= 0.976 && mean(tables[1][2]) >= 0.976);
  });
});
