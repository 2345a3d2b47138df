import { CytoError, throwIfAborted } from '../../core/errors.ts';
import { type TaskOptions, TimeLeft } from '../../core/progress.ts';
import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';
import type { Shape3, VolumeData } from '../../core/volume.ts';
import { chooseLooks, diameterToUse, lookAtCells, type SizeRule, tilesOfLooks } from './cell-size.ts';
import type { MaskKernels } from './kernels/kernels.ts';
import { fillHolesAndRemoveSmall } from './masks/fill-holes.ts';
import { MaskPipeline } from './masks/mask-pipeline.ts';
import { maxLabel } from './masks/renumber.ts';
import { stitchPlanes } from './masks/stitch.ts';
import { maskParameters, NETWORK_DIAMETER, scaleOf } from './parameters.ts';
import { mapSamples, percentileMap, type SampleMap } from './preprocess/normalise.ts';
import { resizeDepth, resizePlane, scaledLength } from './preprocess/resize.ts';
import { countTiles, runTiles, type TileNetwork } from './preprocess/run-tiles.ts';
import { runThreeViews, VIEWS } from './preprocess/three-views.ts';

/** Samples to segment: one time point, up to three channels, dtype as stored. */
export interface SegmentationInput {
  /** Samples [z, y, x] of each channel the network gets. */
  channels: readonly VolumeData[];
  shape: Shape3;
}

export interface RunOptions extends TaskOptions {
  /** Tile side of the network. */
  tile: number;
  /** Scale a single plane (mode `2d`) by the size of its cells when no diameter is given; off by default. */
  sizes?: SizeRule;
  /** Implementation of flows → labels; the plain one by default. */
  kernels?: MaskKernels;
  /** Lets messages (cancel requests) in; called between tiles and planes. */
  pause?: () => Promise<void>;
}

/** Labels with their number. */
export interface Labelled {
  labels: Uint32Array;
  count: number;
}

/** Tiles of the network in one call. */
const BATCH = 1;

/** The network's output at the size of the image, from which labels can be made again without the network. */
type Flows = { mode: '2d' | 'stitch'; planes: MaskPipeline[] } | { mode: '3d'; volume: MaskPipeline };

/** Number of tiles the network will be run on. */
export function tilesOf(shape: Shape3, parameters: SegmentationParameters, tile: number): number {
  const scale = scaleOf(parameters);
  const options = { tile, overlap: parameters.tileOverlap, augment: parameters.augment };
  const [height, width] = [scaledLength(shape[1], scale), scaledLength(shape[2], scale)];
  if (parameters.mode !== '3d') return shape[0] * countTiles(height, width, options);
  const scaled = [scaledLength(shape[0], parameters.anisotropy * scale), height, width];
  return VIEWS.reduce(
    (sum, { axes: [p, r, c] }) => sum + scaled[p] * countTiles(scaled[r], scaled[c], options),
    0,
  );
}

/**
 * A segmentation with its flows kept: {@link Segmentation.run} runs the network once, {@link Segmentation.labels}
 * makes labels of the flows as often as thresholds change.
 */
export class Segmentation {
  readonly shape: Shape3;
  /** Diameter by which the image was scaled because its cells looked so small or large, in pixels. */
  readonly estimatedDiameter: number | undefined;
  readonly #flows: Flows;
  #planes: { key: string; labels: Uint32Array } | undefined;

  private constructor(shape: Shape3, flows: Flows, estimatedDiameter: number | undefined) {
    this.shape = shape;
    this.#flows = flows;
    this.estimatedDiameter = estimatedDiameter;
  }

