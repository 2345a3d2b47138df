import type { ViewerModel } from '../../../core/viewer-model.ts';
import type { OrbitCamera } from '../orbit-camera.ts';
import type { Plane } from '../plane.ts';
import type { PlaneCamera } from '../plane-camera.ts';

interface Frame {
  /** Device pixels of the target. */
  width: number;
  height: number;
  /** Device pixels per CSS pixel; cameras speak in CSS pixels. */
  pixelRatio: number;
}

export interface PlaneFrame extends Frame {
  plane: Plane;
  camera: PlaneCamera;
}

export interface VolumeFrame extends Frame {
  orbit: OrbitCamera;
  /** `moving`: the next frame follows at once, a coarser picture will do; `picture`: for keeping, may take time. */
  quality: 'moving' | 'still' | 'picture';
}

/** Draws the layers of one viewer. Holds GPU memory until disposed. */
export interface Painter {
  paintPlane(target: CanvasRenderingContext2D, frame: PlaneFrame): void;
  /** @returns whether a finer picture is to be had by painting again with quality `still` */
  paintVolume(target: CanvasRenderingContext2D, frame: VolumeFrame): boolean;
  dispose(): void;
}

/** What can be drawn anew: planes of which finer samples have come, or everything. */
export type Stale = 'planes' | 'everything';

/**
 * @param changed called when a finer or repaired picture can be drawn
 * @throws CytoError `unsupported` where there is no WebGL 2
 */
export async function createPainter(model: ViewerModel, changed: (what: Stale) => void): Promise<Painter> {
  const { ScenePainter } = await import('./scene-painter.ts');
  return new ScenePainter(model, changed);
}
