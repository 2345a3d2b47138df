import { CytoError } from '../../../core/errors.ts';
import { matchPairs } from './assignment.ts';
import { renumber } from './renumber.ts';

/** Overlap of a true and a predicted label. */
interface Overlap {
  truth: number;
  predicted: number;
  pixels: number;
}

interface Comparison {
  trueCount: number;
  predictedCount: number;
  trueSize: Float64Array;
  predictedSize: Float64Array;
  overlaps: Overlap[];
}

function compare(truth: Uint32Array, predicted: Uint32Array): Comparison {
  if (truth.length !== predicted.length) {
    throw new CytoError(
      'bad-input',
      `The label images differ in size (${truth.length} and ${predicted.length} pixels).`,
    );
  }
  const span = 2 ** 26;
  const size = (labels: Uint32Array) => {
    const sizes: number[] = [0];
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i];
      while (sizes.length <= label) sizes.push(0);
      sizes[label]++;
    }
    return Float64Array.from(sizes);
  };
  const trueSize = size(truth);
  const predictedSize = size(predicted);
  const pairs = new Map<number, Overlap>();
  for (let i = 0; i < truth.length; i++) {
    if (truth[i] === 0 || predicted[i] === 0) continue;
    const key = truth[i] * span + predicted[i];
    const pair = pairs.get(key);
    if (pair) pair.pixels++;
    else pairs.set(key, { truth: truth[i], predicted: predicted[i], pixels: 1 });
  }
  return {
    trueCount: trueSize.length - 1,
    predictedCount: predictedSize.length - 1,
    trueSize,
    predictedSize,
    overlaps: [...pairs.values()],
  };
}

/** Both label images renumbered 1…N, ascending ids, without touching the originals. */
function compacted(labels: Uint32Array): Uint32Array {
  const ids = [...new Set(labels)].filter((id) => id > 0).sort((a, b) => a - b);
  if (ids.length === (ids.at(-1) ?? 0)) return labels;
  const map = new Map(ids.map((id, i) => [id, i + 1]));
  return labels.map((label) => map.get(label) ?? 0);
}

interface Match {
  truth: number;
  predicted: number;
  iou: number;
  pixels: number;
}

/** Optimal one-to-one matching at an IoU threshold (spec §8); every matched pair, also below the threshold. */
function match(comparison: Comparison, threshold: number): Match[] {
  const { trueCount, predictedCount, trueSize, predictedSize, overlaps } = comparison;
  const fewer = Math.min(trueCount, predictedCount);
  const byKey = new Map<string, Match>();
  const pairs = overlaps.map(({ truth, predicted, pixels }) => {
    const iou = pixels / (trueSize[truth] + predictedSize[predicted] - pixels);
    byKey.set(`${truth} ${predicted}`, { truth, predicted, iou, pixels });
    return { row: truth, column: predicted, cost: -(iou >= threshold ? 1 : 0) - iou / (2 * fewer) };
  });
  return matchPairs(pairs).map(({ row, column }) => byKey.get(`${row} ${column}`)!);
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
 * @param truth Uint32 labels; numbering may have gaps
 * @param predicted Uint32 labels of the same length
 */
export function averagePrecision(
  truth: Uint32Array,
  predicted: Uint32Array,
  thresholds: readonly number[] = [0.5, 0.75, 0.9],
): PrecisionScores {
  const comparison = compare(compacted(truth), compacted(predicted));
  const { trueCount, predictedCount } = comparison;
  const tp = thresholds.map(
    (threshold) => match(comparison, threshold).filter(({ iou }) => iou >= threshold).length,
  );
  const fp = tp.map((count) => predictedCount - count);
  const fn = tp.map((count) => trueCount - count);
  const ap = tp.map((count, k) => count / (count + fp[k] + fn[k]));
  return { thresholds, ap, tp, fp, fn };
}

/**
 * IoU of every true cell with the predicted cell matched to it at threshold 0.5 (spec §8).
 * @returns per true label 1…max (entry 0 = label 1; 0 for numbers not in use): IoU and matched predicted label
 */
export function matchedIous(
  truth: Uint32Array,
  predicted: Uint32Array,
): { iou: Float64Array; predicted: Uint32Array } {
  const comparison = compare(truth, predicted);
  const iou = new Float64Array(comparison.trueSize.length - 1);
  const partner = new Uint32Array(iou.length);
  for (const pair of match(comparison, 0.5)) {
    iou[pair.truth - 1] = pair.iou;
    partner[pair.truth - 1] = pair.predicted;
  }
  return { iou, predicted: partner };
}

/** Aggregated Jaccard index: Σ overlap of matched cells / size of the union of both foregrounds (spec §8). */
export function aggregatedJaccard(truth: Uint32Array, predicted: Uint32Array): number {
  const overlap = match(compare(compacted(truth), compacted(predicted)), 0.5).reduce(
    (sum, pair) => sum + pair.pixels,
    0,
  );
  let union = 0;
  for (let i = 0; i < truth.length; i++) if (truth[i] !== 0 || predicted[i] !== 0) union++;
  return overlap / union;
}

/** True if two label images are the same up to numbering. */
export function sameUpToNumbering(a: Uint32Array, b: Uint32Array): boolean {
  const first = a.slice();
  const second = b.slice();
  renumber(first);
  renumber(second);
  return first.every((label, i) => label === second[i]);
}
