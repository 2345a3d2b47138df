/**
 * The inner loops of flows → labels in WebAssembly SIMD. AssemblyScript: compiled by scripts/kernels.mjs.
 * Every operation is the plain twin's, in the same order and precision, so that results agree bit for bit.
 * Addresses are bytes of the imported memory, which the caller lays out.
 */

/**
 * A point's orbit in float32 is eventually periodic. When a state returns after p steps the remaining steps are taken
 * modulo p: exact, and most points of real flows circle around their sink instead of coming to rest.
 */

// Slots of follow2d in its scratch room: four points are on their way at once, two to a vector.
const STATE: usize = 0;
/** States at the last multiple of 8 and of 64 ticks. */
const KEPT: usize = 32;
const KEPT_LONG: usize = 64;
const POINT: usize = 96;
const UNTIL: usize = 112;
const FOUND: usize = 128;
const IDLE = 0x7fffffff;

/**
 * Follows the flows from points [start, stop) in a plane (spec §5.1).
 * @param field f32 [by + 2, bx + 2, 2]: normalised steps in y, x over the box, with a border of zeros
 * @param index i32: row-major pixel of each point
 * @param ends i32: receives the row-major pixel in which each point ended
 * @param position f32 [2, total]: receives the end positions in pixels; 0 for none
 * @param scratch 144 bytes
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
  const row = ((bx + 2) * 8) as usize;
  const length = f32x4(ny as f32, nx as f32, ny as f32, nx as f32);
  const origin = i32x4(oy, ox, oy, ox);
  let next = start;
  let tick = 0;
  let active = 0;
  let event = IDLE;
  for (let slot = 0; slot < 4; slot++) {
    if (next < stop) active++;
    next = enter(scratch, slot, next, stop, index, ny, nx, tick + niter);
  }
  if (active > 0) event = niter;
  let g0 = v128.load(scratch, STATE);
  let g1 = v128.load(scratch, STATE + 16);
  let kept0 = v128.load(scratch, KEPT);
  let kept1 = v128.load(scratch, KEPT + 16);
  let long0 = v128.load(scratch, KEPT_LONG);
  let long1 = v128.load(scratch, KEPT_LONG + 16);
  while (active > 0) {
    let met = 0;
    if (niter > 0) {
      const h0 = stepPair(g0, length, origin, field, row, by, bx);
      const h1 = stepPair(g1, length, origin, field, row, by, bx);
      tick++;
      const same0 = v128.or(f32x4.eq(h0, g0), v128.or(f32x4.eq(h0, kept0), f32x4.eq(h0, long0)));
      const same1 = v128.or(f32x4.eq(h1, g1), v128.or(f32x4.eq(h1, kept1), f32x4.eq(h1, long1)));
      const m0 = i32x4.bitmask(same0);
      const m1 = i32x4.bitmask(same1);
      met = ((m0 & (m0 >> 1)) | (m1 & (m1 >> 1))) & 5;
      if (met != 0 || tick >= event) {
        v128.store(scratch, h0, STATE);
        v128.store(scratch, h1, STATE + 16);
        v128.store(scratch, kept0, KEPT);
        v128.store(scratch, kept1, KEPT + 16);
        v128.store(scratch, long0, KEPT_LONG);
        v128.store(scratch, long1, KEPT_LONG + 16);
        const rest0 = i32x4.bitmask(f32x4.eq(h0, g0));
        const rest1 = i32x4.bitmask(f32x4.eq(h1, g1));
        const near0 = i32x4.bitmask(f32x4.eq(h0, kept0));
        const near1 = i32x4.bitmask(f32x4.eq(h1, kept1));
        const far0 = i32x4.bitmask(f32x4.eq(h0, long0));
        const far1 = i32x4.bitmask(f32x4.eq(h1, long1));
        const rest = rest0 | (rest1 << 4);
        const near = near0 | (near1 << 4);
        const far = far0 | (far1 << 4);
        for (let slot = 0; slot < 4; slot++) {
          const mine = 3 << (slot << 1);
          const until = scratch + UNTIL + ((slot as usize) << 2);
          const found = scratch + FOUND + ((slot as usize) << 2);
          if ((rest & mine) == mine) store<i32>(until, tick);
          else if (load<i32>(found) == 0) {
            let period = 0;
            if ((near & mine) == mine) period = tick - ((tick - 1) & ~7);
            else if ((far & mine) == mine) period = tick - ((tick - 1) & ~63);
            if (period > 0) {
              store<i32>(found, 1);
              store<i32>(until, tick + ((load<i32>(until) - tick) % period));
            }
          }
        }
      } else {
        g0 = h0;
        g1 = h1;
        if ((tick & 7) == 0) {
          kept0 = h0;
          kept1 = h1;
          if ((tick & 63) == 0) {
            long0 = h0;
            long1 = h1;
          }
        }
        continue;
      }
    }
    if ((tick & 7) == 0) {
      v128.store(scratch, v128.load(scratch, STATE), KEPT);
      v128.store(scratch, v128.load(scratch, STATE + 16), KEPT + 16);
      if ((tick & 63) == 0) {
        v128.store(scratch, v128.load(scratch, STATE), KEPT_LONG);
        v128.store(scratch, v128.load(scratch, STATE + 16), KEPT_LONG + 16);
      }
    }
    event = IDLE;
    for (let slot = 0; slot < 4; slot++) {
      const until = scratch + UNTIL + ((slot as usize) << 2);
      if (load<i32>(until) <= tick) {
        leave(scratch, slot, ends, position, total, ny, nx);
        if (next >= stop) active--;
        next = enter(scratch, slot, next, stop, index, ny, nx, tick + niter);
      }
      event = min(event, load<i32>(until));
    }
    g0 = v128.load(scratch, STATE);
    g1 = v128.load(scratch, STATE + 16);
    kept0 = v128.load(scratch, KEPT);
    kept1 = v128.load(scratch, KEPT + 16);
    long0 = v128.load(scratch, KEPT_LONG);
    long1 = v128.load(scratch, KEPT_LONG + 16);
  }
}

/** Puts the next point into a slot, or leaves it idle; returns the point after. NaN never equals a state. */
function enter(
  scratch: usize,
  slot: i32,
  next: i32,
  stop: i32,
  index: usize,
  ny: i32,
  nx: i32,
  until: i32,
): i32 {
  const pair = scratch + ((slot as usize) << 3);
  const word = scratch + ((slot as usize) << 2);
  for (let k: usize = 0; k < 8; k += 4) {
    store<f32>(pair + k, f32.NaN, STATE);
    store<f32>(pair + k, f32.NaN, KEPT);
    store<f32>(pair + k, f32.NaN, KEPT_LONG);
  }
  store<i32>(word, 0, FOUND);
  if (next >= stop) {
    store<i32>(word, IDLE, UNTIL);
    return next;
  }
  const i = load<i32>(index + ((next as usize) << 2));
  const y = i / nx;
  store<i32>(word, next, POINT);
  store<i32>(word, until, UNTIL);
  store<f32>(pair, normalised(y, ny), STATE);
  store<f32>(pair, normalised(i - y * nx, nx), STATE + 4);
  return next + 1;
}

