import { ALWAYS_DENSE, denseMaxLabel } from './renumber.ts';
import { longer, zeros } from './shape.ts';

const SMALLEST = 512;

/**
 * Finds the overlapping pairs of the labels of two planes, one pair of planes after another in the same memory. Rows
 * are walked run by run, since most pixels repeat the pair before; most runs repeat the last pair of their lower label,
 * so that the hash table is seldom asked.
 */
export class PlanePairs {
  /** Number of pairs; the arrays are longer. */
  count = 0;
  upper: Uint32Array = new Uint32Array(SMALLEST);
  lower: Uint32Array = new Uint32Array(SMALLEST);
  /** Common pixels. */
  pixels: Uint32Array = new Uint32Array(SMALLEST);
  /** First of them, row-major. */
  at: Uint32Array = new Uint32Array(SMALLEST);
  /** Pair + 1 by its hash; 0 is free. Twice as long as the others. */
  #slots: Int32Array = new Int32Array(2 * SMALLEST);
  /** Pair + 1 that a lower label was last met in. */
  #last: Int32Array = new Int32Array(SMALLEST);
  #sizes: Uint32Array = new Uint32Array(SMALLEST);

  /**
   * Counts the pairs of two planes of the same size, background left out, and renumbers the upper on the way.
   * @param ids id per label of the upper plane, and `to` the plane that receives them; may be `upper` itself
   * @returns pixels per label of the lower plane, index = label, as long as its largest label wants
   * @throws CytoError `bad-input` for a lower label above both the pixels of the plane and 65535 (see renumber);
   * `too-large` if the memory is not to be had
   */
  find(upper: Uint32Array, lower: Uint32Array, ids?: Uint32Array, to?: Uint32Array): Uint32Array {
    for (let k = 0; k < this.count; k++) this.#last[this.lower[k]] = 0;
    this.#slots.fill(0);
    this.count = 0;
    let sizes = this.#sizes;
    let last = this.#last;
    let partners = this.upper;
    let pixels = this.pixels;
    let largest = 0;
    const { length } = lower;
    for (let i = 0; i < length; ) {
      const a = upper[i];
      const b = lower[i];
      const start = i;
      if (ids && to) {
        const id = ids[a];
        do to[i++] = id;
        while (i < length && lower[i] === b && upper[i] === a);
      } else {
        do i++;
        while (i < length && lower[i] === b && upper[i] === a);
      }
      if (b === 0) continue;
      if (b > largest) {
        largest = b;
        if (b >= sizes.length) {
          this.#makeRoom(lower);
          sizes = this.#sizes;
          last = this.#last;
        }
      }
      sizes[b] += i - start;
      if (a === 0) continue;
      const pair = last[b] - 1;
      if (pair >= 0 && partners[pair] === a) pixels[pair] += i - start;
      else {
        this.#add(a, b, i - start, start);
        partners = this.upper;
        pixels = this.pixels;
      }
    }
    const found = sizes.slice(0, largest + 1);
    sizes.fill(0, 0, largest + 1);
    return found;
  }

  /** Room for every label of a plane. */
  #makeRoom(plane: Uint32Array): void {
    const most = Math.max(plane.length, ALWAYS_DENSE) + 1;
    const length = Math.min(most, Math.max(denseMaxLabel(plane) + 1, 2 * this.#sizes.length));
    this.#last = longer(this.#last, length);
    this.#sizes = longer(this.#sizes, length);
  }

  #add(a: number, b: number, pixels: number, at: number): void {
    let slot = this.#slotOf(a, b);
    let pair = this.#slots[slot] - 1;
    if (pair < 0) {
      if (this.count === this.upper.length) {
        this.#grow();
        slot = this.#slotOf(a, b);
      }
      pair = this.count++;
      this.#slots[slot] = pair + 1;
      this.upper[pair] = a;
      this.lower[pair] = b;
      this.pixels[pair] = 0;
      this.at[pair] = at;
    }
    this.pixels[pair] += pixels;
    this.#last[b] = pair + 1;
  }

  /** Slot that holds a pair or would. */
  #slotOf(a: number, b: number): number {
    const mask = this.#slots.length - 1;
    const hash = Math.imul(Math.imul(a, 0x9e3779b1) ^ b, 0x85ebca6b);
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const pair = this.#slots[slot] - 1;
      if (pair < 0 || (this.upper[pair] === a && this.lower[pair] === b)) return slot;
    }
  }

  #grow(): void {
    const length = 2 * this.upper.length;
    this.upper = longer(this.upper, length);
    this.lower = longer(this.lower, length);
    this.pixels = longer(this.pixels, length);
    this.at = longer(this.at, length);
    this.#slots = zeros(Int32Array, 2 * length);
    for (let k = 0; k < this.count; k++) this.#slots[this.#slotOf(this.upper[k], this.lower[k])] = k + 1;
  }
}
