import * as Comlink from 'comlink';
import { CytoError, fromWire } from '../core/errors.ts';
import type { TaskOptions } from '../core/progress.ts';
import type { WorkerEndpoint } from './serve.ts';

/** How long a cancelled worker may stay busy before it is replaced. */
const CANCEL_GRACE_MS = 4000;

interface Running {
  worker: Worker;
  remote: Comlink.Remote<WorkerEndpoint>;
  pending: Map<number, (error: CytoError) => void>;
}

export interface CallOptions extends TaskOptions {
  /** Buffers to move to the worker instead of copying them. */
  transfer?: Transferable[];
}

/**
 * The page's side of a worker: starts it when first needed, turns a crash into rejections and starts a fresh one
 * afterwards, rejects at once when a signal fires and replaces a worker that does not stop.
 */
export class WorkerLink {
  readonly #start: () => Worker;
  readonly #name: string;
  #running: Running | undefined;
  #nextId = 1;

  /** @param name what the worker does, for messages: "The reading worker" */
  constructor(name: string, start: () => Worker) {
    this.#name = name;
    this.#start = start;
  }

  /**
   * Calls a method of the worker.
   * @throws CytoError of the worker's own kind; `aborted`; `worker-crashed`
   */
  async call<T>(method: string, args: unknown[], options: CallOptions = {}): Promise<T> {
    const { signal, onProgress, transfer } = options;
    const aborted = () => new CytoError('aborted', 'The operation was cancelled.', { cause: signal?.reason });
    if (signal?.aborted) throw aborted();
    this.#running ??= this.#launch();
    const running = this.#running;
    const id = this.#nextId++;
    const release = new AbortController();
    try {
      return await new Promise<T>((resolve, reject) => {
        running.pending.set(id, reject);
        const progress =
          onProgress &&
          Comlink.proxy((state: Parameters<typeof onProgress>[0]) => {
            if (running.pending.has(id)) onProgress(state);
          });
        const answer = running.remote.invoke(
          id,
          method,
          transfer ? Comlink.transfer(args, transfer) : args,
          progress,
        );
        let answered = false;
        answer.then(
          (result) => {
            answered = true;
            if (result.ok) resolve(result.value as T);
            else reject(fromWire(result.error));
          },
          (cause: unknown) => {
            answered = true;
            reject(new CytoError('worker-crashed', `${this.#name} could not answer.`, { cause }));
          },
        );
        signal?.addEventListener(
          'abort',
          () => {
            running.remote.cancel(id);
            reject(aborted());
            setTimeout(() => {
              if (!answered && this.#running === running && running.pending.size === 0) this.#stop(running);
            }, CANCEL_GRACE_MS);
          },
          { signal: release.signal },
        );
      });
    } finally {
      running.pending.delete(id);
      release.abort();
    }
  }

  /** Stops the worker; calls under way are rejected as `aborted`. */
  dispose(): void {
    const running = this.#running;
    if (!running) return;
    for (const reject of running.pending.values()) {
      reject(new CytoError('aborted', `${this.#name} was closed.`));
    }
    this.#stop(running);
  }

  #stop(running: Running): void {
    running.worker.terminate();
    running.remote[Comlink.releaseProxy]();
    if (this.#running === running) this.#running = undefined;
  }

  #launch(): Running {
    const worker = this.#start();
    const running: Running = { worker, remote: Comlink.wrap<WorkerEndpoint>(worker), pending: new Map() };
    const crash = (cause: Event) => {
      // The callers under way are told; the page's own error handlers hear of it only if there are none.
      if (running.pending.size > 0) cause.preventDefault();
      const detail = cause instanceof ErrorEvent && cause.message ? ` (${cause.message})` : '';
      const pending = [...running.pending.values()];
      this.#stop(running);
      for (const reject of pending) {
        reject(
          new CytoError(
            'worker-crashed',
            `${this.#name} stopped unexpectedly${detail}. A new one is started for the next call; try again, if memory is short with a smaller region.`,
            { cause },
          ),
        );
      }
    };
    worker.addEventListener('error', crash);
    worker.addEventListener('messageerror', crash);
    return running;
  }
}
