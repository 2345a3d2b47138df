/** Heat given to a centre at each step, much since far from it little is left. */
const PORTION: f32 = 1e28;

/**
 * Diffuses heat inside the labels [first, stop) of a plane as `diffuse` does, in single precision and in whatever order
 * is quickest: within the bounds of flow-control.ts, which knows how many operations there are.
 * @param labels u32 [ny, nx]
 * @param boxes i32 [N + 1, 6]: z0, y0, x0, z1, y1, x1
 * @param centers i32 [N + 1, 3]: z, y, x of the heated pixel
 * @param heat f32 [ny, nx]
 * @param scratch room for three f32 arrays of the largest padded box, and 8 bytes per four columns
 */
export function diffuseSingle(
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
    if (load<i32>(box, 12) == 0) continue;
    const y0 = load<i32>(box, 4);
    const x0 = load<i32>(box, 8);
    const by = load<i32>(box, 16) - y0;
    const bx = load<i32>(box, 20) - x0;
    const groups = (bx + 3) >> 2;
    const row = ((groups << 4) + 8) as usize;
    const size = row * ((by + 2) as usize);
    const masks = scratch;
    let now = scratch + size;
    let next = now + size;
    const spans = next + size;
    memory.fill(scratch, 0, 3 * size);
    // Of each four columns the first and the last row that the label has there.
    for (let span: usize = spans, end = spans + ((groups as usize) << 3); span < end; span += 8) {
      store<i32>(span, by + 1);
      store<i32>(span, 0, 4);
    }
    for (let y = 0; y < by; y++) {
      const from = labels + ((((y0 + y) as usize) * (nx as usize) + (x0 as usize)) << 2);
      const to = masks + ((y + 1) as usize) * row + 4;
      for (let x = 0; x < bx; x++) {
        if (load<u32>(from + ((x as usize) << 2)) != (label as u32)) continue;
        store<i32>(to + ((x as usize) << 2), -1);
        const span = spans + (((x >> 2) as usize) << 3);
        if (load<i32>(span) > y + 1) store<i32>(span, y + 1);
        store<i32>(span, y + 1, 4);
      }
    }
    const center = centers + (label as usize) * 12;
    const cy = load<i32>(center, 4) - y0;
    const cx = load<i32>(center, 8) - x0;
    const heated = ((cy + 1) as usize) * row + (((cx + 1) as usize) << 2);
    for (let step = 0; step < steps; step++) {
      store<f32>(now + heated, load<f32>(now + heated) + PORTION);
      // Heat spreads by a pixel a step: beyond its front all is zero in both arrays.
      const reach = step + 1;
      const stopGroup = min(groups, ((cx + reach) >> 2) + 1);
      for (let group = max(0, cx - reach) >> 2; group < stopGroup; group++) {
        const span = spans + ((group as usize) << 3);
        const top = max(load<i32>(span), cy + 1 - reach);
        const count = min(load<i32>(span, 4), cy + 1 + reach) - top + 1;
        if (count <= 0) continue;
        const at = (top as usize) * row + ((group as usize) << 4);
        columns(masks + at + 4, now + at, next + at + 4, row, count);
      }
      const swap = now;
      now = next;
      next = swap;
    }
    for (let y = 0; y < by; y++) {
      const pixel = ((y0 + y) as usize) * (nx as usize) + (x0 as usize);
      const from = now + ((y + 1) as usize) * row + 4;
      for (let x: usize = 0; x < (bx as usize); x++) {
        if (load<u32>(labels + ((pixel + x) << 2)) == (label as u32))
          store<f32>(heat + ((pixel + x) << 2), load<f32>(from + (x << 2)));
      }
    }
  }
}

/** Sums of three neighbours in a row, from the address of the first. */
// @ts-ignore: decorator
@inline
function sums(at: usize): v128 {
  return f32x4.add(f32x4.add(v128.load(at), v128.load(at, 4)), v128.load(at, 8));
}

// @ts-ignore: decorator
@inline
function mean(above: v128, here: v128, below: v128, mask: v128): v128 {
  const ninth = f32x4.splat(1.0 / 9.0);
  return v128.and(f32x4.mul(f32x4.add(f32x4.add(above, here), below), ninth), mask);
}

/** Means of 3 × 3 down four columns. Three rows a turn, so that sums stay where they are. */
// @ts-ignore: decorator
@inline
function columns(mask: usize, now: usize, next: usize, row: usize, count: i32): void {
  let a = sums(now - row);
  let b = sums(now);
  now += row;
  for (; count >= 3; count -= 3) {
    const c = sums(now);
    v128.store(next, mean(a, b, c, v128.load(mask)));
    a = sums(now + row);
    v128.store(next + row, mean(b, c, a, v128.load(mask + row)));
    b = sums(now + 2 * row);
    v128.store(next + 2 * row, mean(c, a, b, v128.load(mask + 2 * row)));
    now += 3 * row;
    next += 3 * row;
    mask += 3 * row;
  }
  for (; count > 0; count--) {
    const c = sums(now);
    v128.store(next, mean(a, b, c, v128.load(mask)));
    a = b;
    b = c;
    now += row;
    next += row;
    mask += row;
  }
}
