import { CytoError } from '../../../core/errors.ts';
import { maxLabel } from './renumber.ts';
import { copyOf, zeros } from './shape.ts';

/** Labels of an image by place in the ascending list of its ids; place 0 is the background. */
export interface Cells {
  /** Ascending; entry 0 is 0, whether it occurs or not. */
  ids: Float64Array;
  /** Pixels per cell, index as in `ids`; entry 0 is not used. */
  sizes: Float64Array;
  placeOf(id: number): number;
}

/** Ids are counted in an array if it need not be longer than this or twice the image. */
const ALWAYS_DENSE = 65535;

/** Most entries of a Map. */
const MOST_SCATTERED = 2 ** 24 - 1;

/**
 * The cells of a label image with any ids.
 * @throws CytoError `too-large` for more than 2^24 − 2 cells with ids above twice the number of pixels
 */
export function cellsOf(labels: Uint32Array): Cells {
  const max = maxLabel(labels);
  if (max > Math.max(2 * labels.length, ALWAYS_DENSE)) return scatteredCells(labels);
  const counts = zeros(Uint32Array, max + 1);
  for (let i = 0; i < labels.length; i++) counts[labels[i]]++;
  counts[0] = Math.max(1, counts[0]);
  const places = zeros(Int32Array, max + 1);
  let cells = 0;
  for (let id = 0; id <= max; id++) if (counts[id] > 0) places[id] = cells++;
  const ids = zeros(Float64Array, cells);
  const sizes = zeros(Float64Array, cells);
  for (let id = 0; id <= max; id++) {
    if (counts[id] === 0) continue;
    ids[places[id]] = id;
    sizes[places[id]] = counts[id];
  }
  return { ids, sizes, placeOf: (id) => places[id] };
}

function scatteredCells(labels: Uint32Array): Cells {
  const sorted = copyOf(labels).sort();
  const places = new Map([[0, 0]]);
  const sizes = [0];
  for (let i = 0; i < sorted.length; i++) {
    if (sorted[i] === 0) continue;
    if (sorted[i] !== sorted[i - 1]) {
      if (places.size === MOST_SCATTERED)
        throw new CytoError(
          'too-large',
          `More than ${MOST_SCATTERED - 1} cells with ids far above their number: renumber the labels first.`,
        );
      places.set(sorted[i], sizes.length);
      sizes.push(0);
    }
    sizes[sizes.length - 1]++;
  }
  return {
    ids: Float64Array.from(places.keys()),
    sizes: Float64Array.from(sizes),
    placeOf: (id) => places.get(id)!,
  };
}

/** Overlapping pairs of the cells of two images, by places; all arrays of one length. */
export interface Overlaps {
  /** Place of the cell of the first image, ascending. */
  row: Int32Array;
  /** Place of the cell of the second image; in a row by first common pixel. */
  column: Int32Array;
  /** Common pixels. */
  pixels: Uint32Array;
  /** First of them, row-major. */
  at: Uint32Array;
}

/**
 * Counts the common pixels of the cells of two images, background left out. Runs of pixels are brought into the order
 * of the first image's cells and added up cell by cell, which costs the same however many cells there are.
 * @param first Uint32, `second` of the same length
 * @param rows cells of `first`; `columns` those of `second`
 */
export function countOverlaps(
  first: Uint32Array,
  second: Uint32Array,
  rows: Cells,
  columns: Cells,
): Overlaps {
  const begin = zeros(Uint32Array, rows.ids.length + 1);
  forRuns(first, second, (start) => begin[rows.placeOf(first[start]) + 1]++);
  for (let row = 0; row < rows.ids.length; row++) begin[row + 1] += begin[row];
  const runs = begin[rows.ids.length];
  const startOf = zeros(Uint32Array, runs);
  const lengthOf = zeros(Uint32Array, runs);
  const free = copyOf(begin);
  forRuns(first, second, (start, stop) => {
    const place = free[rows.placeOf(first[start])]++;
    startOf[place] = start;
    lengthOf[place] = stop - start;
  });
  const row = zeros(Int32Array, runs);
  const column = zeros(Int32Array, runs);
  const pixels = zeros(Uint32Array, runs);
  const at = zeros(Uint32Array, runs);
  const known = zeros(Int32Array, columns.ids.length).fill(-1);
  let pairs = 0;
  for (let r = 0; r < rows.ids.length; r++) {
    const firstPair = pairs;
    for (let run = begin[r]; run < begin[r + 1]; run++) {
      const c = columns.placeOf(second[startOf[run]]);
      if (known[c] < firstPair) {
        known[c] = pairs;
        row[pairs] = r;
        column[pairs] = c;
        at[pairs++] = startOf[run];
      }
      pixels[known[c]] += lengthOf[run];
    }
  }
  return {
    row: row.subarray(0, pairs),
    column: column.subarray(0, pairs),
    pixels: pixels.subarray(0, pairs),
    at: at.subarray(0, pairs),
  };
}

/** Calls back with every run of pixels that lie in one cell of the first and one of the second image. */
function forRuns(
  first: Uint32Array,
  second: Uint32Array,
  visit: (start: number, stop: number) => void,
): void {
  const { length } = first;
  for (let start = 0; start < length; ) {
    const a = first[start];
    const b = second[start];
    let stop = start + 1;
    while (stop < length && first[stop] === a && second[stop] === b) stop++;
    if (a !== 0 && b !== 0) visit(start, stop);
    start = stop;
  }
}

/** Pixels shared by a label of one plane and a label of the next. */
export interface Overlap {
  upper: number;
  lower: number;
  pixels: number;
  /** First of the shared pixels, row-major. */
  at: number;
}

/**
 * Sparse overlap counts of two planes of the same size; background left out.
 * @param upper Uint32 [y, x], any ids
 * @param lower Uint32 [y, x], any ids
 * @throws CytoError `bad-input` for planes that differ in size
 */
export function planeOverlaps(upper: Uint32Array, lower: Uint32Array): Overlap[] {
  if (upper.length !== lower.length)
    throw new CytoError(
      'bad-input',
      `The planes differ in size (${upper.length} and ${lower.length} pixels).`,
    );
  const rows = cellsOf(upper);
  const columns = cellsOf(lower);
  const { row, column, pixels, at } = countOverlaps(upper, lower, rows, columns);
  return Array.from(row, (_, k) => ({
    upper: rows.ids[row[k]],
    lower: columns.ids[column[k]],
    pixels: pixels[k],
    at: at[k],
  }));
}
