import { throwIfAborted } from '../../../core/errors.ts';
import { type TaskOptions, TimeLeft } from '../../../core/progress.ts';
import type { ObjectConfidence, PlaneJoin } from '../../../core/segmentation-parameters.ts';
import type { Shape3, VolumeData } from '../../../core/volume.ts';
import type { Looked } from '../cell-size.ts';
import { giveBack } from '../give-back.ts';
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
import type { FlowFile } from './flow-file.ts';
import { PlaneFlows, type PlanePrecision } from './plane-flows.ts';

type Options = TaskOptions & { pause?: () => Promise<void> };

/** Flows of planes that were run one by one, and their labels. */
export class PlaneStack {
  readonly shape: Shape3;
  readonly #kernels: MaskKernels;
  readonly #flows: PlaneFlows;
  /** Whether memory matters more: flows take a byte or are on disk, and stages of planes are not kept between thresholds. */
  readonly #packed: boolean;
  readonly #pipelines: MaskPipeline[] = [];
  #kept: { key: string; labels: Uint32Array } | undefined;

  /** @param file where flows are kept, in memory by default */
  constructor(shape: Shape3, precision: PlanePrecision, kernels: MaskKernels, file?: FlowFile) {
    this.shape = shape;
    this.#kernels = kernels;
    this.#packed = precision === 'byte' || file !== undefined;
    this.#flows = new PlaneFlows(shape, precision, file);
  }

  /**
   * Runs the network over planes, scaled by `scale`; the flows are kept at the image's size.
   * @param channels samples [z, y, x] of the planes from `first` on
   */
  async run(
    channels: readonly VolumeData[],
    maps: readonly SampleMap[],
    scale: number,
    network: TileNetwork,
    options: RunTilesOptions,
    first = 0,
  ): Promise<void> {
    const [, ny, nx] = this.shape;
    const area = ny * nx;
    const [height, width] = [scaledLength(ny, scale), scaledLength(nx, scale)];
    const normalised = channels.map(() => new Float32Array(area));
    const resized = new Float32Array(area);
    for (let z = 0; z < channels[0].length / area; z++) {
      throwIfAborted(options.signal);
      channels.forEach((samples, c) => {
        mapSamples(samples.subarray(z * area, (z + 1) * area), maps[c], normalised[c]);
      });
      const inputs = normalised.map((plane) => resizePlane(plane, ny, nx, height, width));
      const output = await runTiles(inputs, height, width, network, options);
      for (let c = 0; c < 3; c++) {
        const source = output.subarray(c * height * width, (c + 1) * height * width);
        resizePlane(source, height, width, ny, nx, resized);
        this.#flows.store(first + z, c, resized);
      }
      giveBack(output, ...inputs);
    }
  }

  /** Logits [y, x] of a plane. */
  cellprob(z: number): ArrayLike<number> {
    return this.#flows.cellprob(z);
  }

  /** dY and dX [y, x] of a plane. */
  flows(z: number): [dY: ArrayLike<number>, dX: ArrayLike<number>] {
    const area = this.shape[1] * this.shape[2];
    const flows = this.#flows.flows(z);
    return [flows.subarray(0, area), flows.subarray(area)];
  }

  /** Takes the output [3, y, x] of a plane that was run already, with the pipeline that made labels of it. */
  adopt(z: number, { output, pipeline }: Looked): void {
    const area = this.shape[1] * this.shape[2];
    for (let c = 0; c < 3; c++) this.#flows.store(z, c, output.subarray(c * area, (c + 1) * area));
    if (!this.#packed) this.#pipelines[z] = pipeline;
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
      const own = await this.#plane(z, parameters, options);
      labels.set(own, z * area);
      giveBack(own);
    }
    if (this.#packed) return labels;
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
    const errors = new Float64Array(count);
    const logits = new Float64Array(count);
    const pixels = new Float64Array(count);
    for (let z = 0; z < nz; z++) {
      options.onProgress?.({ phase: 'confidence', value: z, total: nz });
      await options.pause?.();
      throwIfAborted(options.signal);
      const plane = labels.slice(z * area, (z + 1) * area);
      const ids = idsInOrder(plane);
      renumber(plane);
      const diffused = await this.#kernels.diffuse(plane, [ny, nx], undefined, options);
      const flows = this.#flows.flows(z);
      const cellprob = this.#flows.cellprob(z);
      const own = flowErrors(plane, flows, [ny, nx], { diffused });
      for (let i = 0; i < area; i++) {
        if (plane[i] === 0) continue;
        const id = ids[plane[i]];
        errors[id] += own[plane[i]];
        logits[id] += cellprob[i];
        pixels[id]++;
      }
      giveBack(plane, diffused.heat);
      if (this.#packed) giveBack(flows, cellprob);
    }
    const mean = (sums: Float64Array) => Float32Array.from(sums, (sum, label) => sum / pixels[label]);
    return { cellprob: mean(logits), flowError: mean(errors) };
  }

  /** Labels of one plane, Uint32 [y, x]. */
  async #plane(z: number, parameters: MaskParameters, options: Options): Promise<Uint32Array> {
    const [, ny, nx] = this.shape;
    const known = this.#pipelines[z];
    if (known) return known.labels(parameters, options);
    const [flows, cellprob] = [this.#flows.flows(z), this.#flows.cellprob(z)];
    const pipeline = new MaskPipeline(flows, cellprob, [ny, nx], this.#kernels);
    if (!this.#packed) this.#pipelines[z] = pipeline;
    const labels = await pipeline.labels(parameters, options);
    if (this.#packed) {
      pipeline.dispose();
      giveBack(flows, cellprob);
    }
    return labels;
  }
}

/** Labels of a plane in the order in which a raster scan meets them, from index 1. */
function idsInOrder(plane: Uint32Array): number[] {
  const seen = new Set<number>();
  for (let i = 0; i < plane.length; i++) if (plane[i] !== 0 && plane[i] !== plane[i - 1]) seen.add(plane[i]);
  return [0, ...seen];
}
