import { BASIN_SCRATCH, findBasin } from './basin-2d';
import { BASINS_BYTES, tryFirst } from './basin-table';
import { cellOfAxis, positionOf } from './coordinates';
import { ringAt } from './orbit-table';

/** In the room of a search: what was spent in vain; the table of basins; room to look for one. */
export const BASINS: usize = 16;
const ROOM: usize = BASINS + BASINS_BYTES;
/** Bytes of the room, zeros at first. */
export const SEARCH_BYTES: usize = ROOM + BASIN_SCRATCH;

/** What looking for a basin in vain costs, in renewals; what may be spent on it beyond those that have been. */
const PRICE: i32 = 8;
const MOST_DEBT: i32 = 256;

/** Told now and then, so that more may be spent. */
// @ts-ignore: decorator
@inline
export function earn(search: usize): void {
  store<i32>(search, max(0, load<i32>(search) - 1));
}

/** Looks for a basin around the cycle that was put into the table of orbits last. */
export function enclose(
  search: usize,
  table: usize,
  period: i32,
  field: usize,
  ny: i32,
  nx: i32,
  oy: i32,
  ox: i32,
  by: i32,
  bx: i32,
): void {
  const first = load<u32>(table) - period;
  let pixel = -1;
  let y: f64 = 0;
  let x: f64 = 0;
  for (let place = 0; place < period; place++) {
    const state = ringAt(table, first + place);
    const gy = load<f32>(state);
    const gx = load<f32>(state, 4);
    const here = cellOfAxis(positionOf(gy, ny), ny) * nx + cellOfAxis(positionOf(gx, nx), nx);
    if (pixel >= 0 && here != pixel) return;
    pixel = here;
    y += gy as f64;
    x += gx as f64;
  }
  tryBasin(search, field, ny, nx, oy, ox, by, bx, y / period, x / period, pixel);
}

/**
 * Looks for a basin around a place in normalised coordinates, unless that has been in vain too often of late: flows of
 * which points do not gather must not cost more than their steps.
 */
export function tryBasin(
  search: usize,
  field: usize,
  ny: i32,
  nx: i32,
  oy: i32,
  ox: i32,
  by: i32,
  bx: i32,
  y: f64,
  x: f64,
  pixel: i32,
): void {
  const debt = load<i32>(search);
  const basins = search + BASINS;
  if (debt > MOST_DEBT || !tryFirst(basins, pixel)) return;
  const ky = ((y + 1) * (ny as f64) - 1) * 0.5 - ((oy - 1) as f64);
  const kx = ((x + 1) * (nx as f64) - 1) * 0.5 - ((ox - 1) as f64);
  const row = pixel / nx;
  const found = findBasin(search + ROOM, basins, field, ny, nx, oy, ox, by, bx, ky, kx, row, pixel - row * nx);
  store<i32>(search, found ? max(0, debt - PRICE) : debt + PRICE);
}
