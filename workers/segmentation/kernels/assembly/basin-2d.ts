import { rememberSquares } from './basin-table';

/**
 * The flow is bilinear in a cell of the interpolation, so that a step takes a rectangle of a cell into the bounding box
 * of where it takes the corners, a little wider for rounding. Around a place that points come to, a window is divided
 * into squares. Squares inside a pixel whose boxes are covered by one another are never left: they end in that pixel.
 * So do all whose boxes are covered by squares that do.
 *
 * A window is SIDE squares wide and high, a bit each. Squares are 2^-bits pixels wide.
 */
const SIDE: i32 = 32;
/** Bytes of a row of corners. */
const CORNERS: usize = 4 * 36;

// Slots in the scratch room: y and x to which corners go, in squares from the first of the window; boxes of blocks of
// squares, a byte each of first and last row and column; of each row of blocks those that may end in the pixel; of each
// row of squares those that do; the same while they change.
const CORNER_Y: usize = 0;
const CORNER_X: usize = CORNER_Y + CORNERS * 33;
const BOXES: usize = CORNER_X + CORNERS * 33;
const INSIDE: usize = BOXES + 4 * 32 * 32;
const ENDING: usize = INSIDE + 128;
const NEXT: usize = ENDING + 128;
/** Bytes of the room. */
export const BASIN_SCRATCH: usize = NEXT + 128;

/** Bits of the squares that are remembered, and of the finest that are tried, each a fourth as wide as those before. */
const COARSEST: i32 = 3;
const FINEST: i32 = 7;
/** Most rounds of joining squares in a window. */
const ROUNDS: i32 = 3;
/** Steps after which a point that is in a known square is in its pixel for good: the rounds of all windows. */
export const SETTLING: i32 = (ROUNDS * (FINEST - COARSEST + 2)) / 2;
/** Relative rounding error of an operation in single precision. */
const ROUNDING: f64 = 1.0 / 16777216.0;

/**
 * Looks for squares around a place that end in a pixel and remembers them.
 * @param field, oy, ox, by, bx of follow2d
 * @param y place, in pixels from the centre of the first pixel of the field, as x
 * @param pixelY row of the pixel, as pixelX
 */
export function findBasin(
  room: usize,
  table: usize,
  field: usize,
  ny: i32,
  nx: i32,
  oy: i32,
  ox: i32,
  by: i32,
  bx: i32,
  y: f64,
  x: f64,
  pixelY: i32,
  pixelX: i32,
): bool {
  // A coordinate of one has no room beyond it.
  if (pixelY >= ny - 1 || pixelX >= nx - 1) return false;
  // More than the rounding of a position and of its conversion to a pixel.
  const blur = ((8 * max(ny, nx)) as f64) * ROUNDING;
  const top = pixelEdge(pixelY, ny, oy) + blur;
  const bottom = pixelEdge(pixelY + 1, ny, oy) - blur;
  const left = pixelEdge(pixelX, nx, ox) + blur;
  const right = pixelEdge(pixelX + 1, nx, ox) - blur;
  let bits = COARSEST;
  for (; bits <= FINEST; bits += 2) {
    const wy = windowAt(y, bits);
    const wx = windowAt(x, bits);
    const scale = (1 << bits) as f64;
    const y0 = max(0, (ceil(top * scale) as i32) - wy);
    const y1 = min(SIDE, (floor(bottom * scale) as i32) - wy);
    const x0 = max(0, (ceil(left * scale) as i32) - wx);
    const x1 = min(SIDE, (floor(right * scale) as i32) - wx);
    if (y0 >= y1 || x0 >= x1) return false;
    lookAt(room, field, ny, nx, by, bx, bits, wy, wx, 0, y0, y1, x0, x1);
    const columns = span(x0, x1 - 1);
    for (let j = 0; j < SIDE; j++) {
      const row = room + ((j as usize) << 2);
      store<u32>(row, j >= y0 && j < y1 ? columns & load<u32>(row, INSIDE) : 0, ENDING);
    }
    if (shrink(room)) break;
  }
  if (bits > FINEST) return false;
  for (; ; bits -= 2) {
    const wy = windowAt(y, bits);
    const wx = windowAt(x, bits);
    lookAt(room, field, ny, nx, by, bx, bits, wy, wx, 1, 0, SIDE >> 1, 0, SIDE >> 1);
    grow(room, 1, 0, SIDE >> 1);
    if (bits == COARSEST) break;
    widen(room, (wy >> 2) - windowAt(y, bits - 2), (wx >> 2) - windowAt(x, bits - 2));
  }
  const ky = windowAt(y, COARSEST) >> COARSEST;
  const kx = windowAt(x, COARSEST) >> COARSEST;
  for (let j = 0; j < SIDE >> COARSEST; j++) {
    for (let i = 0; i < SIDE >> COARSEST; i++) {
      const rows = room + ((j as usize) << (2 + COARSEST)) + (i as usize);
      let squares: u64 = 0;
      for (let k: usize = 0; k < 8; k++) squares |= (load<u8>(rows + (k << 2), ENDING) as u64) << ((k << 3) as u64);
      if (squares != 0) rememberSquares(table, (ky + j) * (bx + 2) + kx + i, pixelY * nx + pixelX, squares);
    }
  }
  return true;
}

