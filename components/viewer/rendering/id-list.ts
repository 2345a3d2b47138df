import type { GlProgram } from './gl-program.ts';

/** Ids per row of the texture. */
const WIDTH = 1024;
/** Texture unit of the list; 0 and 1 hold samples and colours. */
const UNIT = 2;

/** Label ids on the GPU, sorted, to be looked up by `isAlsoSelected` of a shader. */
export class IdList {
  #gl: WebGL2RenderingContext | undefined;
  #texture: WebGLTexture | undefined;
  #ids: readonly number[] | undefined;

  /** Gives the program in use the ids; uploads them if they are another list than the last. */
  bind(gl: WebGL2RenderingContext, program: GlProgram, ids: readonly number[]): void {
    gl.activeTexture(gl.TEXTURE0 + UNIT);
    if (gl !== this.#gl || !this.#texture) {
      this.#gl = gl;
      this.#texture = gl.createTexture();
      this.#ids = undefined;
    }
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    if (ids !== this.#ids) {
      this.#ids = ids;
      const rows = Math.max(1, Math.ceil(ids.length / WIDTH));
      const sorted = new Uint32Array(rows * WIDTH);
      sorted.set(Uint32Array.from(ids).sort());
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
      for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
        gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32UI, WIDTH, rows, 0, gl.RED_INTEGER, gl.UNSIGNED_INT, sorted);
    }
    gl.uniform1i(program.at('alsoSelected'), UNIT);
    gl.uniform1i(program.at('alsoSelectedCount'), ids.length);
    gl.activeTexture(gl.TEXTURE0);
  }

  dispose(): void {
    if (this.#texture) this.#gl?.deleteTexture(this.#texture);
    this.#texture = undefined;
    this.#ids = undefined;
  }
}
