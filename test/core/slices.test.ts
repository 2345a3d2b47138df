import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { extractSlice, projectLabels, projectSlices, slabRange } from '../../core/slices.ts';
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

describe('slabs of planes', () => {
  it('lie around their middle and end with the volume', () => {
    assert.deepEqual(slabRange(5, 1, 10), [5, 6]);
    assert.deepEqual(slabRange(5, 4, 10), [4, 8]);
    assert.deepEqual(slabRange(0, 5, 10), [0, 3]);
    assert.deepEqual(slabRange(9, 5, 10), [7, 10]);
  });

  it('show largest, mean and smallest samples in every direction', () => {
    const stack = Uint8Array.of(1, 9, 4, 4, 6, 2, 8, 0);
    const shape: Shape3 = [2, 2, 2];
    const project = (right: 0 | 1 | 2, down: 0 | 1 | 2, how: 'max' | 'mean' | 'min') => [
      ...projectSlices(stack, shape, right, down, [0, 2], how).data,
    ];
    assert.deepEqual(project(2, 1, 'max'), [6, 9, 8, 4]);
    assert.deepEqual(project(2, 1, 'min'), [1, 2, 4, 0]);
    assert.deepEqual(project(2, 1, 'mean'), [4, 6, 6, 2]);
    assert.deepEqual(project(2, 0, 'max'), [4, 9, 8, 2]);
    assert.deepEqual([...stack], [1, 9, 4, 4, 6, 2, 8, 0]);
  });

  it('show the label nearest to the middle plane', () => {
    const labels = Uint32Array.of(1, 0, 0, 2, 2, 0, 3, 0, 3, 3, 3, 0);
    assert.deepEqual([...projectLabels(labels, [3, 1, 4], 2, 1, [0, 3], 1).data], [2, 3, 3, 2]);
  });
});
