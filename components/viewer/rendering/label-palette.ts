import type { LabelsLayer } from '../../../core/layer.ts';
import { GlPicture } from './gl-picture.ts';
import { type GlProgram, programFor } from './gl-program.ts';
import { RatingTable } from './rating-table.ts';
import { PALETTE, PALETTE_FRAGMENT, SLICE_VERTEX } from './slice-shaders.ts';
import { TintTable } from './tint-table.ts';

/** Texture unit of the table of colours; 0 holds ids. */
const UNIT = 1;

/**
 * The colours of a layer's lowest ids as a texture, worked out once for as long as they stay the same and not for
 * every pixel of every picture.
 */
export class LabelPalette {
  readonly #tints: TintTable;
  readonly #ratings = new RatingTable();
  readonly #gl: WebGL2RenderingContext;
  readonly #picture: GlPicture;
  #key = '';

  /** @param changed called when labels have other colours though they were not edited */
  constructor(gl: WebGL2RenderingContext, changed: () => void) {
    this.#gl = gl;
    this.#picture = new GlPicture(gl, 'NEAREST');
    this.#tints = new TintTable(changed);
  }

  /** Gives a program for labels, which is in use afterwards, all that their colours follow from. */
  bind(program: GlProgram, layer: LabelsLayer): void {
    const gl = this.#gl;
    const give = (to: GlProgram) => {
      gl.useProgram(to.program);
      gl.uniform1ui(to.at('seed'), layer.seed >>> 0);
      return `${layer.seed} ${this.#tints.bind(gl, to, layer)} ${this.#ratings.bind(gl, to, layer)}`;
    };
    const key = give(program);
    if (key !== this.#key) {
      this.#key = key;
      const drawing = programFor(gl, SLICE_VERTEX, PALETTE_FRAGMENT);
      give(drawing);
      const { width, height } = PALETTE;
      gl.uniform4f(drawing.at('rectangle'), -1, -1, 1, 1);
      gl.uniform2f(drawing.at('samples'), width, height);
      gl.activeTexture(gl.TEXTURE0 + UNIT);
      this.#picture.draw(width, height, () => gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4));
      gl.useProgram(program.program);
    }
    gl.activeTexture(gl.TEXTURE0 + UNIT);
    gl.bindTexture(gl.TEXTURE_2D, this.#picture.texture);
    gl.uniform1i(program.at('palette'), UNIT);
    gl.activeTexture(gl.TEXTURE0);
  }

  dispose(): void {
    this.#tints.dispose();
    this.#ratings.dispose();
    this.#picture.dispose();
  }
}
