import { assetUrl } from '../../core/assets.ts';
import { CytoError } from '../../core/errors.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type { SegmentationParameters, SegmentationResult } from '../../core/segmentation-parameters.ts';
import { channelView, type Shape3, type Volume, type VolumeData } from '../../core/volume.ts';
import { WorkerLink } from '../link.ts';
import { ModelLibrary } from '../models/client.ts';
import { DEFAULT_MODEL } from '../models/default-model.ts';
import type { BackendChoice } from './network/backend.ts';
import { completeParameters } from './parameters.ts';
import type { RunRequest } from './segmentation.worker.ts';

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
  /** Plane to segment in mode `2d`, default 0. The result then has a single plane. */
  z?: number;
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

  /**
   * Runs the network on one time point and makes labels.
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
    const { model = DEFAULT_MODEL, backend = 'auto', server, t = 0, z = 0, ...task } = options;
    const full = completeParameters(
      volume.rgb ? { ...parameters, channels: [0, 1, 2] } : parameters,
      volume.shape[1],
    );
    const [, , nz, ny, nx] = volume.shape;
    if (full.mode !== '2d' && nz < 2) {
      throw new CytoError('bad-input', 'This image has a single plane: choose the mode 2D.');
    }
    if (full.mode === '2d' && !(z >= 0 && z < nz))
      throw new CytoError('bad-input', `The image has no plane ${z}.`);
    const shape: Shape3 = [full.mode === '2d' ? 1 : nz, ny, nx];
    const channels = full.channels.map((c): VolumeData => {
      const whole = channelView(volume, t, c);
      return full.mode === '2d' ? whole.slice(z * ny * nx, (z + 1) * ny * nx) : whole.slice();
    });
    const request: RunRequest = {
      owner: this.#owner,
      input: { channels, shape },
      parameters: full,
      ...(await this.#resolve(model, options)),
      backend,
      ...(server ? { server } : {}),
      assetBase: assetUrl('.').href,
    };
    this.#link ??= sharedLink();
    const result = await this.#link.call<SegmentationResult>('run', [request], {
      ...task,
      transfer: channels.map((samples) => samples.buffer as ArrayBuffer),
    });
    this.#channels = volume.shape[1];
    this.#last = full;
    return result;
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
    return this.#link.call<SegmentationResult>('rethreshold', [this.#owner, full], options);
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
