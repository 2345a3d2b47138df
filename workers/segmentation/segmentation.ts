import { CytoError } from '../../core/errors.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type {
  NetworkOutput,
  ObjectConfidence,
  OutputKind,
  PlaneJoin,
  SegmentationParameters,
} from '../../core/segmentation-parameters.ts';
import type { Shape3, VolumeData } from '../../core/volume.ts';
import type { VoxelBox } from '../../core/voxel-box.ts';
import type { SizeRule } from './cell-size.ts';
import { type FirstLook, lookFirst } from './first-look.ts';
import { type MaskKernels, plainKernels } from './kernels/kernels.ts';
import { maxLabel } from './masks/renumber.ts';
import { networkOutput } from './network-output.ts';
import { maskParameters, scaleOf, smoothingOf } from './parameters.ts';
import { percentileMap, type SampleMap } from './preprocess/normalise.ts';
import type { RunTilesOptions, TileNetwork } from './preprocess/run-tiles.ts';
import { accumulateViews, type ViewPlan } from './preprocess/three-views.ts';
import { bytesOnDisk, flowPrecision, planePrecision, tileOptions, viewPlan } from './run-plan.ts';
import { cutSamples } from './scope.ts';
import { TileCounter } from './tile-counter.ts';
import { EndFile } from './volume/end-file.ts';
import { type FlowFile, openFlowFile } from './volume/flow-file.ts';
import { volumeConfidence } from './volume/object-confidence.ts';
import { PlaneReader } from './volume/plane-reader.ts';
import { PlaneStack } from './volume/plane-stack.ts';
import { mapsOf, planesToLookAt, type SampleSource } from './volume/sample-source.ts';
import { StoredFlows, storedBytes } from './volume/stored-flows.ts';
import { streamPlanes, streamViews } from './volume/stream-network.ts';
import { VolumeFlows } from './volume/volume-flows.ts';
import { VolumeLabels } from './volume/volume-labels.ts';

/** Samples to segment: one time point, up to three channels, dtype as stored. */
export interface SegmentationInput {
  /** Samples [z, y, x] of each channel the network gets. */
  channels: readonly VolumeData[];
  shape: Shape3;
}

export interface RunOptions extends TaskOptions {
  /** Tile side of the network. */
  tile: number;
  /** Scale the image by the size of its cells when no diameter is given; off by default. */
  sizes?: SizeRule;
  /** Other sides that the network takes, multiples of `step`; absent: it takes whole tiles only. */
  sides?: { step: number; largest: number };
  /** Tiles that the network gets in one call, by default 1. */
  batch?: number;
  /** Implementation of flows → labels; the plain one by default. */
  kernels?: MaskKernels;
  /** Lets messages (cancel requests) in; called between tiles and planes. */
  pause?: () => Promise<void>;
}

/** Labels with their number. */
export interface Labelled {
  labels: Uint32Array;
  count: number;
  /** Of mode `stitch`, in order of planes. */
  joins?: PlaneJoin[];
}

/** Where and how the flows of a run are kept that reads its samples part by part. */
export interface StreamOptions extends RunOptions {
  /** Opens a file of so many bytes, zeros; by default in the browser's private storage. */
  openFile?: (bytes: number) => Promise<FlowFile>;
}

/** The network's output at the size of the image, from which labels can be made again without the network. */
type Flows = { mode: '2d' | 'stitch'; planes: PlaneStack } | { mode: '3d'; volume: VolumeLabels };

/**
 * A segmentation with its flows kept: {@link Segmentation.run} runs the network once, {@link Segmentation.labels}
 * makes labels of the flows as often as thresholds change.
 */
export class Segmentation {
  readonly shape: Shape3;
  /** Diameter by which the image was scaled because its cells looked so small or large, in pixels. */
  readonly estimatedDiameter: number | undefined;
  /** z step over xy step by which it was stretched because its cells looked so flat. */
  readonly estimatedAnisotropy: number | undefined;
  readonly #flows: Flows;
  readonly #kernels: MaskKernels;
  readonly #file: FlowFile | undefined;

  private constructor(
    shape: Shape3,
    flows: Flows,
    kernels: MaskKernels,
    { diameter, anisotropy }: FirstLook['seen'],
    file?: FlowFile,
  ) {
    this.shape = shape;
    this.#flows = flows;
    this.#kernels = kernels;
    this.estimatedDiameter = diameter;
    this.estimatedAnisotropy = anisotropy;
    this.#file = file;
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
    const { channels, shape } = input;
    const { kernels = plainKernels } = options;
    checkPlanes(shape, parameters);
    const maps = channels.map((samples) =>
      percentileMap(samples, shape, parameters.percentiles, parameters.invert),
    );
    const tiles = tileOptions(parameters, options);
    const counter = new TileCounter(network, options);
    const planes =
      parameters.mode === '3d' ? undefined : new PlaneStack(shape, planePrecision(shape), kernels);
    const mode = parameters.mode === 'stitch' ? 'stitch' : '2d';
    const source = {
      shape,
      some: async () => input,
      read: (box: VoxelBox) => channels.map((samples) => cutSamples(samples, [1, 1, ...shape], box)),
    };
    const { seen, whole } = await lookFirst(source, maps, parameters, counter, tiles, {
      ...options,
      kernels,
    });
    if (planes && whole) {
      planes.adopt(0, whole);
      return new Segmentation(shape, { mode, planes }, kernels, seen);
    }
    const scaled = { ...parameters, ...seen };
    if (planes) {
      await planes.run(channels, maps, scaleOf(scaled), counter.network, tiles);
      return new Segmentation(shape, { mode, planes }, kernels, seen);
    }
    const flows = new VolumeFlows(shape, flowPrecision(shape));
    await runVolume(input, maps, viewPlan(shape, scaled), flows, counter.network, tiles);
    return new Segmentation(shape, { mode: '3d', volume: new VolumeLabels(flows, kernels) }, kernels, seen);
  }

