import type { Layer } from '../../core/layer.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import type { Pick } from './events.ts';
import { layerShape, layerSpacing, type Vec3, voxelAt } from './plane.ts';

/**
 * What lies at a physical position of the scene, or undefined outside it.
 * @param world position with voxel i spanning [i, i + 1] · spacing
 */
export function pickAt(model: Scene, world: Vec3): Pick | undefined {
  const { shape, spacing } = model.dims;
  const voxel = voxelAt(world, spacing);
  if (voxel.some((index, axis) => index < 0 || index >= shape[axis])) return undefined;
  const values: Pick['values'] = [];
  let label: Pick['label'];
  for (const layer of model.current) {
    if (!layer.visible) continue;
    const value = sampleAt(layer, model, world);
    if (value === undefined) continue;
    values.push({ layerId: layer.id, value });
    if (layer.kind === 'labels' && typeof value === 'number' && value !== 0) {
      label = { layerId: layer.id, id: value };
    }
  }
  // Positions are told as microscopes do: the middle of voxel 0 is 0.
  const position: Vec3 = [world[0] - spacing[0] / 2, world[1] - spacing[1] / 2, world[2] - spacing[2] / 2];
  return label ? { voxel, world: position, values, label } : { voxel, world: position, values };
}

type Scene = globalThis.Pick<ViewerModel, 'dims' | 'current' | 'cursor'>;

function sampleAt(layer: Layer, model: Scene, world: Vec3): number | readonly number[] | undefined {
  const spacing = layerSpacing(layer, model.dims);
  const [z, y, x] = voxelAt(world, spacing);
  const [nz, ny, nx] = layerShape(layer);
  if (z < 0 || y < 0 || x < 0 || z >= nz || y >= ny || x >= nx) return undefined;
  if (layer.kind === 'labels') return layer.labels.at(z, y, x);
  const { data, shape, rgb } = layer.volume;
  const t = Math.min(model.cursor.t, shape[0] - 1);
  const c = rgb ? 0 : Math.min(layer.channel, shape[1] - 1);
  const place = [0, 1, 2].map((axis) => world[axis] / spacing[axis]) as unknown as Vec3;
  const fine = layer.detail?.sampleAt(t, c, place);
  if (fine !== undefined) return fine;
  const at = (channel: number) => data[(((t * shape[1] + channel) * nz + z) * ny + y) * nx + x];
  return rgb ? [at(0), at(1), at(2)] : at(c);
}
