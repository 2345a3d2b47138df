import type { Shape3 } from '../volume.ts';
import type { LabelRuns } from './label-runs.ts';
import type { LabelMoments } from './moments.ts';
import { type Point3, supportingPlanes } from './supporting-planes.ts';

type Point2 = readonly [y: number, x: number];

const byRow = (a: Point2, b: Point2) => a[0] - b[0] || a[1] - b[1];

/**
 * Pixels (voxels) of the convex hull of label number `n`: those whose middle lies in the hull of the middles of all
 * pixel edges (voxel faces) of the label, its border included; scikit-image's `area_convex`. Coordinates are doubled, so
 * that all arithmetic is in whole numbers and exact.
 */
export function convexCount(runs: LabelRuns, n: number, shape: Shape3, moments: LabelMoments): number {
  const { box, count } = moments;
  if (count === 1) return 1;
  const planes = rowEnds(runs, n, shape, box[0], box[1], box[2]);
  const height = box[4] - box[1];
  const width = box[5] - box[2];
  if (shape[0] === 1) return countInPolygon(diamondHull(planes.get(0) as RowEnds));
  return countInSolid(solidPoints(planes), box[3] - box[0], height, width);
}

/** First and last x of every row of a plane. */
type RowEnds = Map<number, [first: number, last: number]>;

function rowEnds(
  runs: LabelRuns,
  n: number,
  [, ny, nx]: Shape3,
  z0: number,
  y0: number,
  x0: number,
): Map<number, RowEnds> {
  const planes = new Map<number, RowEnds>();
  for (let k = runs.first[n]; k < runs.first[n + 1]; k++) {
    const row = Math.floor(runs.starts[k] / nx);
    const z = Math.floor(row / ny) - z0;
    const y = (row % ny) - y0;
    const x = (runs.starts[k] % nx) - x0;
    const last = x + runs.lengths[k] - 1;
    let plane = planes.get(z);
    if (!plane) {
      plane = new Map();
      planes.set(z, plane);
    }
    const known = plane.get(y);
    // Runs come in the order of the volume.
    if (known) known[1] = last;
    else plane.set(y, [x, last]);
  }
  return planes;
}

/** Hull of points sorted by y, then x: its left and right chains from top to bottom (A. M. Andrew, 1979). */
function chains(points: readonly Point2[]): { left: Point2[]; right: Point2[] } {
  const turn = (o: Point2, a: Point2, b: Point2) =>
    (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  const left: Point2[] = [];
  const right: Point2[] = [];
  for (const point of points) {
    while (left.length > 1 && turn(left[left.length - 2], left[left.length - 1], point) <= 0) left.pop();
    left.push(point);
    while (right.length > 1 && turn(right[right.length - 2], right[right.length - 1], point) >= 0)
      right.pop();
    right.push(point);
  }
  return { left, right };
}

/** Hull of the middles of the pixel edges of a plane, doubled coordinates. */
function diamondHull(ends: RowEnds): { left: Point2[]; right: Point2[] } {
  const points: Point2[] = [];
  for (const [y, [first, last]] of ends) {
    points.push([2 * y, 2 * first - 1], [2 * y, 2 * last + 1]);
    for (const dy of [-1, 1]) points.push([2 * y + dy, 2 * first], [2 * y + dy, 2 * last]);
  }
  return chains(points.sort(byRow));
}

function countInPolygon({ left, right }: { left: Point2[]; right: Point2[] }): number {
  const bottom = left[left.length - 1][0];
  let count = 0;
  let l = 0;
  let r = 0;
  for (let y = 2 * Math.ceil(left[0][0] / 2); y <= bottom; y += 2) {
    while (l < left.length - 2 && left[l + 1][0] < y) l++;
    while (r < right.length - 2 && right[r + 1][0] < y) r++;
    const from = crossing(left[l], left[l + 1], y, Math.min);
    const to = crossing(right[r], right[r + 1], y, Math.max);
    count += Math.max(0, Math.floor(to / 2) - Math.ceil(from / 2) + 1);
  }
  return count;
}

/** x where an edge meets a row. Quotients of such small whole numbers are whole if and only if the division is. */
function crossing(a: Point2, b: Point2, y: number, outer: (p: number, q: number) => number): number {
  const rise = b[0] - a[0];
  if (rise === 0) return outer(a[1], b[1]);
  return (a[1] * rise + (b[1] - a[1]) * (y - a[0])) / rise;
}

/** Corners of the hulls of the doubled planes of a solid: middles of the faces of its voxels. */
function solidPoints(planes: ReadonlyMap<number, RowEnds>): Point3[] {
  const layers = new Map<number, Point2[]>();
  const put = (z: number, points: readonly Point2[]) => {
    const known = layers.get(z);
    if (known) known.push(...points);
    else layers.set(z, [...points]);
  };
  for (const [z, ends] of planes) {
    const { left, right } = diamondHull(ends);
    put(2 * z, [...left, ...right]);
    const middles = [...ends].flatMap(([y, [first, last]]): Point2[] => [
      [2 * y, 2 * first],
      [2 * y, 2 * last],
    ]);
    const corners = chains(middles.sort(byRow));
    for (const dz of [-1, 1]) put(2 * z + dz, [...corners.left, ...corners.right]);
  }
  return [...layers].flatMap(([z, points]): Point3[] => {
    const { left, right } = chains(points.sort(byRow));
    const unique = new Map([...left, ...right].map((point) => [point[0] * 2 ** 20 + point[1], point]));
    return [...unique.values()].map(([y, x]): Point3 => [z, y, x]);
  });
}

/** Lattice points [2z, 2y, 2x] in the hull of points, borders included. */
function countInSolid(points: readonly Point3[], depth: number, height: number, width: number): number {
  const planes = Float64Array.from(supportingPlanes(points).flat());
  let count = 0;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      let from = 0;
      let to = width - 1;
      for (let k = 0; k < planes.length; k += 4) {
        const c = planes[k + 2];
        const rest = planes[k + 3] - planes[k] * 2 * z - planes[k + 1] * 2 * y;
        if (c > 0) to = Math.min(to, Math.floor(rest / (2 * c)));
        else if (c < 0) from = Math.max(from, Math.ceil(rest / (2 * c)));
        else if (rest < 0) to = -1;
        if (to < from) break;
      }
      if (to >= from) count += to - from + 1;
    }
  }
  return count;
}
