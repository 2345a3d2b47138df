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

