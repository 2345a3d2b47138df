import type { Box } from '../../../core/label-volume.ts';
import { denseMaxLabel } from './renumber.ts';
import { type GridShape, zeros } from './shape.ts';

/**
 * Bounding boxes of the labels 1…N, flat: six numbers a label, [z0, y0, x0, z1, y1, x1] half-open, from index
 * 6 · label. Absent labels have z1 = 0.
 * @throws CytoError `bad-input` if the largest label is above both the number of pixels and 65535 (see renumber)
 */
export const labelBoxes = (labels: Uint32Array, shape: GridShape): Int32Array =>
  labelExtents(labels, shape).boxes;

/**
 * {@link labelBoxes}, and which labels have a gap in a row: 1, index = label. One without any has no hole.
 * @throws as `labelBoxes`
 */
export function labelExtents(labels: Uint32Array, shape: GridShape): { boxes: Int32Array; gaps: Uint8Array } {
  const [nz, ny, nx] = shape.length === 3 ? shape : [1, shape[0], shape[1]];
  const slots = denseMaxLabel(labels) + 1;
  const boxes = zeros(Int32Array, slots * 6);
  const gaps = zeros(Uint8Array, slots);
  // Pixel at which the last row that a label has been met in begins.
  const lines = zeros(Int32Array, slots).fill(-1);
  let i = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const line = i;
      const stop = i + nx;
      while (i < stop) {
        const label = labels[i];
        if (label === 0) {
          i++;
          continue;
        }
        const first = i - line;
        while (++i < stop && labels[i] === label);
        const after = i - line;
        if (lines[label] === line) gaps[label] = 1;
        lines[label] = line;
        const at = label * 6;
        if (boxes[at + 3] === 0) {
          boxes[at] = z;
          boxes[at + 1] = y;
          boxes[at + 2] = first;
          boxes[at + 3] = z + 1;
          boxes[at + 4] = y + 1;
          boxes[at + 5] = after;
          continue;
        }
        boxes[at + 3] = z + 1;
        if (y < boxes[at + 1]) boxes[at + 1] = y;
        else if (y >= boxes[at + 4]) boxes[at + 4] = y + 1;
        if (first < boxes[at + 2]) boxes[at + 2] = first;
        if (after > boxes[at + 5]) boxes[at + 5] = after;
      }
    }
  }
  return { boxes, gaps };
}

/** The box of one label from {@link labelBoxes}. */
export function boxOf(boxes: Int32Array, label: number): Box {
  return Array.from(boxes.subarray(label * 6, label * 6 + 6)) as unknown as Box;
}