/** Stores where the point of a slot ended. */
function leave(scratch: usize, slot: i32, ends: usize, position: usize, total: i32, ny: i32, nx: i32): void {
  const pair = scratch + ((slot as usize) << 3);
  const point = load<i32>(scratch + ((slot as usize) << 2), POINT);
  const to = (point as usize) << 2;
  const y: f32 = (load<f32>(pair, STATE) + 1) * 0.5 * ((ny - 1) as f32);
  const x: f32 = (load<f32>(pair, STATE + 4) + 1) * 0.5 * ((nx - 1) as f32);
  store<i32>(ends + to, cellOfAxis(y, ny) * nx + cellOfAxis(x, nx));
  if (position == 0) return;
  store<f32>(position + to, y);
  store<f32>(position + ((total as usize) << 2) + to, x);
}

/** Normalised coordinate of a pixel; -1 on an axis of one pixel. */
// @ts-ignore: decorator
@inline
function normalised(p: i32, n: i32): f32 {
  return n == 1 ? -1 : ((p as f32) / ((n - 1) as f32)) * 2 - 1;
}

/** Pixel of a position, truncated toward zero and kept on the axis; 0 for NaN. */
// @ts-ignore: decorator
@inline
function cellOfAxis(position: f32, n: i32): i32 {
  return min(n - 1, max(0, i32x4.extract_lane(i32x4.trunc_sat_f32x4_s(f32x4.splat(position)), 0)));
}

