import type { MeasurementInput, Measurements } from '../../core/measure/measurements.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { WorkerLink } from '../link.ts';

/** Measures labels in a worker, so that the page stays fluid. */
export class MeasureClient {
  readonly #link = new WorkerLink(
    'The measuring worker',
    () => new Worker(new URL('./measure.worker.js', import.meta.url), { type: 'module' }),
  );

  /**
   * Measures copies of the labels and channels.
   * @throws CytoError `too-large`, `worker-crashed`, `aborted`
   */
  measure(input: MeasurementInput, options: TaskOptions = {}): Promise<Measurements> {
    const labels = input.labels.slice();
    const channels = (input.channels ?? []).map(({ name, samples }) => ({ name, samples: samples.slice() }));
    return this.#link.call<Measurements>('measure', [{ ...input, labels, channels }], {
      ...options,
      transfer: [labels.buffer, ...channels.map(({ samples }) => samples.buffer as ArrayBuffer)],
    });
  }

  /** Stops the worker; a measurement under way is rejected as `aborted`. */
  dispose(): void {
    this.#link.dispose();
  }
}
