import type { Box } from '../label-volume.ts';
import type { Shape3 } from '../volume.ts';
import type { LabelEdit, Overwrite } from './label-edit.ts';

/** A cell cut out of its volume: 1 where it is, in C order of its box. */
export interface CellMask {
  readonly box: Box;
  readonly shape: Shape3;
  mask: Uint8Array;
}

/** Cuts a cell out. @param margin voxels around `box` along z, y, x; ends at the volume's border */
export function cutOut(
  { data, shape }: Pick<LabelEdit, 'data' | 'shape'>,
  id: number,
  box: Box,
  margin: readonly number[] = [0, 0, 0],
): CellMask {
  const low = [0, 1, 2].map((axis) => Math.max(0, box[axis] - margin[axis]));
  const high = [0, 1, 2].map((axis) => Math.min(shape[axis], box[axis + 3] + margin[axis]));
  const size: Shape3 = [high[0] - low[0], high[1] - low[1], high[2] - low[2]];
  const mask = new Uint8Array(size[0] * size[1] * size[2]);
  let at = 0;
  for (let z = low[0]; z < high[0]; z++) {
    for (let y = low[1]; y < high[1]; y++) {
      let from = (z * shape[1] + y) * shape[2] + low[2];
      for (let x = 0; x < size[2]; x++) mask[at++] = data[from++] === id ? 1 : 0;
    }
  }
  return { box: [low[0], low[1], low[2], high[0], high[1], high[2]], shape: size, mask };
}

/** Writes a cell back in its new form: voxels it has lost become background, new ones are written as allowed. */
export function putBack(
  edit: LabelEdit,
  id: number,
  { box, shape, mask }: CellMask,
  overwrite: Overwrite = 'empty',
): void {
  let at = 0;
  for (let z = 0; z < shape[0]; z++) {
    for (let y = 0; y < shape[1]; y++) {
      for (let x = 0; x < shape[2]; ) {
        const inside = mask[at + x];
        const start = x;
        while (x < shape[2] && mask[at + x] === inside) x++;
        const [x0, x1] = [box[2] + start, box[2] + x];
        if (inside) edit.setRow(box[0] + z, box[1] + y, x0, x1, id, overwrite);
        else edit.setRow(box[0] + z, box[1] + y, x0, x1, 0, { only: id });
      }
      at += shape[2];
    }
  }
}
