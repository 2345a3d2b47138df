import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labelStatistics } from '../../core/label-volume.ts';

describe('labelStatistics', () => {
  it('gives count, centroid and box per label, ascending by id', () => {
    const labels = Uint32Array.from([0, 70000, 70000, 2, 0, 70000, 2, 0, 0, 2, 0, 0]);
    assert.deepEqual(labelStatistics(labels, [2, 2, 3]), [
      { id: 2, count: 3, centroid: [2 / 3, 2 / 3, 0], box: [0, 0, 0, 2, 2, 1] },
      { id: 70000, count: 3, centroid: [0, 1 / 3, 5 / 3], box: [0, 0, 1, 1, 2, 3] },
    ]);
  });

  it('agrees with a count of every voxel on random labels', () => {
    const shape = [4, 9, 11] as const;
    let state = 12345;
    const labels = Uint32Array.from({ length: 4 * 9 * 11 }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 28;
    });
    const plain = new Map<number, number>();
    for (const label of labels) if (label) plain.set(label, (plain.get(label) ?? 0) + 1);
    const statistics = labelStatistics(labels, shape);
    assert.deepEqual(
      new Map(statistics.map(({ id, count }) => [id, count])),
      new Map([...plain].sort((a, b) => a[0] - b[0])),
    );
  });
});
