import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { extractSlice } from '../../core/slices.ts';
import type { Shape3 } from '../../core/volume.ts';

const shape: Shape3 = [2, 3, 4];
const data = Uint16Array.from({ length: 24 }, (_, i) => i);
const at = (z: number, y: number, x: number) => data[(z * 3 + y) * 4 + x];

describe('planes of a volume', () => {
  it('xy is a view without copying', () => {
    const slice = extractSlice(data, shape, 2, 1, 1);
    assert.deepEqual([slice.width, slice.height], [4, 3]);
    assert.equal(slice.data.buffer, data.buffer);
    assert.equal(slice.data[1 * 4 + 2], at(1, 1, 2));
  });

  it('xz has z downwards', () => {
    const slice = extractSlice(data, shape, 2, 0, 2);
    assert.deepEqual([slice.width, slice.height], [4, 2]);
    for (let z = 0; z < 2; z++) for (let x = 0; x < 4; x++) assert.equal(slice.data[z * 4 + x], at(z, 2, x));
  });

  it('zy has z to the right', () => {
    const slice = extractSlice(data, shape, 0, 1, 3);
    assert.deepEqual([slice.width, slice.height], [2, 3]);
    for (let y = 0; y < 3; y++) for (let z = 0; z < 2; z++) assert.equal(slice.data[y * 2 + z], at(z, y, 3));
  });

  it('clips the position and reuses a buffer that suits', () => {
    const first = extractSlice(data, shape, 2, 0, -5);
    assert.equal(first.data[0], at(0, 0, 0));
    const again = extractSlice(data, shape, 2, 0, 99, first.data);
    assert.equal(again.data, first.data);
    assert.equal(again.data[0], at(0, 2, 0));
    assert.notEqual(extractSlice(data, shape, 0, 1, 0, first.data).data, first.data);
  });
});
