import { LABEL_COLOR_GLSL } from '../../../core/label-colors.ts';
import { RATED_COLOR_GLSL } from '../../../core/label-ratings.ts';

/** A rectangle of the plane; `texel` counts samples from its top left corner. */
export const SLICE_VERTEX = `#version 300 es
precision highp float;
uniform vec4 rectangle; // left, top, right, bottom in clip space
uniform vec2 samples;   // to the right, downwards
out vec2 texel;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  texel = corner * samples;
  gl_Position = vec4(mix(rectangle.xy, rectangle.zw, corner), 0.0, 1.0);
}`;

/** Kind of sampler for a family of sample types: unsigned, signed, floating. */
export type SamplerPrefix = 'u' | 'i' | '';

/**
 * What a program for image samples is made for. Software GL goes through both sides of every `if`, so what holds for
 * a whole picture is decided when the program is compiled.
 */
export interface ImageShading {
  prefix: SamplerPrefix;
  /**
   * Magnified, samples stay crisp squares (`nearest`) or are interpolated between their middles (`linear`). Reduced,
   * the mean of so many places [to the right, downwards] of the pixel's footprint is shown, so that fine structure
   * does not flicker while zooming.
   */
  sampling: 'nearest' | 'linear' | readonly [number, number];
  /** Colours from low to high: linear between two, from a table, or a channel each. */
  colors: 'ramp' | 'table' | 'rgb';
  /** Whether darker samples hide lighter ones below. */
  minimum: boolean;
}

const COLORS: Record<ImageShading['colors'], string> = {
  ramp: `
uniform vec3 lowColor;
uniform vec3 highColor;
vec3 colorNow() { return mix(lowColor, highColor, shown(0)); }`,
  table: `
uniform sampler2D colors;
vec3 colorNow() {
  float entries = float(textureSize(colors, 0).x);
  return texture(colors, vec2((shown(0) * (entries - 1.0) + 0.5) / entries, 0.5)).rgb;
}`,
  rgb: `
uniform float gamma;
vec3 colorNow() { return pow(vec3(shown(0), shown(1), shown(2)), vec3(gamma)); }`,
};

/** Samples through window, gamma and colour table. The table of a single channel has the gamma in it. */
export const imageFragment = ({ prefix, sampling, colors, minimum }: ImageShading) => `#version 300 es
precision highp float;
precision highp int;
precision highp ${prefix}sampler2DArray;
uniform ${prefix}sampler2DArray values;
uniform vec2 window; // low, 1 / (high − low)
uniform float opacity;
uniform vec2 footprint; // samples per pixel
in vec2 texel;
out vec4 color;

float sampleAt(vec2 place, int layer) {
  ivec2 last = textureSize(values, 0).xy - 1;
  float value = float(texelFetch(values, ivec3(clamp(ivec2(place), ivec2(0), last), layer), 0).r);
  return ${prefix === '' ? 'isnan(value) ? window.x : value' : 'value'};
}

float valueOf(int layer) {
  ${samplingBody(sampling)}
}

float shown(int layer) {
  return clamp((valueOf(layer) - window.x) * window.y, 0.0, 1.0);
}

${COLORS[colors]}

void main() {
  vec3 result = colorNow();
  color = ${minimum ? 'vec4(mix(vec3(1.0), result, opacity), 1.0)' : 'vec4(result, opacity)'};
}`;

function samplingBody(sampling: ImageShading['sampling']): string {
  if (sampling === 'nearest') return 'return sampleAt(texel, layer);';
  if (sampling === 'linear') {
    return `vec2 place = texel - 0.5;
  vec2 part = fract(place);
  vec2 first = floor(place);
  return mix(
    mix(sampleAt(first, layer), sampleAt(first + vec2(1.0, 0.0), layer), part.x),
    mix(sampleAt(first + vec2(0.0, 1.0), layer), sampleAt(first + 1.0, layer), part.x), part.y);`;
  }
  const [across, down] = sampling;
  return `float sum = 0.0;
  for (int j = 0; j < ${down}; j++) {
    for (int i = 0; i < ${across}; i++) {
      sum += sampleAt(texel + footprint * ((vec2(i, j) + 0.5) / vec2(${across}, ${down}) - 0.5), layer);
    }
  }
  return sum / ${across * down}.0;`;
}

/** A picture made before, with colours between its pixels. */
export const pictureFragment = (minimum: boolean) => `#version 300 es
precision highp float;
uniform sampler2D picture;
uniform vec2 spanned; // samples that the picture shows
uniform float opacity;
in vec2 texel;
out vec4 color;
void main() {
  vec3 result = texture(picture, texel / spanned).rgb;
  color = ${minimum ? 'vec4(mix(vec3(1.0), result, opacity), 1.0)' : 'vec4(result, opacity)'};
}`;

