import { TINT_WIDTH } from '../../../core/label-colors.ts';
import { LabelTints } from '../../../core/label-tints.ts';
import type { LabelsLayer } from '../../../core/layer.ts';
import type { GlProgram } from './gl-program.ts';

/** Texture unit of the table; 0 to 2 hold samples, colours and the list of selected ids. */
const UNIT = 3;

/** The tints of a layer's labels on the GPU, for `labelColor` of a shader. */
export class TintTable {
  readonly #changed: () => void;
  #gl: WebGL2RenderingContext | undefined;
  #texture: WebGLTexture | undefined;
  #tints: LabelTints | undefined;
  #revision = -1;

  /** @param changed called when labels have other colours though they were not edited */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Gives the program in use the tints; uploads them if they have changed. */
  bind(gl: WebGL2RenderingContext, program: GlProgram, { labels, seed }: LabelsLayer): void {
    gl.activeTexture(gl.TEXTURE0 + UNIT);
    const tints = LabelTints.of(labels, seed);
    if (gl !== this.#gl || !this.#texture || tints !== this.#tints) {
      this.dispose();
      this.#gl = gl;
      this.#texture = gl.createTexture();
      this.#tints = tints;
      tints.addEventListener('change', this.#changed);
    }
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    const { table } = tints;
    if (tints.revision !== this.#revision) {
      this.#revision = tints.revision;
      const width = Math.min(table.length, TINT_WIDTH);
      const height = table.length / width;
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
      for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
        gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8UI, width, height, 0, gl.RED_INTEGER, gl.UNSIGNED_BYTE, table);
    }
    gl.uniform1i(program.at('tints'), UNIT);
    gl.uniform1ui(program.at('tintCount'), table.length);
    gl.activeTexture(gl.TEXTURE0);
  }

  dispose(): void {
    this.#tints?.removeEventListener('change', this.#changed);
    this.#tints = undefined;
    if (this.#texture) this.#gl?.deleteTexture(this.#texture);
    this.#texture = undefined;
    this.#revision = -1;
  }
}
