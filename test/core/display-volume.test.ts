import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { displayBytes, fittingFactors, labelBytes, reducedShape } from '../../core/display-volume.ts';
import { labelColor } from '../../core/label-colors.ts';

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

  it('give labels their colours, seams where they touch and rims of their colour', () => {
    const bytes = labelBytes(Uint32Array.of(0, 5, 5, 70_000, 0, 0), [1, 1, 6], [1, 1, 1]);
    const pixel = (i: number) => [...bytes.subarray(i * 4, i * 4 + 4)];
    assert.deepEqual(pixel(0), [...labelColor(5), 0]);
    assert.deepEqual(pixel(1), [...labelColor(5), 255]);
    assert.deepEqual(pixel(2).slice(0, 3), labelColor(5));
    assert.ok(pixel(2)[3] < 255 && pixel(3)[3] < 255);
    assert.deepEqual(pixel(3).slice(0, 3), labelColor(70_000));
    assert.deepEqual(pixel(4), [...labelColor(70_000), 0]);
    assert.deepEqual(pixel(5), [0, 0, 0, 0]);
  });
});
