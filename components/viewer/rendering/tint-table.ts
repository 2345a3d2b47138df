import { TINT_WIDTH } from '../../../core/label-colors.ts';
import { LabelTints } from '../../../core/label-tints.ts';
import type { LabelsLayer } from '../../../core/layer.ts';
import type { GlProgram } from './gl-program.ts';
import { LookupTexture } from './lookup-texture.ts';

/** Texture unit of the table; 0 to 2 hold samples, colours and the list of selected ids. */
const UNIT = 3;

/** The tints of a layer's labels on the GPU, for `labelColor` of a shader. */
export class TintTable {
  readonly #changed: () => void;
  readonly #texture = new LookupTexture(UNIT);
  #tints: LabelTints | undefined;
  #revision = -1;

  /** @param changed called when labels have other colours though they were not edited */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /**
   * Gives the program in use the tints; uploads them if they have changed.
   * @returns a number that changes with the tints
   */
  bind(gl: WebGL2RenderingContext, program: GlProgram, { labels, seed }: LabelsLayer): number {
    const tints = LabelTints.of(labels, seed);
    if (tints !== this.#tints) {
      this.#tints?.removeEventListener('change', this.#changed);
      tints.addEventListener('change', this.#changed);
      this.#tints = tints;
      this.#revision = -1;
    }
    const { table } = tints;
    if (this.#texture.bind(gl) || tints.revision !== this.#revision) {
      this.#revision = tints.revision;
      this.#texture.upload('R8UI', Math.min(table.length, TINT_WIDTH), table);
    }
    gl.uniform1i(program.at('tints'), UNIT);
    gl.uniform1ui(program.at('tintCount'), table.length);
    gl.activeTexture(gl.TEXTURE0);
    return this.#texture.uploads;
  }

  dispose(): void {
    this.#tints?.removeEventListener('change', this.#changed);
    this.#tints = undefined;
    this.#texture.dispose();
  }
}
