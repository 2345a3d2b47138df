import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Progress } from '../../core/progress.ts';
import {
  type TrainedModel,
  TrainingClient,
  type TrainingImage,
  type UnfinishedTraining,
} from '../../workers/training/client.ts';

/** What a call of the worker is given. */
export interface RunTask {
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

/**
 * The trainings of an element: one at a time in a worker that lives as long as the element is in the page, and the one that
 * was interrupted before.
 */
export class TrainingRun implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #onProgress: (progress: Progress) => void;
  #client: TrainingClient | undefined;
  #running: AbortController | undefined;
  #estimating: AbortController | undefined;
  #disposal: ReturnType<typeof setTimeout> | undefined;
  #progress: Progress | undefined;
  #paused = false;
  #unfinished: UnfinishedTraining | undefined;
  #bytes: number | undefined;

  /** @param onProgress told of all progress */
  constructor(host: ReactiveControllerHost, onProgress: (progress: Progress) => void) {
    this.#host = host;
    this.#onProgress = onProgress;
    host.addController(this);
  }

  /** Its worker, started when first needed. */
  get client(): TrainingClient {
    this.#client ??= new TrainingClient();
    return this.#client;
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Of the training under way. */
  get progress(): Progress | undefined {
    return this.#progress;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** A training that can be gone on with. */
  get unfinished(): UnfinishedTraining | undefined {
    return this.#unfinished;
  }

  /** Bytes that the training of {@link estimate} would take, once that is known. */
  get bytes(): number | undefined {
    return this.#bytes;
  }

  hostConnected(): void {
    clearTimeout(this.#disposal);
    this.#look();
  }

  hostDisconnected(): void {
    // A moved element is connected again at once and goes on.
    this.#disposal = setTimeout(() => {
      this.cancel();
      this.#client?.dispose();
      this.#client = undefined;
    }, 0);
  }

  /** Makes a call of the worker the training under way; one that was under way is stopped. */
  async run(work: (client: TrainingClient, task: RunTask) => Promise<TrainedModel>): Promise<TrainedModel> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#unfinished = undefined;
    this.#paused = false;
    this.#show({ phase: 'waiting', value: 0, total: 1 });
    let ended = false;
    try {
      const outcome = await work(this.client, {
        signal: running.signal,
        onProgress: (progress) => {
          if (this.#running !== running) return;
          this.#show(progress);
          this.#onProgress(progress);
        },
      });
      ended = true;
      return outcome;
    } finally {
      if (this.#running === running) {
        this.#running = undefined;
        this.#show(undefined);
        if (!ended && this.#client) this.#look();
      }
    }
  }

  cancel(): void {
    this.#running?.abort();
  }

  /** Lets the training wait, or go on. */
  async togglePause(): Promise<void> {
    this.#paused = !this.#paused;
    this.#host.requestUpdate();
    await (this.#paused ? this.client.pause() : this.client.goOn());
  }

  /** Forgets the training that was interrupted. */
  async forget(): Promise<void> {
    this.#unfinished = undefined;
    this.#host.requestUpdate();
    await this.client.forget();
  }

  /** Asks the worker how much memory a training would take. */
  async estimate(
    images: readonly TrainingImage[],
    { epochs, model }: { epochs: number; model: string | undefined },
  ): Promise<void> {
    this.#estimating?.abort();
    this.#bytes = undefined;
    if (images.length === 0 || this.busy) return;
    const estimating = new AbortController();
    this.#estimating = estimating;
    const task = { signal: estimating.signal, ...(model ? { model } : {}) };
    const bytes = await this.client.estimateBytes(images, { epochs }, task);
    if (this.#estimating !== estimating) return;
    this.#bytes = bytes;
    this.#host.requestUpdate();
  }

  #show(progress: Progress | undefined): void {
    this.#progress = progress;
    this.#host.requestUpdate();
  }

  /** Looks for a training that was interrupted. */
  #look(): void {
    this.client.unfinished().then(
      (unfinished) => {
        if (this.busy) return;
        this.#unfinished = unfinished;
        this.#host.requestUpdate();
      },
      // Private windows may refuse their database: then nothing was kept.
      (error: unknown) => console.debug('cytopane:', error),
    );
  }
}
