import type { Shape3 } from '../../../core/volume.ts';
import { type VoxelBox, voxelsOf } from '../../../core/voxel-box.ts';
import { giveBack } from '../give-back.ts';
import type { FlowArray } from '../volume/flow-array.ts';
import { linearTaps, resizePlane } from './resize.ts';
import {
  type NetworkWork,
  planeWork,
  type RunTilesOptions,
  runTiles,
  type TileNetwork,
} from './run-tiles.ts';
import type { TileOptions } from './tiles.ts';

/** A pass of the network over all planes perpendicular to one axis. */
export interface View {
  /** Axes of the volume (0 z, 1 y, 2 x) that are the plane number, row and column. */
  axes: readonly [plane: number, row: number, column: number];
}

/** The three passes of full 3D segmentation: YX planes, ZX planes for each y, ZY planes for each x (spec §7.1). */
export const VIEWS: readonly View[] = [{ axes: [0, 1, 2] }, { axes: [1, 0, 2] }, { axes: [2, 0, 1] }];

/** dZ, dY, dX and cellprob of a volume, each [z, y, x]. */
export type FlowComponents = readonly [dZ: FlowArray, dY: FlowArray, dX: FlowArray, cellprob: FlowArray];

/** Where the passes are run and how their results are put together. */
export interface ViewPlan {
  /** Lengths of z, y, x of the image, on whose grid flows are kept. */
  shape: Shape3;
  /** Lengths of z, y, x that the network sees. */
  grid: Shape3;
  /**
   * `sum`: each flow component is the sum of two passes, cellprob of three, as the reference does (spec §7.1).
   * `mean`: their means, and flows along z in planes of the image instead of planes of the network's grid. Where the
   * grid is finer than the image, its planes are the image's own: those between them are blends that tell nothing new.
   */
  combine: 'mean' | 'sum';
  /** Standard deviation in planes of the image, across z, y, x, with which planes are averaged with their neighbours. */
  smoothing: Shape3;
}

/** A plane that the network sees, as a weighted sum of planes of the image that follow each other. */
export interface PlaneMix {
  /** Number of the first plane. */
  first: number;
  /** Weights of the first and those behind it; their sum is 1. */
  weights: readonly number[];
}

/** Number of planes that a view is run on, across an axis. */
export function planesAcross(axis: number, { shape, grid, combine }: ViewPlan): number {
  return combine === 'mean' ? Math.min(shape[axis], grid[axis]) : grid[axis];
}

/** What each of the planes across an axis is made of: linear interpolation, then a Gaussian mean within the image. */
export function planeMixes(axis: number, plan: ViewPlan): PlaneMix[] {
  const length = plan.shape[axis];
  const { low, high, weight } = linearTaps(length, planesAcross(axis, plan));
  const sigma = plan.smoothing[axis];
  const reach = Math.floor(3 * sigma + 0.5);
  const gaussian = (distance: number) => (distance === 0 ? 1 : Math.exp(-0.5 * (distance / sigma) ** 2));
  return Array.from(low, (lower, p) => {
    const upper = weight[p] > 0 ? high[p] : lower;
    const first = Math.max(0, lower - reach);
    const last = Math.min(length - 1, upper + reach);
    const weights = Array.from({ length: last - first + 1 }, (_, k) => {
      const [below, above] = [Math.abs(first + k - lower), Math.abs(first + k - upper)];
      const share = below <= reach ? (1 - weight[p]) * gaussian(below) : 0;
      return above <= reach ? share + weight[p] * gaussian(above) : share;
    });
    const sum = weights.reduce((total, share) => total + share, 0);
    return { first, weights: weights.map((share) => share / sum) };
  });
}

