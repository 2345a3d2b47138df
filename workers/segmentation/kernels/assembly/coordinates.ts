/** Normalised coordinate of a pixel; -1 on an axis of one pixel. */
// @ts-ignore: decorator
@inline
export function normalised(p: i32, n: i32): f32 {
  return n == 1 ? -1 : ((p as f32) / ((n - 1) as f32)) * 2 - 1;
}

/** Position in pixels of a normalised coordinate. */
// @ts-ignore: decorator
@inline
export function positionOf(g: f32, n: i32): f32 {
  return (g + 1) * 0.5 * ((n - 1) as f32);
}

/** Pixel of a position, truncated toward zero and kept on the axis; 0 for NaN. */
// @ts-ignore: decorator
@inline
export function cellOfAxis(position: f32, n: i32): i32 {
  return min(n - 1, max(0, i32x4.extract_lane(i32x4.trunc_sat_f32x4_s(f32x4.splat(position)), 0)));
}
