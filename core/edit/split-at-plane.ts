import type { LabelEdit } from './label-edit.ts';
import type { LabelIndex } from './label-index.ts';

/**
 * Cuts a cell between two planes: its voxels from plane `z` on get another label.
 * @returns whether there were voxels on both sides; without them nothing is written
 */
export function splitAtPlane(
  edit: LabelEdit,
  index: LabelIndex,
  { label, z, to }: { label: number; z: number; to: number },
): boolean {
  const box = index.box(label);
  if (label === 0 || !box || z <= box[0] || z >= box[3]) return false;
  for (let plane = z; plane < box[3]; plane++) {
    for (let y = box[1]; y < box[4]; y++) edit.setRow(plane, y, box[2], box[5], to, { only: label });
  }
  return true;
}
