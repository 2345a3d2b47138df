import { oklab } from './color-distance.ts';
import { labelColor, TINT_SLOTS } from './label-colors.ts';
import type { Box, LabelVolume } from './label-volume.ts';

/** Distance in OKLab that the colours of touching labels have at least, as long as there is such a colour. */
export const LEAST_DISTANCE = 0.1;
/** Colours that are tried for a label. */
const TRIES = 64;
/** Voxels looked through at once; more are taken in turns with whatever else the page does. */
const AT_ONCE = 4_000_000;
const IN_TURN = 1_000_000;
/** Seeds of one volume whose tints are kept. */
const SEEDS = 4;
/** Labels touch when so many voxels lie between their own at most, along y or x. */
const GAP = 1;

const known = new WeakMap<LabelVolume, Map<number, LabelTints>>();

/**
 * Which labels of a volume have another colour than their id gives them, so that labels that touch, or have a single
 * voxel between them within a plane, never look alike. A label keeps its colour until an edit brings it next to one of
 * nearly the same colour; then the one with the higher id changes. Colours follow edits by themselves, at a cost
 * proportional to the box that changed.
 *
 * Dispatches `change` when colours have changed other than by an edit of the labels.
 */
export class LabelTints extends EventTarget {
  readonly #labels: LabelVolume;
  readonly #seed: number;
  readonly #neighbours = new Map<number, Set<number>>();
  readonly #tints = new Map<number, number>();
  /** OKLab of labels as they are coloured now. */
  readonly #colors = new Map<number, readonly number[]>();
  #table: Uint8Array<ArrayBuffer> = new Uint8Array(16);
  #revision = 0;
  /** Boxes to be looked through, in turns. */
  readonly #waiting: Box[] = [];
  #working: Promise<void> | undefined;
  readonly #forgotten = new AbortController();

  /** The tints of labels drawn with a seed; one object for each. */
  static of(labels: LabelVolume, seed: number): LabelTints {
    const seeds = known.get(labels) ?? new Map<number, LabelTints>();
    known.set(labels, seeds);
    let tints = seeds.get(seed);
    if (!tints) {
      tints = new LabelTints(labels, seed);
      seeds.set(seed, tints);
      const [[oldest, its]] = seeds;
      if (seeds.size > SEEDS) {
        its.#forgotten.abort();
        seeds.delete(oldest);
      }
    }
    return tints;
  }

