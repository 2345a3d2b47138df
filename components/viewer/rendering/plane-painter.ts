import type { Layer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import type { PlaneFrame } from './painter.ts';
import { PlaneImage } from './plane-image.ts';
import { PlaneLabels } from './plane-labels.ts';

/** Draws one plane of all layers of a model, without vtk.js: a picture costs little more than its pixels. */
export class PlanePainter {
  readonly #model: ViewerModel;
  readonly #changed: () => void;
  readonly #images = new Map<Layer, PlaneImage>();
  readonly #labels = new Map<Layer, PlaneLabels>();
  #gl: WebGL2RenderingContext | undefined;
  #vertices: WebGLVertexArrayObject | null = null;

  /** @param changed called when something finer can be drawn, or in other colours */
  constructor(model: ViewerModel, changed: () => void) {
    this.#model = model;
    this.#changed = changed;
  }

  /** Draws into all of the viewport. Always the same plane: what is on the device belongs to it. */
  draw(gl: WebGL2RenderingContext, frame: PlaneFrame): void {
    if (gl !== this.#gl) this.#adopt(gl);
    this.#forgetRemovedLayers();
    gl.disable(gl.DEPTH_TEST);
    gl.bindVertexArray(this.#vertices);
    gl.enable(gl.BLEND);
    let bottom = true;
    for (const layer of this.#model.current) {
      if (!layer.visible || layer.opacity === 0) {
        this.#images.get(layer)?.rest();
        continue;
      }
      if (layer.kind === 'image') {
        let image = this.#images.get(layer);
        if (!image) {
          image = new PlaneImage(gl, layer, this.#changed);
          this.#images.set(layer, image);
        }
        if (image.draw(this.#model, frame, bottom)) bottom = false;
        continue;
      }
      let labels = this.#labels.get(layer);
      if (!labels) {
        labels = new PlaneLabels(gl, layer, this.#changed);
        this.#labels.set(layer, labels);
      }
      labels.draw(this.#model, frame);
    }
    // As vtk.js expects to find it.
    gl.blendEquation(gl.FUNC_ADD);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindVertexArray(null);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, null);
    gl.bindTexture(gl.TEXTURE_2D, null);
    gl.enable(gl.DEPTH_TEST);
  }

  /** A first or a new context: nothing of an older one can be used. */
  #adopt(gl: WebGL2RenderingContext): void {
    this.#disposeLayers();
    this.#gl = gl;
    this.#vertices = gl.createVertexArray();
  }

  #disposeLayers(): void {
    for (const drawn of [...this.#images.values(), ...this.#labels.values()]) drawn.dispose();
    this.#images.clear();
    this.#labels.clear();
  }

  #forgetRemovedLayers(): void {
    for (const drawn of [this.#images, this.#labels]) {
      for (const [layer, its] of drawn) {
        if (this.#model.layers.includes(layer)) continue;
        its.dispose();
        drawn.delete(layer);
      }
    }
  }

  /** Frees all GPU memory. */
  dispose(): void {
    this.#disposeLayers();
    this.#gl?.deleteVertexArray(this.#vertices);
  }
}
