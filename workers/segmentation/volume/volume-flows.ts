import type { VoxelBox } from '../../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../../core/volume.ts';
import type { FlowComponents } from '../preprocess/three-views.ts';
import { type FlowPrecision, flowArray } from './flow-array.ts';
import { cutBox, KeptFlows } from './kept-flows.ts';

/** Flows and cellprob of a volume in memory. */
export class VolumeFlows extends KeptFlows {
  readonly components: FlowComponents;

  constructor(shape: Shape3, precision: FlowPrecision) {
    super(shape);
    const length = shape[0] * shape[1] * shape[2];
    this.components = [0, 1, 2, 3].map(() => flowArray(length, precision)) as unknown as FlowComponents;
  }

  cut(component: number, box: VoxelBox): Float32Array {
    return cutBox(this.components[component], this.shape, box);
  }
}
