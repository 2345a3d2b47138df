import { labelColor } from './label-colors.ts';
import type { Shape3, Spacing, VolumeData } from './volume.ts';

/** Whole-number reduction along z, y, x. */
export type Factors = readonly [z: number, y: number, x: number];

/**
 * Reduction that brings a volume under a number of voxels and a largest side: the axes with the finest sampling
 * are halved first, so that voxels become more cube-like and no axis is thinned without need.
 */
export function fittingFactors(shape: Shape3, spacing: Spacing, voxels: number, side: number): Factors {
  const factors: [number, number, number] = [1, 1, 1];
  const length = (axis: number) => Math.ceil(shape[axis] / factors[axis]);
  for (const axis of [0, 1, 2]) while (length(axis) > side) factors[axis]++;
  while (length(0) * length(1) * length(2) > voxels) {
    let finest = -1;
    for (const axis of [0, 1, 2]) {
      if (length(axis) < 2) continue;
      if (finest < 0 || spacing[axis] * factors[axis] < spacing[finest] * factors[finest]) finest = axis;
    }
    factors[finest]++;
  }
  return factors;
}

/** Lengths after reduction. */
export function reducedShape(shape: Shape3, factors: Factors): Shape3 {
  return [
    Math.ceil(shape[0] / factors[0]),
    Math.ceil(shape[1] / factors[1]),
    Math.ceil(shape[2] / factors[2]),
  ];
}

/**
 * Samples as display bytes: the mean over each reduced voxel, through window and gamma, 0…255.
 * @param data samples of `shape` [z, y, x]
 * @returns bytes of {@link reducedShape}, written every `stride` from `offset` where `target` is given
 */
export function displayBytes(
  data: VolumeData,
  shape: Shape3,
  factors: Factors,
  [low, high]: readonly [number, number],
  gamma: number,
  { target, stride = 1, offset = 0 }: { target?: Uint8Array; stride?: number; offset?: number } = {},
): Uint8Array<ArrayBuffer> {
  const [nz, ny, nx] = shape;
  const [mz, my, mx] = reducedShape(shape, factors);
  const [fz, fy, fx] = factors;
  const bytes = (target ?? new Uint8Array(mz * my * mx * stride)) as Uint8Array<ArrayBuffer>;
  const curve = new Uint8Array(4097);
  for (let i = 0; i <= 4096; i++) curve[i] = Math.round(255 * (i / 4096) ** gamma);
  const scale = 4096 / (high - low || 1);
  const put = (at: number, value: number) => {
    const place = (value - low) * scale;
    bytes[at] = place > 0 ? curve[place < 4096 ? place | 0 : 4096] : 0;
  };
  let at = offset;
  if (fz * fy * fx === 1) {
    for (let i = 0; i < data.length; i++, at += stride) put(at, data[i]);
    return bytes;
  }
  for (let z = 0; z < mz; z++) {
    const z1 = Math.min((z + 1) * fz, nz);
    for (let y = 0; y < my; y++) {
      const y1 = Math.min((y + 1) * fy, ny);
      for (let x = 0; x < mx; x++, at += stride) {
        const x1 = Math.min((x + 1) * fx, nx);
        let sum = 0;
        for (let sz = z * fz; sz < z1; sz++) {
          for (let sy = y * fy; sy < y1; sy++) {
            const row = (sz * ny + sy) * nx;
            for (let sx = x * fx; sx < x1; sx++) sum += data[row + sx];
          }
        }
        put(at, sum / ((z1 - z * fz) * (y1 - y * fy) * (x1 - x * fx)));
      }
    }
  }
  return bytes;
}

/** Opacity byte of a label voxel inside its cell and where it touches another one: the seam shows as a groove. */
const INSIDE = 255;
const SEAM = 90;

/**
 * Labels as RGBA bytes for surface-like drawing: colour of the label, and an opacity that falls to 0 outside and
 * dips where cells touch. Empty voxels beside a cell carry its colour with opacity 0, so that interpolation does
 * not draw a dark rim.
 * @param labels of `shape` [z, y, x]; reduced by taking the middle voxel
 * @returns 4 bytes per voxel of {@link reducedShape}
 */
export function labelBytes(
  labels: Uint32Array,
  shape: Shape3,
  factors: Factors,
  { seed = 0, selected = 0 }: { seed?: number; selected?: number } = {},
): Uint8Array<ArrayBuffer> {
  const small = reducedLabels(labels, shape, factors);
  const [mz, my, mx] = reducedShape(shape, factors);
  const bytes = new Uint8Array(small.length * 4);
  const colors = new Map<number, readonly number[]>();
  const colorOf = (id: number) => {
    let color = colors.get(id);
    if (!color) {
      const own = labelColor(id, seed);
      // The chosen cell is lit up; the others step back.
      color = selected === 0 ? own : own.map((c) => Math.round(id === selected ? (c + 255) / 2 : c * 0.6));
      colors.set(id, color);
    }
    return color;
  };
  const steps = [1, mx, mx * my];
  let at = 0;
  for (let z = 0; z < mz; z++) {
    for (let y = 0; y < my; y++) {
      for (let x = 0; x < mx; x++, at++) {
        const id = small[at];
        let shown = id;
        let seam = false;
        const position = [x, y, z];
        const last = [mx - 1, my - 1, mz - 1];
        for (let axis = 0; axis < 3 && !(id === 0 && shown !== 0); axis++) {
          for (const side of [-1, 1]) {
            const edge = side < 0 ? 0 : last[axis];
            if (position[axis] === edge) continue;
            const other = small[at + side * steps[axis]];
            if (id === 0) shown ||= other;
            else if (other !== 0 && other !== id) seam = true;
          }
        }
        if (shown === 0) continue;
        const color = colorOf(shown);
        bytes[at * 4] = color[0];
        bytes[at * 4 + 1] = color[1];
        bytes[at * 4 + 2] = color[2];
        bytes[at * 4 + 3] = id === 0 ? 0 : seam ? SEAM : INSIDE;
      }
    }
  }
  return bytes;
}

function reducedLabels(labels: Uint32Array, shape: Shape3, factors: Factors): Uint32Array {
  if (factors[0] * factors[1] * factors[2] === 1) return labels;
  const [nz, ny, nx] = shape;
  const [mz, my, mx] = reducedShape(shape, factors);
  const middle = (index: number, axis: number, length: number) =>
    Math.min(index * factors[axis] + (factors[axis] >> 1), length - 1);
  const small = new Uint32Array(mz * my * mx);
  let at = 0;
  for (let z = 0; z < mz; z++) {
    for (let y = 0; y < my; y++) {
      const row = (middle(z, 0, nz) * ny + middle(y, 1, ny)) * nx;
      for (let x = 0; x < mx; x++) small[at++] = labels[row + middle(x, 2, nx)];
    }
  }
  return small;
}
