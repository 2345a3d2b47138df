import { CytoError } from '../../../core/errors.ts';
import { MAX_LABEL } from '../../../core/label-volume.ts';
import type { PlaneJoin } from '../../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { PlanePairs } from './plane-pairs.ts';
import { labelCounts } from './renumber.ts';
import { checkGrid, copyOf, zeros } from './shape.ts';

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
  /** Write into `planes` instead of new memory; after an error a part of them has ids of the stack. */
  inPlace?: boolean;
}

/**
 * Joins labels of neighbouring planes by their overlap (spec §7.2): a label of the next plane takes the id of the
 * label it overlaps most, if their IoU reaches the threshold and no other label of its plane overlaps that one more;
 * otherwise it gets a new id.
 *
 * @param planes Uint32 [z, y, x], each plane numbered 1…n on its own; numbers left out cost an id each
 * @param shape [z, y, x]
 * @param threshold least IoU of a join, 0…1
 * @returns new Uint32 [z, y, x] with ids of the whole stack
 * @throws CytoError `bad-input` for a length or threshold out of range, a label above both the pixels of a plane and
 * 65535 (see renumber); `too-large` above 2^31 − 1 voxels or 2^32 − 2 ids
 */
export function stitchPlanes(
  planes: Uint32Array,
  shape: Shape3,
  threshold: number,
  options: StitchOptions = {},
): Uint32Array {
  if (shape.length !== 3)
    throw new CytoError('bad-input', `A stack has three axes [z, y, x], not [${shape.join(', ')}].`);
  checkGrid(shape, { planes: [planes, 1] });
  const [nz, ny, nx] = shape;
  const plane = ny * nx;
  if (!(threshold >= 0 && threshold <= 1)) {
    throw new CytoError('bad-input', `A stitch threshold of ${threshold} is not an IoU; use 0…1.`);
  }
  const { inPlace = false, compat = false, skipPlane = false, joins } = options;
  const out = inPlace ? planes : zeros(Uint32Array, planes.length);
  const labelsOf = (z: number) => planes.subarray(z * plane, (z + 1) * plane);
  const outOf = (z: number) => out.subarray(z * plane, (z + 1) * plane);

  const counts = labelCounts(labelsOf(0));
  let before: Plane | undefined;
  let upper = new Plane(0, labelsOf(0), counts);
  let used = upper.numberFrom(0);
  let started = false;
  const pairs = new PlanePairs();
  for (let z = 1; z < nz; z++) {
    // Its own numbers are wanted once more.
    if (skipPlane && inPlace) upper.labels = copyOf(upper.labels);
    const lower = new Plane(z, labelsOf(z), pairs.find(upper.labels, labelsOf(z), upper.ids, outOf(z - 1)));
    const empty = lower.largest === 0 || upper.largest === 0;
    if (empty && !started && compat) used = lower.numberFrom(0);
    else {
      join(pairs, upper, lower, threshold, nx, joins);
      if (skipPlane && before && lower.ids.includes(0, 1)) {
        pairs.find(before.labels, lower.labels);
        join(pairs, before, lower, threshold, nx, joins);
      }
      used = lower.numberFrom(used);
    }
    if (used > MAX_LABEL)
      throw new CytoError('too-large', 'The stack holds more cells than 32 bits can number.');
    started ||= !empty;
    before = upper;
    upper = lower;
  }
  const last = outOf(nz - 1);
  for (let i = 0; i < plane; i++) last[i] = upper.ids[upper.labels[i]];
  return out;
}

/** A plane on its way through the stack. */
class Plane {
  readonly z: number;
  /** Numbers of its own, 1…largest. */
  labels: Uint32Array;
  readonly largest: number;
  /** Pixels per label. */
  readonly sizes: Uint32Array;
  /** Id in the stack per label; 0 while it has none. */
  readonly ids: Uint32Array;
  /** Per label the first label of a later plane that has its id; 0 for none. */
  readonly followers: Uint32Array;

  constructor(z: number, labels: Uint32Array, sizes: Uint32Array) {
    this.z = z;
    this.labels = labels;
    this.sizes = sizes;
    this.largest = sizes.length - 1;
    this.ids = zeros(Uint32Array, sizes.length);
    this.followers = zeros(Uint32Array, sizes.length);
  }

  /** Gives the labels without an id the ids after `used`; returns the last. */
  numberFrom(used: number): number {
    for (let label = 1; label <= this.largest; label++) if (this.ids[label] === 0) this.ids[label] = ++used;
    return used;
  }

