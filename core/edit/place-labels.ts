import { CytoError } from '../errors.ts';
import type { Shape3 } from '../volume.ts';
import type { VoxelBox } from '../voxel-box.ts';

/**
 * Labels of a box, such as the result of a run on it, put among those that are there. What lies outside the box stays as
 * it is; the new cells get ids that are not used there.
 *
 * @param labels Uint32 [z, y, x] that are there
 * @param placed Uint32 [z, y, x] of the box, 1…N
 * @returns Uint32 [z, y, x] of the planes from `box.from[0]` to `box.to[0]`, as `LabelHistory.replace` takes them with
 * `z: box.from[0]` and `blank: false`
 * @throws CytoError `bad-input` if the box does not lie in the labels or has another size
 */
export function placeLabels(
  labels: Uint32Array,
  shape: Shape3,
  placed: Uint32Array,
  { from, to }: VoxelBox,
): Uint32Array {
  const [, ny, nx] = shape;
  const area = ny * nx;
  const size = (to[0] - from[0]) * (to[1] - from[1]) * (to[2] - from[2]);
  if (placed.length !== size || !shape.every((n, axis) => from[axis] >= 0 && to[axis] <= n))
    throw new CytoError('bad-input', `${placed.length} labels do not fit into this box of the labels.`);
  const inside = (i: number) => {
    const y = Math.floor(i / nx) % ny;
    const x = i % nx;
    return y >= from[1] && y < to[1] && x >= from[2] && x < to[2];
  };
  let highest = 0;
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] <= highest) continue;
    const z = Math.floor(i / area);
    if (z < from[0] || z >= to[0] || !inside(i)) highest = labels[i];
  }
  const planes = labels.slice(from[0] * area, to[0] * area);
  const width = to[2] - from[2];
  for (let z = from[0], k = 0; z < to[0]; z++) {
    for (let y = from[1]; y < to[1]; y++) {
      const start = (z - from[0]) * area + y * nx + from[2];
      for (let x = 0; x < width; x++, k++) planes[start + x] = placed[k] === 0 ? 0 : placed[k] + highest;
    }
  }
  return planes;
}
