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
    const cz = volume ? load<i32>(center) - z0 : 0;
    const cy = load<i32>(center, 4) - y0;
    const cx = load<i32>(center, 8) - x0;
    const heated = cellOf(volume ? cz + 1 : 0, cy + 1, cx + 1, plane, stride) << 3;
    const row = (stride as usize) << 3;
    const sheet = (plane as usize) << 3;
    for (let step = 0; step < steps; step++) {
      store<f64>(now + heated, load<f64>(now + heated) + 1);
      // Heat spreads by a pixel a step: beyond its front all is zero in both arrays.
      const reach = step + 1;
      const z1 = volume ? min(bz, cz + reach + 1) : 1;
      const pair1 = min(pairs, ((cx + reach) >> 1) + 1);
      for (let z = volume ? max(0, cz - reach) : 0; z < z1; z++) {
        const base = (volume ? ((z + 1) as usize) * sheet : 0) + 8;
        for (let pair = max(0, cx - reach) >> 1; pair < pair1; pair++) {
          const span = spans + (((z * pairs + pair) as usize) << 3);
          const top = max(load<i32>(span), cy + 1 - reach);
          const count = min(load<i32>(span, 4), cy + 1 + reach) - top + 1;
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

/** Mean of 3 × 3 in the order here, N, S, W, E, NW, NE, SW, SE, inside the mask. */
// @ts-ignore: decorator
@inline
function mean2d(
  nw: v128, n: v128, ne: v128,
  w: v128, here: v128, e: v128,
  sw: v128, s: v128, se: v128,
  mask: v128,
): v128 {
  let sum = f64x2.add(f64x2.add(here, n), s);
  sum = f64x2.add(f64x2.add(sum, w), e);
  sum = f64x2.add(f64x2.add(sum, nw), ne);
  sum = f64x2.add(f64x2.add(sum, sw), se);
  return v128.and(f64x2.div(sum, f64x2.splat(9)), mask);
}

/** Means of 3 × 3 down a pair of columns. Three rows a turn, so that what was loaded stays where it is. */
// @ts-ignore: decorator
@inline
function column2d(mask: usize, now: usize, next: usize, row: usize, count: i32): void {
  let a0 = v128.load(now - row - 8);
  let a1 = v128.load(now - row);
  let a2 = v128.load(now - row + 8);
  let b0 = v128.load(now - 8);
  let b1 = v128.load(now);
  let b2 = v128.load(now, 8);
  for (now += row - 8; count >= 3; count -= 3) {
    const c0 = v128.load(now);
    const c1 = v128.load(now, 8);
    const c2 = v128.load(now, 16);
    v128.store(next, mean2d(a0, a1, a2, b0, b1, b2, c0, c1, c2, v128.load(mask)));
    now += row;
    next += row;
    mask += row;
    a0 = v128.load(now);
    a1 = v128.load(now, 8);
    a2 = v128.load(now, 16);
    v128.store(next, mean2d(b0, b1, b2, c0, c1, c2, a0, a1, a2, v128.load(mask)));
    now += row;
    next += row;
    mask += row;
    b0 = v128.load(now);
    b1 = v128.load(now, 8);
    b2 = v128.load(now, 16);
    v128.store(next, mean2d(c0, c1, c2, a0, a1, a2, b0, b1, b2, v128.load(mask)));
    now += row;
    next += row;
    mask += row;
  }
  for (; count > 0; count--) {
    const c0 = v128.load(now);
    const c1 = v128.load(now, 8);
    const c2 = v128.load(now, 16);
    v128.store(next, mean2d(a0, a1, a2, b0, b1, b2, c0, c1, c2, v128.load(mask)));
    a0 = b0;
    a1 = b1;
    a2 = b2;
    b0 = c0;
    b1 = c1;
    b2 = c2;
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
