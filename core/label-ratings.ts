import { COLORMAP_SIZE, colormapTable } from './colormaps.ts';
import type { LabelVolume } from './label-volume.ts';

/** What labels can be coloured by besides their id: columns that came with them. */
export const RATINGS = ['flow_error', 'cellprob'] as const;
export type Rating = (typeof RATINGS)[number];

/** From sure to doubtful: bright is what should be looked at, and nothing is too dark to be seen on black. */
export const RATING_COLORMAP = 'plasma';

/** Ids up to here have a colour of their own; higher ones are grey. */
const MOST_RATED = 2 ** 22;

export interface LabelRatings {
  /** Values of the surest and of the most doubtful label: of `cellprob` the first is the larger. */
  sure: number;
  doubtful: number;
  /** RGBA of each id from 0; alpha 0 where nothing is known of a label. */
  colors: Uint8Array;
}

/** Colours of labels by how sure the network was of them; undefined if nothing is known of any. */
export function labelRatings(labels: LabelVolume, by: Rating): LabelRatings | undefined {
  const values = labels.supplied.get(by);
  if (!values || values.size === 0) return undefined;
  let [least, most, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const [id, value] of values) {
    if (value < least) least = value;
    if (value > most) most = value;
    if (id > last && id < MOST_RATED) last = id;
  }
  const [sure, doubtful] = by === 'flow_error' ? [least, most] : [most, least];
  const table = colormapTable(RATING_COLORMAP);
  const colors = new Uint8Array(4 * (last + 1));
  for (const [id, value] of values) {
    if (id > last) continue;
    const doubt = sure === doubtful ? 0 : (value - sure) / (doubtful - sure);
    const at = 4 * Math.round(doubt * (COLORMAP_SIZE - 1));
    colors.set(table.subarray(at, at + 4), 4 * id);
    colors[4 * id + 3] = 255;
  }
  return { sure, doubtful, colors };
}

/**
 * GLSL ES 3.00: `vec3 ratedColor(uint id, vec3 own)`, the colour of {@link LabelRatings} or, while labels are coloured by
 * their id, their own. The first `ratingCount` texels of `ratings` are those of the ids.
 */
export const RATED_COLOR_GLSL = `
uniform sampler2D ratings;
uniform uint ratingCount;
vec3 ratedColor(uint id, vec3 own) {
  if (ratingCount == 0u) return own;
  uint width = uint(textureSize(ratings, 0).x);
  vec4 rated = id < ratingCount ? texelFetch(ratings, ivec2(id % width, id / width), 0) : vec4(0.0);
  return rated.a > 0.0 ? rated.rgb : vec3(0.5);
}`;