/** Where a pixel begins, in pixels from the centre of the first pixel of the field. */
// @ts-ignore: decorator
@inline
function pixelEdge(pixel: i32, n: i32, origin: i32): f64 {
  return ((pixel as f64) * (n as f64)) / ((n - 1) as f64) - 0.5 - ((origin - 1) as f64);
}

/** First square of a window around a place, a multiple of eight. */
// @ts-ignore: decorator
@inline
function windowAt(place: f64, bits: i32): i32 {
  return (((floor(place * ((1 << bits) as f64)) as i32) + 4) & ~7) - SIDE / 2;
}

/** Bits first…last. */
// @ts-ignore: decorator
@inline
function span(first: i32, last: i32): u32 {
  return (0xffffffff >> ((31 - (last - first)) as u32)) << (first as u32);
}

/**
 * Computes the boxes of a window's blocks of squares, rows j0…j1 and columns i0…i1, half-open, and which of them are in
 * the window and may be known.
 * @param block log2 of the squares in a row of a block
 */
function lookAt(
  room: usize,
  field: usize,
  ny: i32,
  nx: i32,
  by: i32,
  bx: i32,
  bits: i32,
  wy: i32,
  wx: i32,
  block: i32,
  j0: i32,
  j1: i32,
  i0: i32,
  i1: i32,
): void {
  const low = (1 << bits) - 1;
  const width: f32 = (1 as f32) / ((1 << bits) as f32);
  const stride = ((bx + 2) << 3) as usize;
  // Normalised steps to squares.
  const toY = f32x4.splat((ny as f32) * 0.5 * ((1 << bits) as f32));
  const toX = f32x4.splat((nx as f32) * 0.5 * ((1 << bits) as f32));
  const ramp = f32x4.mul(f32x4(0, 1, 2, 3), f32x4.splat((1 << block) as f32));
  let largest = f32x4.splat(0);
  i0 &= ~3;
  for (let j = j0; j <= j1; j++) {
    const squareY = j << block;
    const line = field + (min(by, max(0, (wy + squareY) >> bits)) as usize) * stride;
    const south = f32x4.splat((((wy + squareY) & low) as f32) * width);
    const row = room + (j as usize) * CORNERS;
    const baseY = f32x4.splat(squareY as f32);
    // Four corners lie in a cell, since wx and the width of a cell are multiples of eight squares.
    for (let i = i0; i <= i1; i += 4) {
      const squareX = i << block;
      const cell = line + ((min(bx, max(0, (wx + squareX) >> bits)) as usize) << 3);
      // West y x, east y x.
      const above = v128.load(cell);
      const below = v128.load(cell + stride);
      largest = f32x4.max(largest, f32x4.max(f32x4.abs(above), f32x4.abs(below)));
      const here = f32x4.add(above, f32x4.mul(f32x4.sub(below, above), south));
      const east = f32x4.mul(
        f32x4.add(f32x4.splat(((wx + squareX) & low) as f32), ramp),
        f32x4.splat(width),
      );
      const vy = v128.shuffle<f32>(here, here, 0, 0, 0, 0);
      const vx = v128.shuffle<f32>(here, here, 1, 1, 1, 1);
      const dy = f32x4.sub(v128.shuffle<f32>(here, here, 2, 2, 2, 2), vy);
      const dx = f32x4.sub(v128.shuffle<f32>(here, here, 3, 3, 3, 3), vx);
      const at = row + ((i as usize) << 2);
      const baseX = f32x4.add(f32x4.splat(squareX as f32), ramp);
      v128.store(at, f32x4.add(baseY, f32x4.mul(toY, f32x4.add(vy, f32x4.mul(dy, east)))), CORNER_Y);
      v128.store(at, f32x4.add(baseX, f32x4.mul(toX, f32x4.add(vx, f32x4.mul(dx, east)))), CORNER_X);
    }
  }
  largest = f32x4.max(largest, v128.shuffle<f32>(largest, largest, 2, 3, 0, 1));
  const most = max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1));
  const n = max(ny, nx) as f32;
  // In pixels not more than 6 n + 12 v roundings, v being the largest flow: of a position, of a step, and of those here.
  const blur = f32x4.splat((8 * n + 32 * (most * 0.5 * n)) * (ROUNDING as f32) * ((1 << bits) as f32));
  // Cells beyond the first and last are where points that leave the field are taken to be.
  const firstRow = (1 << bits) - wy;
  const lastRow = (by << bits) - 1 - wy;
  const columns = span(0, SIDE - 1) & spanWithin((1 << bits) - wx, (bx << bits) - 1 - wx);
  for (let j = j0; j < j1; j++) {
    const row = room + (j as usize) * CORNERS;
    const boxes = room + ((j as usize) << 7);
    let inside: u32 = 0;
    for (let i = i0; i < i1; i += 4) {
      const at = row + ((i as usize) << 2);
      const y0 = lowest(at + CORNER_Y, blur);
      const y1 = highest(at + CORNER_Y, blur);
      const x0 = lowest(at + CORNER_X, blur);
      const x1 = highest(at + CORNER_X, blur);
      const least = f32x4.splat(0);
      const most = f32x4.splat(SIDE as f32);
      const within = v128.and(
        v128.and(f32x4.ge(y0, least), f32x4.ge(x0, least)),
        v128.and(f32x4.lt(y1, most), f32x4.lt(x1, most)),
      );
      const four = i32x4.bitmask(within) as u32;
      inside |= (block == 0 ? four : (four & 1) | ((four & 2) << 1) | ((four & 4) << 2) | ((four & 8) << 3)) << ((i << block) as u32);
      const box = v128.or(
        v128.or(i32x4.trunc_sat_f32x4_s(y0), i32x4.shl(i32x4.trunc_sat_f32x4_s(y1), 8)),
        v128.or(i32x4.shl(i32x4.trunc_sat_f32x4_s(x0), 16), i32x4.shl(i32x4.trunc_sat_f32x4_s(x1), 24)),
      );
      v128.store(boxes + ((i as usize) << 2), box, BOXES);
    }
    const squareY = j << block;
    const there = squareY >= firstRow && squareY <= lastRow;
    store<u32>(room + ((j as usize) << 2), there ? inside & columns : 0, INSIDE);
  }
}

