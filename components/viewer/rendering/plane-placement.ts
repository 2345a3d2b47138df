import type { Layer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import { layerShape, layerSpacing, PLANE_AXES, type Plane, type Vec3 } from '../plane.ts';
import { worldToScreen } from '../plane-camera.ts';
import type { GlProgram } from './gl-program.ts';
import type { PlaneFrame } from './painter.ts';
import type { Slab } from './slice-textures.ts';

/** A box of the scene, physical. */
export interface Extent {
  from: Vec3;
  to: Vec3;
}

/** The whole of a layer. */
export function layerExtent(model: ViewerModel, layer: Layer): Extent {
  const shape = layerShape(layer);
  const spacing = layerSpacing(layer, model.dims);
  return { from: [0, 0, 0], to: [shape[0] * spacing[0], shape[1] * spacing[1], shape[2] * spacing[2]] };
}

/** Samples per device pixel, to the right and downwards, of a texture that shows an extent. */
export function footprintOf(
  frame: PlaneFrame,
  { from, to }: Extent,
  { width, height }: { width: number; height: number },
): [right: number, down: number] {
  const { right, down } = PLANE_AXES[frame.plane];
  const pixels = frame.camera.scale * frame.pixelRatio;
  return [width / ((to[right] - from[right]) * pixels), height / ((to[down] - from[down]) * pixels)];
}

/** Places a texture of so many samples on the part of the scene that it shows, for the program in use. */
export function place(
  gl: WebGL2RenderingContext,
  program: GlProgram,
  frame: PlaneFrame,
  extent: Extent,
  samples: { width: number; height: number },
): void {
  const size = { width: frame.width / frame.pixelRatio, height: frame.height / frame.pixelRatio };
  const [left, top] = worldToScreen(frame.camera, frame.plane, size, extent.from);
  const [farX, farY] = worldToScreen(frame.camera, frame.plane, size, extent.to);
  const clipX = (x: number) => (2 * x) / size.width - 1;
  const clipY = (y: number) => 1 - (2 * y) / size.height;
  gl.uniform4f(program.at('rectangle'), clipX(left), clipY(top), clipX(farX), clipY(farY));
  gl.uniform2f(program.at('samples'), samples.width, samples.height);
  gl.uniform2f(program.at('footprint'), ...footprintOf(frame, extent, samples));
}

/** The slab in planes of a layer, which may lie closer or farther apart than those of the scene. */
export function slabOf({ view, dims }: ViewerModel, layer: Layer, plane: Plane): Slab {
  const { across } = PLANE_AXES[plane];
  const step = dims.spacing[across] / layerSpacing(layer, dims)[across];
  return {
    planes: view.slab === 1 ? 1 : Math.max(1, Math.round(view.slab * step)),
    projection: view.projection,
  };
}
