import type { VoxelBox } from '../../../core/segmentation-parameters.ts';
import type { Shape3, VolumeData } from '../../../core/volume.ts';
import { mapSamples, type SampleMap } from '../preprocess/normalise.ts';
import { linearTaps, resizePlane, type Taps } from '../preprocess/resize.ts';
import { planesAcross, type View, type ViewPlan } from '../preprocess/three-views.ts';
import { lengthsOf } from './kept-flows.ts';

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
  readonly #taps: readonly Taps[];
  #view: View | undefined;
  #source: VolumeData | undefined;
  #below = new Float32Array(0);
  #above = new Float32Array(0);

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
    this.#taps = plan.shape.map((length, axis) => linearTaps(length, planesAcross(axis, plan)));
  }

  /** Plane `p` perpendicular to the view's first axis, Float32 [rows, columns] per channel. */
  read(view: View, p: number): Float32Array[] {
    const [planeAxis, rowAxis, columnAxis] = view.axes;
    const [rows, columns] = [this.#lengths[rowAxis], this.#lengths[columnAxis]];
    if (this.#view !== view) {
      this.#view = view;
      this.#below = new Float32Array(rows * columns);
      this.#above = new Float32Array(rows * columns);
      this.#source = undefined;
    }
    const { low, high, weight } = this.#taps[planeAxis];
    return this.#channels.map((samples, c) => {
      const plane = this.#below;
      this.#cut(samples, view, low[p], this.#maps[c], plane);
      if (weight[p] > 0 && high[p] !== low[p]) {
        this.#cut(samples, view, high[p], this.#maps[c], this.#above);
        const w = weight[p];
        for (let i = 0; i < plane.length; i++) plane[i] = plane[i] * (1 - w) + this.#above[i] * w;
      }
      return resizePlane(plane, rows, columns, this.#grid[rowAxis], this.#grid[columnAxis]);
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
