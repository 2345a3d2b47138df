import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Progress } from '../../core/progress.ts';
import type { BackendReport } from '../../core/segmentation-parameters.ts';
import { RunClient } from './run-client.ts';

/** Waits for the thumb to rest before thresholds are applied. */
const RETHRESHOLD_DELAY_MS = 120;

/** What the work of a run is given. */
export interface RunTask {
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

/**
 * The runs of an element: one at a time, in workers that live as long as the element is in the page and keep the flows of
 * the last run.
 */
export class SegmentationRun implements ReactiveController {
  readonly client = new RunClient();
  readonly #host: ReactiveControllerHost;
  readonly #states: CustomStateSet;
  readonly #onBackend: (backend: BackendReport) => void;
  #running: AbortController | undefined;
  #rethreshold: AbortController | undefined;
  #progress: Progress | undefined;
  /** The backend that was told last. */
  #told: string | undefined;
  #disposal: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param states get `busy` during a run
   * @param onBackend told where the network runs, when that is news
   */
  constructor(
    host: ReactiveControllerHost,
    states: CustomStateSet,
    onBackend: (backend: BackendReport) => void,
  ) {
    this.#host = host;
    this.#states = states;
    this.#onBackend = onBackend;
    host.addController(this);
  }

  /** Whether a run is under way. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Of the run under way. */
  get progress(): Progress | undefined {
    return this.#progress;
  }

  hostConnected(): void {
    clearTimeout(this.#disposal);
  }

  hostDisconnected(): void {
    // A moved element is connected again at once and keeps its flows.
    this.#disposal = setTimeout(() => {
      this.cancel();
      this.#rethreshold?.abort();
      this.client.dispose();
    }, 0);
  }

  /**
   * Makes `work` the run under way; one that was under way is stopped.
   * @param onProgress told of the progress of the run
   * @throws what `work` throws
   */
  async start<Outcome>(
    work: (task: RunTask) => Promise<Outcome>,
    onProgress?: (progress: Progress) => void,
  ): Promise<Outcome> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#states.add('busy');
    this.#show({ phase: 'waiting', value: 0, total: 1 });
    try {
      return await work({
        signal: running.signal,
        onProgress: (progress) => {
          if (this.#running !== running) return;
          if (progress.backend) this.#tell(progress.backend);
          this.#show(progress);
          onProgress?.(progress);
        },
      });
    } finally {
      if (this.#running === running) {
        this.#running = undefined;
        this.#states.delete('busy');
        this.#show(undefined);
      }
    }
  }

  cancel(): void {
    this.#running?.abort();
  }

  /**
   * Has `work` make labels of the kept flows again, when thresholds have come to rest; the latest call wins.
   * @throws what `work` throws
   */
  async rethreshold(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (!this.client.kept || this.busy) return;
    this.#rethreshold?.abort();
    const own = new AbortController();
    this.#rethreshold = own;
    await new Promise((resolve) => setTimeout(resolve, RETHRESHOLD_DELAY_MS));
    if (!own.signal.aborted) await work(own.signal);
  }

  /** Stops {@link rethreshold}: for a run, which takes the thresholds as they are now. */
  dropThresholds(): void {
    this.#rethreshold?.abort();
  }

  #show(progress: Progress | undefined): void {
    this.#progress = progress;
    this.#host.requestUpdate();
  }

  #tell(backend: BackendReport): void {
    const news = JSON.stringify(backend);
    if (news === this.#told) return;
    this.#told = news;
    this.#onBackend(backend);
  }
}