/** One Euler step of two points [y, x, y, x]. */
// @ts-ignore: decorator
@inline
function stepPair(
  g: v128,
  length: v128,
  origin: v128,
  field: usize,
  row: usize,
  by: i32,
  bx: i32,
): v128 {
  const one = f32x4.splat(1);
  const p = f32x4.mul(f32x4.sub(f32x4.mul(f32x4.add(g, one), length), one), f32x4.splat(0.5));
  const low = f32x4.floor(p);
  const high = f32x4.sub(p, low);
  const rest = f32x4.sub(one, high);
  const pixel = i32x4.sub(i32x4.trunc_sat_f32x4_s(low), origin);
  const pya = i32x4.extract_lane(pixel, 0) + 1;
  const pxa = i32x4.extract_lane(pixel, 1) + 1;
  const pyb = i32x4.extract_lane(pixel, 2) + 1;
  const pxb = i32x4.extract_lane(pixel, 3) + 1;
  // Outside the box all is zero, as is the first row of the border.
  const insideA = (pya as u32) <= (by as u32) && (pxa as u32) <= (bx as u32);
  const insideB = (pyb as u32) <= (by as u32) && (pxb as u32) <= (bx as u32);
  const atA = field + (insideA ? (pya as usize) * row + ((pxa as usize) << 3) : 0);
  const atB = field + (insideB ? (pyb as usize) * row + ((pxb as usize) << 3) : 0);
  const belowA = insideA ? atA + row : field;
  const belowB = insideB ? atB + row : field;
  const columnsA = v128.shuffle<f32>(rest, high, 1, 1, 5, 5);
  const columnsB = v128.shuffle<f32>(rest, high, 3, 3, 7, 7);
  const upA = f32x4.mul(v128.load(atA), f32x4.mul(columnsA, v128.shuffle<f32>(rest, rest, 0, 0, 0, 0)));
  const downA = f32x4.mul(v128.load(belowA), f32x4.mul(columnsA, v128.shuffle<f32>(high, high, 0, 0, 0, 0)));
  const upB = f32x4.mul(v128.load(atB), f32x4.mul(columnsB, v128.shuffle<f32>(rest, rest, 2, 2, 2, 2)));
  const downB = f32x4.mul(v128.load(belowB), f32x4.mul(columnsB, v128.shuffle<f32>(high, high, 2, 2, 2, 2)));
  // ((north-west + north-east) + south-west) + south-east of both points
  const v = f32x4.add(
    f32x4.add(
      f32x4.add(v128.shuffle<f32>(upA, upB, 0, 1, 4, 5), v128.shuffle<f32>(upA, upB, 2, 3, 6, 7)),
      v128.shuffle<f32>(downA, downB, 0, 1, 4, 5),
    ),
    v128.shuffle<f32>(downA, downB, 2, 3, 6, 7),
  );
  return f32x4.min(one, f32x4.max(f32x4.splat(-1), f32x4.add(g, v)));
}

