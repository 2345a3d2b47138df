/** Lines that are filtered together: as many samples as a line of the cache holds. */
const TOGETHER: i32 = 16;
/** Bytes of as many samples in double precision. */
const ROW: usize = 128;
/** Bytes of the addresses at which lines begin. */
const STARTS: usize = 64;

/**
 * Filters groups [start, stop) of 16 lines along an axis, in place, as preprocess/gaussian.ts does.
 * @param samples f32 of a volume
 * @param weights f64 [radius + 1], of the farthest sample first
 * @param scratch room for the addresses of 16 lines and 16 lines in double precision with `radius` samples before and after
 * @param length samples of a line
 * @param stride samples from one of a line to the next
 * @param lines number of lines
 */
export function gaussian(
  samples: usize,
  weights: usize,
  scratch: usize,
  length: i32,
  stride: i32,
  lines: i32,
  radius: i32,
  start: i32,
  stop: i32,
): void {
  const panel = scratch + STARTS;
  const step = (stride as usize) << 2;
  const last = v128.load64_splat(weights + ((radius as usize) << 3));
  for (let group = start; group < stop; group++) {
    const first = group * TOGETHER;
    const width = min(TOGETHER, lines - first);
    for (let c = 0; c < width; c++) {
      const offset = (first + c) % stride;
      const at = samples + (((first + c - offset) as usize) * (length as usize) << 2) + ((offset as usize) << 2);
      store<usize>(scratch + ((c as usize) << 2), at);
    }
    // All sixteen side by side.
    const beside = width == TOGETHER && (first % stride) + TOGETHER <= stride;
    const inner = panel + (radius as usize) * ROW;
    if (beside) {
      let from = load<usize>(scratch);
      for (let n = 0, to = inner; n < length; n++, to += ROW, from += step) {
        for (let c: usize = 0; c < 64; c += 8)
          v128.store(to + (c << 1), f64x2.promote_low_f32x4(v128.load64_zero(from + c)));
      }
    } else {
      for (let c: usize = 0; c < (width as usize); c++) {
        let from = load<usize>(scratch + (c << 2));
        for (let n = 0, to = inner + (c << 3); n < length; n++, to += ROW, from += step)
          store<f64>(to, load<f32>(from) as f64);
      }
    }
    for (let k = 0; k < radius; k++) {
      memory.copy(inner - ((k + 1) as usize) * ROW, inner + (reflected(-1 - k, length) as usize) * ROW, ROW);
      memory.copy(inner + ((length + k) as usize) * ROW, inner + (reflected(length + k, length) as usize) * ROW, ROW);
    }
    for (let c: usize = 0; c < (width as usize); c += 4) {
      for (let n = 0; n < length; n++) {
        const middle = inner + (n as usize) * ROW + (c << 3);
        let a = f64x2.mul(v128.load(middle), last);
        let b = f64x2.mul(v128.load(middle, 16), last);
        let before = middle - (radius as usize) * ROW;
        let after = middle + (radius as usize) * ROW;
        for (let k: usize = 0, stop = (radius as usize) << 3; k < stop; k += 8) {
          const weight = v128.load64_splat(weights + k);
          a = f64x2.add(a, f64x2.mul(f64x2.add(v128.load(before), v128.load(after)), weight));
          b = f64x2.add(b, f64x2.mul(f64x2.add(v128.load(before, 16), v128.load(after, 16)), weight));
          before += ROW;
          after -= ROW;
        }
        const low = f32x4.demote_f64x2_zero(a);
        const high = f32x4.demote_f64x2_zero(b);
        const to = (n as usize) * step;
        if (beside) {
          v128.store(load<usize>(scratch) + (c << 2) + to, v128.shuffle<f32>(low, high, 0, 1, 4, 5));
          continue;
        }
        const begins = scratch + (c << 2);
        store<f32>(load<usize>(begins) + to, f32x4.extract_lane(low, 0));
        if (c + 1 < (width as usize)) store<f32>(load<usize>(begins, 4) + to, f32x4.extract_lane(low, 1));
        if (c + 2 < (width as usize)) store<f32>(load<usize>(begins, 8) + to, f32x4.extract_lane(high, 0));
        if (c + 3 < (width as usize)) store<f32>(load<usize>(begins, 12) + to, f32x4.extract_lane(high, 1));
      }
    }
  }
}

/** Sample of a line that stands for one outside: d c b a | a b c d | d c b a. */
// @ts-ignore: decorator
@inline
function reflected(n: i32, length: i32): i32 {
  const period = 2 * length;
  const at = ((n % period) + period) % period;
  return at < length ? at : period - 1 - at;
}
