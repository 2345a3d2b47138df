import { LABEL_COLOR_GLSL } from '../../../core/label-colors.ts';
import { RATED_COLOR_GLSL } from '../../../core/label-ratings.ts';
import { CHOSEN_GLSL } from './slice-shaders.ts';

/** The whole picture; the ray of a pixel follows from its place. */
export const BODIES_VERTEX = `#version 300 es
precision highp float;
out vec2 place; // 0…1 to the right and upwards
void main() {
  place = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(2.0 * place - 1.0, 0.0, 1.0);
}`;

/** Side of the blocks of voxels whose emptiness is known. */
export const BLOCK = 8;

/**
 * Labels as lit bodies, straight from their ids: each ray goes from voxel to voxel, over empty blocks at once, to
 * the first label that is shown. Its surface lies where half of the surrounding voxels carry its id, between the
 * voxels' middles, so that bodies are smooth and neighbours meet without a gap.
 */
export const BODIES_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler3D;
uniform usampler3D ids;
uniform usampler3D blocks;
uniform vec3 origin;     // of the lower left pixel's ray, in voxels x, y, z
uniform vec3 toRight;    // to the right end of the picture
uniform vec3 toTop;
uniform vec3 direction;  // of all rays, voxels per physical unit
uniform vec3 voxel;      // physical size
uniform vec3 low;        // part that is shown, in voxels
uniform vec3 high;
uniform vec3 light;      // towards it, physical
uniform float opacity;
uniform uint seed;
uniform uint selected;
uniform uint hovered;
uniform bool onlySelected;
in vec2 place;
out vec4 color;
${LABEL_COLOR_GLSL}
${RATED_COLOR_GLSL}
${CHOSEN_GLSL}

uint idAt(ivec3 at) {
  if (any(lessThan(at, ivec3(low))) || any(greaterThanEqual(at, ivec3(high)))) return 0u;
  return texelFetch(ids, at, 0).r;
}

// Share of an id around a place, between the middles of voxels.
float share(uint id, vec3 at) {
  vec3 first = floor(at - 0.5);
  vec3 part = at - 0.5 - first;
  float sum = 0.0;
  for (int k = 0; k < 8; k++) {
    ivec3 corner = ivec3(k & 1, (k >> 1) & 1, k >> 2);
    vec3 weight = mix(1.0 - part, part, vec3(corner));
    if (idAt(ivec3(first) + corner) == id) sum += weight.x * weight.y * weight.z;
  }
  return sum;
}

vec3 normalAt(uint id, vec3 at) {
  vec3 slope = vec3(0.0);
  for (int k = 0; k < 6; k++) {
    vec3 side = vec3(equal(ivec3(k >> 1), ivec3(0, 1, 2))) * ((k & 1) == 0 ? 1.5 : -1.5);
    slope -= side * share(id, at + side);
  }
  vec3 facing = slope / voxel;
  return length(facing) < 1e-6 ? -normalize(direction * voxel) : normalize(facing);
}

// Where a ray leaves a box that it is in.
float exitOf(vec3 start, vec3 inverse, vec3 from, vec3 to) {
  vec3 far = max((from - start) * inverse, (to - start) * inverse);
  return min(far.x, min(far.y, far.z));
}

void main() {
  vec3 start = origin + toRight * place.x + toTop * place.y;
  vec3 along = direction + vec3(equal(direction, vec3(0.0))) * 1e-7;
  vec3 inverse = 1.0 / along;
  vec3 a = (low - start) * inverse;
  vec3 b = (high - start) * inverse;
  float at = max(max(min(a.x, b.x), min(a.y, b.y)), max(min(a.z, b.z), 0.0));
  float end = min(max(a.x, b.x), min(max(a.y, b.y), max(a.z, b.z)));
  // A little further than the border of a voxel, along the axis that is crossed fastest.
  float nudge = 1e-3 / max(abs(along.x), max(abs(along.y), abs(along.z)));
  vec3 last = high - 1.0;
  for (int i = 0; i < 2048 && at < end; i++) {
    vec3 cell = clamp(floor(start + along * (at + nudge)), low, last);
    vec3 block = floor(cell / ${BLOCK}.0);
    if (texelFetch(blocks, ivec3(block), 0).r == 0u) {
      at = max(at + nudge, exitOf(start, inverse, block * ${BLOCK}.0, (block + 1.0) * ${BLOCK}.0));
      continue;
    }
    float next = max(at + nudge, exitOf(start, inverse, cell, cell + 1.0));
    uint id = texelFetch(ids, ivec3(cell), 0).r;
    bool chosen = id != 0u && (id == selected || isAlsoSelected(id));
    if (id == 0u || (onlySelected && !chosen)) {
      at = next;
      continue;
    }
    for (int k = 0; k < 3; k++) {
      vec3 point = start + along * mix(at, next, (float(k) + 0.5) / 3.0);
      if (share(id, point) < 0.5) continue;
      vec3 facing = normalAt(id, point);
      float lit = 0.32 + 0.68 * max(dot(facing, light), 0.0);
      vec3 own = ratedColor(id, labelColor(id, seed));
      if (chosen) own = mix(own, vec3(1.0), 0.45);
      else if (selected != 0u) own *= 0.65;
      if (id == hovered) own = mix(own, vec3(1.0), 0.35);
      vec3 halfway = normalize(light - normalize(along * voxel));
      float gloss = 0.18 * pow(max(dot(facing, halfway), 0.0), 16.0);
      color = vec4(own * lit + gloss, opacity);
      return;
    }
    at = next;
  }
  discard;
}`;
