import { BLOCK, IDLE, KEPT, keepStates, RENEWAL } from './lanes';
import { LONGEST_CYCLE, mayRecall, recall, rememberKey, ringAt } from './orbit-table';

// Slots in the scratch room. Four points are on their way in turns: while one waits for its samples the processor works
// on the others. A state is z, y, x and a number that stays; KEPT states to come back to.
const WALK: usize = 128;
const LEFT: usize = 208;
const POINT: usize = 224;
const TABLE: usize = 256;

/**
 * Follows the flows from points [start, stop) in a volume.
 * @param field f32 [bz + 2, by + 2, bx + 2, 3] and four bytes more: normalised steps in z, y, x over the box, with a
 * border of zeros
 * @param index i32: row-major voxel of each point
 * @param ends i32: receives the row-major voxel in which each point ended
 * @param position f32 [3, total]: receives the end positions in voxels; 0 for none
 * @param scratch room for the lanes and a table of orbits, zeros before the first call
 */
export function follow3d(
  field: usize,
  index: usize,
  ends: usize,
  position: usize,
  scratch: usize,
  total: i32,
  nz: i32,
  ny: i32,
  nx: i32,
  oz: i32,
  oy: i32,
  ox: i32,
  bz: i32,
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
  for (let lane: usize = 0; lane < 4; lane++) {
    if (next < stop) {
      active++;
      least = niter;
    }
    next = enter(scratch, lane, next, stop, index, nz, ny, nx, niter);
  }
  keepStates(scratch);
  for (let blocks = 0; active > 0; ) {
    const steps = min(least, BLOCK);
    let met = 0;
    for (let k = 0; k < steps; k++) {
      met |= step(scratch, field, nz, ny, nx, oz, oy, ox, bz, by, bx);
      met |= step(scratch + 16, field, nz, ny, nx, oz, oy, ox, bz, by, bx) << 1;
      met |= step(scratch + 32, field, nz, ny, nx, oz, oy, ox, bz, by, bx) << 2;
      met |= step(scratch + 48, field, nz, ny, nx, oz, oy, ox, bz, by, bx) << 3;
    }
    v128.store(scratch, i32x4.sub(v128.load(scratch, LEFT), i32x4.splat(steps)), LEFT);
    least -= steps;
    let events = met;
    for (let lane: usize = 0; lane < 4; lane++)
      events |= (mayRecall(table, keyOf(scratch + (lane << 4))) as i32) << (lane as i32);
    if (least == 0) events |= i32x4.bitmask(i32x4.eq(v128.load(scratch, LEFT), i32x4.splat(0)));
    for (; events != 0; events &= events - 1) {
      const lane = ctz(events) as usize;
      const at = scratch + (lane << 4);
      const left = load<i32>(scratch + (lane << 2), LEFT);
      let end = at;
      if (left > 0) {
        end = recall(table, keyOf(at), at, left);
        if (end == 0 && ((met >> (lane as i32)) & 1) != 0) {
          if (walk(scratch, table, at, field, nz, ny, nx, oz, oy, ox, bz, by, bx))
            end = recall(table, keyOf(at), at, left);
        }
        if (end == 0) continue;
      }
      leave(end, load<i32>(scratch + (lane << 2), POINT), ends, position, total, nz, ny, nx);
      if (next >= stop) active--;
      next = enter(scratch, lane, next, stop, index, nz, ny, nx, niter);
    }
    if (least == 0) {
      least = IDLE;
      for (let lane: usize = 0; lane < 4; lane++) least = min(least, load<i32>(scratch + (lane << 2), LEFT));
    }
    if (++blocks % RENEWAL == 0)
      keepStates(scratch);
  }
}

/** Sixteen bytes mixed into eight: unlike states seldom have the same. */
// @ts-ignore: decorator
@inline
function keyOf(state: usize): u64 {
  return load<u64>(state) + load<u64>(state, 8) * 0xc2b2ae3d27d4eb4f;
}

