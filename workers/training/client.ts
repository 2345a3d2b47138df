import { assetUrl } from '../../core/assets.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { WorkerLink } from '../link.ts';
import { ModelLibrary } from '../models/client.ts';
import { DEFAULT_MODEL } from '../models/default-model.ts';
import type { ModelEntry } from '../models/model-entry.ts';
import type { TrainingRequest, UnfinishedTraining } from './checkpoint.ts';
import { modelId } from './model-id.ts';
import { completeSettings, type TrainingSettings } from './settings.ts';
import type { ComparedLabels, Comparison, ModelFiles, TrainedModel } from './training.worker.ts';
import { checkImages, type TrainingImage } from './training-set.ts';

export type { CurvePoint } from '../../core/progress.ts';
export { DEFAULT_SETTINGS, estimateSeconds, type TrainingSettings } from './settings.ts';
export { cellCount, LEAST_CELLS, partOf, type Region, type TrainingImage } from './training-set.ts';
export type { ComparedLabels, Comparison, TrainedModel, UnfinishedTraining };

export interface TrainingOptions extends TaskOptions {
  /** Id of the model to start from: one that ships with the package, or one added to this browser. */
  model?: string;
  /** Name of the new model, for people. */
  name: string;
}

/**
 * Trains models on corrected images in a worker. A page trains one model at a time.
 */
export class TrainingClient {
  readonly #link = new WorkerLink(
    'The training worker',
    () => new Worker(new URL('./training.worker.js', import.meta.url), { type: 'module' }),
  );
  readonly #library = new ModelLibrary();

  /**
   * Trains a model on images whose cells are all labelled (or on regions that are). Part of them is held back to judge
   * by; the best weights are kept, and those of the start if nothing better was found (`improved` is false then).
   *
   * Progress phases: `load-model`, `train` (steps; `training` has the learning curve). What was learned is kept in the
   * browser until the training ends, see {@link unfinished}. The new model is not stored before {@link accept}.
   *
   * @throws CytoError `bad-input` for images or settings that cannot be used, and why; `too-large` if they take too much
   * memory; `unsupported` for a model that cannot be trained here; `model`, `not-found`, `aborted`, `worker-crashed`
   */
  async train(
    images: readonly TrainingImage[],
    settings: Partial<TrainingSettings>,
    { name, model = DEFAULT_MODEL, ...task }: TrainingOptions,
  ): Promise<TrainedModel> {
    checkImages(images);
    const request: TrainingRequest = {
      id: modelId(name),
      name,
      images,
      settings: completeSettings(settings),
      ...(await this.#filesOf(model)),
    };
    return this.#link.call('train', [request], task);
  }

  /**
   * Bytes of memory that a training takes at most, beside the images as the page holds them. {@link train} refuses one
   * that takes more than half of the machine's memory.
   * @throws CytoError `unsupported`, `model`, `not-found`, `aborted`, `worker-crashed`
   */
  async estimateBytes(
    images: readonly TrainingImage[],
    settings: Partial<TrainingSettings>,
    { model = DEFAULT_MODEL, ...task }: TaskOptions & { model?: string } = {},
  ): Promise<number> {
    // Only sizes matter: no sample is copied to the worker.
    const sizes = images.map(({ channels, labels: _, ...rest }) => ({
      ...rest,
      labels: new Uint32Array(),
      channels: channels.map(() => new Uint8Array()),
    }));
    return this.#link.call('estimate', [await this.#filesOf(model), sizes, completeSettings(settings)], task);
  }

  /**
   * Segments an image with the model that was started from and with the new one.
   * @throws CytoError `model`, `not-found`, `aborted`, `worker-crashed`
   */
  async compare(
    image: TrainingImage,
    { files }: TrainedModel,
    { model = DEFAULT_MODEL, ...task }: TaskOptions & { model?: string } = {},
  ): Promise<Comparison> {
    return this.#link.call('compare', [await this.#filesOf(model), files, image], task);
  }

  /**
   * A trained Cellpose-SAM as a PyTorch checkpoint that Cellpose loads: every tensor of the original file under its key, as
   * float32, neck and readout replaced by what was trained.
   * @param original the checkpoint that the model was converted from
   * @throws CytoError `unsupported` for models that are no converted Cellpose-SAM and other files; `model` if the file is
   * of another network; `corrupt-file`, `aborted`, `worker-crashed`
   */
  checkpoint({ files }: TrainedModel, original: File, options: TaskOptions = {}): Promise<Blob> {
    return this.#link.call('checkpoint', [files, original], options);
  }

  /** The training that was interrupted in this browser by closing the page, a crash or a cancellation, if there is one. */
  unfinished(options: TaskOptions = {}): Promise<UnfinishedTraining | undefined> {
    return this.#link.call('unfinished', [], options);
  }

  /** Goes on with it from the last point of its curve. @throws CytoError `not-found` if there is none; as {@link train} */
  resume(options: TaskOptions = {}): Promise<TrainedModel> {
    return this.#link.call('resume', [], options);
  }

  /** Forgets the interrupted training. */
  forget(options: TaskOptions = {}): Promise<void> {
    return this.#link.call('forget', [], options);
  }

  /** Lets the training under way wait after its present step. */
  pause(): Promise<void> {
    return this.#link.call('pause', []);
  }

  /** Ends a pause. */
  goOn(): Promise<void> {
    return this.#link.call('goOn', []);
  }

  /** Adds a trained model to those of this browser. No other model is replaced. */
  accept({ files }: TrainedModel, options: TaskOptions = {}): Promise<ModelEntry> {
    const list = [...files].map(([file, blob]) => new File([blob], file));
    return this.#library.add(list, options);
  }

  async #filesOf(model: string): Promise<ModelFiles> {
    const builtIn = (await this.#library.list()).some(
      ({ id, state }) => id === model && state === 'built-in',
    );
    return {
      model: builtIn ? model : await this.#library.files(model),
      checked: !builtIn,
      assetBase: assetUrl('.').href,
    };
  }

  dispose(): void {
    this.#link.dispose();
    this.#library.dispose();
  }
}
