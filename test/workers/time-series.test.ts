import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkFrames } from '../../workers/segmentation/time-series.ts';

const SIDE = 20;

/** A frame of squares [label, y, x, side]. */
function frame(...squares: number[][]): Uint32Array {
  const labels = new Uint32Array(SIDE * SIDE);
  for (const [label, top, left, side] of squares)
    for (let y = top; y < top + side; y++) labels.fill(label, y * SIDE + left, y * SIDE + left + side);
  return labels;
}

test('a cell keeps its id from frame to frame while it overlaps itself, new ones get new ids', () => {
  const frames = [
    frame([1, 1, 1, 6], [2, 10, 10, 6]),
    // Both have moved by a pixel and are numbered the other way round; a third appears.
    frame([2, 2, 2, 6], [1, 11, 10, 6], [3, 1, 14, 4]),
    // The first is gone, the second has jumped too far.
    frame([1, 1, 14, 4], [2, 13, 2, 6]),
  ];
  const before = frames.map((each) => each.slice());
  const [first, second, third] = linkFrames(frames, 0.25);
  assert.deepEqual(frames, before);
  const at = (labels: Uint32Array, y: number, x: number) => labels[y * SIDE + x];
  assert.equal(at(second, 3, 3), at(first, 3, 3));
  assert.equal(at(second, 12, 12), at(first, 12, 12));
  assert.equal(at(third, 2, 15), at(second, 2, 15));
  const ids = [at(first, 3, 3), at(first, 12, 12), at(second, 2, 15), at(third, 15, 4)];
  assert.equal(new Set(ids).size, 4);
  assert.throws(() => linkFrames([frame(), new Uint32Array(3)], 0.25), /one size/);
});
