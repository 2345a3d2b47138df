import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LabelHistory } from '../../../core/edit/label-history.ts';
import { doubtfulRegions } from '../../../core/edit/least-sure.ts';
import { volumeOf } from './label-scenes.ts';

it('regions are ranked by the doubts of the cells in them; cells drawn by hand have none', () => {
  const labels = volumeOf(
    [2, 10, 20],
    [
      [0, 1, 0, 3, 1],
      [0, 2, 4, 6, 2],
      [0, 8, 15, 19, 3],
      [1, 8, 15, 19, 4],
      [1, 0, 0, 2, 5],
    ],
  );
  const errors = new Map([
    [1, 0.2],
    [2, 0.3],
    [3, 0.4],
    [4, 0.1],
    [9, 3],
  ]);
  const regions = doubtfulRegions(LabelHistory.of(labels).index, errors, labels.shape, 12);
  assert.deepEqual(
    regions.map(({ doubt, ...region }) => ({ ...region, doubt: Number(doubt.toFixed(6)) })),
    [
      { z: 0, y: 0, x: 0, height: 10, width: 12, cells: 2, doubt: 0.5 },
      { z: 0, y: 0, x: 8, height: 10, width: 12, cells: 1, doubt: 0.4 },
      { z: 1, y: 0, x: 8, height: 10, width: 12, cells: 1, doubt: 0.1 },
    ],
  );
});
