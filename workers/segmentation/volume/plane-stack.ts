import { throwIfAborted } from '../../../core/errors.ts';
import { type TaskOptions, TimeLeft } from '../../../core/progress.ts';
import type { ObjectConfidence, PlaneJoin } from '../../../core/segmentation-parameters.ts';
import type { Shape3, VolumeData } from '../../../core/volume.ts';
import type { Looked } from '../cell-size.ts';
import type { MaskKernels } from '../kernels/kernels.ts';
import { fillHolesAndRemoveSmall } from '../masks/fill-holes.ts';
import { flowErrors } from '../masks/flow-error.ts';
import type { MaskParameters } from '../masks/labels-from-flows.ts';
import { MaskPipeline } from '../masks/mask-pipeline.ts';
import { maxLabel, renumber } from '../masks/renumber.ts';
import { joinsAfterCleaning, stitchPlanes } from '../masks/stitch.ts';
import { mapSamples, type SampleMap } from '../preprocess/normalise.ts';
import { resizePlane, scaledLength } from '../preprocess/resize.ts';
import { type RunTilesOptions, runTiles, type TileNetwork } from '../preprocess/run-tiles.ts';
import { type FlowArray, type FlowPrecision, flowArray } from './flow-array.ts';
import { meanOfLabels } from './object-confidence.ts';

/** Stages of planes are kept between thresholds up to this many pixels; beyond, memory matters more. */
const MOST_KEPT = 32e6;

type Options = TaskOptions & { pause?: () => Promise<void> };

/** Flows of planes that were run one by one, and their labels. */
export class PlaneStack {
  readonly shape: Shape3;
  readonly #kernels: MaskKernels;
  /** dY and dX of each plane, [z, 2, y, x]. */
  readonly #dP: FlowArray;
  /** [z, y, x] */
  readonly #cellprob: FlowArray;
  readonly #keep: boolean;
  readonly #pipelines: MaskPipeline[] = [];
  #kept: { key: string; labels: Uint32Array } | undefined;

  constructor(shape: Shape3, precision: FlowPrecision, kernels: MaskKernels) {
    const length = shape[0] * shape[1] * shape[2];
    this.shape = shape;
    this.#kernels = kernels;
    this.#keep = shape[0] === 1 || length <= MOST_KEPT;
    this.#dP = flowArray(2 * length, precision);
    this.#cellprob = flowArray(length, precision);
  }

  /** Runs the network over every plane, scaled by `scale`; the flows are kept at the image's size. */
  async run(
    channels: readonly VolumeData[],
    maps: readonly SampleMap[],
    scale: number,
    network: TileNetwork,
    options: RunTilesOptions,
  ): Promise<void> {
    const [nz, ny, nx] = this.shape;
    const area = ny * nx;
    const [height, width] = [scaledLength(ny, scale), scaledLength(nx, scale)];
    const normalised = channels.map(() => new Float32Array(area));
    const resized = new Float32Array(area);
    for (let z = 0; z < nz; z++) {
      throwIfAborted(options.signal);
      channels.forEach((samples, c) => {
        mapSamples(samples.subarray(z * area, (z + 1) * area), maps[c], normalised[c]);
      });
      const inputs = normalised.map((plane) => resizePlane(plane, ny, nx, height, width));
      const output = await runTiles(inputs, height, width, network, options);
      for (let c = 0; c < 3; c++) {
        const source = output.subarray(c * height * width, (c + 1) * height * width);
        resizePlane(source, height, width, ny, nx, resized);
        if (c === 2) this.#cellprob.set(resized, z * area);
        else this.#dP.set(resized, (2 * z + c) * area);
      }
    }
  }

