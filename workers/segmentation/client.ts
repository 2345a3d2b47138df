import { assetUrl } from '../../core/assets.ts';
import { CytoError } from '../../core/errors.ts';
import type { ImageSource } from '../../core/image-source.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type {
  NetworkOutput,
  OutputKind,
  SegmentationParameters,
  SegmentationResult,
  SegmentationScope,
  VoxelBox,
} from '../../core/segmentation-parameters.ts';
import { bytesPerSample, channelView, type Shape3, type Volume, type VolumeData } from '../../core/volume.ts';
import { WorkerLink } from '../link.ts';
import { ModelLibrary } from '../models/client.ts';
import { DEFAULT_MODEL } from '../models/default-model.ts';
import { fittingCore, memoryBudget, refuseOversized } from './estimate.ts';
import type { BackendChoice } from './network/backend.ts';
import { completeParameters } from './parameters.ts';
import type { SampleMap } from './preprocess/normalise.ts';
import type { SegmentationInput } from './segmentation.ts';
import type { RunRequest } from './segmentation.worker.ts';
import { planBlocks, segmentBlocks } from './volume/blocks.ts';
import { sampleMaps } from './volume/sample-maps.ts';

export {
  estimateRun,
  type ImageStorage,
  memoryBudget,
  type RunEstimate,
} from './estimate.ts';
export { completeParameters } from './parameters.ts';
export type { NetworkSides } from './run-plan.ts';
export { SeriesClient, type SeriesOptions } from './time-series.ts';
export { volumeSource } from './volume/volume-source.ts';
export type { BackendChoice };

export interface RunOptions extends TaskOptions {
  /**
   * Id of a model that ships with the package or was added to this browser (see `ModelLibrary`), or the files of a
   * model folder by name; by default the one that ships.
   */
  model?: string | ReadonlyMap<string, Blob>;
  backend?: BackendChoice;
  /**
   * Address of the model on a server that speaks the Open Inference Protocol, `https://host/v2/models/NAME`; used with
   * the backend `remote`, which sends tiles there.
   */
  server?: string;
  /** Time point, default 0. */
  t?: number;
  /** Plane to segment in mode `2d` or with the scope `plane`, default 0. The result then has a single plane. */
  z?: number;
  /**
   * Part of the time point to segment, as if there were nothing else; the result begins at its `origin`. By default one
   * plane in mode `2d`, else all.
   */
  scope?: SegmentationScope;
  /** Memory that the run may take in bytes, by default half of what the browser says that there is. */
  memory?: number;
}

/** How a volume is run block by block. */
export interface BlockRunOptions extends Omit<RunOptions, 'z' | 'scope'> {
  /** Level of the source, default 0, the full one. */
  level?: number;
  /** Largest lengths of a block along z, y, x without its margin; by default 64, 448, 448 or what fits into `memory`. */
  core?: Shape3;
  /** Voxels around a block that are segmented with it, default one and a half times the diameter (30 if none is given). */
  margin?: number;
}

/** All clients of a page share one worker, so that one inference session exists at a time. */
let shared: { link: WorkerLink; users: number } | undefined;
let nextOwner = 1;

function sharedLink(): WorkerLink {
  shared ??= {
    link: new WorkerLink(
      'The segmentation worker',
      () => new Worker(new URL('./segmentation.worker.js', import.meta.url), { type: 'module' }),
    ),
    users: 0,
  };
  shared.users++;
  return shared.link;
}

/** @throws CytoError `bad-input` for a plane or box that is not in the image */
function boxOfScope(scope: SegmentationScope, [, , nz, ny, nx]: Volume['shape'], z: number): VoxelBox {
  if (scope === 'volume') return { from: [0, 0, 0], to: [nz, ny, nx] };
  if (scope === 'plane') {
    if (!(z >= 0 && z < nz)) throw new CytoError('bad-input', `The image has no plane ${z}.`);
    return { from: [z, 0, 0], to: [z + 1, ny, nx] };
  }
  const { from, to } = scope;
  const fits = [nz, ny, nx].every(
    (n, axis) =>
      Number.isInteger(from[axis]) &&
      Number.isInteger(to[axis]) &&
      from[axis] >= 0 &&
      from[axis] < to[axis] &&
      to[axis] <= n,
  );
  if (!fits) {
    throw new CytoError(
      'bad-input',
      `The box from ${from.join(', ')} to ${to.join(', ')} (z, y, x) does not lie in the image of ${nz}×${ny}×${nx} voxels.`,
    );
  }
  return scope;
}

/** A copy of the samples of a box, dtype as stored. */
function cutBox(samples: VolumeData, [, , , ny, nx]: Volume['shape'], { from, to }: VoxelBox): VolumeData {
  if (from[1] === 0 && from[2] === 0 && to[1] === ny && to[2] === nx)
    return samples.slice(from[0] * ny * nx, to[0] * ny * nx);
  const [depth, height, width] = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
  const out = samples.slice(0, depth * height * width);
  for (let z = 0, k = 0; z < depth; z++) {
    for (let y = 0; y < height; y++, k += width) {
      const start = ((from[0] + z) * ny + from[1] + y) * nx + from[2];
      out.set(samples.subarray(start, start + width), k);
    }
  }
  return out;
}

