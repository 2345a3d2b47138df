import { createStore, del, get, set, type UseStore } from 'idb-keyval';
import type { ModelCard } from '../segmentation/network/model-card.ts';
import type { NewModelName } from './new-model.ts';
import type { TrainingSettings } from './settings.ts';
import type { TrainingState } from './train.ts';
import type { TrainingImage } from './training-set.ts';

/** What is needed to begin a training. */
export interface TrainingRequest extends NewModelName {
  images: readonly TrainingImage[];
  settings: TrainingSettings;
  /** Id of a built-in model, or the files of another one by name. */
  model: string | ReadonlyMap<string, Blob>;
  /** Whether hashes of those files were checked when they were stored. */
  checked: boolean;
  assetBase: string;
}

/** A training that was begun in this browser and has not ended. */
export interface UnfinishedTraining {
  name: string;
  images: number;
  step: number;
  /** Milliseconds since 1970. */
  kept: number;
}

interface KeptState {
  state: TrainingState;
  kept: number;
  /** The model that was started from. */
  weights: ModelCard['weights']['sha256'];
}

/**
 * Keeps one training in the browser's database, written in one transaction each: a page that is closed in the middle
 * loses what was learned since the last point of the curve.
 */
export class Checkpoint {
  #store: UseStore | undefined;

  async begin(request: TrainingRequest): Promise<void> {
    await del('state', this.#open());
    await set('request', request, this.#open());
  }

  async keep(state: TrainingState, weights: string): Promise<void> {
    const kept: KeptState = { state, kept: Date.now(), weights };
    await set('state', kept, this.#open());
  }

  async unfinished(): Promise<UnfinishedTraining | undefined> {
    const [request, kept] = await Promise.all([
      get<TrainingRequest>('request', this.#open()),
      get<KeptState>('state', this.#open()),
    ]);
    if (!request || !kept) return undefined;
    return {
      name: request.name,
      images: request.images.length,
      step: kept.state.optimiser.step,
      kept: kept.kept,
    };
  }

  request(): Promise<TrainingRequest | undefined> {
    return get<TrainingRequest>('request', this.#open());
  }

  /** The state, if it belongs to a model of these weights. */
  async state(weights: string): Promise<TrainingState | undefined> {
    const kept = await get<KeptState>('state', this.#open());
    return kept?.weights === weights ? kept.state : undefined;
  }

  async end(): Promise<void> {
    await del('request', this.#open());
    await del('state', this.#open());
  }

  #open(): UseStore {
    this.#store ??= createStore('cytopane-training', 'training');
    return this.#store;
  }
}
