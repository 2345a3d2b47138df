import type { Shape3, VolumeData } from '../../../core/volume.ts';
import { lengthsOf, type VoxelBox } from '../../../core/voxel-box.ts';
import { mapSamples, type SampleMap } from '../preprocess/normalise.ts';
import { resizePlane } from '../preprocess/resize.ts';
import { type PlaneMix, planeMixes, type View, type ViewPlan } from '../preprocess/three-views.ts';

/**
 * Planes of a volume in any of the three orientations, normalised and on the network's grid. Each is made when it is
 * asked for, so that the samples stay as stored and no second volume is needed.
 */
export class PlaneReader {
  readonly #channels: readonly VolumeData[];
  readonly #maps: readonly SampleMap[];
  /** Which part of the volume the samples are. */
  readonly #box: VoxelBox;
  readonly #lengths: Shape3;
  readonly #grid: Shape3;
  readonly #mixes: ReadonlyArray<readonly PlaneMix[]>;
  #view: View | undefined;
  #source: VolumeData | undefined;
  /** Normalised planes of each channel by their number: those that the last plane was made of. */
  #planes: Array<Map<number, Float32Array>> = [];

  /**
   * @param channels samples [z, y, x] as stored
   * @param maps normalisation of each channel
   * @param plan size of the volume and of what the network sees
   * @param box which part of the volume the samples are, by default all: planes can be read that lie in it as a whole
   */
  constructor(
    channels: readonly VolumeData[],
    maps: readonly SampleMap[],
    plan: ViewPlan,
    box: VoxelBox = { from: [0, 0, 0], to: plan.shape },
  ) {
    this.#channels = channels;
    this.#maps = maps;
    this.#box = box;
    this.#lengths = lengthsOf(box);
    this.#grid = plan.grid;
    this.#mixes = plan.shape.map((_, axis) => planeMixes(axis, plan));
  }

  /** Plane `p` perpendicular to the view's first axis, Float32 [rows, columns] per channel. */
  read(view: View, p: number): Float32Array[] {
    const [planeAxis, rowAxis, columnAxis] = view.axes;
    const [rows, columns] = [this.#lengths[rowAxis], this.#lengths[columnAxis]];
    if (this.#view !== view) {
      this.#view = view;
      this.#planes = this.#channels.map(() => new Map());
      this.#source = undefined;
    }
    const { first, weights } = this.#mixes[planeAxis][p];
    return this.#channels.map((samples, c) => {
      const planes = this.#planes[c];
      const spare = [...planes.keys()].filter((at) => at < first || at >= first + weights.length);
      for (let at = first; at < first + weights.length; at++) {
        if (planes.has(at)) continue;
        const old = spare.pop();
        const plane = (old === undefined ? undefined : planes.get(old)) ?? new Float32Array(rows * columns);
        if (old !== undefined) planes.delete(old);
        this.#cut(samples, view, at, this.#maps[c], plane);
        planes.set(at, plane);
      }
      const mixed = weights.length === 1 ? planes.get(first)! : mix(planes, first, weights);
      return resizePlane(mixed, rows, columns, this.#grid[rowAxis], this.#grid[columnAxis]);
    });
  }

  #cut(samples: VolumeData, { axes }: View, at: number, map: SampleMap, out: Float32Array): void {
    const [, ny, nx] = this.#lengths;
    const strides = [ny * nx, nx, 1];
    const [planeStride, rowStride, columnStride] = axes.map((axis) => strides[axis]);
    const [rows, columns] = [this.#lengths[axes[1]], this.#lengths[axes[2]]];
    const plane = at - this.#box.from[axes[0]];
    if (columnStride === 1 && rowStride === columns) {
      mapSamples(samples.subarray(plane * planeStride, plane * planeStride + rows * columns), map, out);
      return;
    }
    if (this.#source?.constructor !== samples.constructor || this.#source.length !== out.length)
      this.#source = new (samples.constructor as new (length: number) => VolumeData)(out.length);
    for (let y = 0, i = 0; y < rows; y++) {
      const line = plane * planeStride + y * rowStride;
      for (let x = 0; x < columns; x++, i++) this.#source[i] = samples[line + x * columnStride];
    }
    mapSamples(this.#source, map, out);
  }
}

/** Weighted sum of planes, `first` and those behind it, in double precision. */
function mix(
  planes: ReadonlyMap<number, Float32Array>,
  first: number,
  weights: readonly number[],
): Float32Array {
  const sum = new Float64Array(planes.get(first)!.length);
  weights.forEach((weight, k) => {
    const plane = planes.get(first + k)!;
    for (let i = 0; i < sum.length; i++) sum[i] += weight * plane[i];
  });
  return Float32Array.from(sum);
}
