import { CytoError } from '../../../core/errors.ts';
import type { Shape3, VolumeData } from '../../../core/volume.ts';
import { percentileStrides, percentiles, strided } from './percentile.ts';
import { sharpenSmooth } from './sharpen-smooth.ts';
import { normaliseTiles } from './tile-norm.ts';

/** Normalisation parameters with Cellpose's meanings (spec §2.2). */
export interface NormaliseOptions {
  /** Sample values mapped to 0 and 1, one pair or one per channel; skips everything but inversion. */
  lowhigh?: readonly [number, number] | ReadonlyArray<readonly [number, number]>;
  /** Percentiles mapped to 0 and 1. Default 1 and 99. */
  percentile?: readonly [low: number, high: number];
  /** Percentiles over the whole stack (true, default) or plane by plane. */
  norm3D?: boolean;
  /** Radii in pixels of the high- and low-pass filter; 0 is off. */
  sharpenRadius?: number;
  smoothRadius?: number;
  /** Tile side in pixels for local normalisation; 0 is off. */
  tileNormBlocksize?: number;
  tileNormSmooth3D?: number;
  /** Swap dark and bright afterwards. */
  invert?: boolean;
  /** False leaves the samples as they are (as float32). */
  enabled?: boolean;
  /** Repeat faults of the reference (all 0 without normalisation; tile grids of single planes). For comparisons. */
  compat?: boolean;
}

/** Least distance of the two percentiles of a channel that is not blank. */
const LEAST_RANGE = 1e-3;

/**
 * A linear map of samples: value = (sample − low) · scale, and 1 minus that if inverted.
 * Scale 0 stands for a blank channel.
 */
export interface SampleMap {
  low: number;
  scale: number;
  invert: boolean;
}

/** The map that takes the two percentiles to 0 and 1 (spec §2.3); blank if they lie closer than 0.001. */
export function percentileMap(
  samples: VolumeData,
  shape: Shape3,
  percentile: readonly [number, number] = [1, 99],
  invert = false,
): SampleMap {
  return mapOfSamples(strided(samples, shape, percentileStrides(shape)), percentile, invert);
}

/** The map that takes the two percentiles of all these samples to 0 and 1. */
export function mapOfSamples(
  samples: VolumeData,
  percentile: readonly [number, number],
  invert: boolean,
): SampleMap {
  const [low, high] = percentiles(samples, percentile);
  const range = high - low;
  return { low, scale: range > LEAST_RANGE ? 1 / range : 0, invert };
}

/** Applies a map. Samples that are not finite become 0 (background). */
export function mapSamples(samples: VolumeData, { low, scale, invert }: SampleMap, out: Float32Array): void {
  for (let i = 0; i < samples.length; i++) {
    const value = Math.fround(Math.fround(samples[i] - low) * scale);
    out[i] = Number.isFinite(value) ? (invert ? 1 - value : value) : 0;
  }
}

function isConstant(samples: VolumeData): boolean {
  for (let i = 1; i < samples.length; i++) if (samples[i] !== samples[0]) return false;
  return true;
}

/**
 * Normalises the channels of an image or stack for the network (spec §2.2).
 *
 * @param channels samples [z, y, x] of each channel
 * @param shape lengths of z, y, x; z = 1 for an image
 * @returns Float32 [z, y, x] per channel, nominally 0…1, not clipped; constant channels are 0
 * @throws CytoError `bad-input` for parameters out of range or channels without a finite sample
 */
export function normalise(
  channels: readonly VolumeData[],
  shape: Shape3,
  options: NormaliseOptions = {},
): Float32Array[] {
  const {
    lowhigh,
    percentile = [1, 99],
    norm3D = true,
    invert = false,
    enabled = true,
    compat = false,
  } = options;
  const { sharpenRadius = 0, smoothRadius = 0, tileNormBlocksize = 0, tileNormSmooth3D = 1 } = options;
  if (!(percentile[0] >= 0 && percentile[1] <= 100 && percentile[0] < percentile[1])) {
    throw new CytoError(
      'bad-input',
      `Percentiles ${percentile.join(' and ')} are not possible; use 0 ≤ low < high ≤ 100.`,
    );
  }
  if (!enabled && !lowhigh) {
    if (invert)
      throw new CytoError(
        'bad-input',
        'Inverting needs normalisation: switch it on, or switch inverting off.',
      );
    return channels.map((samples) =>
      compat ? new Float32Array(samples.length) : Float32Array.from(samples),
    );
  }
  if (lowhigh) {
    return channels.map((samples, c) => {
      const pair = (Array.isArray(lowhigh[0]) ? lowhigh[c] : lowhigh) as
        | readonly [number, number]
        | undefined;
      if (!pair || !(pair[1] > pair[0])) {
        throw new CytoError('bad-input', `Channel ${c + 1} needs a low value below its high value.`);
      }
      const out = new Float32Array(samples.length);
      mapSamples(samples, { low: pair[0], scale: 1 / (pair[1] - pair[0]), invert }, out);
      return out;
    });
  }
  const plane = shape[1] * shape[2];
  return channels.map((samples) => {
    const out = Float32Array.from(samples);
    if (isConstant(samples)) return out.fill(0);
    if (sharpenRadius > 0 || smoothRadius > 0) sharpenSmooth(out, shape, { sharpenRadius, smoothRadius });
    if (tileNormBlocksize > 0) {
      const parts: Array<[Float32Array, Shape3]> = norm3D
        ? [[out, shape]]
        : Array.from({ length: shape[0] }, (_, z) => [
            out.subarray(z * plane, (z + 1) * plane),
            [1, shape[1], shape[2]],
          ]);
      for (const [part, partShape] of parts) {
        normaliseTiles(part, partShape, {
          blocksize: tileNormBlocksize,
          percentile,
          norm3D,
          smooth3D: tileNormSmooth3D,
          compat,
        });
      }
      if (invert) for (let i = 0; i < out.length; i++) out[i] = 1 - out[i];
      return out;
    }
    if (norm3D || shape[0] === 1) {
      mapSamples(out, percentileMap(out, shape, percentile, invert), out);
      return out;
    }
    for (let z = 0; z < shape[0]; z++) {
      const part = out.subarray(z * plane, (z + 1) * plane);
      mapSamples(part, percentileMap(part, [1, shape[1], shape[2]], percentile, invert), part);
    }
    return out;
  });
}
