/** Whole-number coordinates. */
export type Point3 = readonly [z: number, y: number, x: number];

/** a·z + b·y + c·x ≤ d for every point; equality on a face of the hull. Whole numbers without common divisor. */
export type SupportingPlane = readonly [a: number, b: number, c: number, d: number];

/**
 * The planes of the faces of the convex hull of points, by wrapping it face by face (D. Chand and S. Kapur, 1970).
 * Points of a plane are taken together and all arithmetic is in whole numbers, so that flat and degenerate sets need no
 * tolerance. Time: faces × points.
 * @param points not all in one plane; whole numbers below 2¹⁶
 */
export function supportingPlanes(points: readonly Point3[]): SupportingPlane[] {
  const found = new Map<string, SupportingPlane>();
  const open: Array<[from: Point3, to: Point3]> = [];
  const done = new Set<string>();
  const flat = Float64Array.from(points.flat());
  const key = (a: Point3, b: Point3) => `${a.join()} ${b.join()}`;

  /** Takes the face in a supporting plane; returns its points in line if it is no face but an edge. */
  const take = (plane: SupportingPlane): Point3[] | undefined => {
    const name = plane.join();
    if (found.has(name)) return undefined;
    const [a, b, c, d] = plane;
    const loop = outline(
      points.filter((p) => a * p[0] + b * p[1] + c * p[2] === d),
      plane,
    );
    if (loop.length < 3) return loop;
    found.set(name, plane);
    loop.forEach((point, k) => {
      const next = loop[(k + 1) % loop.length];
      done.add(key(point, next));
      open.push([next, point]);
    });
    return undefined;
  };

  /** The plane through an edge that leaves all points on its inner side. */
  const wrapped = (from: Point3, to: Point3): SupportingPlane => {
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let k = 0; k < flat.length; k += 3) {
      const beyond = a * flat[k] + b * flat[k + 1] + c * flat[k + 2] - d;
      if (beyond <= 0 && (a !== 0 || b !== 0 || c !== 0)) continue;
      [a, b, c, d] = planeThrough(from, to, [flat[k], flat[k + 1], flat[k + 2]]);
    }
    return reduced([a, b, c, d]);
  };

  const edge = take(firstPlane(points));
  if (edge) open.push([edge[0], edge[1]]);
  for (let next = open.pop(); next; next = open.pop()) {
    if (!done.has(key(...next))) take(wrapped(...next));
  }
  return [...found.values()];
}

function planeThrough(p: Point3, q: Point3, r: Point3): SupportingPlane {
  const [uz, uy, ux] = [q[0] - p[0], q[1] - p[1], q[2] - p[2]];
  const [vz, vy, vx] = [r[0] - p[0], r[1] - p[1], r[2] - p[2]];
  const a = uy * vx - ux * vy;
  const b = ux * vz - uz * vx;
  const c = uz * vy - uy * vz;
  return [a, b, c, a * p[0] + b * p[1] + c * p[2]];
}

function reduced([a, b, c, d]: SupportingPlane): SupportingPlane {
  const divisor = [a, b, c].reduce(greatestCommonDivisor, 0);
  return [a / divisor, b / divisor, c / divisor, d / divisor];
}

function greatestCommonDivisor(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y > 0) [x, y] = [y, x % y];
  return x;
}

/** A plane along x that holds the hull on one side and touches it in an edge or a face. */
function firstPlane(points: readonly Point3[]): SupportingPlane {
  let corner = points[0];
  for (const p of points) if (p[0] < corner[0] || (p[0] === corner[0] && p[1] < corner[1])) corner = p;
  let [a, b] = [0, 0];
  for (const p of points) {
    const [dz, dy] = [p[0] - corner[0], p[1] - corner[1]];
    if ((a !== 0 || b !== 0) && a * dz + b * dy <= 0) continue;
    [a, b] = [dy, -dz];
  }
  return reduced([a, b, 0, a * corner[0] + b * corner[1]]);
}

/**
 * Corners of the convex outline of points in a plane, counter-clockwise as seen from the plane's outer side; two or one
 * for points in a line.
 */
function outline(points: Point3[], [a, b, c]: SupportingPlane): Point3[] {
  // The axis most across the plane is left out; its sign keeps the sense of the turn.
  const [na, nb, nc] = [Math.abs(a), Math.abs(b), Math.abs(c)];
  const across = na >= nb && na >= nc ? 0 : nb >= nc ? 1 : 2;
  const [u, v] = [
    [1, 2],
    [2, 0],
    [0, 1],
  ][across];
  const sense = Math.sign([a, b, c][across]);
  const turn = (o: Point3, p: Point3, q: Point3) =>
    sense * ((p[u] - o[u]) * (q[v] - o[v]) - (p[v] - o[v]) * (q[u] - o[u]));
  const sorted = points.toSorted((p, q) => p[u] - q[u] || p[v] - q[v]);
  const half = (list: readonly Point3[]) => {
    const chain: Point3[] = [];
    for (const point of list) {
      while (chain.length > 1 && turn(chain[chain.length - 2], chain[chain.length - 1], point) <= 0)
        chain.pop();
      chain.push(point);
    }
    return chain;
  };
  if (sorted.length < 3) return sorted;
  const there = half(sorted);
  const back = half(sorted.toReversed());
  return [...there.slice(0, -1), ...back.slice(0, -1)];
}
