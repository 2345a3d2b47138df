import type { TaskOptions } from '../../../core/progress.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { lengthsOf, mapAxes, type VoxelBox, voxelsOf } from '../../../core/voxel-box.ts';
import { giveBack } from '../give-back.ts';
import type { MaskKernels } from '../kernels/kernels.ts';
import { gaussianAlong, gaussianWeights } from '../preprocess/gaussian.ts';

/** Standard deviation in voxels with which flows are smoothed along z, y, x; 0 is off. */
export type FlowSmoothing = readonly [z: number, y: number, x: number];

/** Flows and cellprob of a volume as the network gave them, in memory or on disk, from which any box can be had. */
export abstract class KeptFlows {
  readonly shape: Shape3;

  constructor(shape: Shape3) {
    this.shape = shape;
  }

  /** A box of component 0 (dZ), 1 (dY), 2 (dX) or 3 (cellprob), Float32 [z, y, x]; a new array. */
  abstract cut(component: number, box: VoxelBox): Float32Array;

  /** Cellprob of a box, Float32 [z, y, x]. */
  cellprob(box: VoxelBox): Float32Array {
    return this.cut(3, box);
  }

  /**
   * Flows of a box, Float32 [z, y, x] each, smoothed as the whole would be: what lies around the box within the reach
   * of the filter is taken into account.
   * @param kernels smooth them; by default the plain function does
   */
  async flows(
    box: VoxelBox,
    smoothing: FlowSmoothing,
    kernels: Pick<MaskKernels, 'smooth'> = {},
    options: TaskOptions = {},
  ): Promise<[dZ: Float32Array, dY: Float32Array, dX: Float32Array]> {
    const reach = smoothing.map((sigma) => (sigma > 0 ? gaussianWeights(sigma).length - 1 : 0));
    const from = mapAxes(box.from, (at, axis) => Math.max(0, at - reach[axis]));
    const to = mapAxes(box.to, (at, axis) => Math.min(this.shape[axis], at + reach[axis]));
    const around: VoxelBox = { from, to };
    const lengths = lengthsOf(around);
    const size = voxelsOf(lengthsOf(box));
    const component = async (c: number) => {
      const values = this.cut(c, around);
      if (smoothing.some((sigma) => sigma > 0)) {
        if (kernels.smooth) await kernels.smooth(values, lengths, smoothing, options);
        else for (let axis = 0; axis < 3; axis++) gaussianAlong(values, lengths, axis, smoothing[axis]);
      }
      if (values.length === size) return values;
      const part = cutBox(values, lengths, {
        from: mapAxes(box.from, (at, axis) => at - from[axis]),
        to: mapAxes(box.to, (at, axis) => at - from[axis]),
      });
      giveBack(values);
      return part;
    };
    return [await component(0), await component(1), await component(2)];
  }

  /** Cellprob of all voxels, plane by plane, Float32 [y, x]. */
  *cellprobPlanes(): Generator<Float32Array> {
    const [nz, ny, nx] = this.shape;
    for (let from = 0; from < nz; from += PLANES) {
      const to = Math.min(nz, from + PLANES);
      const values = this.cut(3, { from: [from, 0, 0], to: [to, ny, nx] });
      for (let z = 0; z < to - from; z++) yield values.subarray(z * ny * nx, (z + 1) * ny * nx);
      giveBack(values);
    }
  }
}

/** Planes that are read at a time. */
const PLANES = 16;

/** The values of a box, Float32 [z, y, x]. */
export function cutBox(
  values: { readonly [index: number]: number; readonly length: number },
  [, ny, nx]: Shape3,
  box: VoxelBox,
): Float32Array {
  const lengths = lengthsOf(box);
  const [bz, by, bx] = lengths;
  const { from } = box;
  const out = new Float32Array(voxelsOf(lengths));
  // Row by row with `set` halves take seven times as long, single floats as long.
  for (let z = 0, to = 0; z < bz; z++) {
    for (let y = 0; y < by; y++) {
      const start = ((from[0] + z) * ny + from[1] + y) * nx + from[2];
      for (let x = 0; x < bx; x++, to++) out[to] = values[start + x];
    }
  }
  return out;
}
