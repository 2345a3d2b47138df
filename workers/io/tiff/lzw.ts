/**
 * LZW as TIFF 6.0 section 13 has it, and the older bit order of files before 1993.
 * Written here because the TIFF library's decoder has no bound on its output and does not know the older form.
 */
const CLEAR = 256;
const END = 257;
const FIRST = 258;
const TABLE = 4096;

/**
 * @param input a strip or tile
 * @param length bytes that it should give; never more are written
 * @returns the decoded bytes, shorter than `length` if the stream ends early
 * @throws Error on a code that no encoder writes
 */
export function decodeLzw(input: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  // The first code is CLEAR, 9 bits wide: 0x80 first if the most significant bit leads, 0x00 0x01 in the older order.
  const older = input[0] === 0 && (input[1] & 1) === 1;
  const prefix = new Uint16Array(TABLE);
  const suffix = new Uint8Array(TABLE);
  const depth = new Uint16Array(TABLE);
  for (let i = 0; i < 256; i++) {
    suffix[i] = i;
    depth[i] = 1;
  }
  let next = FIRST;
  let width = 9;
  let bits = 0;
  let held = 0;
  let at = 0;
  let out = 0;
  let previous = -1;
  const code = (): number => {
    while (held < width) {
      if (at >= input.length) return END;
      bits = older ? bits | (input[at++] << held) : ((bits << 8) | input[at++]) & 0xffffff;
      held += 8;
    }
    held -= width;
    if (!older) return (bits >>> held) & ((1 << width) - 1);
    const value = bits & ((1 << width) - 1);
    bits >>>= width;
    return value;
  };
  /** Writes the string of a code; returns its first byte. */
  const write = (value: number): number => {
    let entry = value;
    for (let to = out + depth[value] - 1; to > out; to--) {
      if (to < length) output[to] = suffix[entry];
      entry = prefix[entry];
    }
    if (out < length) output[out] = suffix[entry];
    out += depth[value];
    return suffix[entry];
  };
  for (let value = code(); value !== END && out < length; value = code()) {
    if (value === CLEAR) {
      next = FIRST;
      width = 9;
      previous = -1;
      continue;
    }
    if (previous < 0) {
      if (value >= CLEAR) throw new Error('the LZW stream starts with an unknown code');
      write(value);
    } else {
      if (value > next || value === END) throw new Error('the LZW stream has an unknown code');
      if (next < TABLE) {
        prefix[next] = previous;
        depth[next] = depth[previous] + 1;
        suffix[next] =
          value === next ? firstByte(previous, prefix, suffix) : firstByte(value, prefix, suffix);
        next++;
      } else if (value >= TABLE) throw new Error('the LZW stream has an unknown code');
      write(value);
    }
    previous = value;
    // Codes grow one entry early, in the older order on time.
    if (next >= (1 << width) - (older ? 0 : 1) && width < 12) width++;
  }
  return out < length ? output.subarray(0, out) : output;
}

function firstByte(code: number, prefix: Uint16Array, suffix: Uint8Array): number {
  let entry = code;
  while (entry >= CLEAR) entry = prefix[entry];
  return suffix[entry];
}
