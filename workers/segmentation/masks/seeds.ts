import type { FollowedPixels } from './follow-flows.ts';
import { type GridShape, zeros } from './shape.ts';

/** Points per pixel where the followed pixels ended; Int32 [...shape]. */
export type EndHistogram = Int32Array;

/** Row-major index of the pixel in which each point ended (positions truncated toward zero, spec §5 step 3). */
export function endPixels({ index, position }: FollowedPixels, shape: GridShape): Int32Array {
  const total = index.length;
  const ends = zeros(Int32Array, total);
  const ndim = shape.length;
  for (let axis = 0; axis < ndim; axis++) {
    const length = shape[axis];
    const offset = axis * total;
    for (let k = 0; k < total; k++) {
      ends[k] = ends[k] * length + Math.min(length - 1, Math.max(0, Math.trunc(position[offset + k])));
    }
  }
  return ends;
}

/** Counts the end points per pixel. */
export function endHistogram(ends: Int32Array, pixels: number): EndHistogram {
  const histogram = zeros(Int32Array, pixels);
  for (let k = 0; k < ends.length; k++) histogram[ends[k]]++;
  return histogram;
}

/** A seed of the reference needs more than this many end points. */
export const SEED_COUNT = 10;
/** Half width of the box in which a seed is the largest. */
export const SEED_REACH = 2;

/**
 * Peaks of the histogram (spec §5.2): more than `seedCount` points and no larger count in the 5^d box around.
 * Sorted by count ascending, equal counts in row-major order, the order in which the labels are painted.
 * @returns row-major indices
 */
export function findSeeds(histogram: EndHistogram, shape: GridShape, seedCount = SEED_COUNT): Int32Array {
  const [nz, ny, nx] = shape.length === 3 ? shape : [1, shape[0], shape[1]];
  const plane = ny * nx;
  const seeds: number[] = [];
  for (let i = 0; i < histogram.length; i++) {
    const count = histogram[i];
    if (count <= seedCount) continue;
    const z = (i / plane) | 0;
    const y = ((i - z * plane) / nx) | 0;
    const x = i - z * plane - y * nx;
    const z1 = Math.min(nz - 1, z + SEED_REACH);
    const y1 = Math.min(ny - 1, y + SEED_REACH);
    const x0 = Math.max(0, x - SEED_REACH);
    const x1 = Math.min(nx - 1, x + SEED_REACH);
    let peak = true;
    for (let zz = Math.max(0, z - SEED_REACH); peak && zz <= z1; zz++) {
      for (let yy = Math.max(0, y - SEED_REACH); peak && yy <= y1; yy++) {
        const line = zz * plane + yy * nx;
        for (let xx = x0; xx <= x1; xx++) {
          if (histogram[line + xx] > count) {
            peak = false;
            break;
          }
        }
      }
    }
    if (peak) seeds.push(i);
  }
  seeds.sort((a, b) => histogram[a] - histogram[b]); // stable by the language's definition
  return Int32Array.from(seeds);
}

/** A pixel joins a growing seed if more than this many points ended there. */
export const GROW_COUNT = 2;
/** Rounds of growth; also the half width of the window. */
export const GROW_ROUNDS = 5;

/**
 * Paints every seed's region into a label image of the end points: five rounds of growth by the 3^d box into pixels
 * with more than two end points, later (larger) seeds over earlier ones (spec §5.2).
 * @returns Uint32 [...shape]: seed number + 1, 0 where no seed reaches
 */
export function growSeeds(seeds: Int32Array, histogram: EndHistogram, shape: GridShape): Uint32Array {
  const [nz, ny, nx] = shape.length === 3 ? shape : [1, shape[0], shape[1]];
  const plane = ny * nx;
  const painted = zeros(Uint32Array, histogram.length);
  // Marks the seed that last visited a pixel, so that regions may overlap while each grows once.
  const visited = zeros(Int32Array, histogram.length).fill(-1);
  for (let s = 0; s < seeds.length; s++) {
    let front = [seeds[s]];
    visited[seeds[s]] = s;
    painted[seeds[s]] = s + 1;
    for (let round = 0; round < GROW_ROUNDS && front.length > 0; round++) {
      const next: number[] = [];
      for (const i of front) {
        const z = (i / plane) | 0;
        const y = ((i - z * plane) / nx) | 0;
        const x = i - z * plane - y * nx;
        const z1 = Math.min(nz - 1, z + 1);
        const y1 = Math.min(ny - 1, y + 1);
        const x0 = Math.max(0, x - 1);
        const x1 = Math.min(nx - 1, x + 1);
        for (let zz = Math.max(0, z - 1); zz <= z1; zz++) {
          for (let yy = Math.max(0, y - 1); yy <= y1; yy++) {
            const line = zz * plane + yy * nx;
            for (let xx = x0; xx <= x1; xx++) {
              const j = line + xx;
              if (visited[j] === s || histogram[j] <= GROW_COUNT) continue;
              visited[j] = s;
              painted[j] = s + 1;
              next.push(j);
            }
          }
        }
      }
      front = next;
    }
  }
  return painted;
}
