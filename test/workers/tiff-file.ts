/** Writes small TIFF files of any flavour, for the tests of the reader. */

export interface TestTiff {
  width: number;
  height: number;
  /** Encoded strips or tiles, in file order. */
  blocks: Uint8Array[];
  bits?: number;
  samples?: number;
  /** 1 unsigned, 2 signed, 3 floating point. */
  sampleFormat?: number;
  compression?: number;
  predictor?: number;
  planar?: boolean;
  rowsPerStrip?: number;
  tile?: [width: number, height: number];
  bigEndian?: boolean;
  description?: string;
}

const SHORT = 3;
const LONG = 4;
const ASCII = 2;

/** A file of one page. */
export function tiffFile(options: TestTiff): Uint8Array<ArrayBuffer> {
  const { width, height, blocks, bits = 8, samples = 1, tile, bigEndian = false, description } = options;
  const little = !bigEndian;
  const list = (value: number) => new Array<number>(samples).fill(value);
  const offsets: number[] = [];
  let at = 8;
  for (const block of blocks) {
    offsets.push(at);
    at += block.length;
  }
  const counts = blocks.map((block) => block.length);
  const entries: [tag: number, type: number, values: number[]][] = [
    [256, LONG, [width]],
    [257, LONG, [height]],
    [258, SHORT, list(bits)],
    [259, SHORT, [options.compression ?? 1]],
    [262, SHORT, [samples >= 3 ? 2 : 1]],
    ...(description
      ? [[270, ASCII, [...new TextEncoder().encode(`${description}\0`)]] as [number, number, number[]]]
      : []),
    ...(tile ? [] : [[273, LONG, offsets] as [number, number, number[]]]),
    [277, SHORT, [samples]],
    ...(tile
      ? []
      : ([
          [278, LONG, [options.rowsPerStrip ?? height]],
          [279, LONG, counts],
        ] as [number, number, number[]][])),
    [284, SHORT, [options.planar ? 2 : 1]],
    [317, SHORT, [options.predictor ?? 1]],
    ...(tile
      ? ([
          [322, LONG, [tile[0]]],
          [323, LONG, [tile[1]]],
          [324, LONG, offsets],
          [325, LONG, counts],
        ] as [number, number, number[]][])
      : []),
    [339, SHORT, list(options.sampleFormat ?? 1)],
  ];
  const widthOf = (type: number) => ({ [SHORT]: 2, [LONG]: 4, [ASCII]: 1 })[type] ?? 1;
  const directory = at + (at & 1);
  let outside = directory + 2 + entries.length * 12 + 4;
  const bytes = new Uint8Array(
    outside + entries.reduce((sum, [, type, values]) => sum + values.length * widthOf(type) + 4, 0),
  );
  const view = new DataView(bytes.buffer);
  bytes.set(bigEndian ? [0x4d, 0x4d] : [0x49, 0x49]);
  view.setUint16(2, 42, little);
  view.setUint32(4, directory, little);
  blocks.forEach((block, k) => {
    bytes.set(block, offsets[k]);
  });
  view.setUint16(directory, entries.length, little);
  entries.forEach(([tag, type, values], k) => {
    const entry = directory + 2 + k * 12;
    view.setUint16(entry, tag, little);
    view.setUint16(entry + 2, type, little);
    view.setUint32(entry + 4, values.length, little);
    const size = values.length * widthOf(type);
    let to = entry + 8;
    if (size > 4) {
      outside += outside & 1;
      view.setUint32(to, outside, little);
      to = outside;
      outside += size;
    }
    for (const value of values) {
      if (type === LONG) view.setUint32(to, value, little);
      else if (type === SHORT) view.setUint16(to, value, little);
      else view.setUint8(to, value);
      to += widthOf(type);
    }
  });
  return bytes;
}

/** Bytes of samples in a byte order. */
export function bytesOfSamples(
  samples: Uint8Array | Uint16Array | Int16Array | Uint32Array | Float32Array | Float64Array,
  bigEndian = false,
): Uint8Array {
  const bytes = new Uint8Array(
    samples.buffer.slice(samples.byteOffset, samples.byteOffset + samples.byteLength),
  );
  const width = samples.BYTES_PER_ELEMENT;
  if (bigEndian) for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
  return bytes;
}

/** LZW of TIFF 6.0, or with the bit order and code widths of the files before it. */
export function encodeLzw(input: Uint8Array, older = false): Uint8Array {
  const out: number[] = [];
  let held = 0;
  let bits = 0;
  let width = 9;
  let table = new Map<string, number>();
  let next = 258;
  const put = (code: number) => {
    if (older) {
      bits += code * 2 ** held;
      held += width;
      for (; held >= 8; held -= 8) {
        out.push(bits % 256);
        bits = Math.floor(bits / 256);
      }
    } else {
      bits = bits * 2 ** width + code;
      held += width;
      for (; held >= 8; held -= 8) {
        out.push(Math.floor(bits / 2 ** (held - 8)));
        bits %= 2 ** (held - 8);
      }
    }
  };
  const code = (word: string) => (word.length === 1 ? word.charCodeAt(0) : (table.get(word) ?? -1));
  put(256);
  let word = '';
  for (const byte of input) {
    const letter = String.fromCharCode(byte);
    if (word === '' || code(word + letter) >= 0) {
      word += letter;
      continue;
    }
    put(code(word));
    table.set(word + letter, next++);
    if (next > (1 << width) - (older ? 0 : 1)) width++;
    if (next >= 4093) {
      put(256);
      table = new Map();
      next = 258;
      width = 9;
    }
    word = letter;
  }
  if (word) put(code(word));
  put(257);
  if (held > 0) out.push(older ? bits : Math.floor(bits * 2 ** (8 - held)));
  return Uint8Array.from(out);
}
