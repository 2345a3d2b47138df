/**
 * Colours of labels: a fixed function of id and seed, for any 32-bit id. Hue, saturation and lightness of id n
 * are the n-th point of the additive recurrence R3 (M. Roberts, "The unreasonable effectiveness of quasirandom
 * sequences", 2018), whose neighbours lie far apart: cells that touch usually have ids that are close. Where two that
 * touch look alike nevertheless, one gets a tint: its colour is taken from another place of the sequence.
 */

/** 2³² times the fractions of the R3 sequence, the inverse powers of 1.2207…; arithmetic is modulo 2³². */
export const HUE_STEP = 0xd1b54a33;
export const SATURATION_STEP = 0xabc98389;
export const LIGHTNESS_STEP = 0x8cb92ba7;
/** Spreads seeds over the whole range. */
export const SEED_STEP = 0x9e3779b1;

/** Distance of the places of one id's tints. */
export const TINT_STEP = 0x85ebca6b;
/** Ids that have a tint of their own, a power of two; higher ones share those of lower ones. */
export const TINT_SLOTS = 2 ** 22;

/** Tints per row of the texture that a device has them in, a power of two. */
export const TINT_WIDTH = 2048;

/**
 * Colour of a label.
 * @param id 1…2³²−1; 0 is background and black
 * @param seed any integer; changes all colours at once
 * @param tint any integer; 0 where the id alone decides
 * @returns red, green, blue 0…255
 */
export function labelColor(id: number, seed = 0, tint = 0): [red: number, green: number, blue: number] {
  if (id === 0) return [0, 0, 0];
  const n = (id + Math.imul(seed, SEED_STEP) + Math.imul(tint, TINT_STEP)) >>> 0;
  const hue = (Math.imul(n, HUE_STEP) >>> 0) / 2 ** 32;
  const saturation = 0.55 + 0.45 * ((Math.imul(n, SATURATION_STEP) >>> 0) / 2 ** 32);
  const value = 0.7 + 0.3 * ((Math.imul(n, LIGHTNESS_STEP) >>> 0) / 2 ** 32);
  // HSV with the eye's hues stretched: a third of the circle would else be greens that look alike.
  const channel = (offset: number) => {
    const k = (offset + 6 * hue) % 6;
    return Math.round(255 * value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return [channel(5), channel(3), channel(1)];
}

/** Css colour of a label. */
export function labelCssColor(id: number, seed = 0, tint = 0): string {
  return `rgb(${labelColor(id, seed, tint).join(' ')})`;
}

/**
 * The same colours in GLSL ES 3.00: `vec3 labelColor(uint id, uint seed)`, components 0…1. Tints are the first
 * `tintCount` texels of `tints`, {@link TINT_WIDTH} to a row.
 */
export const LABEL_COLOR_GLSL = `
uniform highp usampler2D tints;
uniform uint tintCount;
vec3 labelColor(uint id, uint seed) {
  uint slot = id & ${TINT_SLOTS - 1}u;
  uint tint = slot < tintCount ? texelFetch(tints, ivec2(slot & ${TINT_WIDTH - 1}u, slot / ${TINT_WIDTH}u), 0).r : 0u;
  uint n = id + seed * ${SEED_STEP}u + tint * ${TINT_STEP}u;
  float hue = 6.0 * (float((n * ${HUE_STEP}u) >> 8) / 16777216.0);
  float saturation = 0.55 + 0.45 * (float((n * ${SATURATION_STEP}u) >> 8) / 16777216.0);
  float value = 0.7 + 0.3 * (float((n * ${LIGHTNESS_STEP}u) >> 8) / 16777216.0);
  vec3 k = mod(vec3(5.0, 3.0, 1.0) + hue, 6.0);
  return value * (1.0 - saturation * clamp(min(k, 4.0 - k), 0.0, 1.0));
}`;
