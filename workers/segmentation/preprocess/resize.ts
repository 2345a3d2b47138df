import { CytoError } from '../../../core/errors.ts';
import type { VolumeData } from '../../../core/volume.ts';

/** For each output sample the two input samples and the weight of the second. */
export interface Taps {
  low: Int32Array;
  high: Int32Array;
  weight: Float32Array;
}

/** Taps of a linear resize of one axis with half-pixel centres, clamped at the ends (spec §2.6). */
export function linearTaps(lengthIn: number, lengthOut: number): Taps {
  const low = new Int32Array(lengthOut);
  const high = new Int32Array(lengthOut);
  const weight = new Float32Array(lengthOut);
  for (let k = 0; k < lengthOut; k++) {
    const at = Math.min(Math.max(0, (k + 0.5) * (lengthIn / lengthOut) - 0.5), lengthIn - 1);
    low[k] = Math.floor(at);
    high[k] = Math.min(low[k] + 1, lengthIn - 1);
    weight[k] = at - low[k];
  }
  return { low, high, weight };
}

/** Output length of a scaled axis: truncated, at least 1 (spec §2.6). */
export function scaledLength(length: number, scale: number): number {
  return Math.max(1, Math.floor(length * scale));
}

/**
 * Bilinear resize of one plane with half-pixel centres, clamped at the borders, without antialiasing: OpenCV's
 * INTER_LINEAR in float32 (spec §2.6).
 * @param plane samples [heightIn, widthIn]
 * @returns Float32 [height, width]
 */
export function resizePlane(
  plane: VolumeData,
  heightIn: number,
  widthIn: number,
  height: number,
  width: number,
  out: Float32Array = new Float32Array(height * width),
): Float32Array {
  if (height < 1 || width < 1)
    throw new CytoError('bad-input', `An image cannot be resized to ${height}×${width}.`);
  if (height === heightIn && width === widthIn) {
    out.set(plane);
    return out;
  }
  const rows = linearTaps(heightIn, height);
  const columns = linearTaps(widthIn, width);
  for (let y = 0, i = 0; y < height; y++) {
    const upper = rows.low[y] * widthIn;
    const lower = rows.high[y] * widthIn;
    const wy = rows.weight[y];
    for (let x = 0; x < width; x++, i++) {
      const a = columns.low[x];
      const b = columns.high[x];
      const wx = columns.weight[x];
      const above = plane[upper + a] * (1 - wx) + plane[upper + b] * wx;
      const below = plane[lower + a] * (1 - wx) + plane[lower + b] * wx;
      out[i] = above * (1 - wy) + below * wy;
    }
  }
  return out;
}

/**
 * Linear resize along z of a volume, every [z, x] slice by itself as the reference does.
 * @param volume samples [depthIn, ...], `plane` samples per z
 */
export function resizeDepth(volume: VolumeData, depthIn: number, plane: number, depth: number): Float32Array {
  const { low, high, weight } = linearTaps(depthIn, depth);
  const out = new Float32Array(depth * plane);
  for (let z = 0; z < depth; z++) {
    const a = low[z] * plane;
    const b = high[z] * plane;
    const w = weight[z];
    for (let i = 0; i < plane; i++) out[z * plane + i] = volume[a + i] * (1 - w) + volume[b + i] * w;
  }
  return out;
}