/** Planes of the image that take part of plane `p` of the network's grid along an axis, with their weights. */
function receivers(length: number, gridLength: number): Array<Array<{ at: number; weight: number }>> {
  const { low, high, weight } = linearTaps(gridLength, length);
  const lists: Array<Array<{ at: number; weight: number }>> = Array.from({ length: gridLength }, () => []);
  for (let at = 0; at < length; at++) {
    const w = high[at] === low[at] ? 0 : weight[at];
    if (w < 1) lists[low[at]].push({ at, weight: 1 - w });
    if (w > 0) lists[high[at]].push({ at, weight: w });
  }
  return lists;
}

/** Work of the three passes. Planes of the network's grid between which no plane of the image lies are not run. */
export function viewWork(plan: ViewPlan, options: TileOptions & { tile: number }): NetworkWork {
  const { shape, grid } = plan;
  const work: NetworkWork = { tiles: 0, pixels: 0 };
  for (const { axes } of VIEWS) {
    const [p, r, c] = axes;
    const planes = receivers(shape[p], planesAcross(p, plan)).filter((list) => list.length > 0).length;
    const { tiles, pixels } = planeWork(grid[r], grid[c], options);
    work.tiles += planes * tiles;
    work.pixels += planes * pixels;
  }
  return work;
}

/** A part of a volume's flows: arrays [z, y, x] of the box, to which views add what they say. */
export interface FlowPart {
  box: VoxelBox;
  components: FlowComponents;
}

/** Planes that a view needs for a part, of {@link planesAcross} its axis: the first and the one behind the last. */
export function planesOfPart(axis: number, { from, to }: VoxelBox, plan: ViewPlan): [number, number] {
  const lists = receivers(plan.shape[axis], planesAcross(axis, plan));
  const needed = lists.flatMap((list, p) =>
    list.some(({ at }) => at >= from[axis] && at < to[axis]) ? [p] : [],
  );
  return [needed[0], needed[needed.length - 1] + 1];
}

/** What the network said of a plane, on the image's grid. */
interface Said {
  p: number;
  components: Float32Array[];
}

/**
 * One pass of the network over the planes of a volume. Its results can be asked for part by part, in order of planes; a
 * plane that two parts share is run once.
 */
export class ViewPass {
  readonly #view: View;
  readonly #plan: ViewPlan;
  readonly #network: TileNetwork;
  readonly #options: RunTilesOptions;
  /** The last planes that were run: those between two parts belong to both. */
  #last: Said[] = [];

  constructor(view: View, plan: ViewPlan, network: TileNetwork, options: RunTilesOptions) {
    this.#view = view;
    this.#plan = plan;
    this.#network = network;
    this.#options = options;
  }

