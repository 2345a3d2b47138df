import { cellOfAxis, normalised, positionOf } from './coordinates';
import { BLOCK, IDLE, KEPT, keepStates, RENEWAL } from './lanes';
import { LONGEST_CYCLE, mayRecall, recall, rememberKey, ringAt } from './orbit-table';

// Slots in the scratch room. Eight points are on their way at once, two groups of four: while one group waits for its
// samples the processor works on the other. A group is four y, four x; KEPT the same, states to come back to.
const GROUP_B: usize = 32;
/** One point alone, in every lane. */
const WALK: usize = 128;
const STATE: usize = 160;
const LEFT: usize = 192;
const POINT: usize = 224;
const TABLE: usize = 256;

/**
 * Follows the flows from points [start, stop) in a plane (spec §5.1).
 * @param field f32 [by + 2, bx + 2, 2]: normalised steps in y, x over the box, with a border of zeros; the outermost
 * pixels of the box are zero too, unless they are the outermost of the plane
 * @param index i32: row-major pixel of each point
 * @param ends i32: receives the row-major pixel in which each point ended
 * @param position f32 [2, total]: receives the end positions in pixels; 0 for none
 * @param scratch room for the lanes and a table of orbits, zeros before the first call
 */
export function follow2d(
  field: usize,
  index: usize,
  ends: usize,
  position: usize,
  scratch: usize,
  total: i32,
  ny: i32,
  nx: i32,
  oy: i32,
  ox: i32,
  by: i32,
  bx: i32,
  niter: i32,
  start: i32,
  stop: i32,
): void {
  const table = scratch + TABLE;
  let next = start;
  let active = 0;
  // Not more than the steps left of any lane.
  let least = IDLE;
  for (let lane: usize = 0; lane < 8; lane++) {
    if (next < stop) {
      active++;
      least = niter;
    }
    next = enter(scratch, lane, next, stop, index, ny, nx, niter);
  }
  keepStates(scratch);
  for (let blocks = 0; active > 0; ) {
    const steps = min(least, BLOCK);
    let metA = i32x4.splat(0);
    let metB = i32x4.splat(0);
    for (let k = 0; k < steps; k++) {
      metA = v128.or(metA, step(scratch, field, ny, nx, oy, ox, by, bx));
      metB = v128.or(metB, step(scratch + GROUP_B, field, ny, nx, oy, ox, by, bx));
    }
    const spent = i32x4.splat(steps);
    v128.store(scratch, i32x4.sub(v128.load(scratch, LEFT), spent), LEFT);
    v128.store(scratch, i32x4.sub(v128.load(scratch, LEFT + 16), spent), LEFT + 16);
    least -= steps;
    const met = i32x4.bitmask(metA) | (i32x4.bitmask(metB) << 4);
    const known = knownOf(scratch, table) | (knownOf(scratch + GROUP_B, table) << 4);
    let events = met | known;
    if (least == 0) {
      const none = i32x4.splat(0);
      events |= i32x4.bitmask(i32x4.eq(v128.load(scratch, LEFT), none));
      events |= i32x4.bitmask(i32x4.eq(v128.load(scratch, LEFT + 16), none)) << 4;
    }
    for (; events != 0; events &= events - 1) {
      const lane = ctz(events) as usize;
      const at = slot(scratch, lane);
      const left = load<i32>(scratch + (lane << 2), LEFT);
      if (left > 0) {
        const key = keyOf(load<f32>(at), load<f32>(at, 16));
        const state = scratch + STATE;
        store<u64>(state, key);
        let end = recall(table, key, state, left);
        if (end == 0 && ((met >> (lane as i32)) & 1) != 0) {
          if (walk(scratch, table, at, field, ny, nx, oy, ox, by, bx)) end = recall(table, key, state, left);
        }
        if (end == 0) continue;
        leave(end, 4, load<i32>(scratch + (lane << 2), POINT), ends, position, total, ny, nx);
      } else leave(at, 16, load<i32>(scratch + (lane << 2), POINT), ends, position, total, ny, nx);
      if (next >= stop) active--;
      next = enter(scratch, lane, next, stop, index, ny, nx, niter);
    }
    if (least == 0) {
      least = IDLE;
      for (let lane: usize = 0; lane < 8; lane++) least = min(least, load<i32>(scratch + (lane << 2), LEFT));
    }
    if (++blocks % RENEWAL == 0)
      keepStates(scratch);
  }
}

/** Address of the y of a lane; its x is 16 bytes after. */
// @ts-ignore: decorator
@inline
function slot(scratch: usize, lane: usize): usize {
  return scratch + (lane >> 2) * GROUP_B + ((lane & 3) << 2);
}

// @ts-ignore: decorator
@inline
function keyOf(y: f32, x: f32): u64 {
  return (reinterpret<u32>(y) as u64) | ((reinterpret<u32>(x) as u64) << 32);
}

