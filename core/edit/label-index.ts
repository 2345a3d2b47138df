import { type Box, type LabelVolume, labelStatistics, MAX_LABEL } from '../label-volume.ts';
import type { Shape3 } from '../volume.ts';
import { forEachRun, type LabelChange } from './label-change.ts';

interface Entry {
  count: number;
  box: [number, number, number, number, number, number];
}

/** Voxels of every label and a box around them, so that an operation on one cell looks only where that cell is. */
export class LabelIndex {
  readonly #labels: LabelVolume;
  readonly #shape: Shape3;
  readonly #entries = new Map<number, Entry>();
  #highest = 0;

  constructor(labels: LabelVolume) {
    this.#labels = labels;
    this.#shape = labels.shape;
    for (const { id, count, box } of labelStatistics(labels.data, labels.shape)) {
      this.#entries.set(id, { count, box: [...box] });
      this.#highest = Math.max(this.#highest, id);
    }
  }

  /** Labels that have voxels, in no order. */
  get ids(): number[] {
    return [...this.#entries.keys()];
  }
  /** Number of labels that have voxels. */
  get size(): number {
    return this.#entries.size;
  }
  /** A label that has no voxels; one never used since the index was made as long as there are such. */
  get free(): number {
    if (this.#highest < MAX_LABEL) return this.#highest + 1;
    let label = 1;
    while (this.#entries.has(label)) label++;
    return label;
  }

  /** Voxels of a label. */
  count(id: number): number {
    return this.#entries.get(id)?.count ?? 0;
  }

  /** A box that holds all voxels of a label, and may be larger after some were taken away; undefined if it has none. */
  boxAround(id: number): Box | undefined {
    return this.#entries.get(id)?.box;
  }

  /** The bounding box of a label; looks through {@link boxAround} and keeps what it finds. */
  box(id: number): Box | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    const [z0, y0, x0, z1, y1, x1] = entry.box;
    const { data } = this.#labels;
    const [, ny, nx] = this.#shape;
    const tight: Entry['box'] = [z1, y1, x1, z0, y0, x0];
    for (let z = z0; z < z1; z++) {
      for (let y = y0; y < y1; y++) {
        const row = (z * ny + y) * nx;
        let first = x0;
        while (first < x1 && data[row + first] !== id) first++;
        if (first === x1) continue;
        let last = x1 - 1;
        while (data[row + last] !== id) last--;
        if (z < tight[0]) tight[0] = z;
        if (y < tight[1]) tight[1] = y;
        if (first < tight[2]) tight[2] = first;
        if (z >= tight[3]) tight[3] = z + 1;
        if (y >= tight[4]) tight[4] = y + 1;
        if (last >= tight[5]) tight[5] = last + 1;
      }
    }
    if (tight[3] > tight[0]) entry.box = tight;
    return entry.box;
  }

  /** Takes a change that was written into account. */
  follow(change: LabelChange, direction: 'redo' | 'undo'): void {
    const forwards = direction === 'redo';
    const smaller = new Set<number>();
    forEachRun(change, this.#shape, (_start, length, before, after, z, y, x) => {
      const [gone, come] = forwards ? [before, after] : [after, before];
      const shrunk = this.#entries.get(gone);
      if (shrunk) {
        shrunk.count -= length;
        smaller.add(gone);
      }
      if (come !== 0) this.#enlarge(come, length, z, y, x);
    });
    for (const label of smaller) if (this.#entries.get(label)?.count === 0) this.#entries.delete(label);
  }

  #enlarge(label: number, length: number, z: number, y: number, x: number): void {
    const entry = this.#entries.get(label);
    if (!entry) {
      this.#entries.set(label, { count: length, box: [z, y, x, z + 1, y + 1, x + length] });
      if (label > this.#highest) this.#highest = label;
      return;
    }
    entry.count += length;
    const { box } = entry;
    if (z < box[0]) box[0] = z;
    if (y < box[1]) box[1] = y;
    if (x < box[2]) box[2] = x;
    if (z >= box[3]) box[3] = z + 1;
    if (y >= box[4]) box[4] = y + 1;
    if (x + length > box[5]) box[5] = x + length;
  }
}
