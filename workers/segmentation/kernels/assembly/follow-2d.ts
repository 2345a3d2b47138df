import { SETTLING } from './basin-2d';
import { BASINS, earn, enclose, tryBasin } from './basin-search';
import { endOfSquare, lookUp } from './basin-table';
import { cellOfAxis, normalised, positionOf } from './coordinates';
import { BLOCK, IDLE, KEPT, keepStates, RENEWAL } from './lanes';
import { LONGEST_CYCLE, mayRecall, recall, rememberKey, ringAt, TABLE_BYTES } from './orbit-table';
import { step } from './step-2d';

// Slots in the scratch room. Eight points are on their way at once, two groups of four: while one group waits for its
// samples the processor works on the other. A group is four y, four x; KEPT the same, states to come back to.
const GROUP_B: usize = 32;
/** One point alone, in every lane. */
const WALK: usize = 128;
const STATE: usize = 160;
const LEFT: usize = 192;
const POINT: usize = 224;
/** Cells and squares of the points when they were last looked up, a group after the other. */
const LOOKED: usize = 256;
const TABLE: usize = 320;
/** After it SEARCH_BYTES; kernel-job.ts makes the room. */
const SEARCH: usize = TABLE + TABLE_BYTES;

/**
 * Follows the flows from points [start, stop) in a plane (spec §5.1).
 * @param field f32 [by + 2, bx + 2, 2]: normalised steps in y, x over the box, with a border of zeros; the outermost
 * pixels of the box are zero too, unless they are the outermost of the plane
 * @param index i32: row-major pixel of each point
 * @param ends i32: receives the row-major pixel in which each point ended
 * @param position f32 [2, total]: receives the end positions in pixels; 0 for none
 * @param scratch room for the lanes, a table of orbits and the search for basins, zeros before the first call
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
  // Where a point comes to rest is not known of a basin.
  const search = scratch + SEARCH;
  const basins = position == 0 && niter > 0 ? search + BASINS : 0;
  for (let blocks = 0; active > 0; ) {
    const steps = min(least, BLOCK);
    let metA = i32x4.splat(0);
    let metB = i32x4.splat(0);
    let ending = 0;
    for (let k = basins == 0 ? 0 : 1; k < steps; k++) {
      metA = v128.or(metA, step(scratch, field, ny, nx, oy, ox, by, bx, 0));
      metB = v128.or(metB, step(scratch + GROUP_B, field, ny, nx, oy, ox, by, bx, 0));
    }
    if (basins != 0) {
      metA = v128.or(metA, step(scratch, field, ny, nx, oy, ox, by, bx, scratch + LOOKED));
      ending = lookUp(scratch + LOOKED, basins);
      metB = v128.or(metB, step(scratch + GROUP_B, field, ny, nx, oy, ox, by, bx, scratch + LOOKED + 32));
      ending |= lookUp(scratch + LOOKED + 32, basins) << 4;
    }
    const spent = i32x4.splat(steps);
    v128.store(scratch, i32x4.sub(v128.load(scratch, LEFT), spent), LEFT);
    v128.store(scratch, i32x4.sub(v128.load(scratch, LEFT + 16), spent), LEFT + 16);
    least -= steps;
    const met = i32x4.bitmask(metA) | (i32x4.bitmask(metB) << 4);
    let events = met | ending;
    if ((blocks & 3) == 3 || basins == 0) events |= knownOf(scratch, table) | (knownOf(scratch + GROUP_B, table) << 4);
    if (least == 0) {
      const none = i32x4.splat(0);
      events |= i32x4.bitmask(i32x4.eq(v128.load(scratch, LEFT), none));
      events |= i32x4.bitmask(i32x4.eq(v128.load(scratch, LEFT + 16), none)) << 4;
    }
    for (; events != 0; events &= events - 1) {
      const lane = ctz(events) as usize;
      const at = slot(scratch, lane);
      const left = load<i32>(scratch + (lane << 2), LEFT);
      const point = load<i32>(scratch + (lane << 2), POINT);
      if (point < 0) continue;
      let pixel = -1;
      if (left >= SETTLING && ((ending >> (lane as i32)) & 1) != 0) {
        const looked = scratch + LOOKED + ((lane >> 2) << 5) + ((lane & 3) << 2);
        pixel = endOfSquare(basins, load<i32>(looked), load<u32>(looked, 16));
        // What is not a number is taken to be in the first pixel.
        if (load<f32>(at) != load<f32>(at) || load<f32>(at, 16) != load<f32>(at, 16)) pixel = -1;
      }
      if (pixel >= 0) store<i32>(ends + ((point as usize) << 2), pixel);
      else if (left > 0) {
        const key = keyOf(load<f32>(at), load<f32>(at, 16));
        const state = scratch + STATE;
        store<u64>(state, key);
        let end = recall(table, key, state, left);
        if (end == 0 && ((met >> (lane as i32)) & 1) != 0) {
          const period = walk(scratch, table, at, field, ny, nx, oy, ox, by, bx);
          if (period > 0) end = recall(table, key, state, left);
          if (period > 0 && basins != 0) enclose(search, table, period, field, ny, nx, oy, ox, by, bx);
        }
        if (end == 0) continue;
        leave(end, 4, point, ends, position, total, ny, nx);
      } else leave(at, 16, point, ends, position, total, ny, nx);
      if (next >= stop) active--;
      next = enter(scratch, lane, next, stop, index, ny, nx, niter);
    }
    if (least == 0) {
      least = IDLE;
      for (let lane: usize = 0; lane < 8; lane++) least = min(least, load<i32>(scratch + (lane << 2), LEFT));
    }
    if (++blocks % RENEWAL == 0) {
      keepStates(scratch);
      if (basins == 0) continue;
      earn(search);
      // Points that have been on their way for long may be near a place that they come to slowly.
      for (let lane: usize = 0; lane < 8; lane++) {
        if (load<i32>(scratch + (lane << 2), LEFT) > niter - 48) continue;
        const at = slot(scratch, lane);
        const gy = load<f32>(at);
        const gx = load<f32>(at, 16);
        if (gy != gy || gx != gx) continue;
        const pixel = cellOfAxis(positionOf(gy, ny), ny) * nx + cellOfAxis(positionOf(gx, nx), nx);
        tryBasin(search, field, ny, nx, oy, ox, by, bx, gy, gx, pixel);
      }
    }
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

/** Follows one state until it returns; puts its cycle into the table and gives its length, 0 if it is too long. */
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
): i32 {
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
    step(lane, field, ny, nx, oy, ox, by, bx, 0);
    if (load<f32>(lane) != y || load<f32>(lane, 16) != x) continue;
    for (let place: u32 = 0; place < period; place++) {
      const state = ringAt(table, first + place);
      rememberKey(table, keyOf(load<f32>(state), load<f32>(state, 4)), first, place, period);
    }
    return period as i32;
  }
  return 0;
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
    store<i32>(word, -1, POINT);
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