/**
 * The same in a volume, one point at a time.
 * @param field f32 [bz + 2, by + 2, bx + 2, 3] and four bytes more, steps in z, y, x
 * @param position f32 [3, total], or 0
 * @param scratch not used
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
  const row = ((bx + 2) * 12) as usize;
  const plane = ((by + 2) as usize) * row;
  const one = f32x4.splat(1);
  const minusOne = f32x4.splat(-1);
  const half = f32x4.splat(0.5);
  const length = f32x4(nz as f32, ny as f32, nx as f32, 1);
  const last = f32x4((nz - 1) as f32, (ny - 1) as f32, (nx - 1) as f32, 1);
  const origin = i32x4(oz, oy, ox, 0);
  const three = i32x4(-1, -1, -1, 0);
  for (let k = start; k < stop; k++) {
    const i = load<i32>(index + ((k as usize) << 2));
    const z = i / (ny * nx);
    const y = (i - z * ny * nx) / nx;
    let g = f32x4.sub(
      f32x4.mul(f32x4.div(f32x4(z as f32, y as f32, (i - (z * ny + y) * nx) as f32, 0), last), f32x4.splat(2)),
      one,
    );
    if (nz == 1) g = f32x4.replace_lane(g, 0, -1);
    if (ny == 1) g = f32x4.replace_lane(g, 1, -1);
    if (nx == 1) g = f32x4.replace_lane(g, 2, -1);
    let until = niter;
    let found = false;
    let kept = g;
    let keptAt = 0;
    let power = 1;
    for (let step = 0; step < until; ) {
      const p = f32x4.mul(f32x4.sub(f32x4.mul(f32x4.add(g, one), length), one), half);
      const low = f32x4.floor(p);
      const high = f32x4.sub(p, low);
      const rest = f32x4.sub(f32x4.add(low, one), p);
      const pixel = i32x4.sub(i32x4.trunc_sat_f32x4_s(low), origin);
      const pz = i32x4.extract_lane(pixel, 0) + 1;
      const py = i32x4.extract_lane(pixel, 1) + 1;
      const px = i32x4.extract_lane(pixel, 2) + 1;
      let h = g;
      if ((pz as u32) <= (bz as u32) && (py as u32) <= (by as u32) && (px as u32) <= (bx as u32)) {
        const at = field + (pz as usize) * plane + (py as usize) * row + (px as usize) * 12;
        const below = at + plane;
        // x0 y0, x1 y0, x0 y1, x1 y1
        const xy = f32x4.mul(v128.shuffle<f32>(rest, high, 2, 6, 2, 6), v128.shuffle<f32>(rest, high, 1, 1, 5, 5));
        const upper = f32x4.mul(xy, v128.shuffle<f32>(rest, rest, 0, 0, 0, 0));
        const lower = f32x4.mul(xy, v128.shuffle<f32>(high, high, 0, 0, 0, 0));
        let v = f32x4.mul(v128.load(at), v128.shuffle<f32>(upper, upper, 0, 0, 0, 0));
        v = f32x4.add(v, f32x4.mul(v128.load(at, 12), v128.shuffle<f32>(upper, upper, 1, 1, 1, 1)));
        v = f32x4.add(v, f32x4.mul(v128.load(at + row), v128.shuffle<f32>(upper, upper, 2, 2, 2, 2)));
        v = f32x4.add(v, f32x4.mul(v128.load(at + row, 12), v128.shuffle<f32>(upper, upper, 3, 3, 3, 3)));
        v = f32x4.add(v, f32x4.mul(v128.load(below), v128.shuffle<f32>(lower, lower, 0, 0, 0, 0)));
        v = f32x4.add(v, f32x4.mul(v128.load(below, 12), v128.shuffle<f32>(lower, lower, 1, 1, 1, 1)));
        v = f32x4.add(v, f32x4.mul(v128.load(below + row), v128.shuffle<f32>(lower, lower, 2, 2, 2, 2)));
        v = f32x4.add(v, f32x4.mul(v128.load(below + row, 12), v128.shuffle<f32>(lower, lower, 3, 3, 3, 3)));
        // The fourth lane holds a part of the next voxel.
        v = v128.and(v, three);
        h = f32x4.min(one, f32x4.max(minusOne, f32x4.add(g, v)));
      }
      const same = i32x4.bitmask(f32x4.eq(h, g)) & 7;
      const back = i32x4.bitmask(f32x4.eq(h, kept)) & 7;
      g = h;
      step++;
      if (same == 7) break;
      if (!found && back == 7) {
        found = true;
        until = step + ((niter - step) % (step - keptAt));
      }
      if (step - keptAt == power) {
        kept = g;
        keptAt = step;
        power <<= 1;
      }
    }
    let end = f32x4.mul(f32x4.mul(f32x4.add(g, one), half), last);
    if (nz == 1) end = f32x4.replace_lane(end, 0, 0);
    const cell = i32x4.min_s(
      i32x4.max_s(i32x4.trunc_sat_f32x4_s(end), i32x4.splat(0)),
      i32x4(nz - 1, ny - 1, nx - 1, 0),
    );
    const to = (k as usize) << 2;
    store<i32>(
      ends + to,
      (i32x4.extract_lane(cell, 0) * ny + i32x4.extract_lane(cell, 1)) * nx + i32x4.extract_lane(cell, 2),
    );
    if (position != 0) {
      const component = (total as usize) << 2;
      store<f32>(position + to, f32x4.extract_lane(end, 0));
      store<f32>(position + component + to, f32x4.extract_lane(end, 1));
      store<f32>(position + 2 * component + to, f32x4.extract_lane(end, 2));
    }
  }
}

/**
 * Diffuses heat inside the labels [first, stop), each in its box (spec §6.1), and stores their heat.
 * @param labels u32 [nz, ny, nx]
 * @param boxes i32 [N + 1, 6]: z0, y0, x0, z1, y1, x1
 * @param centers i32 [N + 1, 3]: z, y, x of the heated pixel
 * @param heat f64 [nz, ny, nx]
 * @param scratch room for three f64 arrays of the largest padded box, and 8 bytes per column pair and plane
 * @param volume 1 for 6 neighbours in a volume, 0 for 8 in a plane
 */
