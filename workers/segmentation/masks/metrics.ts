import { CytoError } from '../../../core/errors.ts';
import { matchPairs } from './assignment.ts';
import { type Cells, cellsOf, countOverlaps, type Overlaps } from './overlaps.ts';
import { denseMaxLabel, renumber } from './renumber.ts';
import { copyOf, zeros } from './shape.ts';

interface Comparison {
  truth: Cells;
  predicted: Cells;
  overlaps: Overlaps;
  /** IoU of each overlap. */
  ious: Float64Array;
}

function compare(truth: Uint32Array, predicted: Uint32Array): Comparison {
  if (truth.length !== predicted.length) {
    throw new CytoError(
      'bad-input',
      `The label images differ in size (${truth.length} and ${predicted.length} pixels).`,
    );
  }
  const rows = cellsOf(truth);
  const columns = cellsOf(predicted);
  const overlaps = countOverlaps(truth, predicted, rows, columns);
  const ious = Float64Array.from(overlaps.pixels, (pixels, k) => {
    return pixels / (rows.sizes[overlaps.row[k]] + columns.sizes[overlaps.column[k]] - pixels);
  });
  return { truth: rows, predicted: columns, overlaps, ious };
}

/**
 * Optimal one-to-one matching at an IoU threshold (spec §8).
 * @returns indices of the overlaps of matched pairs, also of those below the threshold
 */
function match({ truth, predicted, overlaps, ious }: Comparison, threshold: number): Int32Array {
  const fewer = Math.min(truth.ids.length, predicted.ids.length) - 1;
  const cost = ious.map((iou) => -(iou >= threshold ? 1 : 0) - iou / (2 * fewer));
  return matchPairs({ row: overlaps.row, column: overlaps.column, cost });
}

/** Counts and scores at several IoU thresholds; entries in the order of `thresholds`. */
export interface PrecisionScores {
  thresholds: readonly number[];
  /** TP / (TP + FP + FN); NaN when neither image has a cell. */
  ap: number[];
  tp: number[];
  fp: number[];
  fn: number[];
}

/**
 * Average precision as Cellpose defines it: TP / (TP + FP + FN) after optimal matching at each IoU threshold (spec §8).
 * @param truth Uint32 labels of any shape, any ids
 * @param predicted Uint32 labels of the same shape
 * @param thresholds least IoU of a true positive, 0…1
 * @throws CytoError `bad-input` for images that differ in size or a threshold that is not an IoU
 */
export function averagePrecision(
  truth: Uint32Array,
  predicted: Uint32Array,
  thresholds: readonly number[] = [0.5, 0.75, 0.9],
): PrecisionScores {
  for (const threshold of thresholds) {
    if (!(threshold >= 0 && threshold <= 1))
      throw new CytoError('bad-input', `A threshold of ${threshold} is not an IoU; use 0…1.`);
  }
  const comparison = compare(truth, predicted);
  const tp = thresholds.map(
    (threshold) => match(comparison, threshold).filter((pair) => comparison.ious[pair] >= threshold).length,
  );
  const fp = tp.map((count) => comparison.predicted.ids.length - 1 - count);
  const fn = tp.map((count) => comparison.truth.ids.length - 1 - count);
  const ap = tp.map((count, k) => count / (count + fp[k] + fn[k]));
  return { thresholds, ap, tp, fp, fn };
}

/**
 * IoU of every true cell with the predicted cell matched to it at threshold 0.5 (spec §8).
 * @param truth Uint32 labels of any shape, largest id at most the number of pixels or 65535
 * @param predicted Uint32 labels of the same shape, any ids
 * @returns per true label 1…max (entry 0 = label 1; 0 for numbers not in use): IoU and matched predicted label
 * @throws CytoError `bad-input` for images that differ in size or true ids that are too large
 */
export function matchedIous(
  truth: Uint32Array,
  predicted: Uint32Array,
): { iou: Float64Array; predicted: Uint32Array } {
  const labels = denseMaxLabel(truth);
  const comparison = compare(truth, predicted);
  const { overlaps } = comparison;
  const iou = zeros(Float64Array, labels);
  const partner = zeros(Uint32Array, labels);
  for (const pair of match(comparison, 0.5)) {
    const at = comparison.truth.ids[overlaps.row[pair]] - 1;
    iou[at] = comparison.ious[pair];
    partner[at] = comparison.predicted.ids[overlaps.column[pair]];
  }
  return { iou, predicted: partner };
}

/**
 * Aggregated Jaccard index: Σ overlap of cells matched at IoU 0.5 / size of the union of both foregrounds (spec §8).
 * @param truth Uint32 labels of any shape, any ids
 * @param predicted Uint32 labels of the same shape
 * @returns 0…1; NaN when neither image has a cell
 * @throws CytoError as {@link averagePrecision}
 */
export function aggregatedJaccard(truth: Uint32Array, predicted: Uint32Array): number {
  const comparison = compare(truth, predicted);
  let overlap = 0;
  for (const pair of match(comparison, 0.5)) overlap += comparison.overlaps.pixels[pair];
  let union = 0;
  for (let i = 0; i < truth.length; i++) if (truth[i] !== 0 || predicted[i] !== 0) union++;
  return overlap / union;
}

/** True if two label images have the same size and are the same up to numbering. */
export function sameUpToNumbering(a: Uint32Array, b: Uint32Array): boolean {
  if (a.length !== b.length) return false;
  const first = copyOf(a);
  const second = copyOf(b);
  renumber(first);
  renumber(second);
  return first.every((label, i) => label === second[i]);
}
