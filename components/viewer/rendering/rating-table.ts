import { labelRatings, type Rating } from '../../../core/label-ratings.ts';
import type { LabelVolume } from '../../../core/label-volume.ts';
import type { LabelsLayer } from '../../../core/layer.ts';
import type { GlProgram } from './gl-program.ts';
import { LookupTexture } from './lookup-texture.ts';

/** Colours per row of the texture. */
const WIDTH = 1024;
/** Texture unit of the table; those below hold samples, colours and lists of ids. */
const UNIT = 4;

/** Colours of labels by how sure the network was of them on the GPU, for `ratedColor` of a shader. */
export class RatingTable {
  readonly #texture = new LookupTexture(UNIT);
  #shown: { labels: LabelVolume; revision: number; by: Rating } | undefined;
  #count = 0;

  /**
   * Gives the program in use the colours; uploads them if they have changed.
   * @returns a number that changes with the colours
   */
  bind(gl: WebGL2RenderingContext, program: GlProgram, { labels, colorBy }: LabelsLayer): number {
    const { revision } = labels;
    const by = colorBy === 'id' ? undefined : colorBy;
    const shown = this.#shown;
    const other = by
      ? shown?.labels !== labels || shown.revision !== revision || shown.by !== by
      : shown !== undefined;
    if (this.#texture.bind(gl) || other) {
      this.#shown = by && { labels, revision, by };
      const colors = by && labelRatings(labels, by)?.colors;
      const rows = Math.max(1, Math.ceil((colors?.length ?? 0) / (4 * WIDTH)));
      const texels = new Uint8Array(4 * WIDTH * rows);
      if (colors) texels.set(colors);
      this.#count = colors ? colors.length / 4 : 0;
      this.#texture.upload('RGBA8', WIDTH, texels);
    }
    gl.uniform1i(program.at('ratings'), UNIT);
    gl.uniform1ui(program.at('ratingCount'), this.#count);
    gl.activeTexture(gl.TEXTURE0);
    return this.#texture.uploads;
  }

  dispose(): void {
    this.#texture.dispose();
    this.#shown = undefined;
  }
}
