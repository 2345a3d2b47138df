import type { BackendReport } from './segmentation-parameters.ts';

/** Where a long task stands. `value` counts from 0 to `total` in the task's own units (tiles, planes, bytes). */
export interface Progress {
  /** Stage in the user's terms: `read`, `load-model`, `network`, `masks`, `stitch`, … */
  phase: string;
  value: number;
  total: number;
  /** Estimated seconds until the whole task ends, or undefined while too little is known. */
  secondsLeft?: number;
  /** The rung of the backend ladder, when it was chosen or has changed. */
  backend?: BackendReport;
  /** While a model is trained. */
  training?: TrainingReport;
}

/** A point of the learning curve. */
export interface CurvePoint {
  step: number;
  /** Mean loss since the last point; NaN before the first step. */
  loss: number;
  /** Average precision at IoU 0.5 on what was held back, where it was taken. */
  ap50?: number;
}

/** How a training goes. */
export interface TrainingReport {
  /** Of the last step. */
  loss: number;
  curve: CurvePoint[];
  /**
   * Set where a training that was to go on has begun anew: it was begun with another version of the model, or of what
   * trains it.
   */
  anew?: boolean;
}

/** Options that every asynchronous method of the library takes. */
export interface TaskOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/**
 * Estimates the time left of a task whose steps cost about the same.
 * The first step is left out of the rate (it pays for warm-up) as soon as a second one is known.
 */
export class TimeLeft {
  readonly #total: number;
  readonly #now: () => number;
  #firstDone: number | undefined;
  #started: number;

  /** @param total number of steps; @param now clock in milliseconds */
  constructor(total: number, now: () => number = () => performance.now()) {
    this.#total = total;
    this.#now = now;
    this.#started = now();
  }

  /** Seconds left after `done` of the steps, or undefined if `done` is 0. */
  after(done: number): number | undefined {
    if (done <= 0) return undefined;
    const now = this.#now();
    if (this.#firstDone === undefined) {
      this.#firstDone = now;
      return (((now - this.#started) / done) * (this.#total - done)) / 1000;
    }
    const steps = Math.max(1, done - 1);
    return (((now - this.#firstDone) / steps) * (this.#total - done)) / 1000;
  }
}