export function diffuse(
  labels: usize,
  boxes: usize,
  centers: usize,
  heat: usize,
  scratch: usize,
  ny: i32,
  nx: i32,
  steps: i32,
  volume: i32,
  first: i32,
  stop: i32,
): void {
  for (let label = first; label < stop; label++) {
    const box = boxes + (label as usize) * 24;
    const z0 = load<i32>(box);
    const y0 = load<i32>(box, 4);
    const x0 = load<i32>(box, 8);
    const bz = load<i32>(box, 12) - z0;
    if (load<i32>(box, 12) == 0) continue;
    const by = load<i32>(box, 16) - y0;
    const bx = load<i32>(box, 20) - x0;
    const stride = (bx + 3) & ~1;
    const plane = stride * (by + 2);
    const size = (plane * (volume ? bz + 2 : 1)) as usize;
    const masks = scratch;
    let now = scratch + (size << 3);
    let next = now + (size << 3);
    memory.fill(scratch, 0, 3 * (size << 3));
    // Of each pair of columns the first and the last row that the label has there.
    const spans = next + (size << 3);
    const pairs = (bx + 1) >> 1;
    for (let span: usize = spans, end = spans + (((bz * pairs) as usize) << 3); span < end; span += 8) {
      store<i32>(span, by + 1);
      store<i32>(span, 0, 4);
    }
    for (let z = 0; z < bz; z++) {
      for (let y = 0; y < by; y++) {
        const from = labels + (((((z0 + z) * ny + y0 + y) as usize) * (nx as usize) + (x0 as usize)) << 2);
        const to = masks + (cellOf(volume ? z + 1 : 0, y + 1, 1, plane, stride) << 3);
        for (let x = 0; x < bx; x++) {
          if (load<u32>(from + ((x as usize) << 2)) != (label as u32)) continue;
          store<i64>(to + ((x as usize) << 3), -1);
          const span = spans + (((z * pairs + (x >> 1)) as usize) << 3);
          if (load<i32>(span) > y + 1) store<i32>(span, y + 1);
          store<i32>(span, y + 1, 4);
        }
      }
    }
    const center = centers + (label as usize) * 12;
    const heated =
      cellOf(
        volume ? load<i32>(center) - z0 + 1 : 0,
        load<i32>(center, 4) - y0 + 1,
        load<i32>(center, 8) - x0 + 1,
        plane,
        stride,
      ) << 3;
    const row = (stride as usize) << 3;
    const sheet = (plane as usize) << 3;
    for (let step = 0; step < steps; step++) {
      store<f64>(now + heated, load<f64>(now + heated) + 1);
      for (let z = 0; z < bz; z++) {
        const base = (volume ? ((z + 1) as usize) * sheet : 0) + 8;
        for (let pair = 0; pair < pairs; pair++) {
          const span = spans + (((z * pairs + pair) as usize) << 3);
          const top = load<i32>(span);
          const count = load<i32>(span, 4) - top + 1;
          if (count <= 0) continue;
          const at = base + (top as usize) * row + ((pair as usize) << 4);
          if (volume) column3d(masks + at, now + at, next + at, row, sheet, count);
          else column2d(masks + at, now + at, next + at, row, count);
        }
      }
      const swap = now;
      now = next;
      next = swap;
    }
    for (let z = 0; z < bz; z++) {
      for (let y = 0; y < by; y++) {
        const pixel = ((((z0 + z) * ny + y0 + y) as usize) * (nx as usize) + (x0 as usize)) as usize;
        const from = now + (cellOf(volume ? z + 1 : 0, y + 1, 1, plane, stride) << 3);
        for (let x = 0; x < bx; x++) {
          if (load<u32>(labels + ((pixel + x) << 2)) == (label as u32))
            store<f64>(heat + ((pixel + x) << 3), load<f64>(from + ((x as usize) << 3)));
        }
      }
    }
  }
}

