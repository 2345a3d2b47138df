import type { Axis } from './brush.ts';
import { type CellMask, cutOut, putBack } from './cell-mask.ts';
import { squaredDistance } from './distance.ts';
import type { LabelEdit } from './label-edit.ts';
import type { LabelIndex } from './label-index.ts';

export interface ShapeOptions {
  /** Distance between voxels along z, y, x; radii are in the same unit. */
  spacing: readonly number[];
  /** Axis across which nothing happens: every plane for itself. Absent: in 3D. */
  flat?: Axis | undefined;
}

/** Rounding must not decide about voxels exactly at the radius. */
const TOLERANCE = 1e-9;

/** Adds to a cell what lies within `radius` of it and is empty. */
export function growLabel(
  edit: LabelEdit,
  index: LabelIndex,
  id: number,
  radius: number,
  options: ShapeOptions,
): void {
  const cell = around(edit, index, id, radius, options);
  if (!cell) return;
  const distance = squaredDistance(cell.mask, cell.shape, options.spacing, 1, options.flat);
  const limit = radius * radius + TOLERANCE;
  putBack(edit, id, { ...cell, mask: Uint8Array.from(distance, (d) => (d <= limit ? 1 : 0)) });
}

/**
 * Takes from a cell what lies within `radius` of anything else. At the border of the volume nothing is taken: what
 * lies beyond is not known. A cell that would vanish stays as it is.
 * @returns whether it could be shrunk
 */
export function shrinkLabel(
  edit: LabelEdit,
  index: LabelIndex,
  id: number,
  radius: number,
  options: ShapeOptions,
): boolean {
  const cell = around(edit, index, id, radius, options);
  if (!cell) return false;
  const distance = squaredDistance(cell.mask, cell.shape, options.spacing, 0, options.flat);
  const limit = radius * radius + TOLERANCE;
  const mask = Uint8Array.from(distance, (d) => (d > limit ? 1 : 0));
  if (!mask.includes(1)) return false;
  putBack(edit, id, { ...cell, mask });
  return true;
}

/**
 * Rounds the outline off: a voxel belongs to the cell where the cell, blurred by a Gaussian, is above one half. Only
 * empty voxels are added. A cell that would vanish stays as it is.
 * @param sigma of the Gaussian
 * @returns whether it could be smoothed
 */
export function smoothLabel(
  edit: LabelEdit,
  index: LabelIndex,
  id: number,
  sigma: number,
  options: ShapeOptions,
): boolean {
  const cell = around(edit, index, id, 3 * sigma, options);
  if (!cell) return false;
  let values = Float32Array.from(cell.mask);
  for (const axis of [0, 1, 2] as const) {
    if (axis !== options.flat && cell.shape[axis] > 1)
      values = blurred(values, cell, axis, sigma / options.spacing[axis]);
  }
  const mask = Uint8Array.from(values, (value) => (value > 0.5 ? 1 : 0));
  if (!mask.includes(1)) return false;
  putBack(edit, id, { ...cell, mask });
  return true;
}

/** Gaussian along one axis; at the ends it is the mean of what is there. */
function blurred(values: Float32Array, { shape }: CellMask, axis: Axis, sigma: number) {
  const reach = Math.ceil(3 * sigma);
  const weights = Array.from({ length: reach + 1 }, (_, k) => Math.exp((-k * k) / (2 * sigma * sigma)));
  const stride = [shape[1] * shape[2], shape[2], 1][axis];
  const length = shape[axis];
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const place = Math.floor(i / stride) % length;
    let sum = 0;
    let total = 0;
    for (let k = Math.max(-reach, -place); k <= Math.min(reach, length - 1 - place); k++) {
      const weight = weights[Math.abs(k)];
      sum += weight * values[i + k * stride];
      total += weight;
    }
    result[i] = sum / total;
  }
  return result;
}

/** Adds the empty voxels that a cell encloses: those from which no way by faces leads out of its box. */
export function fillHoles(edit: LabelEdit, index: LabelIndex, id: number, flat?: Axis): void {
  const cell = around(edit, index, id, 1, { spacing: [1, 1, 1], flat });
  if (!cell) return;
  const { mask, shape } = cell;
  const strides = [shape[1] * shape[2], shape[2], 1];
  const outside = new Uint8Array(mask.length);
  const stack: number[] = [];
  const reach = (i: number) => {
    if (mask[i] || outside[i]) return;
    outside[i] = 1;
    stack.push(i);
  };
  const axes = ([0, 1, 2] as const).filter((axis) => axis !== flat);
  const place = (i: number, axis: Axis) => Math.floor(i / strides[axis]) % shape[axis];
  for (let i = 0; i < mask.length; i++) {
    if (axes.some((axis) => place(i, axis) === 0 || place(i, axis) === shape[axis] - 1)) reach(i);
  }
  for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
    for (const axis of axes) {
      const at = place(i, axis);
      if (at > 0) reach(i - strides[axis]);
      if (at < shape[axis] - 1) reach(i + strides[axis]);
    }
  }
  putBack(edit, id, { ...cell, mask: outside.map((out) => 1 - out) });
}

/** A cell with room for a change within `radius`. */
function around(
  edit: LabelEdit,
  index: LabelIndex,
  id: number,
  radius: number,
  { spacing, flat }: ShapeOptions,
): CellMask | undefined {
  const box = index.box(id);
  if (!box) return undefined;
  const margin = spacing.map((step, axis) => (axis === flat ? 0 : Math.ceil(radius / step)));
  return cutOut(edit, id, box, margin);
}
