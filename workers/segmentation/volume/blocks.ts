import { throwIfAborted } from '../../../core/errors.ts';
import { type TaskOptions, TimeLeft } from '../../../core/progress.ts';
import type { VoxelBox } from '../../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { maxLabel, renumber } from '../masks/renumber.ts';
import { lengthsOf } from './kept-flows.ts';
import { grown } from './slab-dynamics.ts';

/** A part of a volume whose labels are made by themselves. */
export interface Block {
  /** Voxels whose labels come from this block; the cores of all blocks tile the volume. */
  core: VoxelBox;
  /** What labels are made of: the core with its margin. */
  box: VoxelBox;
}

/** Least IoU, in the part that two blocks share, of labels that are taken for one cell. */
const SAME_CELL = 0.25;

/**
 * Divides a volume into blocks of about equal size.
 * @param core largest lengths of a core along z, y, x
 * @param margin voxels around a core that are segmented with it: at least the diameter of a cell
 */
export function planBlocks(shape: Shape3, core: Shape3, margin: number): Block[] {
  const ranges = shape.map((length, axis) => {
    const count = Math.ceil(length / core[axis]);
    return Array.from({ length: count }, (_, k) => [
      Math.round((k * length) / count),
      Math.round(((k + 1) * length) / count),
    ]);
  });
  const [depth, rows, columns] = ranges;
  return depth.flatMap(([z0, z1]) =>
    rows.flatMap(([y0, y1]) =>
      columns.map(([x0, x1]) => {
        const own: VoxelBox = { from: [z0, y0, x0], to: [z1, y1, x1] };
        return { core: own, box: grown(own, margin, shape) };
      }),
    ),
  );
}

/** Labels of a volume that come block by block. A cell that reaches through several blocks becomes one. */
export class BlockLabels {
  readonly shape: Shape3;
  /** Uint32 [z, y, x]; final after {@link finish}. */
  readonly labels: Uint32Array;
  readonly #done: VoxelBox[] = [];
  /** For each id one that it is the same cell as; itself if there is no smaller. */
  readonly #same: number[] = [0];

  constructor(shape: Shape3) {
    this.shape = shape;
    this.labels = new Uint32Array(shape[0] * shape[1] * shape[2]);
  }

  /**
   * Takes the labels of a block: those of its core are kept, those of its margin tell which of its cells are cells of
   * the blocks before it.
   * @param own Uint32 [z, y, x] of `block.box`, 1…N
   */
  add({ core, box }: Block, own: Uint32Array): void {
    const [, ny, nx] = this.shape;
    const [, height, width] = lengthsOf(box);
    const first = this.#same.length - 1;
    const count = maxLabel(own);
    for (let k = 1; k <= count; k++) this.#same.push(first + k);
    const reaches = new Uint8Array(count + 1);
    const at = (z: number, y: number) => ((z - box.from[0]) * height + y - box.from[1]) * width - box.from[2];
    forEachRow(core, (z, y) => {
      const start = (z * ny + y) * nx;
      const line = at(z, y);
      for (let x = core.from[2]; x < core.to[2]; x++) {
        const label = own[line + x];
        if (label === 0) continue;
        this.labels[start + x] = first + label;
        reaches[label] = 1;
      }
    });
    for (const other of this.#done) {
      const shared = intersection(other, box);
      if (!shared) continue;
      const mine = new Map<number, number>();
      const theirs = new Map<number, number>();
      const both = new Map<string, { mine: number; theirs: number; voxels: number }>();
      forEachRow(shared, (z, y) => {
        const start = (z * ny + y) * nx;
        const line = at(z, y);
        for (let x = shared.from[2]; x < shared.to[2]; x++) {
          const [a, b] = [own[line + x], this.labels[start + x]];
          if (a !== 0) mine.set(a, (mine.get(a) ?? 0) + 1);
          if (b !== 0) theirs.set(b, (theirs.get(b) ?? 0) + 1);
          if (a === 0 || b === 0 || reaches[a] === 0) continue;
          const key = `${a} ${b}`;
          const pair = both.get(key);
          if (pair) pair.voxels++;
          else both.set(key, { mine: a, theirs: b, voxels: 1 });
        }
      });
      const pairs = [...both.values()]
        .map((pair) => ({
          ...pair,
          iou: pair.voxels / (mine.get(pair.mine)! + theirs.get(pair.theirs)! - pair.voxels),
        }))
        .filter(({ iou }) => iou >= SAME_CELL)
        .sort((a, b) => b.iou - a.iou);
      const taken = new Set<number>();
      const given = new Set<number>();
      for (const pair of pairs) {
        if (taken.has(pair.mine) || given.has(pair.theirs)) continue;
        taken.add(pair.mine);
        given.add(pair.theirs);
        this.#join(first + pair.mine, pair.theirs);
      }
    }
    this.#done.push(core);
  }

  /** Uint32 [z, y, x], numbered 1…N in raster order, and N. */
  finish(): { labels: Uint32Array; count: number } {
    const { labels } = this;
    const roots = Uint32Array.from(this.#same, (_, id) => this.#root(id));
    for (let i = 0; i < labels.length; i++) labels[i] = roots[labels[i]];
    renumber(labels);
    return { labels, count: maxLabel(labels) };
  }

  #root(id: number): number {
    let root = id;
    while (this.#same[root] !== root) root = this.#same[root];
    this.#same[id] = root;
    return root;
  }

  #join(a: number, b: number): void {
    const [low, high] = [this.#root(a), this.#root(b)].sort((x, y) => x - y);
    this.#same[high] = low;
  }
}

/**
 * Makes the labels of a volume block by block, so that only one block's are made at a time. Where blocks see cells
 * alike, as they do if the margin is as wide as a cell, the labels are those of the whole volume.
 *
 * @param segment gives the labels of a box, Uint32 [z, y, x], 1…N
 * @returns labels of the whole, Uint32 [z, y, x], numbered 1…N in raster order
 */
export async function segmentBlocks(
  shape: Shape3,
  blocks: readonly Block[],
  segment: (block: Block) => Promise<Uint32Array>,
  options: TaskOptions & { pause?: () => Promise<void> } = {},
): Promise<{ labels: Uint32Array; count: number }> {
  const whole = new BlockLabels(shape);
  const timing = new TimeLeft(blocks.length);
  for (const [k, block] of blocks.entries()) {
    await options.pause?.();
    throwIfAborted(options.signal);
    const secondsLeft = timing.after(k);
    options.onProgress?.({
      phase: 'blocks',
      value: k,
      total: blocks.length,
      ...(secondsLeft === undefined ? {} : { secondsLeft }),
    });
    whole.add(block, await segment(block));
  }
  throwIfAborted(options.signal);
  return whole.finish();
}

function forEachRow({ from, to }: VoxelBox, visit: (z: number, y: number) => void): void {
  for (let z = from[0]; z < to[0]; z++) for (let y = from[1]; y < to[1]; y++) visit(z, y);
}

function intersection(a: VoxelBox, b: VoxelBox): VoxelBox | undefined {
  const from = a.from.map((at, axis) => Math.max(at, b.from[axis])) as unknown as Shape3;
  const to = a.to.map((at, axis) => Math.min(at, b.to[axis])) as unknown as Shape3;
  return from.every((at, axis) => at < to[axis]) ? { from, to } : undefined;
}
