import type { Axis } from './brush.ts';
import { cutOut, putBack } from './cell-mask.ts';
import { signedDistance } from './distance.ts';
import type { LabelEdit } from './label-edit.ts';
import type { LabelIndex } from './label-index.ts';

/**
 * Fills the planes between those in which a cell was painted: in each the cell is where the signed distance to its
 * outline, taken linearly between the planes before and after, is positive (S. Raya, J. Udupa, "Shape-based
 * interpolation of multidimensional objects", 1990). Only empty voxels are written.
 * @param across axis along which planes follow one another
 * @param spacing along z, y, x
 * @returns number of planes that were filled
 */
export function interpolatePlanes(
  edit: LabelEdit,
  index: LabelIndex,
  id: number,
  across: Axis,
  spacing: readonly number[],
): number {
  const box = index.box(id);
  if (!box) return 0;
  // A rim of one voxel, so that a plane that fills its box has an edge too.
  const margin = [1, 1, 1];
  margin[across] = 0;
  const planeAt = (k: number) => {
    const plane: [number, number, number, number, number, number] = [...box];
    plane[across] = k;
    plane[across + 3] = k + 1;
    return cutOut(edit, id, plane, margin);
  };
  let filled = 0;
  let last: { at: number; distance: Float64Array } | undefined;
  for (let k = box[across]; k < box[across + 3]; k++) {
    const plane = planeAt(k);
    if (!plane.mask.includes(1)) continue;
    // Where a plane of the whole volume is filled there still is none.
    const reach = Math.hypot(...plane.shape.map((n, axis) => n * spacing[axis]));
    const distance = signedDistance(plane.mask, plane.shape, spacing, across).map((d) =>
      Math.max(-reach, Math.min(reach, d)),
    );
    if (last && k > last.at + 1) {
      for (let between = last.at + 1; between < k; between++) {
        const share = (between - last.at) / (k - last.at);
        const from = last.distance;
        const mask = Uint8Array.from(distance, (d, i) => ((1 - share) * from[i] + share * d > 0 ? 1 : 0));
        if (!mask.includes(1)) continue;
        putBack(edit, id, { ...planeAt(between), mask });
        filled++;
      }
    }
    last = { at: k, distance };
  }
  return filled;
}
