import { CytoError } from '../../../core/errors.ts';
import type { Shape3, VolumeData } from '../../../core/volume.ts';

/** Above this many samples the percentiles are taken from a strided subset (spec §2.3). */
const EXACT_SAMPLES = 224 ** 3;

/** Strides z, y, x of the subset from which the percentiles of a channel are taken. */
export function percentileStrides([nz, ny, nx]: Shape3): Shape3 {
  if (nz * ny * nx <= EXACT_SAMPLES) return [1, 1, 1];
  const step = (length: number, parts: number) => Math.max(1, Math.floor(length / parts));
  return [step(nz, 50), step(ny, 224), step(nx, 224)];
}

/**
 * Linear-interpolated percentiles (numpy's default): rank p/100 · (n − 1) between order statistics. NaN and infinite
 * samples are left out.
 * @param samples all samples; 8- and 16-bit integers are counted, others sorted
 * @param percentiles 0…100
 * @throws CytoError `bad-input` if no sample is a finite number
 */
export function percentiles(samples: VolumeData, percentiles: readonly number[]): number[] {
  const order =
    samples instanceof Uint8Array || samples instanceof Uint16Array
      ? countedOrder(samples)
      : sortedOrder(samples);
  return percentiles.map((percentile) => {
    const rank = (percentile / 100) * (order.length - 1);
    const below = Math.floor(rank);
    const low = order.at(below);
    return low + (order.at(Math.min(below + 1, order.length - 1)) - low) * (rank - below);
  });
}

interface Order {
  length: number;
  /** k-th smallest sample. */
  at(k: number): number;
}

function countedOrder(samples: Uint8Array | Uint16Array): Order {
  const counts = new Uint32Array(2 ** (8 * samples.BYTES_PER_ELEMENT));
  for (let i = 0; i < samples.length; i++) counts[samples[i]]++;
  return {
    length: samples.length,
    at(k) {
      let before = 0;
      let value = 0;
      while (before + counts[value] <= k) before += counts[value++];
      return value;
    },
  };
}

function sortedOrder(samples: VolumeData): Order {
  const sorted = Float32Array.from(samples).sort();
  // Typed arrays sort −∞ first, then +∞ and NaN last.
  let start = 0;
  let stop = sorted.length;
  while (stop > 0 && !Number.isFinite(sorted[stop - 1])) stop--;
  while (start < stop && !Number.isFinite(sorted[start])) start++;
  if (start === stop) {
    throw new CytoError(
      'bad-input',
      'No sample of this channel is a finite number, so there is nothing to segment.',
    );
  }
  return { length: stop - start, at: (k) => sorted[start + k] };
}

/** Every `strides`-th sample of a [z, y, x] channel. */
export function strided(samples: VolumeData, [nz, ny, nx]: Shape3, [sz, sy, sx]: Shape3): VolumeData {
  if (sz === 1 && sy === 1 && sx === 1) return samples;
  const length = Math.ceil(nz / sz) * Math.ceil(ny / sy) * Math.ceil(nx / sx);
  const out = new (samples.constructor as new (length: number) => VolumeData)(length);
  let k = 0;
  for (let z = 0; z < nz; z += sz) {
    for (let y = 0; y < ny; y += sy) {
      const line = (z * ny + y) * nx;
      for (let x = 0; x < nx; x += sx) out[k++] = samples[line + x];
    }
  }
  return out;
}
