import type { Shape3 } from '../volume.ts';
import type { Axis } from './brush.ts';

/**
 * Squared distance of every voxel's middle to the nearest voxel of the given value, exact for any spacing
 * (P. Felzenszwalb, D. Huttenlocher, "Distance transforms of sampled functions", 2012).
 * @param mask in C order of `shape`
 * @param spacing along z, y, x
 * @param flat axis across which distance is not measured: every plane for itself
 * @returns 0 at voxels of that value, Infinity where there are none
 */
export function squaredDistance(
  mask: Uint8Array,
  shape: Shape3,
  spacing: readonly number[],
  value: 0 | 1,
  flat?: Axis,
): Float64Array {
  const result = new Float64Array(mask.length);
  for (let i = 0; i < mask.length; i++) result[i] = mask[i] === value ? 0 : Number.POSITIVE_INFINITY;
  const strides = [shape[1] * shape[2], shape[2], 1];
  const longest = Math.max(...shape);
  const line = new Float64Array(longest);
  const at = new Int32Array(longest);
  const bounds = new Float64Array(longest + 1);
  for (const axis of [2, 1, 0] as const) {
    if (axis === flat || shape[axis] === 1) continue;
    const [length, stride] = [shape[axis], strides[axis]];
    for (let start = 0; start < mask.length; start++) {
      if (Math.floor(start / stride) % length !== 0) continue;
      envelope(result, start, stride, length, spacing[axis], line, at, bounds);
    }
  }
  return result;
}

/** Lower envelope of the parabolas along one line. */
function envelope(
  result: Float64Array,
  start: number,
  stride: number,
  length: number,
  step: number,
  line: Float64Array,
  at: Int32Array,
  bounds: Float64Array,
): void {
  for (let i = 0; i < length; i++) line[i] = result[start + i * stride];
  const square = step * step;
  let top = -1;
  for (let q = 0; q < length; q++) {
    if (line[q] === Number.POSITIVE_INFINITY) continue;
    let cross = Number.NEGATIVE_INFINITY;
    while (top >= 0) {
      const p = at[top];
      cross = (line[q] - line[p] + square * (q * q - p * p)) / (2 * square * (q - p));
      if (cross > bounds[top]) break;
      top--;
    }
    top++;
    at[top] = q;
    bounds[top] = top === 0 ? Number.NEGATIVE_INFINITY : cross;
  }
  if (top < 0) return;
  for (let i = 0, k = 0; i < length; i++) {
    while (k < top && bounds[k + 1] < i) k++;
    const away = i - at[k];
    result[start + i * stride] = square * away * away + line[at[k]];
  }
}

/**
 * Distance to the edge of a mask: positive inside, negative outside, 0 halfway between voxels of both kinds.
 * Infinite where there is no edge.
 */
export function signedDistance(
  mask: Uint8Array,
  shape: Shape3,
  spacing: readonly number[],
  flat?: Axis,
): Float64Array {
  const outside = squaredDistance(mask, shape, spacing, 1, flat);
  const inside = squaredDistance(mask, shape, spacing, 0, flat);
  const half = Math.min(...spacing.filter((_, axis) => axis !== flat)) / 2;
  for (let i = 0; i < mask.length; i++) {
    inside[i] = mask[i] === 1 ? Math.sqrt(inside[i]) - half : half - Math.sqrt(outside[i]);
  }
  return inside;
}
