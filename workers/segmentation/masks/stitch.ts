import { CytoError } from '../../../core/errors.ts';
import { MAX_LABEL } from '../../../core/label-volume.ts';
import type { PlaneJoin } from '../../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { labelCounts, maxLabel } from './renumber.ts';

/** Pixels shared by a label of one plane and a label of the next. */
export interface Overlap {
  upper: number;
  lower: number;
  pixels: number;
  /** First of the shared pixels, row-major. */
  at: number;
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
    else pairs.set(key, { upper: upper[i], lower: lower[i], pixels: 1, at: i });
  }
  return [...pairs.values()];
}

export interface StitchOptions {
  /**
   * Number as the reference does, including its fault that ids may be used twice when a plane without cells precedes
   * the first pair of planes with cells (spec §7.2 a). For comparisons only.
   */
  compat?: boolean;
  /** A cell that is missing in one plane is joined again by the same rule with the plane before it. Default false. */
  skipPlane?: boolean;
  /** Receives every join that was made, in order of planes. */
  joins?: PlaneJoin[];
  /** Write into `planes` instead of a copy. */
  inPlace?: boolean;
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
  const out = options.inPlace ? planes : planes.slice();
  const planeOf = (z: number) => out.subarray(z * plane, (z + 1) * plane);
  let used = nz > 0 ? maxLabel(out.subarray(0, plane)) : 0;
  let started = false;
  for (let z = 0; z + 1 < nz; z++) {
    const current = planeOf(z);
    const next = planeOf(z + 1);
    const labels = maxLabel(next);
    const empty = labels === 0 || maxLabel(current) === 0;
    if (empty && !started && options.compat) {
      used = labels;
      continue;
    }
    const partners = empty ? new Map<number, Partner>() : bestPartners(current, next, threshold);
    const joined = new Map([...partners].map(([label, partner]) => [label, { ...partner, upper: z }]));
    if (options.skipPlane && z > 0 && joined.size < labels) {
      const seen = new Set(current);
      const before = bestPartners(planeOf(z - 1), next, threshold, (upper, lower) => {
        return !seen.has(upper) && !joined.has(lower);
      });
      for (const [label, partner] of before) joined.set(label, { ...partner, upper: z - 1 });
    }
    const ids = new Uint32Array(labels + 1);
    for (let label = 1; label <= labels; label++) {
      const join = joined.get(label);
      ids[label] = join ? join.label : ++used;
      if (join && options.joins) options.joins.push(joinOf(join, z + 1, threshold, nx));
    }
    if (used > MAX_LABEL)
      throw new CytoError('too-large', 'The stack holds more cells than 32 bits can number.');
    for (let i = 0; i < plane; i++) next[i] = ids[next[i]];
    started ||= !empty;
  }
  return out;
}

interface Partner {
  label: number;
  iou: number;
  rival: number;
  at: number;
}

function joinOf(
  { label, iou, rival, at, upper }: Partner & { upper: number },
  lower: number,
  threshold: number,
  nx: number,
): PlaneJoin {
  const above = threshold < 1 ? (iou - threshold) / (1 - threshold) : 1;
  const confidence = Math.min(above, 1 - rival / iou) / (lower - upper);
  const y = Math.floor(at / nx);
  return { label, upper, lower, y, x: at - y * nx, iou, rival, confidence };
}

/**
 * For each label of the next plane that continues one of the current plane: which, and how surely.
 * @param allowed pairs that may be joined; by default all
 */
function bestPartners(
  current: Uint32Array,
  next: Uint32Array,
  threshold: number,
  allowed: (upper: number, lower: number) => boolean = () => true,
): Map<number, Partner> {
  const sizeNext = labelCounts(next);
  const sizeCurrent = new Map<number, number>();
  for (let i = 0; i < current.length; i++) {
    if (current[i] !== 0) sizeCurrent.set(current[i], (sizeCurrent.get(current[i]) ?? 0) + 1);
  }
  const overlaps = planeOverlaps(current, next)
    .filter(({ upper, lower }) => allowed(upper, lower))
    .map(({ upper, lower, pixels, at }) => ({
      upper,
      lower,
      at,
      iou: pixels / (sizeCurrent.get(upper)! + sizeNext[lower] - pixels),
    }));
  const candidates = overlaps.filter(({ iou }) => iou >= threshold);
  const bestOfUpper = new Map<number, number>();
  for (const { upper, iou } of candidates) bestOfUpper.set(upper, Math.max(iou, bestOfUpper.get(upper) ?? 0));
  const partners = new Map<number, Partner>();
  for (const { upper, lower, iou, at } of candidates) {
    if (iou < bestOfUpper.get(upper)!) continue;
    const known = partners.get(lower);
    if (!known || iou > known.iou || (iou === known.iou && upper < known.label))
      partners.set(lower, { label: upper, iou, rival: 0, at });
  }
  const lowerOf = new Map([...partners].map(([lower, { label }]) => [label, lower]));
  for (const { upper, lower, iou } of overlaps) {
    const mine = partners.get(lower);
    if (mine && mine.label !== upper) mine.rival = Math.max(mine.rival, Math.min(iou, mine.iou));
    const other = partners.get(lowerOf.get(upper) ?? 0);
    if (other && other.label === upper && lowerOf.get(upper) !== lower)
      other.rival = Math.max(other.rival, Math.min(iou, other.iou));
  }
  return partners;
}

/** Joins with the ids that their cells have after labels were removed, filled and numbered anew; the gone are left out. */
export function joinsAfterCleaning(
  joins: readonly PlaneJoin[],
  labels: Uint32Array,
  [, ny, nx]: Shape3,
): PlaneJoin[] {
  return joins.flatMap((join) => {
    const pixel = join.y * nx + join.x;
    const [upper, lower] = [join.upper, join.lower].map((z) => labels[z * ny * nx + pixel]);
    return upper !== 0 && upper === lower ? [{ ...join, label: upper }] : [];
  });
}
