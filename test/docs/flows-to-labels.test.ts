import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { DIAMETERS, discColumn, mean, PERCENT, RECIPES } from '../round-trip/overlapping-discs.ts';

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

  it('its tables of overlapping discs are what comes out', async () => {
    const tables = page.split(/^\| +(?=\d+ px )/m).slice(1);
    assert.equal(tables.length, DIAMETERS.length);
    const kernels = await WasmKernels.create();
    for (const [t, diameter] of DIAMETERS.entries()) {
      const rows = tables[t]
        .split('\n')
        .filter((line) => /^\| +\d+ % /.test(line))
        .map((line) => line.split('|').slice(2, -1).map(Number));
      assert.equal(rows.length, PERCENT.length);
      for (const [k, { title, recipe }] of RECIPES.entries()) {
        const column = await discColumn(kernels, diameter, recipe);
        for (const [i, value] of column.entries())
          assert.ok(Math.abs(rows[i][2 + k] - value) < 0.0006, `${diameter} px, ${title}, ${PERCENT[i]} %`);
        if (recipe.separate && (diameter > 20 || recipe.seedCount)) assert.ok(mean(column) >= 0.976);
      }
    }
  });
});