  /** Makes one label of those that `twins` leads to the same one. */
  merge(twins: Uint32Array): void {
    this.labels = copyOf(this.labels);
    for (let i = 0; i < this.labels.length; i++) this.labels[i] = twins[this.labels[i]] || this.labels[i];
    for (let label = 1; label <= this.largest; label++) {
      if (twins[label] === 0) continue;
      this.sizes[twins[label]] += this.sizes[label];
      this.sizes[label] = 0;
    }
  }
}

/**
 * Gives labels of `lower` that have no id yet the ids of those of `upper` that they continue. Labels of `upper` that
 * go on in the plane between the two are left out.
 */
function join(
  pairs: PlanePairs,
  upper: Plane,
  lower: Plane,
  threshold: number,
  nx: number,
  joins: PlaneJoin[] | undefined,
): void {
  const ious = zeros(Float64Array, pairs.count);
  const bestOfUpper = zeros(Float64Array, upper.largest + 1);
  for (let k = 0; k < pairs.count; k++) {
    const [a, b] = [pairs.upper[k], pairs.lower[k]];
    if (upper.followers[a] !== 0 || lower.ids[b] !== 0) continue;
    ious[k] = pairs.pixels[k] / (upper.sizes[a] + lower.sizes[b] - pairs.pixels[k]);
    if (ious[k] >= threshold && ious[k] > bestOfUpper[a]) bestOfUpper[a] = ious[k];
  }
  // Pair + 1 that joins a label of the lower plane; of two that are equal the one with the smaller id.
  const joinOf = zeros(Int32Array, lower.largest + 1);
  for (let k = 0; k < pairs.count; k++) {
    const [a, b] = [pairs.upper[k], pairs.lower[k]];
    if (ious[k] === 0 || ious[k] < threshold || ious[k] < bestOfUpper[a]) continue;
    const known = joinOf[b] - 1;
    const better = known < 0 || ious[k] > ious[known];
    if (better || (ious[k] === ious[known] && upper.ids[a] < upper.ids[pairs.upper[known]]))
      joinOf[b] = k + 1;
  }
  let twins: Uint32Array | undefined;
  for (let label = 1; label <= lower.largest; label++) {
    if (joinOf[label] === 0) continue;
    const a = pairs.upper[joinOf[label] - 1];
    lower.ids[label] = upper.ids[a];
    if (upper.followers[a] === 0) upper.followers[a] = label;
    else {
      twins ??= zeros(Uint32Array, lower.largest + 1);
      twins[label] = upper.followers[a];
    }
  }
  if (joins) for (const each of joinsOf(pairs, ious, joinOf, upper, lower, threshold, nx)) joins.push(each);
  if (twins) lower.merge(twins);
}

/** The joins of two planes with their rivals, by label of the lower plane. */
function joinsOf(
  pairs: PlanePairs,
  ious: Float64Array,
  joinOfLower: Int32Array,
  upper: Plane,
  lower: Plane,
  threshold: number,
  nx: number,
): PlaneJoin[] {
  const joinOfUpper = zeros(Int32Array, upper.largest + 1);
  for (const pair of joinOfLower) if (pair > 0) joinOfUpper[pairs.upper[pair - 1]] = pair;
  const rivals = zeros(Float64Array, pairs.count);
  const rival = (join: number, k: number) => {
    if (join >= 0 && join !== k) rivals[join] = Math.max(rivals[join], Math.min(ious[k], ious[join]));
  };
  for (let k = 0; k < pairs.count; k++) {
    rival(joinOfLower[pairs.lower[k]] - 1, k);
    rival(joinOfUpper[pairs.upper[k]] - 1, k);
  }
  const joins: PlaneJoin[] = [];
  for (const pair of joinOfLower) {
    if (pair === 0) continue;
    const k = pair - 1;
    const y = Math.floor(pairs.at[k] / nx);
    const iou = ious[k];
    const above = threshold < 1 ? (iou - threshold) / (1 - threshold) : 1;
    joins.push({
      label: upper.ids[pairs.upper[k]],
      upper: upper.z,
      lower: lower.z,
      y,
      x: pairs.at[k] - y * nx,
      iou,
      rival: rivals[k],
      confidence: Math.min(above, 1 - rivals[k] / iou) / (lower.z - upper.z),
    });
  }
  return joins;
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
