import { allocate, type DType, type VolumeData } from '../../../core/volume.ts';

/** How the bytes of a decoded strip or tile are to be understood. */
export interface BlockFormat {
  /** Samples side by side in one row of pixels: width × samples per pixel (1 when planes are apart). */
  rowSamples: number;
  rows: number;
  /** Samples per pixel in this block. */
  stride: number;
  /** Bits per sample as stored. */
  bits: number;
  /** 1 unsigned, 2 signed, 3 floating point. */
  sampleFormat: number;
  dtype: DType;
  /** 1 none, 2 differences along the row, 3 the same of floating point's byte planes. */
  predictor: number;
  littleEndian: boolean;
}

/** Bytes of a block; rows of packed samples start at whole bytes. */
export function blockBytes({ rowSamples, rows, bits }: BlockFormat): number {
  return Math.ceil((rowSamples * bits) / 8) * rows;
}

/** Samples of a decoded block in the machine's form, prediction undone. Rows follow each other. */
export function samplesOf(bytes: Uint8Array, format: BlockFormat): VolumeData {
  const { bits, predictor, sampleFormat } = format;
  if (predictor === 3) return fromBytePlanes(bytes, format);
  const samples =
    sampleFormat === 3 || (bits % 8 === 0 && bits !== 24)
      ? wholeBytes(bytes, format)
      : packedBits(bytes, format);
  if (predictor === 2) accumulate(samples, format);
  return samples;
}

function wholeBytes(
  bytes: Uint8Array,
  { rowSamples, rows, bits, dtype, littleEndian }: BlockFormat,
): VolumeData {
  const count = rowSamples * rows;
  const width = bits / 8;
  const half = bits === 16 && dtype === 'float32';
  const samples: VolumeData = half ? new Uint16Array(count) : allocate(dtype, count);
  const own = new Uint8Array(samples.buffer);
  own.set(bytes.subarray(0, count * width));
  if (!littleEndian && width > 1) {
    for (let at = 0; at < own.length; at += width) own.subarray(at, at + width).reverse();
  }
  return half ? Float32Array.from(samples, fromHalf) : samples;
}

/** Samples of any number of bits, most significant first; each row starts at a byte. */
function packedBits(bytes: Uint8Array, { rowSamples, rows, bits, dtype }: BlockFormat): VolumeData {
  const samples = allocate(dtype, rowSamples * rows);
  const rowBytes = Math.ceil((rowSamples * bits) / 8);
  const signed = dtype.startsWith('int');
  let to = 0;
  for (let row = 0; row < rows; row++) {
    let bit = row * rowBytes * 8;
    for (let i = 0; i < rowSamples; i++) {
      let value = 0;
      for (let left = bits; left > 0; ) {
        const take = Math.min(left, 8 - (bit & 7));
        value = value * 2 ** take + ((bytes[bit >> 3] >> (8 - (bit & 7) - take)) & ((1 << take) - 1));
        bit += take;
        left -= take;
      }
      samples[to++] = signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
    }
  }
  return samples;
}

/** Undoes horizontal differencing; sums wrap at the stored number of bits. */
function accumulate(samples: VolumeData, { rowSamples, rows, stride, bits, dtype }: BlockFormat): void {
  const mask = 2 ** bits - 1;
  const packed = bits % 8 !== 0 && !dtype.startsWith('int');
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * rowSamples;
    for (let i = row * rowSamples + stride; i < end; i++) {
      samples[i] += samples[i - stride];
      if (packed) samples[i] &= mask;
    }
  }
}

/** Undoes the floating-point predictor (TIFF Technical Note 3): byte planes, most significant first, differenced. */
function fromBytePlanes(bytes: Uint8Array, format: BlockFormat): VolumeData {
  const { rowSamples, rows, stride, bits } = format;
  const width = bits / 8;
  const rowBytes = rowSamples * width;
  const row = new Uint8Array(rowBytes);
  const ordered = new Uint8Array(rowBytes * rows);
  for (let y = 0; y < rows; y++) {
    row.set(bytes.subarray(y * rowBytes, (y + 1) * rowBytes));
    for (let i = stride; i < rowBytes; i++) row[i] += row[i - stride];
    for (let i = 0; i < rowSamples; i++) {
      for (let b = 0; b < width; b++)
        ordered[y * rowBytes + i * width + b] = row[(width - 1 - b) * rowSamples + i];
    }
  }
  return wholeBytes(ordered, { ...format, littleEndian: true });
}

/** A 16-bit float (IEEE 754 binary16) as a number. */
function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