  /**
   * As {@link run}, for a stack that does not fit into memory: samples are read part by part and flows kept in a file,
   * and where they lead. Flows and labels are those of a run on the whole, to the last bit. {@link dispose} removes the
   * file.
   * @throws CytoError as `run`; `quota` if there is no room for the flows
   */
  static async stream(
    source: SampleSource,
    parameters: SegmentationParameters,
    network: TileNetwork,
    options: StreamOptions,
  ): Promise<Segmentation> {
    const { shape } = source;
    const { kernels = plainKernels, openFile = openFlowFile } = options;
    checkPlanes(shape, parameters);
    const maps = await mapsOf(source, parameters);
    const tiles = tileOptions(parameters, options);
    const counter = new TileCounter(network, options);
    const looking = {
      shape,
      some: () => planesToLookAt(source),
      read: (box: VoxelBox) => source.read(box),
    };
    const { seen } = await lookFirst(looking, maps, parameters, counter, tiles, { ...options, kernels });
    const scaled = { ...parameters, ...seen };
    const file = await openFile(bytesOnDisk(shape, parameters));
    try {
      if (parameters.mode !== '3d') {
        const planes = new PlaneStack(shape, planePrecision(shape), kernels, file);
        await streamPlanes(source, maps, scaleOf(scaled), planes, counter.network, tiles);
        return new Segmentation(shape, { mode: 'stitch', planes }, kernels, seen, file);
      }
      const precision = flowPrecision(shape);
      const flows = new StoredFlows(shape, precision, file);
      const plan = viewPlan(shape, scaled);
      await streamViews(source, maps, plan, { flows, precision }, counter.network, tiles);
      const ends = new EndFile(file, storedBytes(shape, precision));
      const volume = new VolumeLabels(flows, kernels, ends);
      return new Segmentation(shape, { mode: '3d', volume }, kernels, seen, file);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Removes the file of a run that keeps its flows in one. */
  dispose(): void {
    this.#file?.close();
  }

  /** Labels of the kept flows, Uint32 [z, y, x], numbered 1…count in raster order. */
  async labels(
    parameters: SegmentationParameters,
    options: TaskOptions & { pause?: () => Promise<void> } = {},
  ): Promise<Labelled> {
    const masks = maskParameters(this.#scaled(parameters));
    if (this.#flows.mode === '3d') {
      options.onProgress?.({ phase: 'masks', value: 0, total: 1 });
      await options.pause?.();
      const labels = await this.#flows.volume.labels(masks, smoothingOf(this.#scaled(parameters)), options);
      return { labels, count: maxLabel(labels) };
    }
    const { planes, mode } = this.#flows;
    if (mode === '2d') {
      const labels = await planes.labels(masks, options);
      return { labels, count: maxLabel(labels) };
    }
    const { stitchThreshold, skipPlane } = parameters;
    const { labels, joins } = await planes.stitched(masks, { stitchThreshold, skipPlane }, options);
    return { labels, joins, count: maxLabel(labels) };
  }

  /** What the network gave, as samples to be shown. */
  output(
    kind: OutputKind,
    options: TaskOptions & { pause?: () => Promise<void> } = {},
  ): Promise<NetworkOutput> {
    if (this.#flows.mode !== '3d') return networkOutput(this.#flows.planes, kind, options);
    const { flows } = this.#flows.volume;
    const { shape } = flows;
    const plane = (component: number, z: number) =>
      flows.cut(component, { from: [z, 0, 0], to: [z + 1, shape[1], shape[2]] });
    return networkOutput(
      { shape, cellprob: (z) => plane(3, z), flows: (z) => [plane(1, z), plane(2, z)] },
      kind,
      options,
    );
  }

  /** Parameters with what the flows were made with where it was not given. */
  #scaled(parameters: SegmentationParameters): SegmentationParameters {
    const diameter = parameters.diameter ?? this.estimatedDiameter;
    const anisotropy = parameters.anisotropy ?? this.estimatedAnisotropy ?? 1;
    return { ...parameters, anisotropy, ...(diameter === undefined ? {} : { diameter }) };
  }

  /** How sure the network was of each of these labels, which lie on the image's grid. */
  async confidence(
    labels: Uint32Array,
    parameters: SegmentationParameters,
    options: TaskOptions & { pause?: () => Promise<void> } = {},
  ): Promise<ObjectConfidence> {
    if (this.#flows.mode !== '3d') return this.#flows.planes.confidence(labels, options);
    const { shape, grid, combine } = viewPlan(this.shape, this.#scaled(parameters));
    const scales =
      combine === 'mean' ? { flowScale: 5, zStep: grid[0] / shape[0] } : { flowScale: 10, zStep: 1 };
    return volumeConfidence(labels, this.#flows.volume.flows, this.#kernels, scales, options);
  }
}

function checkPlanes(shape: Shape3, { mode }: SegmentationParameters): void {
  if (mode === '3d' && shape[0] < 2)
    throw new CytoError('bad-input', 'Full 3D needs a stack of at least two planes; use 2D for one plane.');
}

/** Runs the three views and adds them up in `flows`. */
async function runVolume(
  { channels }: SegmentationInput,
  maps: readonly SampleMap[],
  plan: ViewPlan,
  flows: VolumeFlows,
  network: TileNetwork,
  options: RunTilesOptions,
): Promise<void> {
  const reader = new PlaneReader(channels, maps, plan);
  await accumulateViews((view, p) => reader.read(view, p), plan, flows.components, network, options);
}
