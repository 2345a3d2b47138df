import { CytoError } from '../../../core/errors.ts';
import { MAX_LABEL } from '../../../core/label-volume.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { labelCounts, maxLabel } from './renumber.ts';

/** Pixels shared by a label of one plane and a label of the next. */
export interface Overlap {
  upper: number;
  lower: number;
  pixels: number;
}

/** Sparse overlap counts of two planes of the same size; background left out. */
export function planeOverlaps(upper: Uint32Array, lower: Uint32Array): Overlap[] {
  const pairs = new Map<number, Overlap>();
  const span = maxLabel(upper) + 1;
  for (let i = 0; i < upper.length; i++) {
    if (upper[i] === 0 || lower[i] === 0) continue;
    const key = lower[i] * span + upper[i];
    const pair = pairs.get(key);
    if (pair) pair.pixels++;
    else pairs.set(key, { upper: upper[i], lower: lower[i], pixels: 1 });
  }
  return [...pairs.values()];
}

export interface StitchOptions {
  /**
   * Number as the reference does, including its fault that ids may be used twice when a plane without cells precedes
   * the first pair of planes with cells (spec §7.2 a). For comparisons only.
   */
  compat?: boolean;
}

/**
 * Joins labels of neighbouring planes by their overlap (spec §7.2): a label of the next plane takes the id of the
 * label it overlaps most, if their IoU reaches the threshold and no other label of its plane overlaps that one more;
 * otherwise it gets a new id.
 *
 * @param planes Uint32 [z, y, x], each plane numbered 1…n on its own
 * @param threshold least IoU of a join, 0…1
 * @returns new Uint32 [z, y, x] with ids of the whole stack
 */
export function stitchPlanes(
  planes: Uint32Array,
  shape: Shape3,
  threshold: number,
  options: StitchOptions = {},
): Uint32Array {
  const [nz, ny, nx] = shape;
  const plane = ny * nx;
  if (planes.length !== nz * plane) {
    throw new CytoError('bad-input', `${planes.length} labels do not fill a stack of ${shape.join('×')}.`);
  }
  if (!(threshold >= 0 && threshold <= 1)) {
    throw new CytoError('bad-input', `A stitch threshold of ${threshold} is not an IoU; use 0…1.`);
  }
  const out = planes.slice();
  let used = nz > 0 ? maxLabel(out.subarray(0, plane)) : 0;
  let started = false;
  for (let z = 0; z + 1 < nz; z++) {
    const current = out.subarray(z * plane, (z + 1) * plane);
    const next = out.subarray((z + 1) * plane, (z + 2) * plane);
    const labels = maxLabel(next);
    const empty = labels === 0 || maxLabel(current) === 0;
    if (empty && !started && options.compat) {
      used = labels;
      continue;
    }
    const ids = new Uint32Array(labels + 1);
    const joined = empty ? undefined : bestPartners(current, next, threshold);
    for (let label = 1; label <= labels; label++) {
      const partner = joined?.[label] ?? 0;
      ids[label] = partner > 0 ? partner : ++used;
    }
    if (used > MAX_LABEL)
      throw new CytoError('too-large', 'The stack holds more cells than 32 bits can number.');
    for (let i = 0; i < plane; i++) next[i] = ids[next[i]];
    started ||= !empty;
  }
  return out;
}

/** For each label of the next plane the label of the current plane it continues, or 0. */
function bestPartners(current: Uint32Array, next: Uint32Array, threshold: number): Uint32Array {
  const sizeNext = labelCounts(next);
  const sizeCurrent = new Map<number, number>();
  for (let i = 0; i < current.length; i++) {
    if (current[i] !== 0) sizeCurrent.set(current[i], (sizeCurrent.get(current[i]) ?? 0) + 1);
  }
  const candidates = planeOverlaps(current, next)
    .map(({ upper, lower, pixels }) => ({
      upper,
      lower,
      iou: pixels / (sizeCurrent.get(upper)! + sizeNext[lower] - pixels),
    }))
    .filter(({ iou }) => iou >= threshold);
  const bestOfUpper = new Map<number, number>();
  for (const { upper, iou } of candidates) bestOfUpper.set(upper, Math.max(iou, bestOfUpper.get(upper) ?? 0));
  const partner = new Uint32Array(sizeNext.length);
  const best = new Float64Array(sizeNext.length);
  for (const { upper, lower, iou } of candidates) {
    if (iou < bestOfUpper.get(upper)!) continue;
    if (iou > best[lower] || (iou === best[lower] && upper < partner[lower])) {
      best[lower] = iou;
      partner[lower] = upper;
    }
  }
  return partner;
}
