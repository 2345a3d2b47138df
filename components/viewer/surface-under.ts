import { castRay } from '../../core/label-ray.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import { inverse, type OrbitCamera, rotate } from './orbit-camera.ts';
import { layerSpacing, sceneExtent, type Vec3, voxelMiddle } from './plane.ts';
import type { PaneSize } from './plane-camera.ts';

/**
 * The physical middle of the label voxel that is seen at a point of a 3D pane, or undefined where there is none.
 * @param point CSS pixels of the pane
 */
export function surfaceUnder(
  { dims, view, labels }: ViewerModel,
  { rotation, scale, offset }: OrbitCamera,
  size: PaneSize,
  [px, py]: readonly [x: number, y: number],
): Vec3 | undefined {
  const back = inverse(rotation);
  const [ez, ey, ex] = sceneExtent(dims);
  const far = 2 * Math.hypot(ex, ey, ez);
  const start = rotate(back, [
    (px - size.width / 2 - offset[0]) / scale,
    (py - size.height / 2 - offset[1]) / scale,
    -far,
  ]);
  const along = rotate(back, [0, 0, 1]);
  for (const layer of labels.toReversed()) {
    if (!layer.visible || layer.opacity === 0) continue;
    const spacing = layerSpacing(layer, dims);
    const inVoxels = (v: readonly number[]): Vec3 => [
      v[0] / spacing[0],
      v[1] / spacing[1],
      v[2] / spacing[2],
    ];
    const only = layer.onlySelected && layer.selected > 0;
    const chosen = new Set([layer.selected, ...layer.alsoSelected]);
    const scaled = (k: number) => Math.round((view.crop?.[k] ?? 0) * (dims.spacing[k % 3] / spacing[k % 3]));
    const hit = castRay(
      layer.labels.data,
      layer.labels.shape,
      {
        origin: inVoxels([start[2] + ez / 2, start[1] + ey / 2, start[0] + ex / 2]),
        direction: inVoxels([along[2], along[1], along[0]]),
      },
      {
        box: view.crop && [scaled(0), scaled(1), scaled(2), scaled(3), scaled(4), scaled(5)],
        shown: (id) => !only || chosen.has(id),
      },
    );
    if (hit) return voxelMiddle(hit.voxel, spacing);
  }
  return undefined;
}
