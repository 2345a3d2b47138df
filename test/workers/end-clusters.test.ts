import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clusterEnds } from '../../workers/segmentation/masks/end-clusters.ts';
import { endHistogram, findSeeds, growSeeds } from '../../workers/segmentation/masks/seeds.ts';
import { randomOf } from './kernels-comparison.ts';

/** The same on a dense histogram. */
function denseTwin(ends: Int32Array, shape: number[]): Uint32Array | undefined {
  const histogram = endHistogram(
    ends,
    shape.reduce((product, n) => product * n, 1),
  );
  const seeds = findSeeds(histogram, shape);
  if (seeds.length === 0) return undefined;
  const painted = growSeeds(seeds, histogram, shape);
  return Uint32Array.from(ends, (end) => painted[end]);
}

describe('seeds of end points', () => {
  const shapes = [
    [40, 50],
    [1, 300],
    [300, 1],
    [12, 20, 18],
    [1, 30, 40],
    [9, 1, 70],
    [3, 3],
  ];
  for (const shape of shapes) {
    it(`on ${shape.join('×')}: the hash table gives what the dense histogram gives`, () => {
      const random = randomOf(shape.length * 1000 + shape[0]);
      const pixels = shape.reduce((product, n) => product * n, 1);
      let found = 0;
      for (let round = 0; round < 30; round++) {
        // Few places for many points at first, more and more later; neighbours of places too.
        const places = Array.from({ length: 1 + round * 4 }, () => Math.floor(random() * pixels));
        const ends = Int32Array.from({ length: 100 + round * 60 }, () => {
          const place = places[Math.floor(random() * places.length)] + Math.floor(3 * random()) - 1;
          return Math.min(pixels - 1, Math.max(0, place));
        });
        const expected = denseTwin(ends, shape);
        if (expected) found++;
        assert.deepEqual(clusterEnds(ends, shape), expected);
      }
      assert.ok(found > 10, `${found} of 30 have seeds`);
    });
  }

  it('no point has no seed', () => {
    assert.equal(clusterEnds(new Int32Array(0), [4, 4]), undefined);
  });
});
