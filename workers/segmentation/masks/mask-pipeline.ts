import type { TaskOptions } from '../../../core/progress.ts';
import { giveBack } from '../give-back.ts';
import { type MaskKernels, plainKernels } from '../kernels/kernels.ts';
import { fillHolesAndRemoveSmall } from './fill-holes.ts';
import { controlFlows, type KnownErrors } from './flow-control.ts';
import { foregroundIndices } from './follow-flows.ts';
import { checkMaskParameters, labelsFromEnds, type MaskParameters } from './labels-from-flows.ts';
import { keepLabels } from './renumber.ts';
import { copyOf, type GridShape } from './shape.ts';

/** A value kept together with the parameters it was computed from. */
class Kept<T> {
  #key: string | undefined;
  #value: T | undefined;

  async get(key: readonly unknown[], compute: () => T | Promise<T>): Promise<T> {
    const wanted = JSON.stringify(key);
    if (this.#key !== wanted) {
      this.#key = undefined;
      this.#value = await compute();
      this.#key = wanted;
    }
    return this.#value as T;
  }

  /** What is kept, which is not kept any more. */
  take(): T | undefined {
    const value = this.#value;
    this.#key = undefined;
    this.#value = undefined;
    return value;
  }
}

/** A stage of flows → labels: dynamics, seeds and growth, heat and flow error, holes and small labels. */
export type MaskStage = 'follow' | 'seeds' | 'flow-error' | 'clean';

export interface MaskPipelineOptions extends TaskOptions {
  /** Told of every stage that runs, before it does. */
  onStage?: (stage: MaskStage) => void;
}

/**
 * From kept flows to labels, again and again with other parameters: only the stages that depend on what changed run
 * (dynamics: cellprob threshold, niter · seeds: maximum size, points of a seed · flow error: flow threshold · clean-up: minimum size).
 * Gives the labels of `labelsFromFlows`.
 */
export class MaskPipeline {
  readonly #dP: Float32Array;
  readonly #cellprob: Float32Array;
  readonly #shape: GridShape;
  readonly #kernels: MaskKernels;
  readonly #ends = new Kept<{ index: Int32Array; ends: Int32Array }>();
  readonly #labels = new Kept<Uint32Array>();
  readonly #errors = new Kept<KnownErrors>();

  /**
   * @param dP Float32 [ndim, ...shape], not copied
   * @param cellprob Float32 [...shape], not copied
   * @param kernels implementation of the expensive stages
   */
  constructor(
    dP: Float32Array,
    cellprob: Float32Array,
    shape: GridShape,
    kernels: MaskKernels = plainKernels,
  ) {
    this.#kernels = kernels;
    this.#dP = dP;
    this.#cellprob = cellprob;
    this.#shape = shape;
  }

  /** Pixels above a cellprob threshold. */
  foreground(threshold: number): number {
    return foregroundIndices(this.#cellprob, threshold).length;
  }

  /**
   * Labels for these parameters, Uint32 [...shape], 1…N; a new array at every call. One call at a time.
   * @throws CytoError as `labelsFromFlows`
   */
  async labels(parameters: MaskParameters, options: MaskPipelineOptions = {}): Promise<Uint32Array> {
    checkMaskParameters(parameters);
    const {
      cellprobThreshold,
      niter,
      maxSizeFraction,
      seedCount,
      flowThreshold,
      minSize,
      separate = false,
    } = parameters;
    const shape = this.#shape;
    const kernels = this.#kernels;
    const dynamics = [cellprobThreshold, niter];
    const { index, ends } = await this.#ends.get(dynamics, () => {
      options.onStage?.('follow');
      return kernels.follow(this.#dP, this.#cellprob, shape, parameters, options);
    });
    const clustering = [...dynamics, maxSizeFraction, seedCount];
    const clustered = await this.#labels.get(clustering, () => {
      options.onStage?.('seeds');
      return labelsFromEnds(index, ends, shape, maxSizeFraction, seedCount);
    });
    const labels = copyOf(clustered);
    if (shape.length === 2 && flowThreshold > 0) {
      const known = await this.#errors.get([...clustering, separate], () => {
        options.onStage?.('flow-error');
        return controlFlows(labels, this.#dP, shape, flowThreshold, kernels, { ...options, separate });
      });
      // Another threshold than that of the call before may need labels more exactly.
      const control = { ...options, separate, known };
      const errors = await controlFlows(labels, this.#dP, shape, flowThreshold, kernels, control);
      keepLabels(labels, errors.keeps(flowThreshold));
    }
    options.onStage?.('clean');
    return fillHolesAndRemoveSmall(labels, shape, minSize, parameters);
  }
  /** Gives the memory of what is kept back at once; the flows and labels that were handed out stay. */
  dispose(): void {
    const followed = this.#ends.take();
    const labels = this.#labels.take();
    this.#errors.take();
    if (followed) giveBack(followed.index, followed.ends);
    if (labels) giveBack(labels);
  }
}
