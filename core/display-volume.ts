import type { Box } from './label-volume.ts';
import type { Shape3, Spacing, VolumeData } from './volume.ts';

/** Whole-number reduction along z, y, x. */
export type Factors = readonly [z: number, y: number, x: number];

/** What a 3D picture is made of at most: more is not seen on a screen and costs memory on the device. */
export const VOLUME_LIMITS = {
  imageVoxels: 2 ** 25,
  labelVoxels: 2 ** 25,
  /** Largest side of a 3D texture that every WebGL 2 device has. */
  side: 2048,
};

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

/** Reduced voxels that a box of full ones has a part in, half-open and within the volume. */
export function reducedBox(box: Box, shape: Shape3, factors: Factors): Box {
  const reduced = reducedShape(shape, factors);
  const at = (k: number) => {
    const place = box[k] / factors[k % 3];
    return Math.min(Math.max(k < 3 ? Math.floor(place) : Math.ceil(place), 0), reduced[k % 3]);
  };
  return [at(0), at(1), at(2), at(3), at(4), at(5)];
}

/**
 * Labels of a box of reduced voxels, each that of its middle.
 * @param labels of `shape` [z, y, x]
 * @param box half-open, in reduced voxels
 */
export function reducedLabels(labels: Uint32Array, shape: Shape3, factors: Factors, box: Box): Uint32Array {
  const [nz, ny, nx] = shape;
  const [z0, y0, x0, z1, y1, x1] = box;
  const whole = x0 === 0 && y0 === 0 && x1 === nx && y1 === ny && factors.every((factor) => factor === 1);
  if (whole) return labels.subarray(z0 * ny * nx, z1 * ny * nx);
  const middle = (index: number, axis: number, length: number) =>
    Math.min(index * factors[axis] + (factors[axis] >> 1), length - 1);
  const small = new Uint32Array((z1 - z0) * (y1 - y0) * (x1 - x0));
  let at = 0;
  for (let z = z0; z < z1; z++) {
    for (let y = y0; y < y1; y++) {
      const row = (middle(z, 0, nz) * ny + middle(y, 1, ny)) * nx;
      for (let x = x0; x < x1; x++) small[at++] = labels[row + middle(x, 2, nx)];
    }
  }
  return small;
}

/**
 * Which blocks of reduced voxels hold any label: 1 or 0.
 * @param box half-open, in reduced voxels; the blocks that it has a part in are looked at whole
 * @param side voxels along each side of a block
 * @returns the box of blocks, half-open, and a byte for each
 */
export function blocksInUse(
  labels: Uint32Array,
  shape: Shape3,
  factors: Factors,
  box: Box,
  side: number,
): { box: Box; data: Uint8Array } {
  const reduced = reducedShape(shape, factors);
  const first = [0, 1, 2].map((axis) => Math.floor(box[axis] / side));
  const end = [0, 1, 2].map((axis) => Math.ceil(box[axis + 3] / side));
  const [depth, height, width] = [0, 1, 2].map((axis) => end[axis] - first[axis]);
  const [z0, y0, x0] = first.map((block) => block * side);
  const [z1, y1, x1] = end.map((block, axis) => Math.min(block * side, reduced[axis]));
  const ids = reducedLabels(labels, shape, factors, [z0, y0, x0, z1, y1, x1]);
  const data = new Uint8Array(depth * height * width);
  let at = 0;
  for (let z = z0; z < z1; z++) {
    for (let y = y0; y < y1; y++) {
      const row = (Math.floor((z - z0) / side) * height + Math.floor((y - y0) / side)) * width;
      for (let x = x0; x < x1; x++) if (ids[at++] !== 0) data[row + Math.floor((x - x0) / side)] = 1;
    }
  }
  return { box: [first[0], first[1], first[2], end[0], end[1], end[2]], data };
}
