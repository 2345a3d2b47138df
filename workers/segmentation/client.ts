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
} from '../../core/segmentation-parameters.ts';
import { channelView, type Shape3, statedAnisotropy, type Volume } from '../../core/volume.ts';
import { lengthsOf } from '../../core/voxel-box.ts';
import { WorkerLink } from '../link.ts';
import { ModelLibrary } from '../models/client.ts';
import { DEFAULT_MODEL } from '../models/default-model.ts';
import { offerSamples, planBlockRun, type StreamedInput } from './block-run.ts';
import { refuseOversized } from './estimate.ts';
import type { BackendChoice } from './network/backend.ts';
import { completeParameters, seeksAnisotropy } from './parameters.ts';
import { boxOfScope, cutSamples } from './scope.ts';
import type { SegmentationInput } from './segmentation.ts';
import type { RunRequest } from './segmentation.worker.ts';

export { volumeSource } from '../../core/volume-source.ts';
export {
  estimateRun,
  type ImageStorage,
  memoryBudget,
  type RunEstimate,
} from './estimate.ts';
export { completeParameters } from './parameters.ts';
export type { NetworkSides } from './run-plan.ts';
export { SeriesClient, type SeriesOptions } from './time-series.ts';
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

/** How a volume is run that may be larger than memory. */
export interface BlockRunOptions extends Omit<RunOptions, 'z' | 'scope'> {
  /** Level of the source, default 0, the full one. */
  level?: number;
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

/** The anisotropy of the calibration, where none is given and the image states one. */
function takeAnisotropy(
  parameters: SegmentationParameters,
  image: Pick<Volume, 'shape' | 'calibration'>,
): void {
  const stated = statedAnisotropy(image);
  if (stated !== undefined && seeksAnisotropy(parameters)) parameters.anisotropy = stated;
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
    takeAnisotropy(full, volume);
    const box = boxOfScope(scope ?? (full.mode === '2d' ? 'plane' : 'volume'), volume.shape, z);
    const shape = lengthsOf(box);
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
    const channels = full.channels.map((c) => cutSamples(channelView(volume, t, c), volume.shape, box));
    const result = await this.#call({ channels, shape }, full, {
      model,
      backend,
      ...(server ? { server } : {}),
      ...task,
    });
    this.#channels = volume.shape[1];
    this.#last = { ...full, anisotropy: result.parameters.anisotropy ?? 1 };
    this.#origin = box.from;
    return { ...result, origin: box.from };
  }

  /**
   * Segments one time point of an image that may be larger than memory: samples are read part by part, and the flows are
   * kept in a file of the browser's private storage. Flows and labels are those of a run on the whole, to the last bit:
   * points are followed box by box, each in a box that its way does not leave, and seeds are found among where the points of all
   * boxes ended. About 9 bytes a voxel are held, the labels that the page shows included. Thresholds can be changed
   * afterwards as after `run`. Progress phases as those of `run`.
   *
   * @throws CytoError as `run`; `quota` if the browser's storage has no room for the flows
   */
  async runBlocks(
    source: ImageSource,
    parameters: Partial<SegmentationParameters> = {},
    options: BlockRunOptions = {},
  ): Promise<SegmentationResult> {
    const { model = DEFAULT_MODEL, backend = 'auto', server, memory, signal, onProgress, ...where } = options;
    const task = { ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) };
    const level = source.levels[where.level ?? 0];
    const full = completeParameters(
      source.rgb ? { ...parameters, channels: [0, 1, 2] } : parameters,
      level.shape[1],
    );
    takeAnisotropy(full, level);
    const plan = planBlockRun(source, full, memory, where.level);
    const reading = offerSamples(source, full.channels, { ...where, ...(signal ? { signal } : {}) });
    try {
      const result = await this.#call({ ...plan, port: reading.port }, full, {
        model,
        backend,
        ...(server ? { server } : {}),
        ...task,
      });
      this.#channels = level.shape[1];
      this.#last = { ...full, anisotropy: result.parameters.anisotropy ?? 1 };
      this.#origin = [0, 0, 0];
      return { ...result, origin: [0, 0, 0] };
    } finally {
      reading.close();
    }
  }

  async #call(
    input: SegmentationInput | StreamedInput,
    parameters: SegmentationParameters,
    {
      model,
      backend,
      server,
      ...task
    }: TaskOptions & Required<Pick<RunOptions, 'model' | 'backend'>> & { server?: string },
  ): Promise<SegmentationResult> {
    const request: RunRequest = {
      owner: this.#owner,
      input,
      parameters,
      ...(await this.#resolve(model, task)),
      backend,
      ...(server ? { server } : {}),
      assetBase: assetUrl('.').href,
    };
    this.#link ??= sharedLink();
    return this.#link.call<SegmentationResult>('run', [request], {
      ...task,
      transfer:
        'port' in input ? [input.port] : input.channels.map((samples) => samples.buffer as ArrayBuffer),
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
      'planeSmoothing',
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
