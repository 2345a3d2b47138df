import { CytoError } from './errors.ts';
import { type DType, sampleCount, type VolumeData, viewAs } from './volume.ts';

/** An array read from a NumPy file: samples in C order of `shape`. */
export interface NpyArray {
  data: VolumeData;
  shape: number[];
}

const DTYPES: Record<string, DType> = {
  u1: 'uint8',
  b1: 'uint8',
  i1: 'int8',
  u2: 'uint16',
  i2: 'int16',
  u4: 'uint32',
  i4: 'int32',
  f4: 'float32',
  f8: 'float64',
};

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let i = 0; i + width <= bytes.length; i += width) bytes.subarray(i, i + width).reverse();
}

/** Reorders Fortran-order samples to C order. */
function toCOrder(data: VolumeData, shape: readonly number[]): VolumeData {
  const out = data.slice();
  const at = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_, axis) => sampleCount(shape.slice(0, axis)));
  for (let i = 0; i < out.length; i++) {
    let from = 0;
    for (let axis = 0; axis < shape.length; axis++) from += at[axis] * strides[axis];
    out[i] = data[from];
    for (let axis = shape.length - 1; axis >= 0 && ++at[axis] === shape[axis]; axis--) at[axis] = 0;
  }
  return out;
}

/** 64-bit integers as 32-bit ones where they all fit. */
function narrow(values: BigInt64Array | BigUint64Array): VolumeData {
  let low = 0n;
  let high = 0n;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low >= 0n && high < 2n ** 32n) return Uint32Array.from(values, Number);
  if (low >= -(2n ** 31n) && high < 2n ** 31n) return Int32Array.from(values, Number);
  throw new CytoError(
    'unsupported',
    'The NPY file holds 64-bit integers beyond 32 bits; save it as a smaller type.',
  );
}

/**
 * Reads an .npy file (versions 1 to 3, either byte order, C or Fortran order). Booleans become 0 and 1; 64-bit
 * integers become 32-bit ones if they fit.
 * @throws CytoError `corrupt-file` for a broken header or too few bytes, `unsupported` for objects, strings, complex
 * numbers and half floats
 */
export function parseNpy(bytes: Uint8Array): NpyArray {
  const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte))
    return corrupt('it does not start like one');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6] >= 2;
  const headerStart = long ? 12 : 10;
  const start = headerStart + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  if (start > bytes.length) return corrupt('the header reaches beyond the end');
  const header = new TextDecoder('latin1').decode(bytes.subarray(headerStart, start));
  const descr = /['"]descr['"]\s*:\s*['"]([<>|=]?)([a-zA-Z]\d*)['"]/.exec(header);
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(header);
  const tuple = /['"]shape['"]\s*:\s*\(([\d\s,L]*)\)/.exec(header);
  if (!order || !tuple) return corrupt('the header cannot be read');
  if (!descr)
    throw new CytoError('unsupported', `The NPY file does not hold plain numbers: ${header.trim()}.`);
  const shape = tuple[1]
    .split(',')
    .map((part) => part.replace('L', '').trim())
    .filter((part) => part !== '')
    .map(Number);
  const [, endian, code] = descr;
  return decodeSamples(bytes.subarray(start), {
    type: `${endian}${code}`,
    shape,
    fortranOrder: order[1] === 'True',
  });
}

/** How NumPy lays out an array. */
export interface SampleLayout {
  /** Type as in `descr`: byte order (`<`, `>`, `|` or none) and code, such as `<f4`. */
  type: string;
  shape: number[];
  fortranOrder: boolean;
}

/**
 * Samples of a NumPy array from its bytes.
 * @throws CytoError `corrupt-file` for too few bytes, `unsupported` for types other than plain numbers
 */
export function decodeSamples(bytes: Uint8Array, { type, shape, fortranOrder }: SampleLayout): NpyArray {
  const [, endian, code] = /^([<>|=]?)(.*)$/.exec(type) as RegExpExecArray;
  const wide = code === 'i8' || code === 'u8';
  const dtype = DTYPES[code];
  if (!dtype && !wide)
    throw new CytoError(
      'unsupported',
      `NPY samples of type ${code} are not supported; save them as float32.`,
    );
  const width = Number(code.slice(1));
  const needed = sampleCount(shape) * width;
  if (bytes.length < needed) corrupt(`${needed} bytes of samples are announced, ${bytes.length} are there`);
  const samples = Uint8Array.from(bytes.subarray(0, needed));
  if (endian === '>') swapBytes(samples, width);
  let data = wide
    ? narrow(code === 'i8' ? new BigInt64Array(samples.buffer) : new BigUint64Array(samples.buffer))
    : viewAs(dtype, samples.buffer);
  if (fortranOrder && shape.length > 1) data = toCOrder(data, shape);
  return { data, shape };
}

function corrupt(problem: string): never {
  throw new CytoError('corrupt-file', `This NPY file is damaged: ${problem}. Save it again with numpy.save.`);
}

/** A float32 array as an NPY file, format 1.0, C order. */
export function encodeNpy(data: Float32Array, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const lengths = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const description = `{'descr': '<f4', 'fortran_order': False, 'shape': (${lengths}), }`;
  // The data begin at a multiple of 64.
  const start = Math.ceil((10 + description.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, (start - 10) & 255, (start - 10) >> 8]);
  bytes.set(new TextEncoder().encode(`${description.padEnd(start - 11)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}
