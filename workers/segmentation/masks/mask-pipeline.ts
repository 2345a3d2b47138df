import type { TaskOptions } from '../../../core/progress.ts';
import { fillHolesAndRemoveSmall } from './fill-holes.ts';
import { flowErrors } from './flow-error.ts';
import { followFlows, foregroundIndices } from './follow-flows.ts';
import { checkMaskParameters, labelsFromEnds, type MaskParameters } from './labels-from-flows.ts';
import { keepLabels } from './renumber.ts';
import { endPixels } from './seeds.ts';
import type { GridShape } from './shape.ts';

/** A value kept together with the parameters it was computed from. */
class Kept<T> {
  #key: string | undefined;
  #value: T | undefined;

  get(key: readonly unknown[], compute: () => T): T {
    const wanted = JSON.stringify(key);
    if (this.#key !== wanted) {
      this.#value = compute();
      this.#key = wanted;
    }
    return this.#value as T;
  }
}

/**
 * From kept flows to labels, again and again with other parameters: only the stages that depend on what changed run
 * (dynamics: cellprob threshold, niter · seeds: maximum size · flow error: flow threshold · clean-up: minimum size).
 * Gives the labels of `labelsFromFlows`.
 */
export class MaskPipeline {
  readonly #dP: Float32Array;
  readonly #cellprob: Float32Array;
  readonly #shape: GridShape;
  readonly #ends = new Kept<{ index: Int32Array; ends: Int32Array }>();
  readonly #labels = new Kept<Uint32Array>();
  readonly #errors = new Kept<Float64Array>();

  /**
   * @param dP Float32 [ndim, ...shape], not copied
   * @param cellprob Float32 [...shape], not copied
   */
  constructor(dP: Float32Array, cellprob: Float32Array, shape: GridShape) {
    this.#dP = dP;
    this.#cellprob = cellprob;
    this.#shape = shape;
  }

  /** Pixels above a cellprob threshold. */
  foreground(threshold: number): number {
    return foregroundIndices(this.#cellprob, threshold).length;
  }

  /** Labels for these parameters; a new array at every call. */
  labels(parameters: MaskParameters, options: TaskOptions = {}): Uint32Array {
    checkMaskParameters(parameters);
    const { cellprobThreshold, niter, maxSizeFraction, flowThreshold, minSize } = parameters;
    const shape = this.#shape;
    const dynamics = [cellprobThreshold, niter];
    const { index, ends } = this.#ends.get(dynamics, () => {
      const followed = followFlows(this.#dP, this.#cellprob, shape, parameters, options);
      return { index: followed.index, ends: endPixels(followed, shape) };
    });
    const clustering = [...dynamics, maxSizeFraction];
    const labels = this.#labels
      .get(clustering, () => labelsFromEnds(index, ends, shape, maxSizeFraction))
      .slice();
    if (shape.length === 2 && flowThreshold > 0) {
      const errors = this.#errors.get(clustering, () => flowErrors(labels, this.#dP, shape));
      keepLabels(
        labels,
        Array.from(errors, (error) => !(error > flowThreshold)),
      );
    }
    return fillHolesAndRemoveSmall(labels, shape, minSize, parameters);
  }
}
