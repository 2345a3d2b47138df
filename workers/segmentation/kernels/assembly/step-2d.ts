import { KEPT } from './lanes';

/** 2^23: added to a smaller whole number in single precision it leaves the number in the lowest bits. */
const WHOLE: i32 = 8388608;
/** The bits of WHOLE in single precision. */
const WHOLE_BITS: i32 = 0x4b000000;

/**
 * One Euler step of a group, four y and four x; the lanes that are now where they were when KEPT was stored, as a mask.
 * @param looked receives the cells and squares (basin-table.ts) that the points are in before the step; 0 for none
 */
// @ts-ignore: decorator
@inline
export function step(
  group: usize,
  field: usize,
  ny: i32,
  nx: i32,
  oy: i32,
  ox: i32,
  by: i32,
  bx: i32,
  looked: usize,
): v128 {
  const one = f32x4.splat(1);
  const half = f32x4.splat(0.5);
  const gy = v128.load(group);
  const gx = v128.load(group, 16);
  const py = f32x4.mul(f32x4.sub(f32x4.mul(f32x4.add(gy, one), f32x4.splat(ny as f32)), one), half);
  const px = f32x4.mul(f32x4.sub(f32x4.mul(f32x4.add(gx, one), f32x4.splat(nx as f32)), one), half);
  const ly = f32x4.floor(py);
  const lx = f32x4.floor(px);
  const south = f32x4.sub(py, ly);
  const east = f32x4.sub(px, lx);
  const north = f32x4.sub(one, south);
  const west = f32x4.sub(one, east);
  // Beyond the box all is zero, as are its first and its last two rows and columns where one can be beyond.
  const ky = within(f32x4.add(ly, f32x4.splat((WHOLE + 1 - oy) as f32)), by);
  const kx = within(f32x4.add(lx, f32x4.splat((WHOLE + 1 - ox) as f32)), bx);
  const row = ((bx + 2) << 3) as usize;
  const at = i32x4.add(
    i32x4.add(i32x4.mul(ky, i32x4.splat(row as i32)), i32x4.shl(kx, 3)),
    i32x4.splat((field as i32) - WHOLE_BITS * (row as i32) - (WHOLE_BITS << 3)),
  );
  if (looked != 0) {
    const eight = f32x4.splat(8);
    v128.store(looked, i32x4.shr_u(i32x4.sub(at, i32x4.splat(field as i32)), 3));
    const square = f32x4.add(
      f32x4.mul(f32x4.floor(f32x4.mul(south, eight)), eight),
      f32x4.floor(f32x4.mul(east, eight)),
    );
    v128.store(looked, v128.and(f32x4.add(square, f32x4.splat(WHOLE as f32)), i32x4.splat(63)), 16);
  }
  const at0 = i32x4.extract_lane(at, 0) as usize;
  const at1 = i32x4.extract_lane(at, 1) as usize;
  const at2 = i32x4.extract_lane(at, 2) as usize;
  const at3 = i32x4.extract_lane(at, 3) as usize;
  // Two pixels a load, y x y x: turned into four points a vector.
  let p0 = v128.load(at0);
  let p1 = v128.load(at1);
  let p2 = v128.load(at2);
  let p3 = v128.load(at3);
  let a = v128.shuffle<f32>(p0, p1, 0, 4, 1, 5);
  let b = v128.shuffle<f32>(p2, p3, 0, 4, 1, 5);
  let c = v128.shuffle<f32>(p0, p1, 2, 6, 3, 7);
  let d = v128.shuffle<f32>(p2, p3, 2, 6, 3, 7);
  const nw = f32x4.mul(west, north);
  const ne = f32x4.mul(east, north);
  let vy = f32x4.mul(v128.shuffle<f32>(a, b, 0, 1, 4, 5), nw);
  let vx = f32x4.mul(v128.shuffle<f32>(a, b, 2, 3, 6, 7), nw);
  vy = f32x4.add(vy, f32x4.mul(v128.shuffle<f32>(c, d, 0, 1, 4, 5), ne));
  vx = f32x4.add(vx, f32x4.mul(v128.shuffle<f32>(c, d, 2, 3, 6, 7), ne));
  p0 = v128.load(at0 + row);
  p1 = v128.load(at1 + row);
  p2 = v128.load(at2 + row);
  p3 = v128.load(at3 + row);
  a = v128.shuffle<f32>(p0, p1, 0, 4, 1, 5);
  b = v128.shuffle<f32>(p2, p3, 0, 4, 1, 5);
  c = v128.shuffle<f32>(p0, p1, 2, 6, 3, 7);
  d = v128.shuffle<f32>(p2, p3, 2, 6, 3, 7);
  const sw = f32x4.mul(west, south);
  const se = f32x4.mul(east, south);
  vy = f32x4.add(vy, f32x4.mul(v128.shuffle<f32>(a, b, 0, 1, 4, 5), sw));
  vx = f32x4.add(vx, f32x4.mul(v128.shuffle<f32>(a, b, 2, 3, 6, 7), sw));
  vy = f32x4.add(vy, f32x4.mul(v128.shuffle<f32>(c, d, 0, 1, 4, 5), se));
  vx = f32x4.add(vx, f32x4.mul(v128.shuffle<f32>(c, d, 2, 3, 6, 7), se));
  const hy = bounded(f32x4.add(gy, vy));
  const hx = bounded(f32x4.add(gx, vx));
  v128.store(group, hy);
  v128.store(group, hx, 16);
  return v128.and(f32x4.eq(hy, v128.load(group, KEPT)), f32x4.eq(hx, v128.load(group, KEPT + 16)));
}

/** The whole numbers that were added to WHOLE, kept within 0…last, as WHOLE_BITS more. Conversions take far longer. */
// @ts-ignore: decorator
@inline
function within(k: v128, last: i32): v128 {
  return i32x4.min_s(i32x4.max_s(k, i32x4.splat(WHOLE_BITS)), i32x4.splat(WHOLE_BITS + last));
}

/** Kept within -1…1, NaN stays. One instruction each, where min and max take several. */
// @ts-ignore: decorator
@inline
function bounded(g: v128): v128 {
  return f32x4.pmin(f32x4.pmax(g, f32x4.splat(-1)), f32x4.splat(1));
}
