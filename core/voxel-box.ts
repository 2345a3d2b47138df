import type { Shape3 } from './volume.ts';

/** A half-open box of voxels. */
export interface VoxelBox {
  /** First z, y, x. */
  from: Shape3;
  /** z, y, x behind the last. */
  to: Shape3;
}

/** Three lengths or places along z, y, x made of three others. */
export function mapAxes(values: Shape3, make: (value: number, axis: 0 | 1 | 2) => number): Shape3 {
  return [make(values[0], 0), make(values[1], 1), make(values[2], 2)];
}

/** The same with the value along one axis set. */
export function withAxis(values: Shape3, axis: number, value: number): Shape3 {
  return mapAxes(values, (other, at) => (at === axis ? value : other));
}

/** Lengths of z, y, x. */
export function lengthsOf({ from, to }: VoxelBox): Shape3 {
  return mapAxes(to, (at, axis) => at - from[axis]);
}

/** Number of voxels of these lengths of z, y, x. */
export function voxelsOf([nz, ny, nx]: Shape3): number {
  return nz * ny * nx;
}
