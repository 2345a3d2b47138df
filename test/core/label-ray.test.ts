import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { castRay } from '../../core/label-ray.ts';

const shape = [7, 9, 11] as const;

/** A fixed sequence of numbers 0…1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('a ray through labels', () => {
  it('meets the first label along an axis', () => {
    const labels = new Uint32Array(7 * 9 * 11);
    labels[(3 * 9 + 4) * 11 + 5] = 8;
    labels[(5 * 9 + 4) * 11 + 5] = 9;
    const down = { origin: [-10, 4.5, 5.5], direction: [1, 0, 0] } as const;
    assert.deepEqual(castRay(labels, shape, down), { id: 8, voxel: [3, 4, 5] });
    assert.equal(castRay(labels, shape, down, { shown: (id) => id === 9 })?.id, 9);
    assert.equal(castRay(labels, shape, down, { box: [4, 0, 0, 7, 9, 11] })?.id, 9);
    assert.equal(castRay(labels, shape, { origin: [-10, 4.5, 6.5], direction: [1, 0, 0] }), undefined);
    assert.equal(castRay(labels, shape, { origin: [-10, 4.5, 5.5], direction: [-1, 0, 0] }), undefined);
  });

  it('meets what small steps meet, from any side', () => {
    const next = numbers(7);
    const labels = Uint32Array.from({ length: 7 * 9 * 11 }, () =>
      next() < 0.04 ? 1 + Math.floor(next() * 99) : 0,
    );
    let hits = 0;
    for (let k = 0; k < 400; k++) {
      const target = shape.map((length) => next() * length);
      const direction = [next() - 0.5, next() - 0.5, next() - 0.5] as const;
      const length = Math.hypot(...direction);
      const origin = target.map((value, axis) => value - (30 * direction[axis]) / length) as unknown as [
        number,
        number,
        number,
      ];
      let found = 0;
      for (let t = 0; t < 60 && found === 0; t += 0.001) {
        const at = origin.map((value, axis) => Math.floor(value + (t * direction[axis]) / length));
        const inside = at.every((value, axis) => value >= 0 && value < shape[axis]);
        if (inside) found = labels[(at[0] * 9 + at[1]) * 11 + at[2]];
      }
      const hit = castRay(labels, shape, { origin, direction });
      // Steps may pass over the mere corner of a voxel, so that what they found must lie behind.
      if ((hit?.id ?? 0) === found) hits++;
      else assert.ok(hit, `ray ${k} found ${found}`);
    }
    assert.ok(hits >= 396, `${hits} of 400`);
  });
});
