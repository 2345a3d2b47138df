import { allocate, dtypeOf, type VolumeData } from '../../core/volume.ts';

/** How a plane lies in a stack; the letters are its rows and columns. */
export type Orientation = 'xy' | 'xz' | 'yz';

/** Planes that are taken of a stack in each orientation. */
const PLANES = 3;

/** A plane through a stack, with pixels as wide as they are high. */
export interface StackPlane {
  orientation: Orientation;
  /** Plane along the third axis, counted from 0. */
  at: number;
  shape: readonly [height: number, width: number];
  channels: VolumeData[];
  labels: Uint32Array;
}

interface Stack {
  /** Samples [z, y, x] of each channel. */
  channels: readonly VolumeData[];
  labels: Uint32Array;
  shape: readonly [nz: number, ny: number, nx: number];
  /** Distance of planes over that of pixels; planes across z are stretched by it. */
  anisotropy: number;
}

/** Where the voxels of a plane lie: offset of its first, steps along its rows and columns, and its size in voxels. */
function layOf(orientation: Orientation, at: number, [nz, ny, nx]: Stack['shape']) {
  if (orientation === 'xy') return { first: at * ny * nx, down: nx, right: 1, rows: ny, columns: nx };
  if (orientation === 'xz') return { first: at * nx, down: ny * nx, right: 1, rows: nz, columns: nx };
  return { first: at, down: ny * nx, right: nx, rows: nz, columns: ny };
}

/** A plane of a stack; rows across z are stretched: samples linearly, labels to the nearest plane. */
export function planeOf(stack: Stack, orientation: Orientation, at: number): StackPlane {
  const { first, down, right, rows, columns } = layOf(orientation, at, stack.shape);
  const height = orientation === 'xy' ? rows : Math.max(1, Math.round(rows * stack.anisotropy));
  const channels = stack.channels.map((samples) => allocate(dtypeOf(samples), height * columns));
  const labels = new Uint32Array(height * columns);
  for (let row = 0; row < height; row++) {
    const z = Math.min(rows - 1, Math.max(0, ((row + 0.5) * rows) / height - 0.5));
    const above = Math.floor(z);
    const below = Math.min(rows - 1, above + 1);
    const nearest = Math.round(z);
    for (let column = 0; column < columns; column++) {
      const start = first + column * right;
      labels[row * columns + column] = stack.labels[start + nearest * down];
      stack.channels.forEach((samples, c) => {
        const from = samples[start + above * down];
        channels[c][row * columns + column] = from + (samples[start + below * down] - from) * (z - above);
      });
    }
  }
  return { orientation, at, shape: [height, columns], channels, labels };
}

/**
 * Planes of a stack in three orientations to learn from: in each, of as many equal parts as planes are taken, the one with
 * most labelled voxels. Planes without cells are left out.
 */
export function planesOf(stack: Stack): StackPlane[] {
  const [nz, ny, nx] = stack.shape;
  const filled = { xy: new Uint32Array(nz), xz: new Uint32Array(ny), yz: new Uint32Array(nx) };
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, i++) {
        if (stack.labels[i] === 0) continue;
        filled.xy[z]++;
        filled.xz[y]++;
        filled.yz[x]++;
      }
    }
  }
  const found: StackPlane[] = [];
  for (const orientation of ['xy', 'xz', 'yz'] as const) {
    const counts = filled[orientation];
    for (let part = 0; part < PLANES; part++) {
      const from = Math.floor((part * counts.length) / PLANES);
      const to = Math.floor(((part + 1) * counts.length) / PLANES);
      let best = from;
      for (let at = from; at < to; at++) if (counts[at] > counts[best]) best = at;
      if (to > from && counts[best] > 0) found.push(planeOf(stack, orientation, best));
    }
  }
  return found;
}
