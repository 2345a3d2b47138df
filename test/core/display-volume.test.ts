import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  blocksInUse,
  displayBytes,
  fittingFactors,
  reducedBox,
  reducedLabels,
  reducedShape,
} from '../../core/display-volume.ts';

describe('volumes for display', () => {
  it('are reduced no more than needed, the finest axes first', () => {
    assert.deepEqual(fittingFactors([10, 100, 100], [1, 1, 1], 1e6, 2048), [1, 1, 1]);
    assert.deepEqual(fittingFactors([10, 100, 100], [5, 1, 1], 26_000, 2048), [1, 2, 2]);
    assert.deepEqual(fittingFactors([1, 5000, 10], [1, 1, 1], 1e9, 2048), [1, 3, 1]);
    assert.deepEqual(reducedShape([10, 101, 99], [1, 2, 2]), [10, 51, 50]);
  });

  it('show samples through window and gamma', () => {
    const data = Uint16Array.of(0, 100, 150, 200, 300, 175);
    assert.deepEqual(
      [...displayBytes(data, [1, 2, 3], [1, 1, 1], [100, 200], 1)],
      [0, 0, 128, 255, 255, 191],
    );
    assert.deepEqual([...displayBytes(data, [1, 2, 3], [1, 1, 1], [100, 200], 2)], [0, 0, 64, 255, 255, 143]);
  });

  it('show the mean of what a voxel stands for, at the edge too', () => {
    const data = Uint8Array.of(0, 100, 255, 100, 200, 255);
    assert.deepEqual([...displayBytes(data, [1, 2, 3], [1, 2, 2], [0, 255], 1)], [100, 255]);
  });

  it('take what is not a number as dark', () => {
    assert.deepEqual(
      [...displayBytes(Float32Array.of(Number.NaN, 1), [1, 1, 2], [1, 1, 1], [0, 1], 1)],
      [0, 255],
    );
  });

  it('thin labels out by the middle of each reduced voxel, in any box', () => {
    const shape = [2, 5, 6] as const;
    const labels = Uint32Array.from({ length: 60 }, (_, i) => i + 1);
    const factors = [1, 2, 3] as const;
    const all = reducedLabels(labels, shape, factors, [0, 0, 0, 2, 3, 2]);
    assert.deepEqual([...all], [8, 11, 20, 23, 26, 29, 38, 41, 50, 53, 56, 59]);
    assert.deepEqual([...reducedLabels(labels, shape, factors, [1, 1, 0, 2, 3, 1])], [50, 56]);
    assert.equal(reducedLabels(labels, shape, [1, 1, 1], [0, 0, 0, 2, 5, 6]).buffer, labels.buffer);
    assert.deepEqual(reducedBox([1, 3, 2, 2, 5, 4], shape, factors), [1, 1, 0, 2, 3, 2]);
  });

  it('know which blocks hold labels, and look at touched blocks whole', () => {
    const shape = [3, 5, 9] as const;
    const labels = new Uint32Array(135);
    labels[(2 * 5 + 4) * 9 + 8] = 7;
    labels[0] = 3;
    const whole = blocksInUse(labels, shape, [1, 1, 1], [0, 0, 0, 3, 5, 9], 4);
    assert.deepEqual(whole.box, [0, 0, 0, 1, 2, 3]);
    assert.deepEqual([...whole.data], [1, 0, 0, 0, 0, 1]);
    const part = blocksInUse(labels, shape, [1, 1, 1], [1, 1, 1, 2, 2, 2], 4);
    assert.deepEqual(part.box, [0, 0, 0, 1, 1, 1]);
    assert.deepEqual([...part.data], [1]);
  });
});