/** Looks an id up in a sorted list, see `IdList`. */
export const CHOSEN_GLSL = `
uniform highp usampler2D alsoSelected;
uniform int alsoSelectedCount;
bool isAlsoSelected(uint id) {
  int from = 0;
  int to = alsoSelectedCount;
  int width = textureSize(alsoSelected, 0).x;
  while (from < to) {
    int middle = (from + to) >> 1;
    uint other = texelFetch(alsoSelected, ivec2(middle % width, middle / width), 0).r;
    if (other == id) return true;
    if (other < id) from = middle + 1;
    else to = middle;
  }
  return false;
}`;

/** Ids whose colours are in the table that {@link PALETTE_FRAGMENT} draws: so many rows of so many. */
export const PALETTE = { width: 1024, height: 64 } as const;

const LABEL_COLORS_GLSL = `${LABEL_COLOR_GLSL}
${RATED_COLOR_GLSL}`;

/** The table of the colours that the lowest ids have now; background is transparent. */
export const PALETTE_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
uniform uint seed;
in vec2 texel;
out vec4 color;
${LABEL_COLORS_GLSL}
void main() {
  ivec2 place = ivec2(texel);
  uint id = uint(place.y * ${PALETTE.width} + place.x);
  color = vec4(ratedColor(id, labelColor(id, seed)), id == 0u ? 0.0 : 1.0);
}`;

/** What a program for labels is made for, see {@link ImageShading}. */
export interface LabelShading {
  /** Whether labels are outlined. */
  contour: boolean;
  /** Whether a label is selected or under the pointer: `several` if selected ones are to be looked up in a list. */
  marked: 'none' | 'one' | 'several';
  /** Whether there are ids that are not in the table of colours. */
  high: boolean;
}

/** Labels by their exact 32-bit ids; contours have a width in screen pixels whatever the magnification. */
export const labelsFragment = ({ contour, marked, high }: LabelShading) => `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D ids;
uniform sampler2D palette;
uniform float opacity;
uniform float contour;     // pixels
uniform float fillOpacity;
uniform float highlight;   // pixels
uniform uint seed;
uniform uint selected;
uniform uint hovered;
uniform bool onlySelected;
uniform vec2 footprint;    // samples per pixel
in vec2 texel;
out vec4 color;
${high ? LABEL_COLORS_GLSL : ''}
${marked === 'several' ? CHOSEN_GLSL : ''}

uint idAt(vec2 place) {
  ivec2 last = textureSize(ids, 0) - 1;
  return texelFetch(ids, clamp(ivec2(floor(place)), ivec2(0), last), 0).r;
}

// Colour and, of background, transparency.
vec4 colorOf(uint id) {
  ${high ? `if (id >= ${PALETTE.width * PALETTE.height}u) return vec4(ratedColor(id, labelColor(id, seed)), 1.0);` : ''}
  return texelFetch(palette, ivec2(int(id & ${PALETTE.width - 1}u), int(id / ${PALETTE.width}u)), 0);
}

const vec2 AROUND[8] = vec2[](
  vec2(1.0, 0.0), vec2(-1.0, 0.0), vec2(0.0, 1.0), vec2(0.0, -1.0),
  vec2(0.7071), vec2(-0.7071), vec2(0.7071, -0.7071), vec2(-0.7071, 0.7071));

// Looks in eight directions, and half as far where something thinner than the width could lie between. A loop goes
// on only where it has to, in software too.
bool nearBorder(bool wanted, uint id, float width) {
  vec2 reach = footprint * width;
  int last = max(reach.x, reach.y) > 1.0 ? 16 : 8;
  bool near = false;
  for (int k = 0; wanted && !near && k < last; k++) {
    near = idAt(texel + AROUND[k & 7] * reach * (k < 8 ? 1.0 : 0.5)) != id;
  }
  return near;
}

void main() {
  uint id = idAt(texel);
  vec4 own = colorOf(id);
  color = vec4(own.rgb, own.a * opacity);
  ${contour ? CONTOUR_GLSL : ''}
  ${marked === 'none' ? '' : markedBody(marked)}
}`;

const CONTOUR_GLSL = `
  // A thin line needs more strength than an area to be seen as well.
  float strength = mix(opacity, 1.0, 0.6 * step(0.001, opacity));
  color.a = own.a * (nearBorder(own.a > 0.0, id, contour) ? strength : opacity * fillOpacity);`;

const markedBody = (marked: LabelShading['marked']) => `
  bool chosen = id == selected${marked === 'several' ? ' || isAlsoSelected(id)' : ''};
  bool wanted = own.a > 0.0 && (chosen || id == hovered);
  bool line = nearBorder(wanted, id, chosen ? highlight : highlight * 0.6);
  vec4 mark = chosen ? vec4(vec3(1.0), id == selected ? 1.0 : 0.8) : vec4(mix(own.rgb, vec3(1.0), 0.7), 1.0);
  color = line ? mark : color;
  color.a = chosen || !onlySelected ? color.a : 0.0;`;
