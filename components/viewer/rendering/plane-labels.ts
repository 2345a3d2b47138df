import type { LabelsLayer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import { planeIndex } from '../plane.ts';
import { programFor } from './gl-program.ts';
import { IdList } from './id-list.ts';
import { LabelPalette } from './label-palette.ts';
import type { PlaneFrame } from './painter.ts';
import { layerExtent, place, slabOf } from './plane-placement.ts';
import { labelsFragment, PALETTE, SLICE_VERTEX } from './slice-shaders.ts';
import { LabelsSlice } from './slice-textures.ts';

/** Width of the outline of the selected label, CSS pixels. */
const HIGHLIGHT = 2;

/** Draws one plane of a label layer. */
export class PlaneLabels {
  readonly #gl: WebGL2RenderingContext;
  readonly #layer: LabelsLayer;
  readonly #palette: LabelPalette;
  readonly #alsoSelected = new IdList();
  #slice: LabelsSlice | undefined;

  /** @param changed called when labels have other colours though they were not edited */
  constructor(gl: WebGL2RenderingContext, layer: LabelsLayer, changed: () => void) {
    this.#gl = gl;
    this.#layer = layer;
    this.#palette = new LabelPalette(gl, changed);
  }

  /** @returns whether the layer has this plane */
  draw(model: ViewerModel, frame: PlaneFrame): boolean {
    const layer = this.#layer;
    const gl = this.#gl;
    const index = planeIndex(model, layer, frame.plane);
    if (index === undefined) return false;
    this.#slice ??= new LabelsSlice(gl, layer, frame.plane);
    gl.activeTexture(gl.TEXTURE0);
    this.#slice.show(index, slabOf(model, layer, frame.plane));
    const { selected, hovered, alsoSelected } = layer;
    const one = selected > 0 || hovered > 0 ? 'one' : 'none';
    const shading = {
      contour: layer.contour > 0,
      marked: alsoSelected.length > 0 ? 'several' : one,
      high: this.#slice.bits >= PALETTE.width * PALETTE.height,
    } as const;
    const program = programFor(gl, SLICE_VERTEX, labelsFragment(shading));
    this.#palette.bind(program, layer);
    if (alsoSelected.length > 0) this.#alsoSelected.bind(gl, program, alsoSelected);
    gl.bindTexture(gl.TEXTURE_2D, this.#slice.texture);
    place(gl, program, frame, layerExtent(model, layer), this.#slice);
    gl.uniform1i(program.at('ids'), 0);
    gl.uniform1f(program.at('opacity'), layer.opacity);
    gl.uniform1f(program.at('contour'), layer.contour * frame.pixelRatio);
    gl.uniform1f(program.at('fillOpacity'), layer.fillOpacity);
    gl.uniform1f(program.at('highlight'), HIGHLIGHT * frame.pixelRatio);
    gl.uniform1ui(program.at('selected'), selected >>> 0);
    gl.uniform1ui(program.at('hovered'), hovered >>> 0);
    gl.uniform1i(program.at('onlySelected'), layer.onlySelected && selected > 0 ? 1 : 0);
    gl.blendEquation(gl.FUNC_ADD);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    return true;
  }

  dispose(): void {
    this.#slice?.dispose();
    this.#palette.dispose();
    this.#alsoSelected.dispose();
  }
}