  private constructor(labels: LabelVolume, seed: number) {
    super();
    this.#labels = labels;
    this.#seed = seed;
    this.#look([0, 0, 0, ...labels.shape]);
    const follow = (event: Event) => this.#look((event as CustomEvent<{ box: Box }>).detail.box);
    labels.addEventListener('change', follow, { signal: this.#forgotten.signal });
  }

  /** Counts changes; equal revisions mean equal tints. */
  get revision(): number {
    return this.#revision;
  }

  /** Tint of label n at n (modulo {@link TINT_SLOTS}), 0 from the length on. The length is a power of two. */
  get table(): Uint8Array<ArrayBuffer> {
    return this.#table;
  }

  /** Resolves when all labels have been looked at. */
  async settled(): Promise<void> {
    while (this.#working) await this.#working;
  }

  /** Tint of a label, for {@link labelColor}. */
  of(id: number): number {
    return this.#tints.get(slotOf(id)) ?? 0;
  }

  /** Colour of a label. @returns red, green, blue 0…255 */
  color(id: number): [red: number, green: number, blue: number] {
    return labelColor(id, this.#seed, this.of(id));
  }

  /** Css colour of a label. */
  css(id: number): string {
    return `rgb(${this.color(id).join(' ')})`;
  }

  /** Labels that touch a label or have touched it. */
  neighbours(id: number): readonly number[] {
    return [...(this.#neighbours.get(id) ?? [])];
  }

  /** Looks for labels that touch because of what is new in a box. */
  #look([z0, y0, x0, z1, y1, x1]: Box): void {
    const [nz, ny, nx] = this.#labels.shape;
    // Every voxel is compared with those before it, so those behind the box with the ones in it.
    const end = [Math.min(z1 + 1, nz), Math.min(y1 + 1 + GAP, ny), Math.min(x1 + 1 + GAP, nx)] as const;
    const box: Box = [z0, y0, x0, ...end];
    if ((end[0] - z0) * (end[1] - y0) * (end[2] - x0) <= AT_ONCE) {
      this.#recolor(this.#touching(box));
      return;
    }
    this.#waiting.push(box);
    this.#working ??= this.#work();
  }

  /** Looks through the waiting boxes a few planes at a time, with pauses. */
  async #work(): Promise<void> {
    for (let box = this.#waiting.shift(); box; box = this.#waiting.shift()) {
      const [z0, y0, x0, z1, y1, x1] = box;
      const rows = Math.max(1, Math.floor(IN_TURN / (x1 - x0)));
      const planes = Math.max(1, Math.floor(rows / (y1 - y0)));
      const changed = new Set<number>();
      for (let z = z0; z < z1; z += planes) {
        for (let y = y0; y < y1; y += rows) {
          await new Promise((resolve) => setTimeout(resolve));
          const part: Box = [z, y, x0, Math.min(z + planes, z1), Math.min(y + rows, y1), x1];
          for (const id of this.#touching(part)) changed.add(id);
        }
      }
      this.#recolor(changed);
    }
    this.#working = undefined;
    this.dispatchEvent(new Event('change'));
  }

  /** Notes which voxels of a box touch other labels before them. @returns the higher ids of pairs not known before */
  #touching([z0, y0, x0, z1, y1, x1]: Box): Set<number> {
    const { data, shape } = this.#labels;
    const [, ny, nx] = shape;
    const found = new Set<number>();
    let [a, b] = [0, 0];
    const note = (one: number, other: number) => {
      if (one === a && other === b) return;
      [a, b] = [one, other];
      if (this.#join(one, other)) found.add(Math.max(one, other));
    };
    for (let z = z0; z < z1; z++) {
      for (let y = y0; y < y1; y++) {
        const row = (z * ny + y) * nx;
        for (let x = x0, i = row + x0; x < x1; x++, i++) {
          const id = data[i];
          if (id === 0) continue;
          for (let k = 1; k <= 1 + GAP; k++) {
            if (x >= k && data[i - k] !== id && data[i - k] !== 0) note(id, data[i - k]);
            if (y >= k && data[i - k * nx] !== id && data[i - k * nx] !== 0) note(id, data[i - k * nx]);
          }
          const above = z > 0 ? data[i - ny * nx] : 0;
          if (above !== id && above !== 0) note(id, above);
        }
      }
    }
    return found;
  }

  #join(one: number, other: number): boolean {
    const mine = this.#neighbours.get(one) ?? new Set<number>();
    if (mine.has(other)) return false;
    const its = this.#neighbours.get(other) ?? new Set<number>();
    mine.add(other);
    its.add(one);
    this.#neighbours.set(one, mine);
    this.#neighbours.set(other, its);
    return true;
  }

  /** Gives those of the labels another colour that look like a lower neighbour. */
  #recolor(ids: Set<number>): void {
    let changed = false;
    for (const id of [...ids].sort((one, other) => one - other)) {
      const around = [...(this.#neighbours.get(id) ?? [])];
      const own = this.#lab(id);
      if (around.every((other) => other > id || apart(own, this.#lab(other)) >= LEAST_DISTANCE)) continue;
      const colors = around.filter((other) => slotOf(other) !== slotOf(id)).map((other) => this.#lab(other));
      const tint = this.#bestTint(id, colors);
      if (tint === this.of(id)) continue;
      this.#tints.set(slotOf(id), tint);
      this.#colors.delete(slotOf(id));
      changed = true;
    }
    if (!changed) return;
    this.#revision++;
    const highest = Math.max(...this.#tints.keys());
    let length = 16;
    while (length <= highest) length *= 2;
    this.#table = new Uint8Array(length);
    for (const [slot, tint] of this.#tints) this.#table[slot] = tint;
  }

  /** The first tint that is far enough from all colours around, or the one that is farthest. */
  #bestTint(id: number, colors: ReadonlyArray<readonly number[]>): number {
    let [best, farthest] = [0, -1];
    for (let tint = 0; tint < TRIES; tint++) {
      const own = oklab(labelColor(id, this.#seed, tint));
      let nearest = Number.POSITIVE_INFINITY;
      for (const other of colors) nearest = Math.min(nearest, apart(own, other));
      if (nearest >= LEAST_DISTANCE) return tint;
      if (nearest > farthest) [best, farthest] = [tint, nearest];
    }
    return best;
  }

  #lab(id: number): readonly number[] {
    // Ids that share a tint have colours of their own.
    if (id >= TINT_SLOTS) return oklab(this.color(id));
    let color = this.#colors.get(id);
    if (!color) {
      color = oklab(this.color(id));
      this.#colors.set(id, color);
    }
    return color;
  }
}

/** Ids beyond the table of tints share those of lower ones. */
const slotOf = (id: number) => id % TINT_SLOTS;

function apart(a: readonly number[], b: readonly number[]): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