  /**
   * Adds what the network says of a part that reaches through the whole volume along the view's rows and columns.
   * @param read gives plane `p` of {@link planesAcross} the view's axis, Float32 [rows, columns] per channel, a new array each
   */
  async add(
    { box, components }: FlowPart,
    read: (view: View, p: number) => readonly Float32Array[],
  ): Promise<void> {
    const { shape, grid, combine } = this.#plan;
    const { axes } = this.#view;
    const lengths = box.to.map((to, axis) => to - box.from[axis]);
    const [planeStride, rowStride, columnStride] = axes.map(
      (axis) => [lengths[1] * lengths[2], lengths[2], 1][axis],
    );
    const [rows, columns] = [shape[axes[1]], shape[axes[2]]];
    const flowShare = combine === 'mean' ? 1 / 2 : 1;
    // The network's step along z is that of its grid, the image's may be another.
    const shares = [combine === 'mean' ? flowShare * (shape[0] / grid[0]) : flowShare, flowShare, flowShare];
    const probShare = combine === 'mean' ? 1 / 3 : 1;
    const lists = receivers(shape[axes[0]], planesAcross(axes[0], this.#plan));
    for (let p = 0; p < lists.length; p++) {
      const own = lists[p].filter(({ at }) => at >= box.from[axes[0]] && at < box.to[axes[0]]);
      if (own.length === 0) continue;
      const said = await this.#run(p, read);
      [axes[1], axes[2], 3].forEach((component, k) => {
        const target = components[component];
        const values = said.components[k];
        for (const { at, weight } of own) {
          const share = weight * (component === 3 ? probShare : shares[component]);
          for (let y = 0, i = 0; y < rows; y++) {
            let to = (at - box.from[axes[0]]) * planeStride + y * rowStride;
            for (let x = 0; x < columns; x++, i++, to += columnStride) target[to] += values[i] * share;
          }
        }
      });
    }
  }

  async #run(p: number, read: (view: View, p: number) => readonly Float32Array[]): Promise<Said> {
    const known = this.#last.find((said) => said.p === p);
    if (known) return known;
    const { axes } = this.#view;
    const { shape, grid } = this.#plan;
    const [height, width] = [grid[axes[1]], grid[axes[2]]];
    const [rows, columns] = [shape[axes[1]], shape[axes[2]]];
    const area = height * width;
    const samples = read(this.#view, p);
    const out = await runTiles(samples, height, width, this.#network, this.#options);
    const old = this.#last.length === 2 ? this.#last.shift() : undefined;
    const components = [0, 1, 2].map((k) =>
      resizePlane(
        out.subarray(k * area, (k + 1) * area),
        height,
        width,
        rows,
        columns,
        old?.components[k] ?? new Float32Array(rows * columns),
      ),
    );
    giveBack(out, ...samples);
    const said = { p, components };
    this.#last.push(said);
    return said;
  }
}

/**
 * Runs the network over the planes of a volume in three orientations and adds what it says, plane by plane, on the
 * image's grid: memory does not grow with the anisotropy or the scale, and planes that no plane of the image takes
 * part of are not run.
 *
 * @param read gives plane `p` of {@link planesAcross} the view's axis, Float32 [rows, columns] per channel, a new array each
 * @param flows receives the result; zero-filled, each [z, y, x] of the image
 */
export async function accumulateViews(
  read: (view: View, p: number) => readonly Float32Array[],
  plan: ViewPlan,
  flows: FlowComponents,
  network: TileNetwork,
  options: RunTilesOptions,
): Promise<void> {
  const whole: FlowPart = { box: { from: [0, 0, 0], to: plan.shape }, components: flows };
  for (const view of VIEWS) await new ViewPass(view, plan, network, options).add(whole, read);
}

/**
 * Runs the network over the planes of a normalised volume in three orientations and sums: each flow component is the
 * sum of two passes, cellprob the sum of three, as the reference does (spec §7.1).
 *
 * @param channels up to three normalised channels, each [z, y, x]
 * @returns dP Float32 [3, z, y, x] = dZ, dY, dX and cellprob Float32 [z, y, x]
 */
export async function runThreeViews(
  channels: readonly Float32Array[],
  shape: Shape3,
  network: TileNetwork,
  options: RunTilesOptions,
): Promise<{ dP: Float32Array; cellprob: Float32Array }> {
  const size = voxelsOf(shape);
  const strides = [shape[1] * shape[2], shape[2], 1];
  const dP = new Float32Array(3 * size);
  const cellprob = new Float32Array(size);
  const [dZ, dY, dX] = [0, 1, 2].map((axis) => dP.subarray(axis * size, (axis + 1) * size));
  const read = ({ axes: [p, r, c] }: View, at: number) =>
    channels.map((channel) => {
      const plane = new Float32Array(shape[r] * shape[c]);
      for (let y = 0, i = 0; y < shape[r]; y++) {
        const line = at * strides[p] + y * strides[r];
        for (let x = 0; x < shape[c]; x++, i++) plane[i] = channel[line + x * strides[c]];
      }
      return plane;
    });
  const plan: ViewPlan = { shape, grid: shape, combine: 'sum', smoothing: [0, 0, 0] };
  await accumulateViews(read, plan, [dZ, dY, dX, cellprob], network, options);
  return { dP, cellprob };
}