/** Index of a pixel in a padded box. */
// @ts-ignore: decorator
@inline
function cellOf(z: i32, y: i32, x: i32, plane: i32, stride: i32): usize {
  return (z * plane + y * stride + x) as usize;
}

/** Means of 3 × 3 down a pair of columns, summed in the order here, N, S, W, E, NW, NE, SW, SE. */
// @ts-ignore: decorator
@inline
function column2d(mask: usize, now: usize, next: usize, row: usize, count: i32): void {
  const nine = f64x2.splat(9);
  let upW = v128.load(now - row - 8);
  let up = v128.load(now - row);
  let upE = v128.load(now - row + 8);
  let west = v128.load(now - 8);
  let here = v128.load(now);
  let east = v128.load(now, 8);
  for (; count > 0; count--) {
    const downW = v128.load(now + row - 8);
    const down = v128.load(now + row);
    const downE = v128.load(now + row, 8);
    let sum = f64x2.add(f64x2.add(here, up), down);
    sum = f64x2.add(f64x2.add(sum, west), east);
    sum = f64x2.add(f64x2.add(sum, upW), upE);
    sum = f64x2.add(f64x2.add(sum, downW), downE);
    v128.store(next, v128.and(f64x2.div(sum, nine), v128.load(mask)));
    upW = west;
    up = here;
    upE = east;
    west = downW;
    here = down;
    east = downE;
    now += row;
    next += row;
    mask += row;
  }
}

/** Means of a voxel and its six neighbours down a pair of columns, in the order here, -z, +z, -y, +y, -x, +x. */
// @ts-ignore: decorator
@inline
function column3d(mask: usize, now: usize, next: usize, row: usize, sheet: usize, count: i32): void {
  const seven = f64x2.splat(7);
  let up = v128.load(now - row);
  let here = v128.load(now);
  for (; count > 0; count--) {
    const down = v128.load(now + row);
    let sum = f64x2.add(f64x2.add(here, v128.load(now - sheet)), v128.load(now + sheet));
    sum = f64x2.add(f64x2.add(sum, up), down);
    sum = f64x2.add(f64x2.add(sum, v128.load(now - 8)), v128.load(now, 8));
    v128.store(next, v128.and(f64x2.div(sum, seven), v128.load(mask)));
    up = here;
    here = down;
    now += row;
    next += row;
    mask += row;
  }
}
