import { throwIfAborted } from '../../../core/errors.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import type { VoxelBox } from '../../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { giveBack } from '../give-back.ts';
import type { FollowedEnds, FollowParameters, MaskKernels } from '../kernels/kernels.ts';
import { type FlowSmoothing, type KeptFlows, lengthsOf } from './kept-flows.ts';

/** Bytes that the neighbourhood of one slab may take while its points are followed, if its planes are not too large. */
const SLAB_BYTES = 256 * 2 ** 20;
/** Field and copies of flows and cellprob, float32. */
const BYTES_PER_VOXEL = 12 + 16;
/** Planes beside a slab into which its points may move at first; twice as many while some go further. */
const FIRST_MARGIN = 12;

export interface SlabOptions extends TaskOptions {
  /** Lets messages in between slabs. */
  pause?: () => Promise<void>;
  /** Planes of a slab; by default as many as memory allows. */
  slabPlanes?: number;
}

/**
 * How a volume is followed: planes of a slab, and bytes that its neighbourhood takes. A slab is never thinner than its
 * margin: of large planes most would be read and smoothed over and over for the neighbours.
 */
export function slabsOf([nz, ny, nx]: Shape3, planes?: number): { planes: number; bytes: number } {
  const plane = BYTES_PER_VOXEL * ny * nx;
  const margins = 2 * FIRST_MARGIN;
  const thick = planes ?? Math.max(FIRST_MARGIN, Math.floor(SLAB_BYTES / plane) - margins);
  const whole = nz <= thick + margins;
  return { planes: whole ? nz : thick, bytes: plane * Math.min(nz, thick + margins) };
}

/**
 * Follows the flows of a volume slab by slab, so that only one slab's field is in memory, and gives the ends that
 * following the whole at once gives: points that would leave the neighbourhood of their slab are followed in a larger
 * one.
 */
export async function followInSlabs(
  flows: KeptFlows,
  smoothing: FlowSmoothing,
  parameters: FollowParameters,
  kernels: MaskKernels,
  options: SlabOptions = {},
): Promise<FollowedEnds> {
  const { shape } = flows;
  const [nz, ny, nx] = shape;
  const slab = slabsOf(shape, options.slabPlanes).planes;
  if (slab === nz || !kernels.followPart) {
    const box: VoxelBox = { from: [0, 0, 0], to: shape };
    const dP = new Float32Array(3 * nz * ny * nx);
    flows.flows(box, smoothing).forEach((component, axis) => {
      dP.set(component, axis * component.length);
    });
    return kernels.follow(dP, flows.cellprob(box), shape, parameters, options);
  }
  const follow = kernels.followPart.bind(kernels);
  /** Follows the points of a core, or some of them, in a box that reaches further. */
  const followed = async (core: VoxelBox, margin: number, points?: Int32Array) => {
    const box = grown(core, margin, shape);
    const around = { flows: flows.flows(box, smoothing), cellprob: flows.cellprob(box) };
    const part = { whole: shape, origin: box.from, lengths: lengthsOf(box), ...around, ...core };
    const ends = await follow(points ? { ...part, points } : part, parameters, options);
    giveBack(...around.flows, around.cellprob);
    return ends;
  };
  const total = countAbove(flows.cellprobPlanes(), parameters.cellprobThreshold);
  const all = { index: new Int32Array(total), ends: new Int32Array(total) };
  let done = 0;
  for (let z = 0; z < nz; z += slab) {
    options.onProgress?.({ phase: 'masks', value: z, total: nz });
    await options.pause?.();
    throwIfAborted(options.signal);
    const core: VoxelBox = { from: [z, 0, 0], to: [Math.min(nz, z + slab), ny, nx] };
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
    all.index.set(index, done);
    all.ends.set(ends, done);
    done += index.length;
    giveBack(index, ends);
  }
  return all;
}

/** Number of values above a threshold, as the kernels see them: in single precision. */
function countAbove(planes: Iterable<Float32Array>, threshold: number): number {
  let count = 0;
  for (const plane of planes) for (let i = 0; i < plane.length; i++) if (plane[i] > threshold) count++;
  return count;
}

/** A box with a margin on all sides, as far as the volume reaches. */
export function grown({ from, to }: VoxelBox, margin: number, shape: Shape3): VoxelBox {
  return {
    from: from.map((at) => Math.max(0, at - margin)) as unknown as Shape3,
    to: to.map((at, axis) => Math.min(shape[axis], at + margin)) as unknown as Shape3,
  };
}
