import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainKernels } from '../../workers/segmentation/kernels/kernels.ts';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { type FlowField, randomOf } from './kernels-comparison.ts';

/**
 * Flows to a few places, linear near them: points come to these at once, in a spiral, to and fro or never, wherever in
 * a pixel they lie, its edge included.
 */
function gathering(seed: number): FlowField & { niter: number } {
  const random = randomOf(seed);
  const [ny, nx] = [2 + Math.floor(150 * random() ** 2), 2 + Math.floor(150 * random())];
  const places = Array.from({ length: 1 + Math.floor(12 * random()) }, () => ({
    y: ny * random(),
    x: nx * random(),
    slopes: [
      1.6 * (random() - 0.3),
      3 * random() ** 2 - 0.5,
      3 * random() ** 2 - 0.5,
      1.6 * (random() - 0.3),
    ],
  }));
  const unit = random() < 0.4;
  const noise = random() < 0.5 ? 0 : 3 * random() ** 2;
  const size = random() < 0.1 ? 100 : 5;
  const count = ny * nx;
  const dP = new Float32Array(2 * count);
  for (let y = 0, i = 0; y < ny; y++) {
    for (let x = 0; x < nx; x++, i++) {
      const distance = (place: { y: number; x: number }) => (y - place.y) ** 2 + (x - place.x) ** 2;
      const nearest = places.reduce((best, place) => (distance(place) < distance(best) ? place : best));
      const [dy, dx] = [nearest.y - y, nearest.x - x];
      const [a, b, c, d] = nearest.slopes;
      const flow = [a * dy + b * dx, c * dy + d * dx];
      const length = Math.hypot(...flow);
      const scale = length > 1 || (unit && length > 0) ? 1 / length : 1;
      flow.forEach((value, axis) => {
        dP[axis * count + i] = size * (value * scale + noise * (random() - 0.5));
      });
    }
  }
  const corner = random() < 0.3;
  const cellprob = Float32Array.from({ length: count }, (_, i) =>
    corner ? Number(i > count / 2 && i % nx > nx / 3) : random() - 0.1,
  );
  const niter = [1, 8, 9, 10, 12, 20, 50, 200, 333][Math.floor(9 * random())];
  return { name: `seed ${seed}`, shape: [ny, nx], dP, cellprob, niter };
}

describe('points that are known to end in a pixel before they rest', () => {
  it('end where the plain functions take them', async () => {
    const kernels = await WasmKernels.create();
    for (let seed = 1; seed <= 150; seed++) {
      const { shape, dP, cellprob, niter } = gathering(seed);
      const parameters = { cellprobThreshold: 0, niter };
      const expected = plainKernels.follow(dP, cellprob, shape, parameters);
      const { ends } = kernels.follow(dP, cellprob, shape, parameters);
      assert.deepEqual(ends, expected.ends, `seed ${seed}, ${shape.join(' × ')}, ${niter} steps`);
    }
  });
});