/** Follows one state until it returns; puts its cycle into the table and tells whether there is one. */
function walk(
  scratch: usize,
  table: usize,
  at: usize,
  field: usize,
  nz: i32,
  ny: i32,
  nx: i32,
  oz: i32,
  oy: i32,
  ox: i32,
  bz: i32,
  by: i32,
  bx: i32,
): bool {
  const lane = scratch + WALK;
  const begin = v128.load(at);
  v128.store(lane, begin);
  const first = load<u32>(table);
  for (let period: u32 = 1; period <= LONGEST_CYCLE; period++) {
    v128.store(ringAt(table, first + period - 1), v128.load(lane));
    // Steps into the ring that come to nothing have spoilt the oldest states there.
    store<u32>(table, first + period);
    step(lane, field, nz, ny, nx, oz, oy, ox, bz, by, bx);
    if (!i32x4.all_true(f32x4.eq(v128.load(lane), begin))) continue;
    for (let place: u32 = 0; place < period; place++)
      rememberKey(table, keyOf(ringAt(table, first + place)), first, place, period);
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
  nz: i32,
  ny: i32,
  nx: i32,
  niter: i32,
): i32 {
  const at = scratch + (lane << 4);
  const word = scratch + (lane << 2);
  if (next >= stop) {
    // NaN is never known and never comes back.
    v128.store(at, f32x4.splat(f32.NaN));
    store<i32>(word, IDLE, LEFT);
    return next;
  }
  const i = load<i32>(index + ((next as usize) << 2));
  const line = i / nx;
  const z = line / ny;
  const last = f32x4((nz - 1) as f32, (ny - 1) as f32, (nx - 1) as f32, 1);
  const place = f32x4(z as f32, (line - z * ny) as f32, (i - line * nx) as f32, 0);
  let g = f32x4.sub(f32x4.mul(f32x4.div(place, last), f32x4.splat(2)), f32x4.splat(1));
  if (nz == 1) g = f32x4.replace_lane(g, 0, -1);
  if (ny == 1) g = f32x4.replace_lane(g, 1, -1);
  if (nx == 1) g = f32x4.replace_lane(g, 2, -1);
  v128.store(at, g);
  store<i32>(word, niter, LEFT);
  store<i32>(word, next, POINT);
  return next + 1;
}

/** Stores where a point ended: its state is at address `at`. */
function leave(
  at: usize,
  point: i32,
  ends: usize,
  position: usize,
  total: i32,
  nz: i32,
  ny: i32,
  nx: i32,
): void {
  const last = f32x4((nz - 1) as f32, (ny - 1) as f32, (nx - 1) as f32, 1);
  let end = f32x4.mul(f32x4.mul(f32x4.add(v128.load(at), f32x4.splat(1)), f32x4.splat(0.5)), last);
  if (nz == 1) end = f32x4.replace_lane(end, 0, 0);
  const cell = i32x4.min_s(
    i32x4.max_s(i32x4.trunc_sat_f32x4_s(end), i32x4.splat(0)),
    i32x4(nz - 1, ny - 1, nx - 1, 0),
  );
  const to = (point as usize) << 2;
  store<i32>(
    ends + to,
    (i32x4.extract_lane(cell, 0) * ny + i32x4.extract_lane(cell, 1)) * nx + i32x4.extract_lane(cell, 2),
  );
  if (position == 0) return;
  const component = (total as usize) << 2;
  store<f32>(position + to, f32x4.extract_lane(end, 0));
  store<f32>(position + component + to, f32x4.extract_lane(end, 1));
  store<f32>(position + 2 * component + to, f32x4.extract_lane(end, 2));
}

/** One Euler step of the point at address `at`; 1 if it is now where it was when KEPT was stored. */
// @ts-ignore: decorator
@inline
function step(
  at: usize,
  field: usize,
  nz: i32,
  ny: i32,
  nx: i32,
  oz: i32,
  oy: i32,
  ox: i32,
  bz: i32,
  by: i32,
  bx: i32,
): i32 {
  const row = ((bx + 2) * 12) as usize;
  const plane = ((by + 2) as usize) * row;
  const one = f32x4.splat(1);
  const g = v128.load(at);
  const length = f32x4(nz as f32, ny as f32, nx as f32, 1);
  const p = f32x4.mul(f32x4.sub(f32x4.mul(f32x4.add(g, one), length), one), f32x4.splat(0.5));
  const low = f32x4.floor(p);
  const high = f32x4.sub(p, low);
  const rest = f32x4.sub(f32x4.add(low, one), p);
  const pixel = i32x4.sub(i32x4.trunc_sat_f32x4_s(low), i32x4(oz - 1, oy - 1, ox - 1, 0));
  const pz = i32x4.extract_lane(pixel, 0);
  const py = i32x4.extract_lane(pixel, 1);
  const px = i32x4.extract_lane(pixel, 2);
  // Outside the box all is zero.
  if ((pz as u32) <= (bz as u32) && (py as u32) <= (by as u32) && (px as u32) <= (bx as u32)) {
    const from = field + (pz as usize) * plane + (py as usize) * row + (px as usize) * 12;
    const below = from + plane;
    // x0 y0, x1 y0, x0 y1, x1 y1
    const xy = f32x4.mul(v128.shuffle<f32>(rest, high, 2, 6, 2, 6), v128.shuffle<f32>(rest, high, 1, 1, 5, 5));
    const upper = f32x4.mul(xy, v128.shuffle<f32>(rest, rest, 0, 0, 0, 0));
    const lower = f32x4.mul(xy, v128.shuffle<f32>(high, high, 0, 0, 0, 0));
    let v = f32x4.mul(v128.load(from), v128.shuffle<f32>(upper, upper, 0, 0, 0, 0));
    v = f32x4.add(v, f32x4.mul(v128.load(from, 12), v128.shuffle<f32>(upper, upper, 1, 1, 1, 1)));
    v = f32x4.add(v, f32x4.mul(v128.load(from + row), v128.shuffle<f32>(upper, upper, 2, 2, 2, 2)));
    v = f32x4.add(v, f32x4.mul(v128.load(from + row, 12), v128.shuffle<f32>(upper, upper, 3, 3, 3, 3)));
    v = f32x4.add(v, f32x4.mul(v128.load(below), v128.shuffle<f32>(lower, lower, 0, 0, 0, 0)));
    v = f32x4.add(v, f32x4.mul(v128.load(below, 12), v128.shuffle<f32>(lower, lower, 1, 1, 1, 1)));
    v = f32x4.add(v, f32x4.mul(v128.load(below + row), v128.shuffle<f32>(lower, lower, 2, 2, 2, 2)));
    v = f32x4.add(v, f32x4.mul(v128.load(below + row, 12), v128.shuffle<f32>(lower, lower, 3, 3, 3, 3)));
    // The fourth lane holds a part of the next voxel.
    v = f32x4.add(g, v128.and(v, i32x4(-1, -1, -1, 0)));
    // One instruction each, where min and max take several; NaN stays.
    v128.store(at, f32x4.pmin(f32x4.pmax(v, f32x4.splat(-1)), one));
  }
  return ((i32x4.bitmask(f32x4.eq(v128.load(at), v128.load(at, KEPT))) & 7) == 7) as i32;
}
