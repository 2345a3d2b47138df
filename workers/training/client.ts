import { assetUrl } from '../../core/assets.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { WorkerLink } from '../link.ts';
import { ModelLibrary } from '../models/client.ts';
import { DEFAULT_MODEL } from '../models/default-model.ts';
import type { ModelEntry } from '../models/model-entry.ts';
import type { TrainingRequest, UnfinishedTraining } from './checkpoint.ts';
import { modelId } from './model-id.ts';
import { completeSettings, type TrainingSettings } from './settings.ts';
import type { TrainedModel } from './training.worker.ts';
import { checkImages, type TrainingImage } from './training-set.ts';

export type { CurvePoint } from '../../core/progress.ts';
export { DEFAULT_SETTINGS, estimateSeconds, type TrainingSettings } from './settings.ts';
export { cellCount, LEAST_CELLS, type Region, type TrainingImage } from './training-set.ts';
export type { TrainedModel, UnfinishedTraining };

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
   * @throws CytoError `bad-input` for images or settings that cannot be used, and why; `unsupported` for a model that
   * cannot be trained here; `model`, `not-found`, `aborted`, `worker-crashed`
   */
  async train(
    images: readonly TrainingImage[],
    settings: Partial<TrainingSettings>,
    { name, model = DEFAULT_MODEL, ...task }: TrainingOptions,
  ): Promise<TrainedModel> {
    checkImages(images);
    const builtIn = (await this.#library.list()).some(
      ({ id, state }) => id === model && state === 'built-in',
    );
    const request: TrainingRequest = {
      id: modelId(name),
      name,
      images,
      settings: completeSettings(settings),
      model: builtIn ? model : await this.#library.files(model),
      checked: !builtIn,
      assetBase: assetUrl('.').href,
    };
    return this.#link.call('train', [request], task);
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

  dispose(): void {
    this.#link.dispose();
    this.#library.dispose();
  }
}
