import { CytoError } from '../errors.ts';
import type { DType, VolumeData } from '../volume.ts';
import { dtypeOf } from '../volume.ts';

/** A NumPy array to be written: samples in C order of `shape`; `bool` writes 8-bit samples as truth values. */
export interface ArrayToWrite {
  data: VolumeData;
  shape: readonly number[];
  bool?: boolean;
}

/** A value to be written; objects become dicts, arrays lists. Whole numbers become ints. */
export type WritableValue =
  | number
  | string
  | boolean
  | null
  | ArrayToWrite
  | readonly WritableValue[]
  | { readonly [key: string]: WritableValue };

const CODES: Record<DType, string> = {
  uint8: 'u1',
  int8: 'i1',
  uint16: 'u2',
  int16: 'i2',
  uint32: 'u4',
  int32: 'i4',
  float32: 'f4',
  float64: 'f8',
};

/** Names that NumPy 1 and 2 both know. */
const RECONSTRUCT = 'cnumpy.core.multiarray\n_reconstruct\n';

class Writer {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;

  put(...parts: Array<number | string | Uint8Array>): void {
    for (const part of parts) {
      const bytes =
        typeof part === 'number' ? Uint8Array.of(part) : typeof part === 'string' ? ascii(part) : part;
      if (this.#length + bytes.length > this.#bytes.length) {
        const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + bytes.length));
        larger.set(this.#bytes.subarray(0, this.#length));
        this.#bytes = larger;
      }
      this.#bytes.set(bytes, this.#length);
      this.#length += bytes.length;
    }
  }

  value(value: WritableValue): void {
    if (value === null) this.put('N');
    else if (typeof value === 'boolean') this.put(value ? 0x88 : 0x89);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(value);
    else if (isList(value)) {
      this.put('](');
      for (const one of value) this.value(one);
      this.put('e');
    } else if (isArray(value)) this.#array(value);
    else {
      this.put('}(');
      for (const [key, one] of Object.entries(value)) {
        this.#text(key);
        this.value(one);
      }
      this.put('u');
    }
  }

  #number(value: number): void {
    if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setInt32(0, value, true);
      this.put('J', bytes);
    } else {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setFloat64(0, value);
      this.put('G', bytes);
    }
  }

  #text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.put('X', uint32(bytes.length), bytes);
  }

  #array({ data, shape, bool = false }: ArrayToWrite): void {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (bytes.length > 0xffff_ffff) {
      throw new CytoError('too-large', 'An array of more than 4 GiB cannot be written. Export OME-Zarr.');
    }
    this.#reconstructed();
    this.put('(');
    this.#number(1);
    this.#tuple(shape);
    const code = bool ? 'b1' : CODES[dtypeOf(data)];
    this.dtype(code, /1$/.test(code) ? '|' : '<');
    this.put(0x89, 'B', uint32(bytes.length), bytes, 'tb');
  }

  /** numpy.dtype(code, False, True) with its state. */
  dtype(code: string, order: string): void {
    this.put('cnumpy\ndtype\n(');
    this.#text(code);
    this.put(0x89, 0x88, 'tR(');
    this.#number(3);
    this.#text(order);
    this.put('NNN');
    this.#number(-1);
    this.#number(-1);
    this.#number(code === 'O8' ? 63 : 0);
    this.put('tb');
  }

  #reconstructed(): void {
    this.put(RECONSTRUCT, 'cnumpy\nndarray\n', 'K', 0, 0x85, 'C', 1, 'b', 0x87, 'R');
  }

  #tuple(values: readonly number[]): void {
    this.put('(');
    for (const value of values) this.#number(value);
    this.put('t');
  }

  /** An array without axes that holds one object: what numpy.save makes of a dict. */
  object(value: WritableValue): void {
    this.#reconstructed();
    this.put('(');
    this.#number(1);
    this.#tuple([]);
    this.dtype('O8', '|');
    this.put(0x89, '](');
    this.value(value);
    this.put('etb');
  }

  finish(): Uint8Array {
    this.put('.');
    return this.#bytes.slice(0, this.#length);
  }
}

const isList = (value: WritableValue): value is readonly WritableValue[] => Array.isArray(value);
const isArray = (value: object): value is ArrayToWrite => 'data' in value && ArrayBuffer.isView(value.data);

const ascii = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/**
 * A value as `numpy.save(file, value, allow_pickle=True)` stores it: an NPY file with a pickled object (protocol 3),
 * which `numpy.load(file, allow_pickle=True).item()` gives back with NumPy 1 and 2.
 * @throws CytoError `too-large` for arrays beyond 4 GiB
 */
export function objectNpy(value: WritableValue): Uint8Array {
  const text = "{'descr': '|O', 'fortran_order': False, 'shape': (), }";
  const writer = new Writer();
  writer.put(0x93, 'NUMPY', 1, 0);
  // Magic, version, length and header fill a multiple of 64 bytes.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  writer.put(length & 0xff, length >> 8, text.padEnd(length - 1), '\n');
  writer.put(0x80, 3);
  writer.object(value);
  return writer.finish();
}
