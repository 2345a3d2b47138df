import { allocate, type DType, type VolumeData } from '../volume.ts';

/** Halved until no side in the plane is longer. */
const SMALLEST_LEVEL = 256;

/** One resolution: samples of each channel. */
export interface Level {
  channels: VolumeData[];
  dtype: DType;
  /** c, z, y, x */
  shape: readonly [number, number, number, number];
  /** Samples of the full resolution per sample, and where its first sample lies. */
  factor: number;
  offset: number;
}

/** Lengths of the axes. */
export type Shape4 = readonly [c: number, z: number, y: number, x: number];

/**
 * An image and its reductions by 2 in the plane.
 * @param how `mean` of four samples, or `pick` of one, which labels need
 */
export function levelsOf(channels: VolumeData[], dtype: DType, shape: Shape4, how: 'mean' | 'pick'): Level[] {
  const levels: Level[] = [{ channels, dtype, shape, factor: 1, offset: 0 }];
  for (
    let last = levels[0];
    Math.max(last.shape[2], last.shape[3]) > SMALLEST_LEVEL;
    last = levels[levels.length - 1]
  ) {
    const [c, z, y, x] = last.shape;
    const half: Shape4 = [c, z, Math.max(1, y >> 1), Math.max(1, x >> 1)];
    levels.push({
      channels: last.channels.map((samples) => halved(samples, dtype, last.shape, half, how)),
      dtype,
      shape: half,
      factor: 2 * last.factor,
      offset: how === 'mean' ? last.offset + last.factor / 2 : 0,
    });
  }
  return levels;
}

function halved(
  from: VolumeData,
  dtype: DType,
  [, nz, ny, nx]: Shape4,
  [, , my, mx]: Shape4,
  how: 'mean' | 'pick',
): VolumeData {
  const out = allocate(dtype, nz * my * mx);
  const whole = !dtype.startsWith('float');
  const [dy, dx] = [ny > 1 ? nx : 0, nx > 1 ? 1 : 0];
  let at = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < my; y++) {
      let i = (z * ny + 2 * y) * nx;
      for (let x = 0; x < mx; x++, i += 2) {
        const mean =
          how === 'mean' ? (from[i] + from[i + dx] + from[i + dy] + from[i + dy + dx]) / 4 : from[i];
        out[at++] = whole ? Math.round(mean) : mean;
      }
    }
  }
  return out;
}
