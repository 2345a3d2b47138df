import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { plannedRows, type Row, RowFile, table } from './training-rows.ts';

const row = (count: number, choice: number, before: number, after: number): Row => ({
  ...{ set: 'yeast', count, choice, before, after, model: 'abc', settings: '{}' },
  ...{ images: ['a'], seconds: 60, steps: 72, improved: true, share: 0.5 },
  also: [{ name: 'nuclei', before: 0.9, after: 0.88 }],
});

describe('rows of an evaluation of trainings', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cytopane-rows-'));
  after(() => rmSync(folder, { recursive: true }));

  it('come with the first count in front, then the curve choice by choice, as far as there are images', () => {
    const rows = plannedRows('yeast', [5, 1, 2, 10], { from: 0, count: 2 }, 6);
    assert.deepEqual(
      rows.map(({ count, choice }) => [count, choice]),
      [
        [5, 0],
        [5, 1],
        [1, 0],
        [2, 0],
        [1, 1],
        [2, 1],
      ],
    );
  });

  it('are found again in the file, for the same model and settings only', () => {
    const path = join(folder, 'rows.json');
    const first = new RowFile(path);
    first.start.abc = { 'a.png': 0.5 };
    first.add(row(5, 0, 0.25, 0.5));
    const second = new RowFile(path);
    assert.equal(second.start.abc['a.png'], 0.5);
    assert.equal(second.find({ set: 'yeast', count: 5, choice: 0 }, 'abc', '{}')?.after, 0.5);
    assert.equal(second.find({ set: 'yeast', count: 5, choice: 1 }, 'abc', '{}'), undefined);
    assert.equal(second.find({ set: 'yeast', count: 5, choice: 0 }, 'def', '{}'), undefined);
    assert.equal(second.find({ set: 'yeast', count: 5, choice: 0 }, 'abc', '{"epochs":2}'), undefined);
  });

  it('are printed with the means of each count', () => {
    const lines = table([row(5, 1, 0.25, 0.75), row(5, 0, 0.25, 0.5), row(1, 0, 0.25, 0.25)]).split('\n');
    assert.deepEqual(lines.slice(2), [
      '| 1 | 0 | 0.250 → 0.250 | 0.900 → 0.880 | 0.50 | 60 |',
      '| 5 | 0 | 0.250 → 0.500 | 0.900 → 0.880 | 0.50 | 60 |',
      '| 5 | 1 | 0.250 → 0.750 | 0.900 → 0.880 | 0.50 | 60 |',
      '| 5 | mean | 0.250 → 0.625 | 0.900 → 0.880 | 0.50 | 60 |',
    ]);
  });
});
