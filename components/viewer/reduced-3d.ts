import { fittingFactors, VOLUME_LIMITS } from '../../core/display-volume.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import { layerShape, layerSpacing } from './plane.ts';

/**
 * How many voxels of the image, along x, y, z, one voxel of the 3D picture stands for, where graphics memory is too
 * small for all of them; undefined where the picture shows every voxel.
 */
export function reducedIn3D(
  model: Pick<ViewerModel, 'dims' | 'layers'>,
): [x: number, y: number, z: number] | undefined {
  const most: [number, number, number] = [1, 1, 1];
  for (const layer of model.layers) {
    if (!layer.visible || layer.opacity === 0) continue;
    const spacing = layerSpacing(layer, model.dims);
    const voxels = layer.kind === 'image' ? VOLUME_LIMITS.imageVoxels : VOLUME_LIMITS.labelVoxels;
    const factors = fittingFactors(layerShape(layer), spacing, voxels, VOLUME_LIMITS.side);
    // Planes show finer voxels than those in memory.
    const finest = layer.kind === 'image' ? layer.detail?.voxel(0) : undefined;
    for (const axis of [0, 1, 2]) {
      most[2 - axis] = Math.max(most[2 - axis], Math.round(factors[axis] / (finest?.[axis] ?? 1)));
    }
  }
  return most.some((factor) => factor > 1) ? most : undefined;
}
