import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Shape3 } from '../../core/volume.ts';
import { ThreadedKernels } from '../../workers/segmentation/kernels/threaded-kernels.ts';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { gaussianAlong } from '../../workers/segmentation/preprocess/gaussian.ts';
import { randomOf } from './kernels-comparison.ts';

/** The definition, sample by sample: scipy's weights, borders reflected. */
function plainly(samples: Float32Array, shape: Shape3, axis: number, sigma: number): Float32Array {
  const radius = Math.floor(4 * sigma + 0.5);
  const weight = (k: number) => Math.exp((-0.5 * k * k) / (sigma * sigma));
  let total = 0;
  for (let k = -radius; k <= radius; k++) total += weight(k);
  const stride = shape.slice(axis + 1).reduce((product, n) => product * n, 1);
  const length = shape[axis];
  return samples.map((_, i) => {
    const n = Math.floor(i / stride) % length;
    let sum = 0;
    for (let k = -radius; k <= radius; k++) {
      let at = n + k;
      while (at < 0 || at >= length) at = at < 0 ? -1 - at : 2 * length - 1 - at;
      sum += samples[i + (at - n) * stride] * weight(k);
    }
    return sum / total;
  });
}

test('smoothing along each axis is what its definition says, also where the filter is longer than the axis', () => {
  const random = randomOf(8);
  for (const shape of [
    [7, 9, 11],
    [3, 1, 70],
    [40, 5, 3],
    [1, 1, 1],
    [2, 33, 32],
  ] as const) {
    const samples = Float32Array.from(
      { length: shape[0] * shape[1] * shape[2] },
      () => 10 * (random() - 0.5),
    );
    for (const sigma of [0, 0.4, 1, 2.3, 8]) {
      for (let axis = 0; axis < 3; axis++) {
        const actual = samples.slice();
        gaussianAlong(actual, shape, axis, sigma);
        const expected = sigma > 0 ? plainly(samples, shape, axis, sigma) : samples;
        actual.forEach((value, i) => {
          assert.ok(Math.abs(value - expected[i]) <= 1e-6, `${shape}, axis ${axis}, σ ${sigma}: ${value}`);
        });
      }
    }
  }
});

test('WebAssembly smooths as the plain function does, bit for bit, on one thread and on two', async () => {
  const random = randomOf(9);
  const wasm = await WasmKernels.create();
  const workerUrl = new URL('../../dist/kernels.worker.js', import.meta.url);
  const threads = await ThreadedKernels.create({ threads: 2, workerUrl });
  for (const shape of [
    [7, 9, 11],
    [3, 1, 70],
    [40, 5, 3],
    [1, 1, 1],
    [20, 35, 64],
  ] as const) {
    const samples = Float32Array.from(
      { length: shape[0] * shape[1] * shape[2] },
      () => 10 * (random() - 0.5),
    );
    for (const sigmas of [
      [0, 0, 0],
      [1, 1, 1],
      [0.4, 0, 3],
    ] as const) {
      const expected = samples.slice();
      for (let axis = 0; axis < 3; axis++) gaussianAlong(expected, shape, axis, sigmas[axis]);
      for (const kernels of [wasm, threads]) {
        const actual = samples.slice();
        await kernels.smooth(actual, shape, sigmas);
        assert.deepEqual(actual, expected, `${kernels.name}, ${shape}, σ ${sigmas}`);
      }
    }
  }
  threads.dispose();
});
