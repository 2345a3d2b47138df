import { throwIfAborted } from '../../../core/errors.ts';
import { voxelsOf } from '../../../core/voxel-box.ts';
import type { FollowedEnds, MaskKernels } from '../kernels/kernels.ts';
import { EndCounts } from '../masks/end-clusters.ts';
import { fillHolesAndRemoveSmall } from '../masks/fill-holes.ts';
import {
  checkMaskParameters,
  labelEndImage,
  labelsFromEnds,
  type MaskParameters,
} from '../masks/labels-from-flows.ts';
import { zeros } from '../masks/shape.ts';
import { type BoxOptions, endsInOrder, followInBoxes } from './box-dynamics.ts';
import type { EndFile } from './end-file.ts';
import type { FlowSmoothing, KeptFlows } from './kept-flows.ts';

/**
 * Labels of a volume's kept flows, again and again with other parameters. Where the foreground points ended is kept
 * between calls, so that sizes and holes can be changed without following flows anew: in memory, 8 bytes a point, or in
 * a file. Then nothing of the size of the volume is in memory but the labels, 4 bytes a voxel.
 *
 * Labels are those of `labelsFromFlows` on the whole, to the last voxel: points are followed box by box, each in a box
 * that its way does not leave; seeds are found among the ends of all boxes together.
 */
export class VolumeLabels {
  readonly flows: KeptFlows;
  readonly #kernels: MaskKernels;
  readonly #file: EndFile | undefined;
  /** Parameters that the ends were made with. */
  #key: string | undefined;
  #ends: FollowedEnds | undefined;

  /** @param file keeps the ends; absent: memory does */
  constructor(flows: KeptFlows, kernels: MaskKernels, file?: EndFile) {
    this.flows = flows;
    this.#kernels = kernels;
    this.#file = file;
  }

  /** Uint32 [z, y, x], numbered 1…N in raster order; a new array at every call. One call at a time. */
  async labels(
    parameters: MaskParameters,
    smoothing: FlowSmoothing,
    options: BoxOptions = {},
  ): Promise<Uint32Array> {
    checkMaskParameters(parameters);
    const { cellprobThreshold, niter } = parameters;
    const key = JSON.stringify([cellprobThreshold, niter, smoothing]);
    const labels = this.#file
      ? await this.#inPlace(this.#file, key, parameters, smoothing, options)
      : await this.#ofPoints(key, parameters, smoothing, options);
    await options.pause?.();
    throwIfAborted(options.signal);
    return fillHolesAndRemoveSmall(labels, this.flows.shape, parameters.minSize, parameters);
  }

  /** Labels of ends that are kept in memory. */
  async #ofPoints(
    key: string,
    parameters: MaskParameters,
    smoothing: FlowSmoothing,
    options: BoxOptions,
  ): Promise<Uint32Array> {
    if (!this.#ends || this.#key !== key) {
      this.#ends = undefined;
      this.#ends = await endsInOrder(this.flows, smoothing, parameters, this.#kernels, options);
      this.#key = key;
    }
    await options.pause?.();
    throwIfAborted(options.signal);
    const { index, ends } = this.#ends;
    return labelsFromEnds(index, ends, this.flows.shape, parameters.maxSizeFraction, parameters.seedCount);
  }

  /** Labels of ends that are kept in a file: they become labels where they stand. */
  async #inPlace(
    file: EndFile,
    key: string,
    parameters: MaskParameters,
    smoothing: FlowSmoothing,
    options: BoxOptions,
  ): Promise<Uint32Array> {
    const { shape } = this.flows;
    const voxels = voxelsOf(shape);
    const table = new EndCounts();
    let image: Uint32Array;
    if (this.#key === key) {
      image = file.read(voxels);
      table.addImage(image);
    } else {
      this.#key = undefined;
      image = zeros(Uint32Array, voxels);
      const take = (index: Int32Array, ends: Int32Array) => {
        for (let k = 0; k < index.length; k++) image[index[k]] = ends[k] + 1;
        table.add(ends);
      };
      await followInBoxes(this.flows, smoothing, parameters, this.#kernels, take, options);
      file.write(image);
      this.#key = key;
    }
    await options.pause?.();
    throwIfAborted(options.signal);
    labelEndImage(image, table, shape, parameters.maxSizeFraction, parameters.seedCount);
    return image;
  }
}
