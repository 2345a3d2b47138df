import type { Shape3 } from '../../../core/volume.ts';
import { voxelsOf } from '../../../core/voxel-box.ts';

/** Weights of a sample's neighbours, the farthest first, and its own last: radius ⌊4σ + 0.5⌋, normalised. */
export function gaussianWeights(sigma: number): Float64Array {
  const radius = Math.floor(4 * sigma + 0.5);
  const at = (k: number) => Math.exp((-0.5 * (k - radius) * (k - radius)) / (sigma * sigma));
  let total = 0;
  for (let k = 0; k <= 2 * radius; k++) total += at(k);
  return Float64Array.from({ length: radius + 1 }, (_, k) => at(k) / total);
}

/** Lines that are filtered together: as many samples as a line of the cache holds. */
const TOGETHER = 16;

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
  const weights = gaussianWeights(sigma);
  const radius = weights.length - 1;
  const stride = shape.slice(axis + 1).reduce((product, n) => product * n, 1);
  // Line by line along z or y a cache would be filled for one sample of each of its lines, and of a volume as wide as a
  // power of two all samples would want the same place in it. So neighbouring lines go together, side by side.
  const panel = new Float64Array((length + 2 * radius) * TOGETHER);
  const starts = new Int32Array(TOGETHER);
  const period = 2 * length;
  const lines = samples.length / length;
  for (let first = 0; first < lines; first += TOGETHER) {
    const width = Math.min(TOGETHER, lines - first);
    for (let c = 0; c < width; c++) {
      const offset = (first + c) % stride;
      starts[c] = (first + c - offset) * length + offset;
    }
    for (let n = 0, to = radius * TOGETHER; n < length; n++, to += TOGETHER)
      for (let c = 0; c < width; c++) panel[to + c] = samples[starts[c] + n * stride];
    for (let k = 0; k < radius; k++) {
      for (const n of [-1 - k, length + k]) {
        const at = ((n % period) + period) % period;
        const from = radius + (at < length ? at : period - 1 - at);
        panel.copyWithin((radius + n) * TOGETHER, from * TOGETHER, (from + 1) * TOGETHER);
      }
    }
    for (let n = 0; n < length; n++) {
      for (let c = 0; c < width; c += 4) {
        // In scipy's order: the sample itself, then pairs at equal distance, the farthest first.
        const middle = (n + radius) * TOGETHER + c;
        const weight = weights[radius];
        let p = panel[middle] * weight;
        let q = panel[middle + 1] * weight;
        let r = panel[middle + 2] * weight;
        let s = panel[middle + 3] * weight;
        for (let k = 0, i = n * TOGETHER + c, j = i + 2 * radius * TOGETHER; k < radius; k++) {
          const weight = weights[k];
          p += (panel[i] + panel[j]) * weight;
          q += (panel[i + 1] + panel[j + 1]) * weight;
          r += (panel[i + 2] + panel[j + 2]) * weight;
          s += (panel[i + 3] + panel[j + 3]) * weight;
          i += TOGETHER;
          j -= TOGETHER;
        }
        const to = n * stride;
        samples[starts[c] + to] = p;
        if (c + 1 < width) samples[starts[c + 1] + to] = q;
        if (c + 2 < width) samples[starts[c + 2] + to] = r;
        if (c + 3 < width) samples[starts[c + 3] + to] = s;
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
  const size = voxelsOf(shape);
  for (let start = 0; start < flows.length; start += size) {
    for (let axis = 0; axis < 3; axis++)
      gaussianAlong(flows.subarray(start, start + size), shape, axis, sigmas[axis]);
  }
}
