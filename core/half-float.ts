/** Conversions between float32 and the 16-bit formats, by way of the bits. */

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** Largest finite half float. */
export const LARGEST_HALF = 65504;

/** All half floats by their bits: reading millions of weights is a look-up. */
let halves: Float32Array | undefined;

function halfTable(): Float32Array {
  if (halves) return halves;
  halves = new Float32Array(0x10000);
  for (let half = 0; half < 0x10000; half++) {
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    const magnitude =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    halves[half] = half & 0x8000 ? -magnitude : magnitude;
  }
  return halves;
}

/** Half floats (IEEE 754 binary16, as bits) as float32. */
export function fromHalf(values: Uint16Array): Float32Array<ArrayBuffer> {
  const table = halfTable();
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = table[values[i]];
  return out;
}

/** bfloat16 (as bits) as float32: the upper half of the same number. */
export function fromBfloat16(values: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Uint32Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i] << 16;
  return new Float32Array(out.buffer);
}

/** Float32 as half floats (bits), rounded to the nearest, ties to even; what is too large becomes infinite. */
export function toHalf(values: Float32Array): Uint16Array<ArrayBuffer> {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    floats[0] = values[i];
    const word = bits[0];
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    if (magnitude >= 0x7f800000) {
      out[i] = sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
    } else if (magnitude < 0x38800000) {
      // Below the smallest normal half float: whole multiples of 2^-24.
      const scaled = Math.abs(floats[0]) * 2 ** 24;
      const whole = Math.floor(scaled);
      const rest = scaled - whole;
      out[i] = sign | (whole + (rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? 1 : 0));
    } else {
      // Rebias the exponent; a fraction that rounds up carries into it.
      const rounded = magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1);
      out[i] = sign | Math.min(rounded >>> 13, 0x7c00);
    }
  }
  return out;
}
