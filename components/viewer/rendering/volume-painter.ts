import type { ImageLayer, LabelsLayer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import { inverse, rotate } from '../orbit-camera.ts';
import { sceneExtent } from '../plane.ts';
import { newDrawingProp } from './drawing-prop.ts';
import { ImageVolume } from './image-volume.ts';
import { LabelBodies } from './label-bodies.ts';
import type { VolumeFrame } from './painter.ts';
import { newRenderer, type VtkRenderer } from './vtk.ts';

/** Draws all layers of a model in 3D: images with vtk.js' volume mapper, labels over them as bodies. */
export class VolumePainter {
  readonly renderer: VtkRenderer;
  readonly #model: ViewerModel;
  readonly #changed: () => void;
  readonly #volumes = new Map<ImageLayer, ImageVolume>();
  readonly #bodies = new Map<LabelsLayer, LabelBodies>();
  #order: ImageVolume[] = [];
  #frame: VolumeFrame | undefined;

  /** @param changed called when labels have other colours */
  constructor(model: ViewerModel, changed: () => void) {
    this.#model = model;
    this.#changed = changed;
    this.renderer = newRenderer();
    this.renderer.setBackground([0, 0, 0, 0]);
    const drawing = { draw: (gl: WebGL2RenderingContext) => this.#drawBodies(gl) };
    this.renderer.addViewProp(newDrawingProp({ drawing }));
  }

  /**
   * What the next drawing of {@link renderer} shows at the given size in pixels; `coarse` takes longer steps.
   * @returns whether samples or settings have changed since the last time
   */
  prepare(frame: VolumeFrame, width: number, height: number, coarse: boolean): boolean {
    this.#frame = frame;
    let changed = false;
    const wanted: ImageVolume[] = [];
    for (const layer of this.#model.layers) {
      if (layer.kind !== 'image' || !layer.visible || layer.opacity === 0) continue;
      let volume = this.#volumes.get(layer);
      if (!volume) {
        volume = new ImageVolume(layer);
        this.#volumes.set(layer, volume);
      }
      changed = volume.update(this.#model) || changed;
      volume.setCoarse(coarse);
      wanted.push(volume);
    }
    for (const [layer, volume] of this.#volumes) {
      if (this.#model.layers.includes(layer)) continue;
      this.renderer.removeVolume(volume.actor);
      volume.dispose();
      this.#volumes.delete(layer);
    }
    if (wanted.length !== this.#order.length || wanted.some((volume, i) => volume !== this.#order[i])) {
      for (const { actor } of this.#order) if (!actor.isDeleted()) this.renderer.removeVolume(actor);
      for (const { actor } of wanted) this.renderer.addVolume(actor);
      this.#order = wanted;
      changed = true;
    }
    this.#aim(frame, width, height);
    return changed;
  }

  #drawBodies(gl: WebGL2RenderingContext): void {
    if (!this.#frame) return;
    for (const [layer, bodies] of this.#bodies) {
      if (this.#model.layers.includes(layer)) continue;
      bodies.dispose();
      this.#bodies.delete(layer);
    }
    gl.disable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendEquation(gl.FUNC_ADD);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    for (const layer of this.#model.labels) {
      if (!layer.visible || layer.opacity === 0) continue;
      let bodies = this.#bodies.get(layer);
      if (!bodies) {
        bodies = new LabelBodies(layer, this.#changed);
        this.#bodies.set(layer, bodies);
      }
      bodies.draw(gl, this.#model, this.#frame);
    }
    gl.enable(gl.DEPTH_TEST);
  }

  #aim({ orbit, width, pixelRatio }: VolumeFrame, drawnWidth: number, drawnHeight: number): void {
    const [ez, ey, ex] = sceneExtent(this.#model.dims);
    const back = inverse(orbit.rotation);
    const radius = Math.hypot(ex, ey, ez);
    // Pixels drawn per physical unit; fewer than the frame's while the picture is reduced.
    const scale = orbit.scale * pixelRatio * (drawnWidth / width);
    const shift = [
      (orbit.offset[0] * pixelRatio * (drawnWidth / width)) / scale,
      (orbit.offset[1] * pixelRatio * (drawnWidth / width)) / scale,
    ];
    // The camera looks along +z of the turned scene with y downwards.
    const middle = [ex / 2, ey / 2, ez / 2];
    const aside = rotate(back, [-shift[0], -shift[1], 0]);
    const focus = middle.map((value, i) => value + aside[i]) as [number, number, number];
    const behind = rotate(back, [0, 0, -2 * radius]);
    const up = rotate(back, [0, -1, 0]);
    const camera = this.renderer.getActiveCamera();
    camera.setParallelProjection(true);
    camera.setFocalPoint(...focus);
    camera.setPosition(focus[0] + behind[0], focus[1] + behind[1], focus[2] + behind[2]);
    camera.setViewUp(up[0], up[1], up[2]);
    camera.setParallelScale(drawnHeight / 2 / scale);
    camera.setClippingRange(0.5 * radius, 3.5 * radius);
  }

  dispose(): void {
    for (const volume of this.#volumes.values()) volume.dispose();
    this.#volumes.clear();
    for (const bodies of this.#bodies.values()) bodies.dispose();
    this.#bodies.clear();
    this.renderer.delete();
  }
}
