import type { Box } from '../label-volume.ts';
import type { Shape3 } from '../volume.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/**
 * A set of label changes, in both directions: runs of voxels along x that had one label and got another. Stored as
 * variable-length integers (gap to the run before, length, differences of both labels), a few bytes per run.
 */
export interface LabelChange {
  /** Box of all changed voxels, half-open. */
  readonly box: Box;
  /** Number of changed voxels. */
  readonly voxels: number;
  /** Number of runs. */
  readonly runs: number;
  readonly bytes: Uint8Array;
}

/** A run of changed voxels [x0, x1) in row (z, y); `start` is the index of the first in C order. */
export type RunVisitor = (
  start: number,
  length: number,
  before: number,
  after: number,
  z: number,
  y: number,
  x: number,
) => void;

/** Collects runs in ascending order into a {@link LabelChange}. */
export class ChangeWriter {
  readonly #shape: Shape3;
  readonly #out = new ByteWriter();
  #end = 0;
  #lastBefore = 0;
  #lastAfter = 0;
  #voxels = 0;
  #runs = 0;
  readonly #box: [number, number, number, number, number, number];
  // The run that is still growing.
  #start = -1;
  #length = 0;
  #before = 0;
  #after = 0;

  /** @param shape lengths of z, y, x */
  constructor(shape: Shape3) {
    this.#shape = shape;
    this.#box = [shape[0], shape[1], shape[2], 0, 0, 0];
  }

  /** Adds one voxel, which must lie behind all added before. Equal labels are no change and ignored. */
  add(index: number, before: number, after: number): void {
    if (before === after) return;
    if (
      this.#start >= 0 &&
      index === this.#start + this.#length &&
      before === this.#before &&
      after === this.#after &&
      index % this.#shape[2] !== 0
    ) {
      this.#length++;
      return;
    }
    this.#flush();
    this.#start = index;
    this.#length = 1;
    this.#before = before;
    this.#after = after;
  }

  #flush(): void {
    if (this.#start < 0) return;
    const [, ny, nx] = this.#shape;
    const out = this.#out;
    out.unsigned(this.#start - this.#end);
    out.unsigned(this.#length - 1);
    out.signed(this.#before - this.#lastBefore);
    out.signed(this.#after - this.#lastAfter);
    this.#end = this.#start + this.#length;
    this.#lastBefore = this.#before;
    this.#lastAfter = this.#after;
    this.#voxels += this.#length;
    this.#runs++;
    const row = Math.floor(this.#start / nx);
    const x = this.#start - row * nx;
    const z = Math.floor(row / ny);
    const y = row - z * ny;
    const box = this.#box;
    if (z < box[0]) box[0] = z;
    if (y < box[1]) box[1] = y;
    if (x < box[2]) box[2] = x;
    if (z >= box[3]) box[3] = z + 1;
    if (y >= box[4]) box[4] = y + 1;
    if (x + this.#length > box[5]) box[5] = x + this.#length;
    this.#start = -1;
  }

  /** What was added, or undefined if nothing was. */
  finish(): LabelChange | undefined {
    this.#flush();
    if (this.#runs === 0) return undefined;
    return { box: this.#box, voxels: this.#voxels, runs: this.#runs, bytes: this.#out.bytes() };
  }
}

/** Calls `visit` for every run, ascending. @param shape lengths of z, y, x of the labels it belongs to */
export function forEachRun(change: LabelChange, shape: Shape3, visit: RunVisitor): void {
  const [, ny, nx] = shape;
  const input = new ByteReader(change.bytes);
  let end = 0;
  let before = 0;
  let after = 0;
  while (!input.done) {
    const start = end + input.unsigned();
    const length = input.unsigned() + 1;
    before += input.signed();
    after += input.signed();
    const row = Math.floor(start / nx);
    const z = Math.floor(row / ny);
    visit(start, length, before, after, z, row - z * ny, start - row * nx);
    end = start + length;
  }
}

/** Writes the labels after (or before) a change into `data`. */
export function applyChange(
  data: Uint32Array,
  shape: Shape3,
  change: LabelChange,
  direction: 'redo' | 'undo',
): void {
  const forwards = direction === 'redo';
  forEachRun(change, shape, (start, length, before, after) => {
    const value = forwards ? after : before;
    if (length < 24) for (let i = start; i < start + length; i++) data[i] = value;
    else data.fill(value, start, start + length);
  });
}

/** The change from `before` to `after`, both of `shape` [z, y, x]; undefined if they are equal. */
export function changeBetween(
  before: Uint32Array,
  after: ArrayLike<number>,
  shape: Shape3,
): LabelChange | undefined {
  const writer = new ChangeWriter(shape);
  for (let i = 0; i < before.length; i++) if (before[i] !== after[i]) writer.add(i, before[i], after[i]);
  return writer.finish();
}
