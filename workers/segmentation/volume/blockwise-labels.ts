import type { VoxelBox } from '../../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../../core/volume.ts';
import type { MaskKernels } from '../kernels/kernels.ts';
import type { MaskParameters } from '../masks/labels-from-flows.ts';
import { type Block, segmentBlocks } from './blocks.ts';
import { type FlowSmoothing, KeptFlows, lengthsOf } from './kept-flows.ts';
import type { SlabOptions } from './slab-dynamics.ts';
import { VolumeLabels } from './volume-labels.ts';

/** A box of flows as if it were all. */
class FlowsOfBox extends KeptFlows {
  readonly #all: KeptFlows;
  readonly #box: VoxelBox;

  constructor(all: KeptFlows, box: VoxelBox) {
    super(lengthsOf(box));
    this.#all = all;
    this.#box = box;
  }

  cut(component: number, box: VoxelBox): Float32Array {
    return this.#all.cut(component, this.#moved(box));
  }

  /** Smoothed with what lies outside the box as well. */
  override flows(box: VoxelBox, smoothing: FlowSmoothing): [Float32Array, Float32Array, Float32Array] {
    return this.#all.flows(this.#moved(box), smoothing);
  }

  #moved({ from, to }: VoxelBox): VoxelBox {
    const at = (place: Shape3) => place.map((p, axis) => p + this.#box.from[axis]) as unknown as Shape3;
    return { from: at(from), to: at(to) };
  }
}

const voxelsOf = (shape: Shape3): number => shape[0] * shape[1] * shape[2];

/**
 * Labels of kept flows made block by block, where those of the whole at once would not fit into memory. A cell that lies
 * in a block with its margin is what it is in the whole, for the flows are the same.
 */
export class BlockwiseLabels {
  readonly flows: KeptFlows;
  readonly #blocks: readonly Block[];
  readonly #kernels: MaskKernels;

  constructor(flows: KeptFlows, blocks: readonly Block[], kernels: MaskKernels) {
    this.flows = flows;
    this.#blocks = blocks;
    this.#kernels = kernels;
  }

  /** Uint32 [z, y, x], numbered 1…N in raster order; a new array at every call. */
  async labels(
    parameters: MaskParameters,
    smoothing: FlowSmoothing,
    options: SlabOptions = {},
  ): Promise<Uint32Array> {
    const { shape } = this.flows;
    const { onProgress: _, ...within } = options;
    const { labels } = await segmentBlocks(
      shape,
      this.#blocks,
      ({ box }) => {
        const own = new FlowsOfBox(this.flows, box);
        const share = voxelsOf(shape) / voxelsOf(own.shape);
        const maxSizeFraction = Math.min(1, parameters.maxSizeFraction * share);
        return new VolumeLabels(own, this.#kernels).labels(
          { ...parameters, maxSizeFraction },
          smoothing,
          within,
        );
      },
      options,
    );
    return labels;
  }
}
