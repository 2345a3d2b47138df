import { throwIfAborted } from '../../../core/errors.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { lengthsOf, mapAxes, type VoxelBox, voxelsOf } from '../../../core/voxel-box.ts';
import { giveBack } from '../give-back.ts';
import type { FollowedEnds, FollowParameters, MaskKernels } from '../kernels/kernels.ts';
import { zeros } from '../masks/shape.ts';
import type { FlowSmoothing, KeptFlows } from './kept-flows.ts';

/** Bytes that a box with the second of its margins may take while its points are followed; few points need a third. */
const BOX_BYTES = 320 * 2 ** 20;
/** Field and copies of flows and cellprob, float32. */
const BYTES_PER_VOXEL = 12 + 16;
/** Voxels around a box into which its points may move at first; twice as many while some go further. */
const FIRST_MARGIN = 12;

export interface BoxOptions extends TaskOptions {
  /** Lets messages in between boxes. */
  pause?: () => Promise<void>;
  /** Largest lengths of a box along z, y, x; by default as large as memory allows. */
  box?: Shape3;
}

/** Called with the points of each box, ascending row-major voxels, and the voxels in which they ended. */
export type TakeEnds = (index: Int32Array, ends: Int32Array) => void;

/**
 * How a volume is followed: number of boxes along z, y, x, and bytes that one with its second margin takes. Boxes are about
 * cubes, of which the margin is the smallest share.
 */
export function boxesOf(shape: Shape3, largest?: Shape3): { counts: Shape3; bytes: number } {
  const counts: [number, number, number] = [1, 1, 1];
  const length = (axis: number) => Math.ceil(shape[axis] / counts[axis]);
  const bytes = () =>
    [0, 1, 2].reduce(
      (product, axis) =>
        product * Math.min(shape[axis], length(axis) + (counts[axis] > 1 ? 4 * FIRST_MARGIN : 0)),
      BYTES_PER_VOXEL,
    );
  const longest = () => [0, 1, 2].reduce((best, axis) => (length(axis) > length(best) ? axis : best));
  if (largest) for (let axis = 0; axis < 3; axis++) counts[axis] = Math.ceil(shape[axis] / largest[axis]);
  else while (bytes() > BOX_BYTES && length(longest()) > FIRST_MARGIN) counts[longest()]++;
  return { counts, bytes: bytes() };
}

/**
 * Follows the flows of a volume box by box, so that only one box's field is in memory, and gives the ends that
 * following the whole at once gives: a point whose way would leave the box with its margin is followed in a larger one.
 * Boxes come in order of z, y, x.
 */
export async function followInBoxes(
  flows: KeptFlows,
  smoothing: FlowSmoothing,
  parameters: FollowParameters,
  kernels: MaskKernels,
  take: TakeEnds,
  options: BoxOptions = {},
): Promise<void> {
  const { shape } = flows;
  const { counts } = boxesOf(shape, options.box);
  if (counts.every((count) => count === 1) || !kernels.followPart) {
    const box: VoxelBox = { from: [0, 0, 0], to: shape };
    const size = voxelsOf(shape);
    const dP = zeros(Float32Array, 3 * size);
    (await flows.flows(box, smoothing, kernels, options)).forEach((component, axis) => {
      dP.set(component, axis * size);
      giveBack(component);
    });
    const cellprob = flows.cellprob(box);
    const { index, ends } = await kernels.follow(dP, cellprob, shape, parameters, options);
    giveBack(dP, cellprob);
    take(index, ends);
    return;
  }
  const follow = kernels.followPart.bind(kernels);
  /** Follows the points of a core, or some of them, in a box that reaches further. */
  const followed = async (core: VoxelBox, margin: number, points?: Int32Array) => {
    const box = grown(core, margin, shape);
    const smoothed = await flows.flows(box, smoothing, kernels, options);
    const around = { flows: smoothed, cellprob: flows.cellprob(box) };
    const part = { whole: shape, origin: box.from, lengths: lengthsOf(box), ...around, ...core };
    const ends = await follow(points ? { ...part, points } : part, parameters, options);
    giveBack(...around.flows, around.cellprob);
    return ends;
  };
  const cores = coresOf(shape, counts);
  for (const [k, core] of cores.entries()) {
    // Told in planes, as by the other modes.
    options.onProgress?.({
      phase: 'masks',
      value: Math.floor((k * shape[0]) / cores.length),
      total: shape[0],
    });
    await options.pause?.();
    throwIfAborted(options.signal);
    const { index, ends } = await followed(core, FIRST_MARGIN);
    for (let margin = 2 * FIRST_MARGIN; ; margin *= 2) {
      const strayed: number[] = [];
      for (let k = 0; k < ends.length; k++) if (ends[k] < 0) strayed.push(k);
      if (strayed.length === 0) break;
      const points = Int32Array.from(strayed, (k) => index[k]);
      const again = await followed(core, margin, points);
      strayed.forEach((k, n) => {
        ends[k] = again.ends[n];
      });
    }
    take(index, ends);
    giveBack(index, ends);
  }
}

/** All ends that {@link followInBoxes} gives, in raster order of the points. */
export async function endsInOrder(
  flows: KeptFlows,
  smoothing: FlowSmoothing,
  parameters: FollowParameters,
  kernels: MaskKernels,
  options: BoxOptions = {},
): Promise<FollowedEnds> {
  const [nz, ny, nx] = flows.shape;
  // Place of the next point of each row: boxes come in order of x, and so do their points.
  const next = zeros(Int32Array, nz * ny);
  let total = 0;
  let row = 0;
  for (const plane of flows.cellprobPlanes()) {
    for (let start = 0; start < plane.length; start += nx) {
      next[row++] = total;
      for (let i = start; i < start + nx; i++) if (plane[i] > parameters.cellprobThreshold) total++;
    }
  }
  const all = { index: zeros(Int32Array, total), ends: zeros(Int32Array, total) };
  const take: TakeEnds = (index, ends) => {
    for (let k = 0; k < index.length; ) {
      const row = Math.floor(index[k] / nx);
      const stop = (row + 1) * nx;
      const first = k;
      while (++k < index.length && index[k] < stop);
      all.index.set(index.subarray(first, k), next[row]);
      all.ends.set(ends.subarray(first, k), next[row]);
      next[row] += k - first;
    }
  };
  await followInBoxes(flows, smoothing, parameters, kernels, take, options);
  return all;
}

/** Boxes of about equal size that tile a volume, in order of z, y, x. */
function coresOf(shape: Shape3, counts: Shape3): VoxelBox[] {
  const [depth, rows, columns] = shape.map((length, axis) =>
    Array.from({ length: counts[axis] }, (_, k) =>
      [k, k + 1].map((border) => Math.round((border * length) / counts[axis])),
    ),
  );
  return depth.flatMap(([z0, z1]) =>
    rows.flatMap(([y0, y1]) =>
      columns.map(([x0, x1]): VoxelBox => ({ from: [z0, y0, x0], to: [z1, y1, x1] })),
    ),
  );
}

/** A box with a margin on all sides, as far as the volume reaches. */
function grown({ from, to }: VoxelBox, margin: number, shape: Shape3): VoxelBox {
  return {
    from: mapAxes(from, (at) => Math.max(0, at - margin)),
    to: mapAxes(to, (at, axis) => Math.min(shape[axis], at + margin)),
  };
}