/** Which of a group's lanes may be in a known cycle, a bit each. */
// @ts-ignore: decorator
@inline
function knownOf(group: usize, table: usize): i32 {
  const y = v128.load(group);
  const x = v128.load(group, 16);
  const low = v128.shuffle<f32>(y, x, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(y, x, 2, 6, 3, 7);
  return (
    (mayRecall(table, i64x2.extract_lane(low, 0) as u64) as i32) |
    ((mayRecall(table, i64x2.extract_lane(low, 1) as u64) as i32) << 1) |
    ((mayRecall(table, i64x2.extract_lane(high, 0) as u64) as i32) << 2) |
    ((mayRecall(table, i64x2.extract_lane(high, 1) as u64) as i32) << 3)
  );
}

/** Follows one state until it returns; puts its cycle into the table and tells whether there is one. */
function walk(
  scratch: usize,
  table: usize,
  at: usize,
  field: usize,
  ny: i32,
  nx: i32,
  oy: i32,
  ox: i32,
  by: i32,
  bx: i32,
): bool {
  const lane = scratch + WALK;
  const y = load<f32>(at);
  const x = load<f32>(at, 16);
  v128.store(lane, f32x4.splat(y));
  v128.store(lane, f32x4.splat(x), 16);
  const first = load<u32>(table);
  for (let period: u32 = 1; period <= LONGEST_CYCLE; period++) {
    v128.store(ringAt(table, first + period - 1), f32x4(load<f32>(lane), load<f32>(lane, 16), 0, 0));
    // Steps into the ring that come to nothing have spoilt the oldest states there.
    store<u32>(table, first + period);
    step(lane, field, ny, nx, oy, ox, by, bx);
    if (load<f32>(lane) != y || load<f32>(lane, 16) != x) continue;
    for (let place: u32 = 0; place < period; place++) {
      const state = ringAt(table, first + place);
      rememberKey(table, keyOf(load<f32>(state), load<f32>(state, 4)), first, place, period);
    }
    return true;
  }
  return false;
}

/** Puts the next point into a lane, or leaves it idle; returns the point after. */
function enter(
  scratch: usize,
  lane: usize,
  next: i32,
  stop: i32,
  index: usize,
  ny: i32,
  nx: i32,
  niter: i32,
): i32 {
  const at = slot(scratch, lane);
  const word = scratch + (lane << 2);
  if (next >= stop) {
    // NaN is never known and never comes back.
    store<f32>(at, f32.NaN);
    store<f32>(at, f32.NaN, 16);
    store<i32>(word, IDLE, LEFT);
    return next;
  }
  const i = load<i32>(index + ((next as usize) << 2));
  const y = i / nx;
  store<f32>(at, normalised(y, ny));
  store<f32>(at, normalised(i - y * nx, nx), 16);
  store<i32>(word, niter, LEFT);
  store<i32>(word, next, POINT);
  return next + 1;
}

/** Stores where a point ended: its y is at address `at`, its x `gap` bytes after. */
// @ts-ignore: decorator
@inline
function leave(at: usize, gap: usize, point: i32, ends: usize, position: usize, total: i32, ny: i32, nx: i32): void {
  const to = (point as usize) << 2;
  const y = positionOf(load<f32>(at), ny);
  const x = positionOf(load<f32>(at + gap), nx);
  store<i32>(ends + to, cellOfAxis(y, ny) * nx + cellOfAxis(x, nx));
  if (position == 0) return;
  store<f32>(position + to, y);
  store<f32>(position + ((total as usize) << 2) + to, x);
}

/** One Euler step of a group; the lanes that are now where they were when KEPT was stored, as a mask. */
// @ts-ignore: decorator
@inline
function step(
  group: usize,
  field: usize,
  ny: i32,
  nx: i32,
  oy: i32,
  ox: i32,
  by: i32,
  bx: i32,
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
  const ky = within(i32x4.add(i32x4.trunc_sat_f32x4_s(ly), i32x4.splat(1 - oy)), by);
  const kx = within(i32x4.add(i32x4.trunc_sat_f32x4_s(lx), i32x4.splat(1 - ox)), bx);
  const row = ((bx + 2) << 3) as usize;
  const at = i32x4.add(
    i32x4.add(i32x4.mul(ky, i32x4.splat(row as i32)), i32x4.shl(kx, 3)),
    i32x4.splat(field as i32),
  );
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

// @ts-ignore: decorator
@inline
function within(k: v128, last: i32): v128 {
  return i32x4.min_s(i32x4.max_s(k, i32x4.splat(0)), i32x4.splat(last));
}

/** Kept within -1…1, NaN stays. One instruction each, where min and max take several. */
// @ts-ignore: decorator
@inline
function bounded(g: v128): v128 {
  return f32x4.pmin(f32x4.pmax(g, f32x4.splat(-1)), f32x4.splat(1));
}
