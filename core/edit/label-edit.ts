import { CytoError } from '../errors.ts';
import type { Box, LabelVolume } from '../label-volume.ts';
import type { Shape3 } from '../volume.ts';
import { ChangeWriter, type LabelChange } from './label-change.ts';

/** Voxels whose old labels are kept together; small, so that keeping them costs about what writing does. */
const CHUNK_BITS = 7;
const CHUNK = 1 << CHUNK_BITS;

/** Which voxels may be written: all, only background, or only those of one label. */
export type Overwrite = 'all' | 'empty' | { readonly only: number };

/**
 * An edit under way: writes go to the labels at once, old labels are kept in chunks of the places written. It ends
 * by becoming one step of the history or by being taken back. Made by {@link LabelHistory.begin}.
 */
export class LabelEdit {
  readonly labels: LabelVolume;
  readonly name: string;
  readonly #end: (edit: LabelEdit, change: LabelChange | undefined) => void;
  readonly #old = new Map<number, Uint32Array>();
  #chunk = -1;
  #dirty: [number, number, number, number, number, number] | undefined;
  #open = true;
  #visited = 0;

  /** @param end told once, with the change, or undefined if there is none or it was taken back */
  constructor(
    labels: LabelVolume,
    name: string,
    end: (edit: LabelEdit, change: LabelChange | undefined) => void,
  ) {
    this.labels = labels;
    this.name = name;
    this.#end = end;
  }

  get data(): Uint32Array {
    return this.labels.data;
  }
  get shape(): Shape3 {
    return this.labels.shape;
  }
  get isOpen(): boolean {
    return this.#open;
  }
  /** Voxels copied, written or compared so far: what the edit has cost. */
  get visited(): number {
    return this.#visited;
  }

  #keep(index: number): void {
    const chunk = Math.floor(index / CHUNK);
    if (chunk === this.#chunk) return;
    this.#chunk = chunk;
    if (this.#old.has(chunk)) return;
    const old = this.data.slice(chunk * CHUNK, (chunk + 1) * CHUNK);
    this.#visited += old.length;
    this.#old.set(chunk, old);
  }

  #mark(z: number, y: number, x0: number, x1: number): void {
    const box = this.#dirty;
    if (!box) {
      this.#dirty = [z, y, x0, z + 1, y + 1, x1];
      return;
    }
    if (z < box[0]) box[0] = z;
    if (y < box[1]) box[1] = y;
    if (x0 < box[2]) box[2] = x0;
    if (z >= box[3]) box[3] = z + 1;
    if (y >= box[4]) box[4] = y + 1;
    if (x1 > box[5]) box[5] = x1;
  }

  /**
   * Writes a label into the voxels [x0, x1) of row (z, y) that `overwrite` allows. What lies outside the volume is
   * left out.
   * @throws CytoError `internal` when the edit has ended
   */
  setRow(z: number, y: number, x0: number, x1: number, label: number, overwrite: Overwrite = 'all'): void {
    if (!this.#open) throw new CytoError('internal', `The edit "${this.name}" has ended.`);
    const [nz, ny, nx] = this.shape;
    if (z < 0 || y < 0 || z >= nz || y >= ny) return;
    const from = Math.max(0, x0);
    const to = Math.min(nx, x1);
    if (from >= to) return;
    const { data } = this;
    const row = (z * ny + y) * nx;
    const only = overwrite === 'all' ? -1 : overwrite === 'empty' ? 0 : overwrite.only;
    this.#visited += to - from;
    let first = -1;
    let last = -1;
    for (let i = row + from; i < row + to; i++) {
      const old = data[i];
      if (old === label || (only >= 0 && old !== only)) continue;
      this.#keep(i);
      data[i] = label;
      if (first < 0) first = i;
      last = i;
    }
    if (first >= 0) this.#mark(z, y, first - row, last - row + 1);
  }

  /** Writes one voxel; see {@link setRow}. */
  set(z: number, y: number, x: number, label: number, overwrite: Overwrite = 'all'): void {
    this.setRow(z, y, x, x + 1, label, overwrite);
  }

  /** Announces what was written since the last call, so that views draw it; returns its box. */
  flush(): Box | undefined {
    const box = this.#dirty;
    this.#dirty = undefined;
    if (box) this.labels.touch(box);
    return box;
  }

  /** Takes everything written so far back, and goes on; for previews that are made anew. */
  revert(): void {
    const { data, shape } = this;
    const writer = new ChangeWriter(shape);
    for (const chunk of [...this.#old.keys()].sort((a, b) => a - b)) {
      const old = this.#old.get(chunk) as Uint32Array;
      const start = chunk * CHUNK;
      for (let i = 0; i < old.length; i++) writer.add(start + i, data[start + i], old[i]);
      data.set(old, start);
      this.#visited += 2 * old.length;
    }
    this.#old.clear();
    this.#chunk = -1;
    this.#dirty = undefined;
    const change = writer.finish();
    if (change) this.labels.touch(change.box);
  }

  /** Ends the edit as one step of the history. @returns the change, or undefined if there is none */
  commit(): LabelChange | undefined {
    if (!this.#open) return undefined;
    this.#open = false;
    this.flush();
    const { data, shape } = this;
    const writer = new ChangeWriter(shape);
    for (const chunk of [...this.#old.keys()].sort((a, b) => a - b)) {
      const old = this.#old.get(chunk) as Uint32Array;
      const start = chunk * CHUNK;
      for (let i = 0; i < old.length; i++) writer.add(start + i, old[i], data[start + i]);
      this.#visited += old.length;
    }
    this.#old.clear();
    const change = writer.finish();
    this.#end(this, change);
    return change;
  }

  /** Takes everything back and ends the edit; nothing enters the history. */
  abort(): void {
    if (!this.#open) return;
    this.revert();
    this.#open = false;
    this.#end(this, undefined);
  }
}
