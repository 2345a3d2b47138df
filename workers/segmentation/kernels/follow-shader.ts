/**
 * The flow dynamics as compute shaders: one invocation follows one point, in the order of operations of the plain twin
 * (masks/follow-flows.ts). A GPU may fuse a product and a sum, so that positions agree to the last digits only.
 */

/** Invocations of a workgroup. */
export const WORKGROUP = 64;

/** Bytes of the uniform block `Job`: three vectors of four numbers of 32 bits. */
export const JOB_BYTES = 48;

const JOB = /* wgsl */ `
struct Job {
  // Pixels along z, y, x; fourth: points.
  shape: vec4u,
  // First pixel of the field's box along z, y, x; fourth: steps.
  origin: vec4u,
  // Pixels of the field's box along z, y, x, without its border.
  box: vec4u,
}
@group(0) @binding(0) var<uniform> job: Job;
`;

/**
 * In a plane.
 * field: f32 [by + 2, bx + 2, 2], normalised steps in y, x over the box, with a border of zeros.
 * points: f32 [K, 2], normalised coordinates y, x; read and replaced.
 */
export const FOLLOW_2D = /* wgsl */ `${JOB}
@group(0) @binding(1) var<storage, read> field: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> points: array<vec2f>;

@compute @workgroup_size(${WORKGROUP})
fn follow(@builtin(global_invocation_id) id: vec3u) {
  let k = id.x;
  if (k >= job.shape.w) { return; }
  let size = vec2f(job.shape.yz);
  let origin = vec2i(job.origin.yz);
  let last = vec2i(job.box.yz);
  let row = job.box.z + 2u;
  var g = points[k];
  for (var step = 0u; step < job.origin.w; step++) {
    let p = ((g + 1.0) * size - 1.0) * 0.5;
    let low = floor(p);
    let high = p - low;
    let rest = 1.0 - high;
    let pixel = vec2i(low) - origin + 1;
    // Outside the box all is zero.
    var v = vec2f(0.0);
    if (all(pixel >= vec2i(0)) && all(pixel <= last)) {
      let at = u32(pixel.x) * row + u32(pixel.y);
      v = ((field[at] * (rest.y * rest.x) + field[at + 1u] * (high.y * rest.x))
        + field[at + row] * (rest.y * high.x)) + field[at + row + 1u] * (high.y * high.x);
    }
    let next = clamp(g + v, vec2f(-1.0), vec2f(1.0));
    if (all(next == g)) { break; }
    g = next;
  }
  points[k] = g;
}
`;

/** In a volume. field: f32 [bz + 2, by + 2, bx + 2, 3]; points: f32 [K, 3]; order z, y, x. */
export const FOLLOW_3D = /* wgsl */ `${JOB}
@group(0) @binding(1) var<storage, read> field: array<f32>;
@group(0) @binding(2) var<storage, read_write> points: array<f32>;

fn flow(voxel: u32) -> vec3f {
  return vec3f(field[3u * voxel], field[3u * voxel + 1u], field[3u * voxel + 2u]);
}

@compute @workgroup_size(${WORKGROUP})
fn follow(@builtin(global_invocation_id) id: vec3u) {
  let k = id.x;
  if (k >= job.shape.w) { return; }
  let size = vec3f(job.shape.xyz);
  let origin = vec3i(job.origin.xyz);
  let last = vec3i(job.box.xyz);
  let row = job.box.z + 2u;
  let plane = (job.box.y + 2u) * row;
  var g = vec3f(points[3u * k], points[3u * k + 1u], points[3u * k + 2u]);
  for (var step = 0u; step < job.origin.w; step++) {
    let p = ((g + 1.0) * size - 1.0) * 0.5;
    let low = floor(p);
    let high = p - low;
    let rest = (low + 1.0) - p;
    let pixel = vec3i(low) - origin + 1;
    var v = vec3f(0.0);
    if (all(pixel >= vec3i(0)) && all(pixel <= last)) {
      let at = u32(pixel.x) * plane + u32(pixel.y) * row + u32(pixel.z);
      let below = at + plane;
      let w00 = rest.z * rest.y;
      let w01 = high.z * rest.y;
      let w10 = rest.z * high.y;
      let w11 = high.z * high.y;
      v = flow(at) * (w00 * rest.x);
      v += flow(at + 1u) * (w01 * rest.x);
      v += flow(at + row) * (w10 * rest.x);
      v += flow(at + row + 1u) * (w11 * rest.x);
      v += flow(below) * (w00 * high.x);
      v += flow(below + 1u) * (w01 * high.x);
      v += flow(below + row) * (w10 * high.x);
      v += flow(below + row + 1u) * (w11 * high.x);
    }
    let next = clamp(g + v, vec3f(-1.0), vec3f(1.0));
    if (all(next == g)) { break; }
    g = next;
  }
  points[3u * k] = g.x;
  points[3u * k + 1u] = g.y;
  points[3u * k + 2u] = g.z;
}
`;
