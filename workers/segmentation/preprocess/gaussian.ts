import type { Shape3 } from '../../../core/volume.ts';

/**
 * One-dimensional Gaussian filter along an axis, in place, as scipy does it: kernel radius ⌊4σ + 0.5⌋, borders
 * reflected (d c b a | a b c d | d c b a).
 * @param samples Float32 [z, y, x]
 * @param axis 0, 1 or 2
 * @param sigma standard deviation in samples; 0 leaves the data as they are
 */
export function gaussianAlong(samples: Float32Array, shape: Shape3, axis: number, sigma: number): void {
  const length = shape[axis];
  if (!(sigma > 0)) return;
  const radius = Math.floor(4 * sigma + 0.5);
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, k) =>
    Math.exp((-0.5 * (k - radius) * (k - radius)) / (sigma * sigma)),
  );
  const total = kernel.reduce((a, b) => a + b, 0);
  const stride = shape.slice(axis + 1).reduce((product, n) => product * n, 1);
  const source = Int32Array.from({ length: length + 2 * radius }, (_, k) => {
    const period = 2 * length;
    const at = (((k - radius) % period) + period) % period;
    return at < length ? at : period - 1 - at;
  });
  const line = new Float64Array(length);
  for (let block = 0; block < samples.length; block += length * stride) {
    for (let offset = block; offset < block + stride; offset++) {
      for (let n = 0; n < length; n++) line[n] = samples[offset + n * stride];
      for (let n = 0; n < length; n++) {
        let sum = 0;
        for (let k = 0; k < kernel.length; k++) sum += line[source[n + k]] * kernel[k];
        samples[offset + n * stride] = sum / total;
      }
    }
  }
}

/**
 * Smooths flows per component (Cellpose's flow3D_smooth, spec §7.1), in place.
 * @param flows Float32 [components, z, y, x]
 * @param sigma one number for all axes, a list of one, or [z, y, x]
 */
export function smoothFlows(flows: Float32Array, shape: Shape3, sigma: number | readonly number[]): void {
  const list = typeof sigma === 'number' ? [sigma] : sigma;
  const sigmas = list.length === 1 ? [list[0], list[0], list[0]] : list;
  const size = shape[0] * shape[1] * shape[2];
  for (let start = 0; start < flows.length; start += size) {
    for (let axis = 0; axis < 3; axis++)
      gaussianAlong(flows.subarray(start, start + size), shape, axis, sigmas[axis]);
  }
}
