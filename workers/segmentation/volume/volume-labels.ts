import { throwIfAborted } from '../../../core/errors.ts';
import type { MaskKernels } from '../kernels/kernels.ts';
import { fillHolesAndRemoveSmall } from '../masks/fill-holes.ts';
import { checkMaskParameters, labelsFromEnds, type MaskParameters } from '../masks/labels-from-flows.ts';
import type { FlowSmoothing, KeptFlows } from './kept-flows.ts';
import { followInSlabs, type SlabOptions } from './slab-dynamics.ts';

/**
 * Labels of a volume's kept flows, again and again with other parameters. Kept between calls is only where the
 * foreground points ended, 8 bytes each, so that sizes and holes can be changed without following flows anew.
 */
export class VolumeLabels {
  readonly flows: KeptFlows;
  readonly #kernels: MaskKernels;
  #ends: { key: string; index: Int32Array; ends: Int32Array } | undefined;

  constructor(flows: KeptFlows, kernels: MaskKernels) {
    this.flows = flows;
    this.#kernels = kernels;
  }

  /** Uint32 [z, y, x], numbered 1…N in raster order; a new array at every call. One call at a time. */
  async labels(
    parameters: MaskParameters,
    smoothing: FlowSmoothing,
    options: SlabOptions = {},
  ): Promise<Uint32Array> {
    checkMaskParameters(parameters);
    const { cellprobThreshold, niter } = parameters;
    const key = JSON.stringify([cellprobThreshold, niter, smoothing]);
    if (this.#ends?.key !== key) {
      this.#ends = undefined;
      const followed = await followInSlabs(this.flows, smoothing, parameters, this.#kernels, options);
      this.#ends = { key, index: followed.index, ends: followed.ends };
    }
    await options.pause?.();
    throwIfAborted(options.signal);
    const { index, ends } = this.#ends;
    const labels = labelsFromEnds(
      index,
      ends,
      this.flows.shape,
      parameters.maxSizeFraction,
      parameters.seedCount,
    );
    await options.pause?.();
    throwIfAborted(options.signal);
    return fillHolesAndRemoveSmall(labels, this.flows.shape, parameters.minSize, parameters);
  }
}
