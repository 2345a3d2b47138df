import { CytoError } from '../../../core/errors.ts';
import { MAX_LABEL } from '../../../core/label-volume.ts';
import type { PlaneJoin } from '../../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { cellsOf, countOverlaps } from './overlaps.ts';
import { denseMaxLabel, maxLabel } from './renumber.ts';
import { checkGrid, zeros } from './shape.ts';

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
  const out = options.inPlace ? planes : planes.slice();
  const planeOf = (z: number) => out.subarray(z * plane, (z + 1) * plane);
  for (let z = 0; z < nz; z++) denseMaxLabel(planeOf(z));
  let used = maxLabel(planeOf(0));
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
    const joined = new Map<number, Partner & { upper: number }>();
    for (const [label, partner] of partners) joined.set(label, { ...partner, upper: z });
    if (options.skipPlane && z > 0 && joined.size < labels) {
      const seen = new Set(current);
      const before = bestPartners(planeOf(z - 1), next, threshold, (upper, lower) => {
        return !seen.has(upper) && !joined.has(lower);
      });
      for (const [label, partner] of before) joined.set(label, { ...partner, upper: z - 1 });
    }
    const ids = zeros(Uint32Array, labels + 1);
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
  const rows = cellsOf(current);
  const columns = cellsOf(next);
  const { row, column, pixels, at } = countOverlaps(current, next, rows, columns);
  const ious = zeros(Float64Array, row.length);
  const bestOfUpper = zeros(Float64Array, rows.ids.length);
  for (let k = 0; k < row.length; k++) {
    if (!allowed(rows.ids[row[k]], columns.ids[column[k]])) continue;
    ious[k] = pixels[k] / (rows.sizes[row[k]] + columns.sizes[column[k]] - pixels[k]);
    if (ious[k] >= threshold) bestOfUpper[row[k]] = Math.max(bestOfUpper[row[k]], ious[k]);
  }
  // Overlap that joins a label of the next plane, and that joins one of the current; rows ascend, so that the
  // smaller id is kept where two are equal.
  const joinOfLower = zeros(Int32Array, columns.ids.length).fill(-1);
  const joinOfUpper = zeros(Int32Array, rows.ids.length).fill(-1);
  for (let k = 0; k < row.length; k++) {
    if (ious[k] === 0 || ious[k] < threshold || ious[k] < bestOfUpper[row[k]]) continue;
    const known = joinOfLower[column[k]];
    if (known < 0 || ious[k] > ious[known]) joinOfLower[column[k]] = k;
  }
  for (const k of joinOfLower) if (k >= 0) joinOfUpper[row[k]] = k;
  const rivals = zeros(Float64Array, row.length);
  const rival = (join: number, k: number) => {
    if (join >= 0 && join !== k) rivals[join] = Math.max(rivals[join], Math.min(ious[k], ious[join]));
  };
  for (let k = 0; k < row.length; k++) {
    rival(joinOfLower[column[k]], k);
    rival(joinOfUpper[row[k]], k);
  }
  const partners = new Map<number, Partner>();
  for (const k of joinOfLower) {
    if (k < 0) continue;
    const partner = { label: rows.ids[row[k]], iou: ious[k], rival: rivals[k], at: at[k] };
    partners.set(columns.ids[column[k]], partner);
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
