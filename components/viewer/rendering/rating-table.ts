import { labelRatings, type Rating } from '../../../core/label-ratings.ts';
import type { LabelVolume } from '../../../core/label-volume.ts';
import type { LabelsLayer } from '../../../core/layer.ts';
import type { GlProgram } from './gl-program.ts';

/** Colours per row of the texture. */
const WIDTH = 1024;
/** Texture unit of the table; those below hold samples, colours and lists of ids. */
const UNIT = 4;

/** Colours of labels by how sure the network was of them on the GPU, for `ratedColor` of a shader. */
export class RatingTable {
  #gl: WebGL2RenderingContext | undefined;
  #texture: WebGLTexture | undefined;
  #shown: { labels: LabelVolume; revision: number; by: Rating | undefined } | undefined;
  #count = 0;

  /** Gives the program in use the colours; uploads them if they have changed. */
  bind(gl: WebGL2RenderingContext, program: GlProgram, { labels, colorBy }: LabelsLayer): void {
    gl.activeTexture(gl.TEXTURE0 + UNIT);
    if (gl !== this.#gl || !this.#texture) {
      this.#gl = gl;
      this.#texture = gl.createTexture();
      this.#shown = undefined;
    }
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    const { revision } = labels;
    const by = colorBy === 'id' ? undefined : colorBy;
    const shown = this.#shown;
    if (shown?.labels !== labels || shown.revision !== revision || shown.by !== by) {
      this.#shown = { labels, revision, by };
      const colors = by && labelRatings(labels, by)?.colors;
      const rows = Math.max(1, Math.ceil((colors?.length ?? 0) / (4 * WIDTH)));
      const texels = new Uint8Array(4 * WIDTH * rows);
      if (colors) texels.set(colors);
      this.#count = colors ? colors.length / 4 : 0;
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
      for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
        gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, WIDTH, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
    }
    gl.uniform1i(program.at('ratings'), UNIT);
    gl.uniform1ui(program.at('ratingCount'), this.#count);
    gl.activeTexture(gl.TEXTURE0);
  }

  dispose(): void {
    if (this.#texture) this.#gl?.deleteTexture(this.#texture);
    this.#texture = undefined;
    this.#shown = undefined;
  }
}
