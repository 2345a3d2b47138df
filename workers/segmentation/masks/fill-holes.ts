import { CytoError } from '../../../core/errors.ts';
import { labelExtents } from './label-boxes.ts';
import { labelCounts } from './renumber.ts';
import { checkGrid, type GridShape, zeros } from './shape.ts';

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
  const numbers = zeros(Uint32Array, counts.length);
  const { length } = labels;
  for (let i = 0, last = 0; i < length; ) {
    const label = labels[i];
    const first = i;
    do i++;
    while (i < length && labels[i] === label);
    if (label === 0) continue;
    const kept = counts[label] >= minSize || label === untested;
    if (kept && numbers[label] === 0) numbers[label] = ++last;
    if (numbers[label] !== label) for (let k = first; k < i; k++) labels[k] = numbers[label];
  }
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
  const { boxes, gaps } = labelExtents(labels, shape);
  // The padded box of the label at hand.
  let state = new Uint8Array(0);
  let stack = new Int32Array(0);
  // Labels of which pixels were absorbed.
  const losers = zeros(Uint8Array, gaps.length);
  let id = 0;
  for (let label = 1; label < gaps.length; label++) {
    if (boxes[label * 6 + 3] === 0) continue;
    if (gaps[label] === 0 && losers[label] === 0 && id + 1 === label) {
      id++;
      continue;
    }
    const room = paddedSize(boxes, label, shape);
    if (room > state.length) {
      state = zeros(Uint8Array, room);
      stack = zeros(Int32Array, room);
    }
    const box = boxes.subarray(label * 6, label * 6 + 6);
    if (fillLabel(labels, shape, box, label, id + 1, state, stack, losers)) id++;
  }
  // Filling takes nothing from a label and leaves its first pixel, unless another absorbs it.
  if (minSize > 0 && (losers.includes(1) || options.compat)) removeSmall(labels, minSize, options);
  return labels;
}

/** Pixels of a label's box with a border of one. */
function paddedSize(boxes: Int32Array, label: number, { length }: GridShape): number {
  const [z0, y0, x0, z1, y1, x1] = boxes.subarray(label * 6, label * 6 + 6);
  return z1 === 0 ? 0 : (z1 - z0 + (length === 3 ? 2 : 0)) * (y1 - y0 + 2) * (x1 - x0 + 2);
}

const FREE = 0;
const LABEL = 1;
const OUTSIDE = 2;

/**
 * Fills one label inside its box and gives it the number `id`; false if nothing of the label is left.
 * @param state room for the padded box
 * @param stack the same
 * @param losers set to 1 for labels that lose pixels
 */
function fillLabel(
  labels: Uint32Array,
  shape: GridShape,
  box: Int32Array,
  label: number,
  id: number,
  state: Uint8Array,
  stack: Int32Array,
  losers: Uint8Array,
): boolean {
  const [ny, nx] = shape.slice(-2);
  const [z0, y0, x0, z1, y1, x1] = box;
  const by = y1 - y0;
  const bx = x1 - x0;
  const volume = shape.length === 3;
  const row = bx + 2;
  const plane = row * (by + 2);
  const base = (volume ? plane : 0) + row + 1;
  // The border counts as visited, so that the flood needs no test of coordinates.
  state.fill(OUTSIDE, 0, plane * (z1 - z0 + (volume ? 2 : 0)));
  let pixels = 0;
  let outside = 0;
  let top = 0;
  for (let z = z0; z < z1; z++) {
    const face = volume && (z === z0 || z === z1 - 1);
    for (let y = y0; y < y1; y++) {
      const from = (z * ny + y) * nx + x0;
      const to = base + (z - z0) * plane + (y - y0) * row;
      const wholeLine = face || y === y0 || y === y1 - 1;
      for (let x = 0; x < bx; x++) {
        if (labels[from + x] === label) {
          state[to + x] = LABEL;
          pixels++;
        } else if (wholeLine || x === 0 || x === bx - 1) stack[top++] = to + x;
        else state[to + x] = FREE;
      }
    }
  }
  if (pixels === 0) return false;
  const neighbours = volume ? [-1, 1, -row, row, -plane, plane] : [-1, 1, -row, row];
  while (top > 0) {
    const k = stack[--top];
    outside++;
    for (let n = 0; n < neighbours.length; n++) {
      const next = k + neighbours[n];
      if (state[next] !== FREE) continue;
      state[next] = OUTSIDE;
      stack[top++] = next;
    }
  }
  const holes = pixels + outside < bx * by * (z1 - z0);
  if (!holes && id === label) return true;
  for (let z = z0; z < z1; z++) {
    for (let y = y0; y < y1; y++) {
      const to = (z * ny + y) * nx + x0;
      const from = base + (z - z0) * plane + (y - y0) * row;
      for (let x = 0; x < bx; x++) {
        if (state[from + x] === OUTSIDE) continue;
        const old = labels[to + x];
        if (old !== 0 && old !== label) losers[old] = 1;
        labels[to + x] = id;
      }
    }
  }
  return true;
}
