import type { Voxel } from '../../../core/edit/brush.ts';
import type { PlanePoint } from '../../../core/edit/polygon.ts';
import type { LabelsLayer } from '../../../core/layer.ts';
import type { Dims } from '../../../core/viewer-model.ts';
import type { Spacing } from '../../../core/volume.ts';
import { layerSpacing, PLANE_AXES, type Plane, type Vec3 } from '../plane.ts';

/** A point of a pane in terms of a label layer. */
export interface Place {
  plane: Plane;
  spacing: Spacing;
  /** The voxel; may lie outside the layer. */
  voxel: Voxel;
  /** The point within the plane, in voxels; the middle of voxel i is i. */
  point: PlanePoint;
}

export function placeOf(world: Vec3, plane: Plane, layer: LabelsLayer, dims: Readonly<Dims>): Place {
  const spacing = layerSpacing(layer, dims);
  const exact = world.map((position, axis) => position / spacing[axis]);
  const { right, down } = PLANE_AXES[plane];
  return {
    plane,
    spacing,
    voxel: [Math.floor(exact[0]), Math.floor(exact[1]), Math.floor(exact[2])],
    point: [exact[right] - 0.5, exact[down] - 0.5],
  };
}
