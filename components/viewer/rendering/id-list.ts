import type { GlProgram } from './gl-program.ts';
import { LookupTexture } from './lookup-texture.ts';

/** Ids per row of the texture. */
const WIDTH = 1024;
/** Texture unit of the list; 0 and 1 hold samples and colours. */
const UNIT = 2;

/** Label ids on the GPU, sorted, to be looked up by `isAlsoSelected` of a shader. */
export class IdList {
  readonly #texture = new LookupTexture(UNIT);
  #ids: readonly number[] | undefined;

  /** Gives the program in use the ids; uploads them if they are another list than the last. */
  bind(gl: WebGL2RenderingContext, program: GlProgram, ids: readonly number[]): void {
    if (this.#texture.bind(gl) || ids !== this.#ids) {
      this.#ids = ids;
      const rows = Math.max(1, Math.ceil(ids.length / WIDTH));
      const sorted = new Uint32Array(rows * WIDTH);
      sorted.set(Uint32Array.from(ids).sort());
      this.#texture.upload('R32UI', WIDTH, sorted);
    }
    gl.uniform1i(program.at('alsoSelected'), UNIT);
    gl.uniform1i(program.at('alsoSelectedCount'), ids.length);
    gl.activeTexture(gl.TEXTURE0);
  }

  dispose(): void {
    this.#texture.dispose();
  }
}
