import { PLANE_AXES, type Plane, type Vec3 } from './plane.ts';

/** Where a plane looks: the physical point in the pane's middle and the magnification. Linked panes share one. */
export interface PlaneCamera {
  center: Vec3;
  /** CSS pixels per physical unit. */
  scale: number;
}

/** Size of a pane in CSS pixels. */
export interface PaneSize {
  width: number;
  height: number;
}

/** CSS pixel of a pane, from its top left corner, that shows a physical position. */
export function worldToScreen(
  { center, scale }: PlaneCamera,
  plane: Plane,
  { width, height }: PaneSize,
  world: Vec3,
): [x: number, y: number] {
  const { right, down } = PLANE_AXES[plane];
  return [
    width / 2 + (world[right] - center[right]) * scale,
    height / 2 + (world[down] - center[down]) * scale,
  ];
}

/** Physical position under a CSS pixel of a pane; across the plane it is `depth`. */
export function screenToWorld(
  { center, scale }: PlaneCamera,
  plane: Plane,
  { width, height }: PaneSize,
  [x, y]: readonly [x: number, y: number],
  depth: number,
): Vec3 {
  const { right, down, across } = PLANE_AXES[plane];
  const world: [number, number, number] = [0, 0, 0];
  world[right] = center[right] + (x - width / 2) / scale;
  world[down] = center[down] + (y - height / 2) / scale;
  world[across] = depth;
  return world;
}

/** The camera after a drag by CSS pixels: the picture follows the pointer. */
export function panned(camera: PlaneCamera, plane: Plane, dx: number, dy: number): PlaneCamera {
  const { right, down } = PLANE_AXES[plane];
  const center: [number, number, number] = [...camera.center];
  center[right] -= dx / camera.scale;
  center[down] -= dy / camera.scale;
  return { ...camera, center };
}

/** The camera magnified by `factor` with the point under a CSS pixel staying where it is. */
export function zoomedAt(
  camera: PlaneCamera,
  plane: Plane,
  size: PaneSize,
  point: readonly [x: number, y: number],
  factor: number,
): PlaneCamera {
  const { right, down, across } = PLANE_AXES[plane];
  const fixed = screenToWorld(camera, plane, size, point, camera.center[across]);
  const scale = camera.scale * factor;
  const center: [number, number, number] = [...camera.center];
  center[right] = fixed[right] - (point[0] - size.width / 2) / scale;
  center[down] = fixed[down] - (point[1] - size.height / 2) / scale;
  return { center, scale };
}

/**
 * The camera that shows all of the scene in every one of the panes, in the middle, with a margin.
 * @param margin share of the pane left free, 0…1
 */
export function fitted(
  extent: Vec3,
  panes: ReadonlyArray<{ plane: Plane; size: PaneSize }>,
  margin = 0.04,
): PlaneCamera {
  let scale = Number.POSITIVE_INFINITY;
  for (const { plane, size } of panes) {
    const { right, down } = PLANE_AXES[plane];
    scale = Math.min(scale, size.width / extent[right], size.height / extent[down]);
  }
  if (!(scale > 0 && Number.isFinite(scale))) scale = 1;
  return { center: [extent[0] / 2, extent[1] / 2, extent[2] / 2], scale: scale * (1 - margin) };
}
