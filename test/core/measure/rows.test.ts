import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CytoError } from '../../../core/errors.ts';
import { tableCsv } from '../../../core/exports/table-csv.ts';
import { parseFilter } from '../../../core/measure/filter.ts';
import { histogram } from '../../../core/measure/histogram.ts';
import { measureLabels } from '../../../core/measure/measurements.ts';
import { orderedRows } from '../../../core/measure/row-order.ts';

/** Labels 1, 2, 5 of 3, 1 and 4 pixels in a plane of 2 × 5. */
const measured = measureLabels({
  labels: Uint32Array.of(1, 1, 0, 5, 5, 1, 2, 0, 5, 5),
  shape: [1, 2, 5],
  calibration: { spacing: [1, 0.5, 0.5], unit: 'µm' },
  channels: [{ name: 'a, "b"', samples: Uint8Array.of(1, 2, 9, 4, 4, 3, 7, 9, 4, 4) }],
  supplied: [{ key: 'flow_error', values: new Map([[1, 0.5]]) }],
});

const passing = (text: string) => {
  const test = parseFilter(text, measured);
  return [...measured.ids].filter((_, row) => test(row));
};

describe('filters', () => {
  for (const [text, ids] of [
    ['', [1, 2, 5]],
    ['pixels > 1', [1, 5]],
    ['pixels>1 and mean_1 < 3', [1]],
    ['pixels = 1 or pixels >= 4', [2, 5]],
    ['not (pixels = 1 | pixels >= 4)', [1]],
    ['!pixels=1 & area ≤ 0.75', [1]],
    ['label != 2', [1, 5]],
    ['5, 2', [2, 5]],
    ['flow_error > -1', [1]],
    ['area > 2.5e-1', [1, 5]],
  ] as const) {
    it(`"${text}" passes ${ids.join(', ')}`, () => assert.deepEqual(passing(text), [...ids]));
  }

  for (const [text, words] of [
    ['size > 3', /no column "size"/],
    ['area >', /compared with a number/],
    ['area 3', /one of < >/],
    ['(area > 3', /parenthesis/],
    ['area > 3 solidity < 1', /join conditions/],
    ['area > 3 and', /ends too early/],
    ['area § 3', /not understood/],
    ['toString > 1', /no column/],
  ] as const) {
    it(`"${text}" is refused`, () => {
      assert.throws(
        () => parseFilter(text, measured),
        (error) => error instanceof CytoError && error.kind === 'bad-input' && words.test(error.message),
      );
    });
  }
});

describe('order of rows', () => {
  it('sorts both ways, rows without a value last', () => {
    assert.deepEqual([...orderedRows(measured, { key: 'pixels', descending: false })], [1, 0, 2]);
    assert.deepEqual([...orderedRows(measured, { key: 'label', descending: true })], [2, 1, 0]);
    assert.deepEqual([...orderedRows(measured, { key: 'flow_error', descending: true })], [0, 1, 2]);
  });
});

describe('table as CSV', () => {
  it('has units in its header, quotes names and leaves missing values empty', () => {
    const [comment, header, ...rows] = tableCsv(measured, { provenance: { source: 'two\nlines' } }).split(
      '\n',
    );
    assert.equal(comment, '# source: two lines');
    assert.match(header, /^label,pixels,area_µm2,centroid_y_µm,/);
    assert.ok(header.includes('"mean_a, ""b"""'), header);
    assert.match(rows[0], /^1,3,0.75,/);
    const at = header
      .replace(/"(?:[^"]|"")*"/g, 'x')
      .split(',')
      .indexOf('flow_error');
    assert.deepEqual(
      rows.slice(0, 3).map((row) => row.split(',')[at]),
      ['0.5', '', ''],
    );
  });
});

describe('histogram', () => {
  it('counts every value once, the largest in the last bin', () => {
    const values = Array.from({ length: 1000 }, (_, i) => Math.sqrt(i));
    const { edges, counts } = histogram(values);
    assert.equal(edges.length, counts.length + 1);
    assert.equal(
      counts.reduce((sum, n) => sum + n),
      1000,
    );
    assert.deepEqual(histogram([3, 3]).counts, [2]);
  });
});
