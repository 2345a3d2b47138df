const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);

/** IEEE 754 half floats as numbers. */
export function fromHalf(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

/** Numbers as half floats, rounded to the nearest, ties to even; beyond 65504 infinite. */
export function toHalf(numbers: Float32Array): Uint16Array {
  return Uint16Array.from(numbers, (number) => {
    value[0] = number;
    const sign = (bits[0] >>> 16) & 0x8000;
    const exponent = ((bits[0] >>> 23) & 255) - 112;
    const fraction = bits[0] & 0x7fffff;
    if (exponent >= 31) return Number.isNaN(number) ? 0x7e00 : sign | 0x7c00;
    // A carry out of the fraction runs into the exponent, which is right.
    const whole = exponent > 0 ? (exponent << 23) | fraction : (fraction | 0x800000) >>> 0;
    const shift = exponent > 0 ? 13 : 14 - exponent;
    if (shift > 24) return sign;
    const rest = whole & (2 ** shift - 1);
    const half = 2 ** (shift - 1);
    const down = whole >>> shift;
    return sign | (rest > half || (rest === half && down & 1) ? down + 1 : down);
  });
}