/** Bits first…last that there are. */
function spanWithin(first: i32, last: i32): u32 {
  first = max(0, first);
  last = min(SIDE - 1, last);
  return first > last ? 0 : span(first, last);
}

/** Least of the corners of four blocks. */
// @ts-ignore: decorator
@inline
function lowest(at: usize, blur: v128): v128 {
  const left = f32x4.pmin(v128.load(at), v128.load(at, CORNERS));
  const right = f32x4.pmin(v128.load(at, 4), v128.load(at, CORNERS + 4));
  return f32x4.sub(f32x4.pmin(left, right), blur);
}

// @ts-ignore: decorator
@inline
function highest(at: usize, blur: v128): v128 {
  const left = f32x4.pmax(v128.load(at), v128.load(at, CORNERS));
  const right = f32x4.pmax(v128.load(at, 4), v128.load(at, CORNERS + 4));
  return f32x4.add(f32x4.pmax(left, right), blur);
}

/** Whether all squares of a box are known to end in the pixel. */
// @ts-ignore: decorator
@inline
function covered(room: usize, box: u32): bool {
  const columns = span(((box >> 16) & 255) as i32, (box >> 24) as i32);
  const last = room + (((box >> 8) & 255) << 2);
  for (let row = room + ((box & 255) << 2); row <= last; row += 4)
    if ((load<u32>(row, ENDING) & columns) != columns) return false;
  return true;
}

