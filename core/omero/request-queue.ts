import { throwIfAborted } from '../errors.ts';

/** Lets a few tasks run at a time, the others in the order they came: small servers answer few requests at once. */
export class RequestQueue {
  readonly #limit: number;
  readonly #waiting: Array<() => void> = [];
  #running = 0;

  /** @param limit tasks at a time */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws CytoError `aborted` when the signal fired before the task began */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#running >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      throwIfAborted(signal);
      return await task();
    } finally {
      // The place goes to the next in line without becoming free in between.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