  /**
   * Normalises, resizes, tiles and runs the network (spec §2, §3, §7.1).
   * @throws CytoError `bad-input` for samples without a finite number, `aborted`, `backend`
   */
  static async run(
    input: SegmentationInput,
    parameters: SegmentationParameters,
    network: TileNetwork,
    options: RunOptions,
  ): Promise<Segmentation> {
    const maps = input.channels.map((samples) =>
      percentileMap(samples, input.shape, parameters.percentiles, parameters.invert),
    );
    const looks =
      options.sizes && parameters.diameter === undefined && parameters.mode === '2d' && input.shape[0] === 1
        ? chooseLooks(input.channels, maps, input.shape)
        : [];
    const whole =
      looks.length === 1 && looks[0].height === input.shape[1] && looks[0].width === input.shape[2];
    let total =
      tilesOfLooks(looks, tileOptions(parameters, options)) +
      (whole ? 0 : tilesOf(input.shape, parameters, options.tile));
    let timing = new TimeLeft(total);
    let [done, before] = [0, 0];
    const report = () => {
      const secondsLeft = timing.after(done - before);
      options.onProgress?.({
        phase: 'network',
        value: done,
        total,
        ...(secondsLeft === undefined ? {} : { secondsLeft }),
      });
    };
    report();
    const counted: TileNetwork = async (tiles, batch, height, width) => {
      await options.pause?.();
      throwIfAborted(options.signal);
      const output = await network(tiles, batch, height, width);
      done += batch;
      report();
      return output;
    };
    if (looks.length === 0 || !options.sizes) {
      const run = parameters.mode === '3d' ? runVolume : runPlanes;
      return new Segmentation(input.shape, await run(input, maps, parameters, counted, options), undefined);
    }
    const seen = await lookAtCells(
      input,
      maps,
      looks,
      parameters,
      counted,
      tileOptions(parameters, options),
      options.kernels,
    );
    const diameter = diameterToUse(seen.diameter, options.sizes, NETWORK_DIAMETER);
    if (whole && diameter === undefined) {
      return new Segmentation(input.shape, { mode: '2d', planes: seen.flows }, undefined);
    }
    const scaled = { ...parameters, ...(diameter === undefined ? {} : { diameter }) };
    before = done;
    total = done + tilesOf(input.shape, scaled, options.tile);
    timing = new TimeLeft(total - done);
    return new Segmentation(input.shape, await runPlanes(input, maps, scaled, counted, options), diameter);
  }

