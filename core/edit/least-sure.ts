import type { Shape3 } from '../volume.ts';
import type { LabelIndex } from './label-index.ts';

/** A square of one plane, and how unsure the network was of the cells in it. */
export interface DoubtfulRegion {
  z: number;
  /** First row and column. */
  y: number;
  x: number;
  height: number;
  width: number;
  /** Cells whose middle lies in it. */
  cells: number;
  /** Sum of their flow errors. */
  doubt: number;
}

/**
 * Squares of planes in the order in which correcting them is worth most: by the sum of the flow errors of the cells whose
 * middle lies in them. Cells without a flow error were drawn by hand and count as sure.
 * @param flowErrors by label, 0 for a perfect cell
 * @param shape lengths of z, y, x
 * @param side of the squares in pixels; at the borders they are as large as the image allows
 */
export function doubtfulRegions(
  index: LabelIndex,
  flowErrors: ReadonlyMap<number, number>,
  [, ny, nx]: Shape3,
  side: number,
): DoubtfulRegion[] {
  const [height, width] = [Math.min(side, ny), Math.min(side, nx)];
  const regions = new Map<string, DoubtfulRegion>();
  for (const id of index.ids) {
    const box = index.box(id);
    const error = flowErrors.get(id);
    if (!box || error === undefined) continue;
    const [z, y, x] = [0, 1, 2].map((axis) => (box[axis] + box[axis + 3]) >> 1);
    const [row, column] = [Math.floor(y / height), Math.floor(x / width)];
    const key = `${z} ${row} ${column}`;
    const region = regions.get(key) ?? {
      z,
      y: Math.min(row * height, ny - height),
      x: Math.min(column * width, nx - width),
      height,
      width,
      cells: 0,
      doubt: 0,
    };
    region.cells++;
    region.doubt += error;
    regions.set(key, region);
  }
  return [...regions.values()].sort((a, b) => b.doubt - a.doubt);
}
