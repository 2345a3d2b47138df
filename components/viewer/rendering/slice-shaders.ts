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
 * Samples through window, gamma and colour table. Magnified they stay crisp squares or are interpolated between
 * their middles; reduced, the mean over the pixel's footprint is shown, so that fine structure does not flicker
 * while zooming.
 */
export const imageFragment = (prefix: SamplerPrefix) => `#version 300 es
precision highp float;
precision highp int;
precision highp ${prefix}sampler2DArray;
uniform ${prefix}sampler2DArray values;
uniform sampler2D colors;
uniform vec2 window; // low, 1 / (high − low)
uniform float gamma;
uniform float opacity;
uniform bool rgb;
uniform bool minimum;
uniform bool smoothly; // between samples, where they are magnified
uniform vec2 footprint; // samples per pixel
in vec2 texel;
out vec4 color;

float sampleAt(vec2 place, int layer) {
  ivec2 last = textureSize(values, 0).xy - 1;
  float value = float(texelFetch(values, ivec3(clamp(ivec2(place), ivec2(0), last), layer), 0).r);
  return ${prefix === '' ? 'isnan(value) ? window.x : value' : 'value'};
}

float between(int layer) {
  vec2 place = texel - 0.5;
  vec2 part = fract(place);
  vec2 first = floor(place);
  return mix(
    mix(sampleAt(first, layer), sampleAt(first + vec2(1.0, 0.0), layer), part.x),
    mix(sampleAt(first + vec2(0.0, 1.0), layer), sampleAt(first + 1.0, layer), part.x), part.y);
}

float mean(int layer) {
  ivec2 count = ivec2(clamp(ceil(footprint - 0.01), vec2(1.0), vec2(6.0)));
  if (count.x * count.y == 1) return smoothly ? between(layer) : sampleAt(texel, layer);
  float sum = 0.0;
  for (int j = 0; j < count.y; j++) {
    for (int i = 0; i < count.x; i++) {
      sum += sampleAt(texel + footprint * ((vec2(i, j) + 0.5) / vec2(count) - 0.5), layer);
    }
  }
  return sum / float(count.x * count.y);
}

float shown(int layer) {
  float place = clamp((mean(layer) - window.x) * window.y, 0.0, 1.0);
  return gamma == 1.0 ? place : pow(place, gamma);
}

void main() {
  vec3 result;
  if (rgb) {
    result = vec3(shown(0), shown(1), shown(2));
  } else {
    result = texture(colors, vec2((shown(0) * 255.0 + 0.5) / 256.0, 0.5)).rgb;
  }
  color = minimum ? vec4(mix(vec3(1.0), result, opacity), 1.0) : vec4(result, opacity);
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

/** Labels by their exact 32-bit ids; contours have a width in screen pixels whatever the magnification. */
export const LABELS_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D ids;
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
${LABEL_COLOR_GLSL}
${RATED_COLOR_GLSL}
${CHOSEN_GLSL}

uint idAt(vec2 place) {
  ivec2 last = textureSize(ids, 0) - 1;
  return texelFetch(ids, clamp(ivec2(floor(place)), ivec2(0), last), 0).r;
}

bool nearBorder(uint id, float width) {
  for (float part = 1.0; part > 0.3; part -= 0.5) {
    vec2 reach = footprint * width * part;
    vec2 slant = reach * 0.7071;
    if (idAt(texel + vec2(reach.x, 0.0)) != id || idAt(texel - vec2(reach.x, 0.0)) != id ||
        idAt(texel + vec2(0.0, reach.y)) != id || idAt(texel - vec2(0.0, reach.y)) != id ||
        idAt(texel + slant) != id || idAt(texel - slant) != id ||
        idAt(texel + vec2(slant.x, -slant.y)) != id || idAt(texel + vec2(-slant.x, slant.y)) != id) return true;
  }
  return false;
}

void main() {
  uint id = idAt(texel);
  if (id == 0u) discard;
  bool chosen = id == selected || isAlsoSelected(id);
  if (onlySelected && !chosen) discard;
  vec3 own = ratedColor(id, labelColor(id, seed));
  if (chosen && nearBorder(id, highlight)) {
    color = id == selected ? vec4(1.0) : vec4(1.0, 1.0, 1.0, 0.8);
  } else if (id == hovered && nearBorder(id, highlight * 0.6)) {
    color = vec4(mix(own, vec3(1.0), 0.7), 1.0);
  } else if (contour > 0.0) {
    // A thin line needs more strength than an area to be seen as well.
    color = nearBorder(id, contour) ? vec4(own, mix(opacity, 1.0, 0.6 * step(0.001, opacity))) : vec4(own, opacity * fillOpacity);
  } else {
    color = vec4(own, opacity);
  }
  if (color.a == 0.0) discard;
}`;
