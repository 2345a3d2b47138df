import type { Shape3 } from '../volume.ts';

/** Axis of [z, y, x]. */
export type Axis = 0 | 1 | 2;

/** Voxel index [z, y, x]. */
export type Voxel = readonly [z: number, y: number, x: number];

/** Takes voxels [x0, x1) of row (z, y). */
export type RowSink = (z: number, y: number, x0: number, x1: number) => void;

/** Half a voxel: with less a brush would miss the voxel it stands on. */
const LEAST_RADIUS = 0.5;
/** Voxels whose distance equals the radius belong to the brush, rounding or not. */
const TOLERANCE = 1e-9;

/**
 * Radii of a brush in voxels along z, y, x.
 * @param diameter of the brush, in voxels of the finest axis
 * @param spacing with it the brush is round in space; without, in voxels
 */
export function brushRadii(diameter: number, spacing?: readonly number[]): Voxel {
  const radius = diameter / 2;
  if (!spacing) return [radius, radius, radius];
  const finest = Math.min(...spacing);
  return [(radius * finest) / spacing[0], (radius * finest) / spacing[1], (radius * finest) / spacing[2]];
}

/**
 * Voxels that a brush covers on its way from one voxel to another: all whose middles lie within the radii of the
 * line between the two middles. Rows come in ascending order, each once.
 * @param radii along z, y, x in voxels; below a half they count as a half
 * @param flat axis across which the brush is one voxel thick (a disc); absent: a ball
 */
export function brushRows(
  from: Voxel,
  to: Voxel,
  radii: Voxel,
  shape: Shape3,
  flat: Axis | undefined,
  emit: RowSink,
): void {
  const r = radii.map((radius) => Math.max(radius, LEAST_RADIUS));
  const reach = (axis: Axis) => (axis === flat ? 0 : r[axis]);
  const range = (axis: Axis) => [
    Math.max(0, Math.ceil(Math.min(from[axis], to[axis]) - reach(axis))),
    Math.min(shape[axis] - 1, Math.floor(Math.max(from[axis], to[axis]) + reach(axis))),
  ];
  const [z0, z1] = range(0);
  const [y0, y1] = range(1);
  // In coordinates divided by the radii the brush is a capsule of radius 1.
  const d = [0, 1, 2].map((axis) => (to[axis] - from[axis]) / r[axis]);
  const lengthSquared = d[0] ** 2 + d[1] ** 2 + d[2] ** 2;
  for (let z = z0; z <= z1; z++) {
    for (let y = y0; y <= y1; y++) {
      const u0 = (z - from[0]) / r[0];
      const u1 = (y - from[1]) / r[1];
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      const include = (a: number, b: number) => {
        if (a > b) return;
        low = Math.min(low, a);
        high = Math.max(high, b);
      };
      const ball = (v0: number, v1: number, middle: number) => {
        const rest = 1 + TOLERANCE - v0 * v0 - v1 * v1;
        if (rest >= 0) include(middle - Math.sqrt(rest), middle + Math.sqrt(rest));
      };
      ball(u0, u1, 0);
      if (lengthSquared > 0) {
        ball(u0 - d[0], u1 - d[1], d[2]);
        const [a, b] = cylinder(u0, u1, d, lengthSquared);
        include(a, b);
      }
      if (low > high) continue;
      const x0 = Math.max(0, Math.ceil(from[2] + low * r[2] - TOLERANCE));
      const x1 = Math.min(shape[2], Math.floor(from[2] + high * r[2] + TOLERANCE) + 1);
      if (flat === 2) {
        if (from[2] >= x0 && from[2] < x1) emit(z, y, from[2], from[2] + 1);
      } else if (x0 < x1) emit(z, y, x0, x1);
    }
  }
}

/** Part of a row within the capsule's cylinder: [low, high] along x from the first end; empty if low > high. */
function cylinder(
  u0: number,
  u1: number,
  d: readonly number[],
  lengthSquared: number,
): [low: number, high: number] {
  const along = u0 * d[0] + u1 * d[1];
  let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (d[2] === 0) {
    if (along < 0 || along > lengthSquared) return [1, 0];
  } else {
    const ends = [-along / d[2], (lengthSquared - along) / d[2]];
    [low, high] = [Math.min(...ends), Math.max(...ends)];
  }
  const a = 1 - d[2] ** 2 / lengthSquared;
  const b = (along * d[2]) / lengthSquared;
  const c = u0 * u0 + u1 * u1 - along ** 2 / lengthSquared - 1 - TOLERANCE;
  if (a < 1e-12) return c <= 0 ? [low, high] : [1, 0];
  const root = b * b - a * c;
  if (root < 0) return [1, 0];
  return [Math.max(low, (b - Math.sqrt(root)) / a), Math.min(high, (b + Math.sqrt(root)) / a)];
}