  /** Labels of the kept flows, Uint32 [z, y, x], numbered 1…count in raster order. */
  async labels(
    parameters: SegmentationParameters,
    options: TaskOptions & { pause?: () => Promise<void> } = {},
  ): Promise<Labelled> {
    const diameter = parameters.diameter ?? this.estimatedDiameter;
    const masks = maskParameters(diameter === undefined ? parameters : { ...parameters, diameter });
    if (this.#flows.mode === '3d') {
      options.onProgress?.({ phase: 'masks', value: 0, total: 1 });
      await options.pause?.();
      const labels = await this.#flows.volume.labels(masks, options);
      return { labels, count: maxLabel(labels) };
    }
    const { planes, mode } = this.#flows;
    // While stitching, small labels are removed from the whole stack, not plane by plane (spec §7.2).
    const perPlane = mode === 'stitch' ? { ...masks, minSize: -1 } : masks;
    const key = JSON.stringify(perPlane);
    if (this.#planes?.key !== key) {
      const labels = new Uint32Array(this.shape[0] * this.shape[1] * this.shape[2]);
      const area = this.shape[1] * this.shape[2];
      const timing = new TimeLeft(planes.length);
      for (let z = 0; z < planes.length; z++) {
        const secondsLeft = timing.after(z);
        options.onProgress?.({
          phase: 'masks',
          value: z,
          total: planes.length,
          ...(secondsLeft === undefined ? {} : { secondsLeft }),
        });
        await options.pause?.();
        throwIfAborted(options.signal);
        labels.set(await planes[z].labels(perPlane, options), z * area);
      }
      this.#planes = { key, labels };
    }
    if (mode === '2d') return { labels: this.#planes.labels.slice(), count: maxLabel(this.#planes.labels) };
    options.onProgress?.({ phase: 'stitch', value: 0, total: 1 });
    await options.pause?.();
    throwIfAborted(options.signal);
    const stitched = stitchPlanes(this.#planes.labels, this.shape, parameters.stitchThreshold);
    const labels = fillHolesAndRemoveSmall(stitched, this.shape, parameters.minSize);
    return { labels, count: maxLabel(labels) };
  }
}

async function runPlanes(
  { channels, shape }: SegmentationInput,
  maps: readonly SampleMap[],
  parameters: SegmentationParameters,
  network: TileNetwork,
  options: RunOptions,
): Promise<Flows> {
  const [nz, ny, nx] = shape;
  const area = ny * nx;
  const scale = scaleOf(parameters);
  const [height, width] = [scaledLength(ny, scale), scaledLength(nx, scale)];
  const normalised = channels.map(() => new Float32Array(area));
  const planes: MaskPipeline[] = [];
  for (let z = 0; z < nz; z++) {
    throwIfAborted(options.signal);
    channels.forEach((samples, c) => {
      mapSamples(samples.subarray(z * area, (z + 1) * area), maps[c], normalised[c]);
    });
    const inputs = normalised.map((plane) => resizePlane(plane, ny, nx, height, width));
    const output = await runTiles(inputs, height, width, network, tileOptions(parameters, options));
    const resized = new Float32Array(3 * area);
    for (let c = 0; c < 3; c++) {
      const source = output.subarray(c * height * width, (c + 1) * height * width);
      resizePlane(source, height, width, ny, nx, resized.subarray(c * area, (c + 1) * area));
    }
    planes.push(
      new MaskPipeline(resized.subarray(0, 2 * area), resized.subarray(2 * area), [ny, nx], options.kernels),
    );
  }
  return { mode: parameters.mode === 'stitch' ? 'stitch' : '2d', planes };
}

async function runVolume(
  { channels, shape }: SegmentationInput,
  maps: readonly SampleMap[],
  parameters: SegmentationParameters,
  network: TileNetwork,
  options: RunOptions,
): Promise<Flows> {
  const [nz, ny, nx] = shape;
  if (nz < 2)
    throw new CytoError('bad-input', 'Full 3D needs a stack of at least two planes; use 2D for one plane.');
  const scale = scaleOf(parameters);
  const [height, width] = [scaledLength(ny, scale), scaledLength(nx, scale)];
  const depth = scaledLength(nz, parameters.anisotropy * scale);
  const inputs = channels.map((samples, c) => {
    const planes = new Float32Array(nz * height * width);
    const plane = new Float32Array(ny * nx);
    for (let z = 0; z < nz; z++) {
      mapSamples(samples.subarray(z * ny * nx, (z + 1) * ny * nx), maps[c], plane);
      const target = planes.subarray(z * height * width, (z + 1) * height * width);
      resizePlane(plane, ny, nx, height, width, target);
    }
    return depth === nz ? planes : resizeDepth(planes, nz, height * width, depth);
  });
  const { dP, cellprob } = await runThreeViews(
    inputs,
    [depth, height, width],
    network,
    tileOptions(parameters, options),
  );
  const back = (component: Float32Array) => resizeBack(component, [depth, height, width], shape);
  const size = depth * height * width;
  const flows = new Float32Array(3 * nz * ny * nx);
  for (let axis = 0; axis < 3; axis++) {
    flows.set(back(dP.subarray(axis * size, (axis + 1) * size)), axis * nz * ny * nx);
  }
  return { mode: '3d', volume: new MaskPipeline(flows, back(cellprob), shape, options.kernels) };
}

/** From the network's grid to the image's: in plane first, then along z (spec §2.6). */
function resizeBack(
  component: Float32Array,
  [depth, height, width]: Shape3,
  [nz, ny, nx]: Shape3,
): Float32Array {
  const planes = new Float32Array(depth * ny * nx);
  for (let z = 0; z < depth; z++) {
    const source = component.subarray(z * height * width, (z + 1) * height * width);
    resizePlane(source, height, width, ny, nx, planes.subarray(z * ny * nx, (z + 1) * ny * nx));
  }
  return depth === nz ? planes : resizeDepth(planes, depth, ny * nx, nz);
}

function tileOptions(parameters: SegmentationParameters, options: RunOptions) {
  return {
    tile: options.tile,
    batch: BATCH,
    overlap: parameters.tileOverlap,
    augment: parameters.augment,
    ...(options.signal ? { signal: options.signal } : {}),
  };
}