/**
 * Segments volumes in a worker. The network's flows stay there, so that thresholds can be changed without running it
 * again. Runs of several clients on a page wait for each other.
 */
export class SegmentationClient {
  readonly #owner = `client-${nextOwner++}`;
  #link: WorkerLink | undefined;
  #library: ModelLibrary | undefined;
  #channels = 0;
  #last: SegmentationParameters | undefined;
  #origin: Shape3 = [0, 0, 0];

  /**
   * Runs the network on one time point, or a part of it, and makes labels.
   *
   * Mode `2d` segments the plane `z`, `stitch` all planes one by one and joins them, `3d` runs flows in three
   * orientations. Progress phases: `load-model` (bytes), `network` (tiles), `masks` (planes), `stitch`.
   *
   * Whenever the rung of the backend ladder is chosen or changes, a progress report carries `backend`.
   *
   * @throws CytoError `bad-input`, `model`, `backend`, `network`, `not-found` (no such model), `too-large`, `worker-crashed`, `aborted` (within
   * 100 ms of the signal, also while the network runs)
   */
  async run(
    volume: Volume,
    parameters: Partial<SegmentationParameters> = {},
    options: RunOptions = {},
  ): Promise<SegmentationResult> {
    const { model = DEFAULT_MODEL, backend = 'auto', server, t = 0, z = 0, scope, memory, ...task } = options;
    const full = completeParameters(
      volume.rgb ? { ...parameters, channels: [0, 1, 2] } : parameters,
      volume.shape[1],
    );
    const box = boxOfScope(scope ?? (full.mode === '2d' ? 'plane' : 'volume'), volume.shape, z);
    const shape = box.to.map((to, axis) => to - box.from[axis]) as unknown as Shape3;
    if (full.mode !== '2d' && shape[0] < 2) {
      if (scope === undefined || scope === 'volume')
        throw new CytoError('bad-input', 'This image has a single plane: choose the mode 2D.');
      full.mode = '2d';
    }
    if (full.mode === '2d' && shape[0] > 1)
      throw new CytoError(
        'bad-input',
        'A box of several planes cannot be segmented in 2D: stitch planes or use 3D.',
      );

    refuseOversized(
      shape,
      full,
      { channels: full.channels.length, bytesPerSample: volume.data.BYTES_PER_ELEMENT },
      memory,
    );
    const channels = full.channels.map((c) => cutBox(channelView(volume, t, c), volume.shape, box));
    const result = await this.#call({ channels, shape }, full, {
      model,
      backend,
      ...(server ? { server } : {}),
      ...task,
    });
    this.#channels = volume.shape[1];
    this.#last = full;
    this.#origin = box.from;
    return { ...result, origin: box.from };
  }

  /**
   * Segments one time point of an image that may be larger than memory, block by block: read with a margin, segmented,
   * and joined where blocks overlap. The labels are in memory as a whole, samples and flows of one block only. All blocks
   * are normalised alike and have the scale of the first, from the middle. Thresholds need a new run.
   * Progress has the phase `blocks`, with what the block under way tells in between.
   *
   * @throws CytoError as `run`
   */
  async runBlocks(
    source: ImageSource,
    parameters: Partial<SegmentationParameters> = {},
    options: BlockRunOptions = {},
  ): Promise<SegmentationResult> {
    const { model = DEFAULT_MODEL, backend = 'auto', server, t = 0, level = 0, memory, ...task } = options;
    const { core, margin: wantedMargin, ...where } = task;
    const started = performance.now();
    const { shape: full5 } = source.levels[level];
    const shape: Shape3 = [full5[2], full5[3], full5[4]];
    const full = completeParameters(
      source.rgb ? { ...parameters, channels: [0, 1, 2] } : parameters,
      full5[1],
    );
    if (full.mode === '2d' || shape[0] < 2)
      throw new CytoError('bad-input', 'Blocks are for stacks: stitch planes or use 3D.');
    const read = async ({ from, to }: VoxelBox) => {
      const range = (axis: number) => [from[axis], to[axis]] as const;
      return Promise.all(
        full.channels.map(async (c) => {
          const region = { t: [t, t + 1], c: [c, c + 1], z: range(0), y: range(1), x: range(2) } as const;
          return (await source.read(region, level, where)).data;
        }),
      );
    };
    const voxels = (s: Shape3) => s[0] * s[1] * s[2];
    const storage = { channels: full.channels.length, bytesPerSample: bytesPerSample(source.dtype) };
    const budget = (memory ?? memoryBudget()) - 4 * voxels(shape);
    const margin = wantedMargin ?? Math.round(1.5 * (full.diameter ?? 30));
    const blocks = planBlocks(shape, core ?? fittingCore(shape, margin, full, storage, budget), margin);
    const largest = blocks
      .map(({ box }) => box.to.map((to, axis) => to - box.from[axis]) as unknown as Shape3)
      .reduce((a, b) => (voxels(b) > voxels(a) ? b : a));
    refuseOversized(largest, full, storage, budget, true);
    const maps = await sampleMaps(blocks, read, full);
    // The first block tells the scale of all.
    const middle = blocks.splice(blocks.length >> 1, 1);
    let last: SegmentationResult | undefined;
    const { labels, count } = await segmentBlocks(
      shape,
      [...middle, ...blocks],
      async ({ box }) => {
        const own = box.to.map((to, axis) => to - box.from[axis]) as unknown as Shape3;
        const diameter = full.diameter ?? last?.estimatedDiameter;
        const result: SegmentationResult = await this.#call(
          { channels: await read(box), shape: own },
          {
            ...full,
            ...(diameter === undefined ? {} : { diameter }),
            maxSizeFraction: Math.min(1, (full.maxSizeFraction * voxels(shape)) / voxels(own)),
          },
          { model, backend, ...(server ? { server } : {}), ...where },
          { maps, look: last === undefined },
        );
        last = { ...result, ...(diameter === undefined ? {} : { estimatedDiameter: diameter }) };
        return result.labels;
      },
      where,
    );
    this.#last = undefined;
    const { joins: _, confidence: __, ...rest } = last!;
    const milliseconds = performance.now() - started;
    return { ...rest, labels, count, shape, origin: [0, 0, 0], milliseconds, parameters: full };
  }

  async #call(
    input: SegmentationInput,
    parameters: SegmentationParameters,
    {
      model,
      backend,
      server,
      ...task
    }: TaskOptions & Required<Pick<RunOptions, 'model' | 'backend'>> & { server?: string },
    block: { maps?: readonly SampleMap[]; look: boolean } = { look: true },
  ): Promise<SegmentationResult> {
    const request: RunRequest = {
      owner: this.#owner,
      input,
      parameters,
      ...block,
      ...(await this.#resolve(model, task)),
      backend,
      ...(server ? { server } : {}),
      assetBase: assetUrl('.').href,
    };
    this.#link ??= sharedLink();
    return this.#link.call<SegmentationResult>('run', [request], {
      ...task,
      transfer: input.channels.map((samples) => samples.buffer as ArrayBuffer),
    });
  }

  /**
   * Labels again from the flows of the last run, which are not computed anew.
   * @param parameters those that change; the others stay as they were in the last run
   * @throws CytoError `bad-input` if nothing was run or a parameter needs a new run; `aborted`
   */
  async rethreshold(
    parameters: Partial<SegmentationParameters>,
    options: TaskOptions = {},
  ): Promise<SegmentationResult> {
    if (!this.#link || !this.#last) {
      throw new CytoError('bad-input', 'There are no flows to make labels of: run the segmentation first.');
    }
    const full = completeParameters({ ...this.#last, ...parameters }, this.#channels);
    const fixed = [
      'mode',
      'diameter',
      'anisotropy',
      'combineViews',
      'invert',
      'augment',
      'tileOverlap',
      'channels',
      'percentiles',
    ] as const;
    const changed = fixed.find((key) => JSON.stringify(full[key]) !== JSON.stringify(this.#last?.[key]));
    if (changed) throw new CytoError('bad-input', `A change of ${changed} needs a new run of the network.`);
    const origin = this.#origin;
    const result = await this.#link.call<SegmentationResult>('rethreshold', [this.#owner, full], options);
    return { ...result, origin };
  }

  /**
   * The flows or the cell probability of the last run, as samples to be shown.
   * @throws CytoError `bad-input` if nothing was run; `too-large`; `aborted`
   */
  async output(kind: OutputKind, options: TaskOptions = {}): Promise<NetworkOutput> {
    if (!this.#link || !this.#last)
      throw new CytoError('bad-input', 'There is no output of the network: run the segmentation first.');
    const origin = this.#origin;
    const output = await this.#link.call<NetworkOutput>('output', [this.#owner, kind], options);
    return { ...output, origin };
  }

  /** The files of an added model; the id of a built-in one as it is. */
  async #resolve(
    model: NonNullable<RunOptions['model']>,
    { signal }: TaskOptions,
  ): Promise<Pick<RunRequest, 'model' | 'checked'>> {
    if (typeof model !== 'string' || model === DEFAULT_MODEL) return { model, checked: false };
    if (/^https?:/.test(model)) {
      throw new CytoError(
        'not-found',
        `The model at ${model} is not on this device yet: look at its licence and size and add it first.`,
      );
    }
    this.#library ??= new ModelLibrary();
    try {
      return { model: await this.#library.files(model, signal ? { signal } : {}), checked: true };
    } catch (error) {
      if (error instanceof CytoError && error.kind === 'not-found') return { model, checked: false };
      throw error;
    }
  }

  /** Forgets the kept flows; the worker ends with its last client. */
  dispose(): void {
    this.#library?.dispose();
    this.#library = undefined;
    const link = this.#link;
    this.#link = undefined;
    this.#last = undefined;
    if (!link || !shared) return;
    shared.users--;
    if (shared.users === 0) {
      shared.link.dispose();
      shared = undefined;
    } else {
      // Best effort: a worker that has just crashed has nothing to forget.
      link.call('forget', [this.#owner]).catch((error: unknown) => console.debug('cytopane:', error));
    }
  }
}
