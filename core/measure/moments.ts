import type { Box } from '../label-volume.ts';
import type { Shape3, Spacing } from '../volume.ts';
import type { LabelRuns } from './label-runs.ts';

/** Moments of the voxels of one label up to the second order. */
export interface LabelMoments {
  /** Voxels. */
  count: number;
  /** Mean voxel index [z, y, x]. */
  centroid: readonly [z: number, y: number, x: number];
  box: Box;
  /** Covariance of the positions in physical units: zz, yy, xx, zy, zx, yx. */
  covariance: readonly [zz: number, yy: number, xx: number, zy: number, zx: number, yx: number];
}

/** Moments of label number `n` of `runs`. Sums are taken from its first voxel, which keeps them exact. */
export function labelMoments(runs: LabelRuns, n: number, [, ny, nx]: Shape3, spacing: Spacing): LabelMoments {
  const begin = runs.first[n];
  const end = runs.first[n + 1];
  const origin = runs.starts[begin];
  const oz = Math.floor(origin / (ny * nx));
  const oy = Math.floor(origin / nx) % ny;
  const ox = origin % nx;
  let count = 0;
  let [sz, sy, sx, szz, syy, sxx, szy, szx, syx] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  const low = [0, 0, 0];
  const high = [0, 0, 0];
  for (let k = begin; k < end; k++) {
    const length = runs.lengths[k];
    const row = Math.floor(runs.starts[k] / nx);
    const z = Math.floor(row / ny) - oz;
    const y = (row % ny) - oy;
    const x = (runs.starts[k] % nx) - ox;
    const last = x + length - 1;
    // Σ x and Σ x² of consecutive integers.
    const sumX = ((x + last) * length) / 2;
    const sumXX = length * x * x + x * length * (length - 1) + ((length - 1) * length * (2 * length - 1)) / 6;
    count += length;
    sz += z * length;
    sy += y * length;
    sx += sumX;
    szz += z * z * length;
    syy += y * y * length;
    sxx += sumXX;
    szy += z * y * length;
    szx += z * sumX;
    syx += y * sumX;
    if (z > high[0]) high[0] = z;
    if (y < low[1]) low[1] = y;
    if (y > high[1]) high[1] = y;
    if (x < low[2]) low[2] = x;
    if (last > high[2]) high[2] = last;
  }
  const [mz, my, mx] = [sz / count, sy / count, sx / count];
  const [dz, dy, dx] = spacing;
  return {
    count,
    centroid: [oz + mz, oy + my, ox + mx],
    box: [oz, oy + low[1], ox + low[2], oz + high[0] + 1, oy + high[1] + 1, ox + high[2] + 1],
    covariance: [
      (szz / count - mz * mz) * dz * dz,
      (syy / count - my * my) * dy * dy,
      (sxx / count - mx * mx) * dx * dx,
      (szy / count - mz * my) * dz * dy,
      (szx / count - mz * mx) * dz * dx,
      (syx / count - my * mx) * dy * dx,
    ],
  };
}

/** Axes of the ellipse with the same second moments; angles in degrees. */
export interface Ellipse {
  major: number;
  minor: number;
  /** 0 for a circle, towards 1 for a line. */
  eccentricity: number;
  /** Angle of the major axis from the x axis, counter-clockwise as seen on screen, above −90 up to 90. */
  orientation: number;
}

/** Ellipse of a label in a plane; lengths in physical units, as scikit-image's axis_major_length and so on. */
export function ellipseOf({ covariance: [, yy, xx, , , yx] }: LabelMoments): Ellipse {
  const mean = (yy + xx) / 2;
  const spread = Math.hypot((yy - xx) / 2, yx);
  const large = Math.max(0, mean + spread);
  const small = Math.max(0, mean - spread);
  // Rows count downwards: the sign makes the angle counter-clockwise on screen.
  const angle = (Math.atan2(-2 * yx, xx - yy) * 90) / Math.PI;
  return {
    major: 4 * Math.sqrt(large),
    minor: 4 * Math.sqrt(small),
    eccentricity: large === 0 ? 0 : Math.sqrt(1 - small / large),
    orientation: angle <= -90 ? 90 : angle + 0,
  };
}

/** Full axes, longest first, of the ellipsoid with the same second moments (scikit-image's axis lengths in 3D). */
export function ellipsoidAxes({ covariance }: LabelMoments): [major: number, middle: number, minor: number] {
  const values = symmetricEigenvalues(covariance).map((value) => Math.sqrt(Math.max(0, 20 * value)));
  return values as [number, number, number];
}

/** Eigenvalues, largest first, of a symmetric 3 × 3 matrix (Jacobi rotations, exact to rounding). */
function symmetricEigenvalues([zz, yy, xx, zy, zx, yx]: LabelMoments['covariance']): number[] {
  const m = [
    [zz, zy, zx],
    [zy, yy, yx],
    [zx, yx, xx],
  ];
  const scale = zz + yy + xx;
  for (let sweep = 0; sweep < 12; sweep++) {
    if (Math.abs(m[0][1]) + Math.abs(m[0][2]) + Math.abs(m[1][2]) <= 1e-15 * scale) break;
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      if (m[p][q] === 0) continue;
      const theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
      const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
      const c = 1 / Math.hypot(t, 1);
      const s = t * c;
      for (let k = 0; k < 3; k++) {
        const [a, b] = [m[k][p], m[k][q]];
        m[k][p] = c * a - s * b;
        m[k][q] = s * a + c * b;
      }
      for (let k = 0; k < 3; k++) {
        const [a, b] = [m[p][k], m[q][k]];
        m[p][k] = c * a - s * b;
        m[q][k] = s * a + c * b;
      }
    }
  }
  return [m[0][0], m[1][1], m[2][2]].sort((a, b) => b - a);
}