/** Takes squares away until those that are left are never left; false if none are. */
function shrink(room: usize): bool {
  let any: u32 = 0;
  let changed = false;
  do {
    any = 0;
    changed = false;
    for (let j: usize = 0; j < 32; j++) {
      const row = load<u32>(room + (j << 2), ENDING);
      let stay = row;
      for (let rest = row; rest != 0; rest &= rest - 1) {
        const i = ctz(rest);
        if (!covered(room, load<u32>(room + (j << 7) + ((i as usize) << 2), BOXES))) stay &= ~((1 as u32) << i);
      }
      if (stay != row) {
        changed = true;
        store<u32>(room + (j << 2), stay, ENDING);
      }
      any |= stay;
    }
  } while (changed && any != 0);
  return any != 0;
}

/** Joins blocks that come into known squares in a step, a few times; each time the ways are a step longer. */
function grow(room: usize, block: i32, j0: i32, j1: i32): void {
  // Rows that have changed: a block that did not come into known squares before needs one of them.
  let changed: u32 = 0xffffffff;
  memory.copy(room + NEXT, room + ENDING, 128);
  for (let round = 0; round < ROUNDS && changed != 0; round++) {
    let now: u32 = 0;
    for (let j = j0; j < j1; j++) {
      const at = room + ((j as usize) << ((2 + block) as usize));
      let row = load<u32>(at, ENDING);
      let done = row;
      if (block != 0) {
        done &= load<u32>(at, ENDING + 4);
        done &= done >> 1;
      }
      let grown: u32 = 0;
      const boxes = room + ((j as usize) << 7);
      for (let rest = load<u32>(room + ((j as usize) << 2), INSIDE) & ~done; rest != 0; rest &= rest - 1) {
        const i = ctz(rest);
        const box = load<u32>(boxes + (((i >> block) as usize) << 2), BOXES);
        if ((changed & span((box & 255) as i32, ((box >> 8) & 255) as i32)) == 0) continue;
        if (covered(room, box)) grown |= (block == 0 ? (1 as u32) : 3) << i;
      }
      if (grown == 0) continue;
      store<u32>(at, row | grown, NEXT);
      if (block != 0) store<u32>(at, load<u32>(at, ENDING + 4) | grown, NEXT + 4);
      now |= (block == 0 ? (1 as u32) : 3) << (j << block);
    }
    changed = now;
    memory.copy(room + ENDING, room + NEXT, 128);
  }
}

/** Turns squares into those four times as wide of another window, at the given square of it. */
function widen(room: usize, y: i32, x: i32): void {
  memory.fill(room + NEXT, 0, 128);
  for (let j = 0; j < 8; j++) {
    const rows = room + ((j as usize) << 4);
    let all = load<u32>(rows, ENDING) & load<u32>(rows, ENDING + 4);
    all &= load<u32>(rows, ENDING + 8) & load<u32>(rows, ENDING + 12);
    // The lowest of four bits stays if all are set.
    all &= all >> 1;
    all &= all >> 2;
    let wide: u32 = 0;
    for (let i: u32 = 0; i < 8; i++) wide |= ((all >> (i << 2)) & 1) << i;
    store<u32>(room + (((y + j) as usize) << 2), wide << (x as u32), NEXT);
  }
  memory.copy(room + ENDING, room + NEXT, 128);
}
