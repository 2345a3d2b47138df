import { CytoError } from '../../../core/errors.ts';
import { labelCounts } from './renumber.ts';
import { checkGrid, type GridShape, zeros } from './shape.ts';

/**
 * Inner outlines of the labels: label pixels with a 4-neighbour of another label or background, or at the border of
 * the image.
 * @param shape [y, x]
 * @returns Uint8 [y, x]: 1 on an outline
 * @throws CytoError `bad-input` for a shape that is not a plane or a length that does not fit it
 */
export function outlines(labels: Uint32Array, shape: GridShape): Uint8Array {
  checkPlane(labels, shape);
  const [ny, nx] = shape;
  const out = zeros(Uint8Array, labels.length);
  for (let y = 0, i = 0; y < ny; y++) {
    for (let x = 0; x < nx; x++, i++) {
      const label = labels[i];
      if (label === 0) continue;
      const inner =
        y > 0 &&
        y < ny - 1 &&
        x > 0 &&
        x < nx - 1 &&
        labels[i - nx] === label &&
        labels[i + nx] === label &&
        labels[i - 1] === label &&
        labels[i + 1] === label;
      if (!inner) out[i] = 1;
    }
  }
  return out;
}

function checkPlane(labels: Uint32Array, shape: GridShape): void {
  if (shape.length !== 2)
    throw new CytoError('bad-input', `Outlines are those of a plane [y, x], not of [${shape.join(', ')}].`);
  checkGrid(shape, { labels: [labels, 1] });
}

/** Median over the labels of the diameter of the disc of equal area, in pixels (spec §8). NaN without labels. */
export function medianDiameter(labels: Uint32Array): number {
  const areas = labelCounts(labels)
    .slice(1)
    .filter((count) => count > 0)
    .sort();
  if (areas.length === 0) return Number.NaN;
  const middle = areas.length >> 1;
  const root = (i: number) => Math.sqrt(areas[i]);
  const median = areas.length % 2 ? root(middle) : (root(middle - 1) + root(middle)) / 2;
  return (median * 2) / Math.sqrt(Math.PI);
}

/** Dilates by a disc of integer radius: pixels within `radius` (Euclidean) of a set pixel. */
function dilate(mask: Uint8Array, shape: GridShape, radius: number): Uint8Array {
  const [ny, nx] = shape;
  const out = zeros(Uint8Array, mask.length);
  const reach = Math.min(Math.ceil(radius), ny + nx);
  const half = Array.from({ length: 2 * reach + 1 }, (_, k) => {
    const rest = radius * radius - (k - reach) * (k - reach);
    return rest < 0 ? -1 : Math.floor(Math.sqrt(rest));
  });
  for (let y = 0, i = 0; y < ny; y++) {
    for (let x = 0; x < nx; x++, i++) {
      if (!mask[i]) continue;
      for (let k = 0; k <= 2 * reach; k++) {
        const yy = y + k - reach;
        if (half[k] < 0 || yy < 0 || yy >= ny) continue;
        out.fill(1, yy * nx + Math.max(0, x - half[k]), yy * nx + Math.min(nx, x + half[k] + 1));
      }
    }
  }
  return out;
}

/** Boundary precision, recall and F-score per scale. */
export interface BoundaryScores {
  precision: number[];
  recall: number[];
  fscore: number[];
}

/**
 * Agreement of the outlines of two label images: outlines dilated by a disc of radius max(1, scale · median true
 * diameter), counted in pixels (spec §8).
 * @param truth Uint32 [y, x]
 * @param predicted Uint32 [y, x]
 * @param shape [y, x]
 * @param scales radius in true median diameters, from 0
 * @returns scores 0…1 in the order of `scales`; NaN where there is nothing to count
 * @throws CytoError `bad-input` for a shape that is not a plane, lengths that do not fit it, a scale that is not a number from 0
 */
export function boundaryScores(
  truth: Uint32Array,
  predicted: Uint32Array,
  shape: GridShape,
  scales: readonly number[],
): BoundaryScores {
  const scores: BoundaryScores = { precision: [], recall: [], fscore: [] };
  const trueLine = outlines(truth, shape);
  const predictedLine = outlines(predicted, shape);
  // Without true cells the smallest disc is used.
  const diameter = medianDiameter(truth) || 0;
  for (const scale of scales) {
    if (!(scale >= 0))
      throw new CytoError('bad-input', `A scale of ${scale} diameters is not possible; use 0 or more.`);
    const radius = Math.max(1, scale * diameter);
    const wideTrue = dilate(trueLine, shape, radius);
    const widePredicted = dilate(predictedLine, shape, radius);
    let tp = 0;
    let fp = 0;
    let fn = 0;
    for (let i = 0; i < wideTrue.length; i++) {
      if (wideTrue[i] && widePredicted[i]) tp++;
      else if (widePredicted[i]) fp++;
      else if (wideTrue[i]) fn++;
    }
    const precision = tp / (tp + fp);
    const recall = tp / (tp + fn);
    scores.precision.push(precision);
    scores.recall.push(recall);
    scores.fscore.push((2 * precision * recall) / (precision + recall));
  }
  return scores;
}
