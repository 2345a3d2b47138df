import { CytoError } from '../../../core/errors.ts';
import { labelBoxes } from './label-boxes.ts';
import { keepLabels, labelCounts, renumber } from './renumber.ts';
import { checkGrid, type GridShape } from './shape.ts';

export interface CompatOptions {
  /**
   * Repeat a fault of the reference: it takes the first of the sorted label values for the background and never tests
   * its size, so that in an image without background the first label stays however small. For comparisons only.
   */
  compat?: boolean;
}

/** @throws CytoError `bad-input` for a least size of labels that is not a whole number */
export function checkMinSize(minSize: number): void {
  if (!Number.isInteger(minSize))
    throw new CytoError(
      'bad-input',
      `A minimum size of ${minSize} is not a whole number of pixels; 0 or less keeps all labels.`,
    );
}

/**
 * Deletes labels of fewer than `minSize` pixels and renumbers 1…N in raster order, in place.
 * @param labels Uint32 of any shape, largest id at most the number of pixels or 65535
 * @throws CytoError `bad-input` for a minimum that is not a whole number, ids that are too large (see renumber)
 */
export function removeSmall(
  labels: Uint32Array,
  minSize: number,
  { compat = false }: CompatOptions = {},
): void {
  checkMinSize(minSize);
  const counts = labelCounts(labels);
  const untested = compat && counts[0] === 0 ? counts.findIndex((count) => count > 0) : 0;
  keepLabels(
    labels,
    Uint8Array.from(counts, (count, label) => Number(count >= minSize || label === untested)),
  );
  renumber(labels);
}

/**
 * Fills the holes of every label and removes small ones (spec §5.3), in place. A hole is what a flood from the border
 * of the label's box does not reach through 4 (2D) or 6 (3D) neighbours; other labels lying in it are absorbed.
 *
 * @param labels Uint32 [...shape], contiguous 1…N
 * @param minSize least number of pixels of a label that stays; values ≤ 0 keep all and only compact the numbers
 * @returns `labels`
 * @throws CytoError `bad-input` for a minimum that is not a whole number, lengths that disagree, a label above both
 * the number of pixels and 65535 (see renumber); `too-large` above 2^31 − 1 pixels
 */
export function fillHolesAndRemoveSmall(
  labels: Uint32Array,
  shape: GridShape,
  minSize: number,
  options: CompatOptions = {},
): Uint32Array {
  checkMinSize(minSize);
  checkGrid(shape, { labels: [labels, 1] });
  if (minSize > 0) removeSmall(labels, minSize, options);
  const boxes = labelBoxes(labels, shape);
  let id = 0;
  for (let label = 1; label < boxes.length / 6; label++) {
    if (boxes[label * 6 + 3] === 0) continue;
    if (fillLabel(labels, shape, boxes.subarray(label * 6, label * 6 + 6), label, id + 1)) id++;
  }
  if (minSize > 0) removeSmall(labels, minSize, options);
  return labels;
}

/** Fills one label inside its box and gives it the number `id`; false if nothing of the label is left. */
function fillLabel(
  labels: Uint32Array,
  shape: GridShape,
  box: Int32Array,
  label: number,
  id: number,
): boolean {
  const [ny, nx] = shape.slice(-2);
  const [z0, y0, x0, z1, y1, x1] = box;
  const bz = z1 - z0;
  const by = y1 - y0;
  const bx = x1 - x0;
  const plane = by * bx;
  const size = bz * plane;
  const volume = shape.length === 3;
  const indexOf = (z: number, y: number, x: number) => ((z0 + z) * ny + y0 + y) * nx + x0 + x;

  const LABEL = 1;
  const OUTSIDE = 2;
  const state = new Uint8Array(size);
  let pixels = 0;
  for (let z = 0, k = 0; z < bz; z++) {
    for (let y = 0; y < by; y++) {
      const line = indexOf(z, y, 0);
      for (let x = 0; x < bx; x++, k++) {
        if (labels[line + x] === label) {
          state[k] = LABEL;
          pixels++;
        }
      }
    }
  }
  if (pixels === 0) return false;

  const stack: number[] = [];
  const push = (k: number) => {
    if (state[k] !== 0) return;
    state[k] = OUTSIDE;
    stack.push(k);
  };
  for (let z = 0; z < bz; z++) {
    for (let y = 0; y < by; y++) {
      const wholeLine = y === 0 || y === by - 1 || (volume && (z === 0 || z === bz - 1));
      const line = z * plane + y * bx;
      if (wholeLine) for (let x = 0; x < bx; x++) push(line + x);
      else {
        push(line);
        push(line + bx - 1);
      }
    }
  }
  while (stack.length > 0) {
    const k = stack.pop()!;
    const z = (k / plane) | 0;
    const y = ((k - z * plane) / bx) | 0;
    const x = k - z * plane - y * bx;
    if (x > 0) push(k - 1);
    if (x < bx - 1) push(k + 1);
    if (y > 0) push(k - bx);
    if (y < by - 1) push(k + bx);
    if (volume && z > 0) push(k - plane);
    if (volume && z < bz - 1) push(k + plane);
  }
  for (let z = 0, k = 0; z < bz; z++) {
    for (let y = 0; y < by; y++) {
      const line = indexOf(z, y, 0);
      for (let x = 0; x < bx; x++, k++) if (state[k] !== OUTSIDE) labels[line + x] = id;
    }
  }
  return true;
}
