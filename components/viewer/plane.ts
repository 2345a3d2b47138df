import type { Layer } from '../../core/layer.ts';
import type { Cursor, Dims } from '../../core/viewer-model.ts';
import type { Shape3, Spacing } from '../../core/volume.ts';

/** A pair of axes as drawn: the first runs to the right, the second downwards. */
export type Plane = 'xy' | 'xz' | 'yz';
export type PaneKind = Plane | '3d';

/** Index into [z, y, x]. */
export type Axis = 0 | 1 | 2;
export const AXIS_NAMES = ['z', 'y', 'x'] as const;

/** Physical position or length along [z, y, x]; voxel i spans [i, i + 1] · spacing. */
export type Vec3 = readonly [z: number, y: number, x: number];

/**
 * Which axis of [z, y, x] a plane draws to the right, downwards and across. `yz` draws z to the right, so that it
 * lines up with the xy plane at its left, as in Fiji's orthogonal views.
 */
export const PLANE_AXES: Record<Plane, { right: Axis; down: Axis; across: Axis }> = {
  xy: { right: 2, down: 1, across: 0 },
  xz: { right: 2, down: 0, across: 1 },
  yz: { right: 0, down: 1, across: 2 },
};

/** Physical size of the scene along [z, y, x]. */
export function sceneExtent({ shape, spacing }: Pick<Dims, 'shape' | 'spacing'>): Vec3 {
  return [shape[0] * spacing[0], shape[1] * spacing[1], shape[2] * spacing[2]];
}

/** Voxels along z, y, x of a layer. */
export function layerShape(layer: Layer): Shape3 {
  if (layer.kind === 'labels') return layer.labels.shape;
  const [, , z, y, x] = layer.volume.shape;
  return [z, y, x];
}

/**
 * Spacing with which a layer is drawn. A layer of the scene's size lies exactly on it, whatever its own file
 * says (a mask rarely repeats the voxel size); so does one without calibration.
 */
export function layerSpacing(layer: Layer, dims: Pick<Dims, 'shape' | 'spacing'>): Spacing {
  const shape = layerShape(layer);
  const { calibration } = layer.kind === 'labels' ? layer.labels : layer.volume;
  const sameSize = shape.every((length, axis) => length === dims.shape[axis]);
  return sameSize || !calibration.calibrated ? dims.spacing : calibration.spacing;
}

/** Voxel that holds a physical position; may lie outside the layer. */
export function voxelAt(world: Vec3, spacing: Spacing): [z: number, y: number, x: number] {
  return [
    Math.floor(world[0] / spacing[0]),
    Math.floor(world[1] / spacing[1]),
    Math.floor(world[2] / spacing[2]),
  ];
}

/** Physical position of a voxel's middle. */
export function voxelMiddle(voxel: readonly [number, number, number], spacing: Spacing): Vec3 {
  return [(voxel[0] + 0.5) * spacing[0], (voxel[1] + 0.5) * spacing[1], (voxel[2] + 0.5) * spacing[2]];
}

/** Index of a layer's plane at the cursor, or undefined where the layer has none. */
export function planeIndex(
  { dims, cursor }: { dims: Readonly<Dims>; cursor: Readonly<Cursor> },
  layer: Layer,
  plane: Plane,
): number | undefined {
  const { across } = PLANE_AXES[plane];
  const depth = voxelMiddle([cursor.z, cursor.y, cursor.x], dims.spacing)[across];
  const shape = layerShape(layer);
  const index = Math.floor(depth / layerSpacing(layer, dims)[across]);
  // A single plane belongs to every depth, as a 2D mask over a stack's projection would.
  if (shape[across] === 1 && dims.shape[across] === 1) return 0;
  return index >= 0 && index < shape[across] ? index : undefined;
}
