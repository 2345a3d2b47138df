import type { Shape3 } from '../../../core/volume.ts';
import { type VoxelBox, voxelsOf } from '../../../core/voxel-box.ts';
import type { FlowComponents } from '../preprocess/three-views.ts';
import { type FlowPrecision, flowArray } from './flow-array.ts';
import { cutBox, KeptFlows } from './kept-flows.ts';

/** Flows and cellprob of a volume in memory. */
export class VolumeFlows extends KeptFlows {
  readonly components: FlowComponents;

  constructor(shape: Shape3, precision: FlowPrecision) {
    super(shape);
    const length = voxelsOf(shape);
    const component = () => flowArray(length, precision);
    this.components = [component(), component(), component(), component()];
  }

  cut(component: number, box: VoxelBox): Float32Array {
    return cutBox(this.components[component], this.shape, box);
  }
}
