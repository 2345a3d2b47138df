import { giveBack } from '../give-back.ts';
import { GROW_COUNT, GROW_ROUNDS, SEED_COUNT, SEED_REACH } from './seeds.ts';
import { type GridShape, zeros } from './shape.ts';

const SMALLEST_BITS = 10;
/** Tables of more slots than 2 to this power grow by half as much: memory counts for more than time then. */
const LARGE_BITS = 20;

/**
 * Number of points that ended in a pixel, for those pixels alone: flows gather at few places, so that a hash table
 * holds them in a fraction of the memory of a histogram image.
 */
export class EndCounts {
  /** Pixel of each slot, -1 in empty ones. */
  keys!: Int32Array;
  counts!: Int32Array;
  #size = 0;
  #shift = 0;

  constructor() {
    this.#reset(SMALLEST_BITS);
  }

  /** Counts more points. @param ends row-major pixel in which each of them ended */
  add(ends: Int32Array): void {
    const { length } = ends;
    for (let k = 0; k < length; ) {
      const pixel = ends[k];
      // Neighbours mostly end in the same pixel.
      const first = k;
      while (++k < length && ends[k] === pixel);
      this.#count(pixel, k - first);
    }
  }

  /** Counts the points of an image of ends: 1 + row-major pixel in which a point ended, 0 where there is none. */
  addImage(image: Uint32Array): void {
    const { length } = image;
    for (let k = 0; k < length; ) {
      const value = image[k];
      const first = k;
      while (++k < length && image[k] === value);
      if (value > 0) this.#count(value - 1, k - first);
    }
  }

  #count(pixel: number, points: number): void {
    const slot = this.#find(pixel);
    this.counts[slot] += points;
    if (this.keys[slot] === pixel) return;
    this.keys[slot] = pixel;
    if (++this.#size * 2 > this.keys.length) this.#grow();
  }

  /** Slot of a pixel, or -1 if no point ended there. */
  slotOf(pixel: number): number {
    const slot = this.#find(pixel);
    return this.keys[slot] === -1 ? -1 : slot;
  }

  /** Slot that holds a pixel or would. */
  #find(pixel: number): number {
    const { keys } = this;
    let slot = Math.imul(pixel, 0x9e3779b1) >>> this.#shift;
    while (keys[slot] !== pixel && keys[slot] !== -1) slot = (slot + 1) & (keys.length - 1);
    return slot;
  }

  #reset(bits: number): void {
    this.keys = zeros(Int32Array, 2 ** bits).fill(-1);
    this.counts = zeros(Int32Array, 2 ** bits);
    this.#shift = 32 - bits;
  }

  #grow(): void {
    const { keys, counts } = this;
    const bits = 32 - this.#shift;
    this.#reset(bits + (bits < LARGE_BITS ? 2 : 1));
    for (let old = 0; old < keys.length; old++) {
      if (keys[old] === -1) continue;
      const slot = this.#find(keys[old]);
      this.keys[slot] = keys[old];
      this.counts[slot] = counts[old];
    }
    giveBack(keys, counts);
  }
}

/** The pixels where points ended, divided among seeds. */
export class EndClusters {
  /** Number of points of each seed, index = seed number + 1; entry 0 those that no seed reaches. */
  readonly sizes: Uint32Array;
  readonly #table: EndCounts;
  readonly #painted: Uint32Array;

  /** @param painted seed number + 1 of each slot of the table, 0 for none */
  constructor(table: EndCounts, painted: Uint32Array, seeds: number) {
    this.#table = table;
    this.#painted = painted;
    this.sizes = zeros(Uint32Array, seeds + 1);
    for (let slot = 0; slot < painted.length; slot++) this.sizes[painted[slot]] += table.counts[slot];
  }

  /** Seed number + 1 of a pixel in which a point ended, 0 where no seed reaches. */
  seedOf(pixel: number): number {
    return this.#painted[this.#table.slotOf(pixel)];
  }

  /** Gives the memory back; nothing can be asked any more. */
  dispose(): void {
    giveBack(this.#table.keys, this.#table.counts, this.#painted, this.sizes);
  }
}

/**
 * `findSeeds` and `growSeeds` (spec §5.2) on the pixels where points ended alone.
 * @param table points of the whole grid; it belongs to the result from now on
 * @param shape [y, x] or [z, y, x]
 * @param seedCount a seed needs more points than this
 * @returns undefined if there is no seed
 */
export function findClusters(
  table: EndCounts,
  shape: GridShape,
  seedCount = SEED_COUNT,
): EndClusters | undefined {
  const [nz, ny, nx] = shape.length === 3 ? shape : [1, shape[0], shape[1]];
  const plane = ny * nx;
  const { keys, counts } = table;

  /** Calls `visit` with the slot of every end pixel in the box around a pixel until it returns false. */
  const around = (pixel: number, reach: number, visit: (slot: number) => boolean): void => {
    const z = (pixel / plane) | 0;
    const y = ((pixel - z * plane) / nx) | 0;
    const x = pixel - z * plane - y * nx;
    const [z1, y1, x1] = [
      Math.min(nz - 1, z + reach),
      Math.min(ny - 1, y + reach),
      Math.min(nx - 1, x + reach),
    ];
    for (let zz = Math.max(0, z - reach); zz <= z1; zz++) {
      for (let yy = Math.max(0, y - reach); yy <= y1; yy++) {
        for (let xx = Math.max(0, x - reach); xx <= x1; xx++) {
          const slot = table.slotOf((zz * ny + yy) * nx + xx);
          if (slot >= 0 && !visit(slot)) return;
        }
      }
    }
  };

  const seeds: number[] = [];
  for (let slot = 0; slot < keys.length; slot++) {
    const count = counts[slot];
    if (count <= seedCount) continue;
    let peak = true;
    around(keys[slot], SEED_REACH, (other) => {
      peak = counts[other] <= count;
      return peak;
    });
    if (peak) seeds.push(slot);
  }
  if (seeds.length === 0) return undefined;
  seeds.sort((a, b) => counts[a] - counts[b] || keys[a] - keys[b]);

  const painted = zeros(Uint32Array, keys.length);
  const visited = zeros(Int32Array, keys.length).fill(-1);
  seeds.forEach((seed, s) => {
    let front = [seed];
    visited[seed] = s;
    painted[seed] = s + 1;
    for (let round = 0; round < GROW_ROUNDS && front.length > 0; round++) {
      const next: number[] = [];
      for (const slot of front) {
        around(keys[slot], 1, (other) => {
          if (visited[other] !== s && counts[other] > GROW_COUNT) {
            visited[other] = s;
            painted[other] = s + 1;
            next.push(other);
          }
          return true;
        });
      }
      front = next;
    }
  });
  giveBack(visited);
  return new EndClusters(table, painted, seeds.length);
}

/**
 * The seed that each point belongs to.
 * @param ends row-major pixel in which each point ended
 * @param seedCount a seed needs more points than this
 * @returns seed number + 1 per point, 0 where no seed reaches; undefined if there is no seed
 */
export function clusterEnds(ends: Int32Array, shape: GridShape, seedCount?: number): Uint32Array | undefined {
  const table = new EndCounts();
  table.add(ends);
  const clusters = findClusters(table, shape, seedCount);
  if (!clusters) return undefined;
  const seeds = zeros(Uint32Array, ends.length);
  for (let k = 0; k < ends.length; ) {
    const first = k;
    while (++k < ends.length && ends[k] === ends[first]);
    seeds.fill(clusters.seedOf(ends[first]), first, k);
  }
  clusters.dispose();
  return seeds;
}
