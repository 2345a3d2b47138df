/**
 * Squares of a plane of which it is proven that whatever point is in them ends in a certain pixel, some steps later and
 * from then on (basin-2d.ts). They are an eighth of a pixel wide, 64 to a cell of the interpolation. A table holds
 * a few thousand cells; what does not fit is forgotten, which costs steps only.
 *
 * Layout, zeros at first: for each cell its number, the pixel, a bit for each of its squares.
 */

const CELLS_BITS: i32 = 13;
/** Multiplier and shift that spread the numbers of cells over the table. */
const SPREAD: i32 = 0x9e3779b1;
const SPREAD_SHIFT: i32 = 32 - CELLS_BITS;

/** Pixels + 1 that were tried lately. */
const TRIED: usize = 16 << (CELLS_BITS as usize);
const TRIED_PIXELS: u32 = 1024;
/** Bytes of a table; kernel-job.ts makes the room. */
export const BASINS_BYTES: usize = TRIED + ((TRIED_PIXELS as usize) << 2);

// @ts-ignore: decorator
@inline
function entryOf(table: usize, cell: i32): usize {
  return table + ((((cell * SPREAD) as u32) >> (SPREAD_SHIFT as u32)) << 4);
}

/** Makes squares of a cell known to end in a pixel, unless more are known already. Cell 0 is none. */
export function rememberSquares(table: usize, cell: i32, pixel: i32, squares: u64): void {
  const entry = entryOf(table, cell);
  if (load<i32>(entry) == cell && popcnt(load<u64>(entry, 8)) >= popcnt(squares)) return;
  store<i32>(entry, cell);
  store<i32>(entry, pixel, 4);
  store<u64>(entry, squares, 8);
}

/** 1 if what is in the square of a cell has a known end, in the lowest bit of the result. */
// @ts-ignore: decorator
@inline
function mayEnd(entry: usize, cell: i32, square: u32): u32 {
  return ((load<i32>(entry) == cell) as u32) & ((load<u64>(entry, 8) >> (square as u64)) as u32);
}

/** The pixel in which the square of a cell ends; -1 if it is not known. */
export function endOfSquare(table: usize, cell: i32, square: u32): i32 {
  const entry = entryOf(table, cell);
  return (mayEnd(entry, cell, square) & 1) != 0 ? load<i32>(entry, 4) : -1;
}

/** Whether a pixel has not been tried lately; it has been now. */
export function tryFirst(table: usize, pixel: i32): bool {
  const at = table + TRIED + ((((pixel * SPREAD) as u32) >> 22) << 2);
  if (load<i32>(at) == pixel + 1) return false;
  store<i32>(at, pixel + 1);
  return true;
}

/**
 * Which of four points end in a known pixel, a bit each.
 * @param looked i32 [2, 4]: their cells, their squares
 */
// @ts-ignore: decorator
@inline
export function lookUp(looked: usize, table: usize): i32 {
  const cells = v128.load(looked);
  const squares = v128.load(looked, 16);
  const slots = i32x4.shr_u(i32x4.mul(cells, i32x4.splat(SPREAD)), SPREAD_SHIFT);
  const at = i32x4.add(i32x4.shl(slots, 4), i32x4.splat(table as i32));
  return (
    (mayEnd(i32x4.extract_lane(at, 0), i32x4.extract_lane(cells, 0), i32x4.extract_lane(squares, 0)) & 1) |
    ((mayEnd(i32x4.extract_lane(at, 1), i32x4.extract_lane(cells, 1), i32x4.extract_lane(squares, 1)) & 1) << 1) |
    ((mayEnd(i32x4.extract_lane(at, 2), i32x4.extract_lane(cells, 2), i32x4.extract_lane(squares, 2)) & 1) << 2) |
    ((mayEnd(i32x4.extract_lane(at, 3), i32x4.extract_lane(cells, 3), i32x4.extract_lane(squares, 3)) & 1) << 3)
  );
}
