import { CytoError } from '../errors.ts';
import { type Box, MAX_LABEL } from '../label-volume.ts';
import type { LabelEdit } from './label-edit.ts';
import type { LabelIndex } from './label-index.ts';

/** Operations on whole cells. Each looks only into the boxes of the cells concerned. */

/** Gives every voxel of a label another one; 0 deletes the cell. */
export function changeLabel(edit: LabelEdit, index: LabelIndex, from: number, to: number): void {
  if (!(Number.isInteger(to) && to >= 0 && to <= MAX_LABEL)) {
    throw new CytoError('bad-input', `${to} is not a label: labels are whole numbers up to ${MAX_LABEL}.`);
  }
  const box = index.boxAround(from);
  if (!box || from === 0) return;
  for (let z = box[0]; z < box[3]; z++) {
    for (let y = box[1]; y < box[4]; y++) edit.setRow(z, y, box[2], box[5], to, { only: from });
  }
}

/** Makes one cell of several, under the first one's label. */
export function mergeLabels(edit: LabelEdit, index: LabelIndex, ids: readonly number[]): void {
  for (const id of ids.slice(1)) if (id !== ids[0]) changeLabel(edit, index, id, ids[0]);
}

/** Deletes cells. */
export function deleteLabels(edit: LabelEdit, index: LabelIndex, ids: Iterable<number>): void {
  for (const id of ids) changeLabel(edit, index, id, 0);
}

/** Labels with at least one voxel inside a half-open box, ascending. */
export function labelsInBox({ data, shape }: Pick<LabelEdit, 'data' | 'shape'>, box: Box): number[] {
  const [nz, ny, nx] = shape;
  const found = new Set<number>();
  for (let z = Math.max(0, box[0]); z < Math.min(nz, box[3]); z++) {
    for (let y = Math.max(0, box[1]); y < Math.min(ny, box[4]); y++) {
      const row = (z * ny + y) * nx;
      for (let x = Math.max(0, box[2]); x < Math.min(nx, box[5]); x++) found.add(data[row + x]);
    }
  }
  found.delete(0);
  return [...found].sort((a, b) => a - b);
}

/** Labels with fewer than `voxels` voxels, ascending. */
export function smallLabels(index: LabelIndex, voxels: number): number[] {
  return index.ids.filter((id) => index.count(id) < voxels).sort((a, b) => a - b);
}

/**
 * Labels that touch the border of the volume, ascending.
 * @param axes those whose two ends count as border; in stacks usually y and x only
 */
export function borderLabels(
  index: LabelIndex,
  shape: readonly number[],
  axes: readonly number[] = [1, 2],
): number[] {
  const touches = (box: Box | undefined) =>
    box !== undefined && axes.some((axis) => box[axis] === 0 || box[axis + 3] === shape[axis]);
  // The cheap box is at least as large as the true one.
  return index.ids
    .filter((id) => touches(index.boxAround(id)) && touches(index.box(id)))
    .sort((a, b) => a - b);
}

/** Numbers the cells from 1 without gaps, in the order that they have. @returns number of cells */
export function relabel(edit: LabelEdit, index: LabelIndex): number {
  const ids = index.ids.sort((a, b) => a - b);
  // In ascending order no label is given that a later cell still has.
  ids.forEach((id, i) => {
    if (id !== i + 1) changeLabel(edit, index, id, i + 1);
  });
  return ids.length;
}