  /** Takes the output [3, y, x] of a plane that was run already, with the pipeline that made labels of it. */
  adopt(z: number, { output, pipeline }: Looked): void {
    const area = this.shape[1] * this.shape[2];
    this.#dP.set(output.subarray(0, 2 * area), 2 * z * area);
    this.#cellprob.set(output.subarray(2 * area), z * area);
    if (this.#keep) this.#pipelines[z] = pipeline;
  }

  /** Labels of every plane, numbered by itself, Uint32 [z, y, x]; a new array at every call. */
  async labels(parameters: MaskParameters, options: Options = {}): Promise<Uint32Array> {
    const [nz, ny, nx] = this.shape;
    const area = ny * nx;
    const key = JSON.stringify(parameters);
    if (this.#kept?.key === key) return this.#kept.labels.slice();
    this.#kept = undefined;
    const labels = new Uint32Array(nz * area);
    const timing = new TimeLeft(nz);
    for (let z = 0; z < nz; z++) {
      const secondsLeft = timing.after(z);
      options.onProgress?.({
        phase: 'masks',
        value: z,
        total: nz,
        ...(secondsLeft === undefined ? {} : { secondsLeft }),
      });
      await options.pause?.();
      throwIfAborted(options.signal);
      labels.set(await this.#pipeline(z).labels(parameters, options), z * area);
    }
    if (!this.#keep) return labels;
    this.#kept = { key, labels };
    return labels.slice();
  }

  /** Labels of the stack: planes joined by overlap, then holes filled and small ones removed in 3D (spec §7.2). */
  async stitched(
    parameters: MaskParameters,
    { stitchThreshold, skipPlane }: { stitchThreshold: number; skipPlane: boolean },
    options: Options = {},
  ): Promise<{ labels: Uint32Array; joins: PlaneJoin[] }> {
    // Small labels are removed from the whole stack, not plane by plane.
    const labels = await this.labels({ ...parameters, minSize: -1 }, options);
    options.onProgress?.({ phase: 'stitch', value: 0, total: 1 });
    await options.pause?.();
    throwIfAborted(options.signal);
    const joins: PlaneJoin[] = [];
    stitchPlanes(labels, this.shape, stitchThreshold, { skipPlane, joins, inPlace: true });
    fillHolesAndRemoveSmall(labels, this.shape, parameters.minSize);
    return { labels, joins: joinsAfterCleaning(joins, labels, this.shape) };
  }

  /** Mean cellprob and flow error (spec §6.2, plane by plane) of labels that may reach through several planes. */
  async confidence(labels: Uint32Array, options: Options = {}): Promise<ObjectConfidence> {
    const [nz, ny, nx] = this.shape;
    const area = ny * nx;
    const count = maxLabel(labels) + 1;
    const sums = new Float64Array(count);
    const pixels = new Float64Array(count);
    for (let z = 0; z < nz; z++) {
      options.onProgress?.({ phase: 'confidence', value: z, total: nz });
      await options.pause?.();
      throwIfAborted(options.signal);
      const plane = labels.slice(z * area, (z + 1) * area);
      const ids = idsInOrder(plane);
      renumber(plane);
      const heat = await this.#kernels.diffuse(plane, [ny, nx], undefined, options);
      const errors = flowErrors(plane, this.#flowsOf(z), [ny, nx], heat);
      for (let i = 0; i < area; i++) {
        if (plane[i] === 0) continue;
        sums[ids[plane[i]]] += errors[plane[i]];
        pixels[ids[plane[i]]]++;
      }
    }
    return {
      cellprob: meanOfLabels(labels, this.#cellprob, count),
      flowError: Float32Array.from(sums, (sum, label) => sum / pixels[label]),
    };
  }

  #pipeline(z: number): MaskPipeline {
    const [, ny, nx] = this.shape;
    const known = this.#pipelines[z];
    if (known) return known;
    const area = ny * nx;
    const cellprob = single(this.#cellprob.subarray(z * area, (z + 1) * area));
    const pipeline = new MaskPipeline(this.#flowsOf(z), cellprob, [ny, nx], this.#kernels);
    if (this.#keep) this.#pipelines[z] = pipeline;
    return pipeline;
  }

  /** Float32 [2, y, x] of one plane. */
  #flowsOf(z: number): Float32Array {
    const area = this.shape[1] * this.shape[2];
    return single(this.#dP.subarray(2 * z * area, 2 * (z + 1) * area));
  }
}

/** The values in single precision; those that are already are not copied. */
const single = (values: FlowArray & ArrayLike<number>): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values);

/** Labels of a plane in the order in which a raster scan meets them, from index 1. */
function idsInOrder(plane: Uint32Array): number[] {
  return [0, ...new Set(plane.filter((label) => label !== 0))];
}
