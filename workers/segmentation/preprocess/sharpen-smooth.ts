import type { Shape3 } from '../../../core/volume.ts';

/**
 * Gaussian samples on `count` points from −span/2 to span/2 + 1, as the reference spaces them. It spaces both axes
 * by the height, which stretches the kernel of images that are not square (spec §2.4).
 */
function gaussian(count: number, span: number, sigma: number): Float64Array {
  const step = count === 1 ? 0 : (span + 1) / (count - 1);
  return Float64Array.from({ length: count }, (_, k) => {
    const at = -span / 2 + k * step;
    return Math.exp(-(at * at) / (2 * sigma * sigma));
  });
}

/** Circular correlation of every line along one axis with a kernel centred at length >> 1. */
function correlate(image: Float64Array, count: number, stride: number, kernel: Float64Array): Float64Array {
  const largest = kernel.reduce((max, value) => Math.max(max, value), 0);
  const taps = [...kernel.keys()].filter((k) => kernel[k] > 1e-12 * largest);
  const out = new Float64Array(image.length);
  const block = count * stride;
  for (let start = 0; start < image.length; start += block) {
    for (let offset = 0; offset < stride; offset++) {
      for (let n = 0; n < count; n++) {
        let sum = 0;
        for (const k of taps) {
          const at = (k + n - (count >> 1) + count) % count;
          sum += image[start + at * stride + offset] * kernel[k];
        }
        out[start + n * stride + offset] = sum;
      }
    }
  }
  return out;
}

/** A normalised Gaussian filter of one plane [ny, nx]; also gives the kernel's value at its centre element. */
function blur(
  plane: Float64Array,
  ny: number,
  nx: number,
  sigma: number,
): { image: Float64Array; centre: number } {
  const ky = gaussian(ny, ny, sigma);
  const kx = gaussian(nx, ny, sigma);
  const sum = ky.reduce((a, b) => a + b, 0) * kx.reduce((a, b) => a + b, 0);
  const image = correlate(correlate(plane, ny, nx, ky), nx, 1, kx).map((value) => value / sum);
  return { image, centre: (ky[ny >> 1] * kx[nx >> 1]) / sum };
}

/**
 * Low-pass (smooth), high-pass (sharpen) or band-pass filter of every plane, in place, with the circular kernels of
 * the reference (spec §2.4).
 * @param radii standard deviations in pixels; 0 switches a filter off
 */
export function sharpenSmooth(
  samples: Float32Array,
  [nz, ny, nx]: Shape3,
  { sharpenRadius, smoothRadius }: { sharpenRadius: number; smoothRadius: number },
): void {
  for (let z = 0; z < nz; z++) {
    const plane = samples.subarray(z * ny * nx, (z + 1) * ny * nx);
    const image = Float64Array.from(plane);
    const smooth = smoothRadius > 0 ? blur(image, ny, nx, smoothRadius).image : undefined;
    if (sharpenRadius > 0) {
      const { image: low, centre } = blur(image, ny, nx, sharpenRadius);
      for (let i = 0; i < plane.length; i++) {
        plane[i] = smooth ? smooth[i] - low[i] : (1 + centre) * image[i] - low[i];
      }
    } else if (smooth) {
      plane.set(smooth);
    }
  }
}
