import { CytoError } from '../errors.ts';
import { decodeSamples, type NpyArray } from '../npy.ts';
import { sampleCount } from '../volume.ts';

/**
 * A Python value: numbers (also large ones), strings, booleans, null, bytes, lists and tuples as arrays, dicts as maps,
 * NumPy arrays of numbers as {@link NpyArray}; arrays of objects as lists, of text and others as {@link Opaque}.
 */
export type PickleValue =
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | NpyArray
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Opaque;

/** An object under construction, or a class by its name. */
export class Opaque {
  readonly name: string;
  args: PickleValue[];
  constructor(name: string, args: PickleValue[] = []) {
    this.name = name;
    this.args = args;
  }
}

/** What a pickle may name. Nothing is ever called: these have a meaning of their own here. */
const KNOWN =
  /^(?:numpy(?:\._?core)?\.multiarray\.(?:_reconstruct|scalar)|numpy(?:\._?core)?\.numeric\._frombuffer|numpy\.(?:ndarray|dtype)|numpy\.dtypes\.\w+|_codecs\.encode|collections\.OrderedDict|pathlib\.(?:\w*Path)|(?:builtins|__builtin__)\.(?:set|frozenset|bytearray|list|dict|complex))$/;

/** A class or function by its name. @throws CytoError `unsupported` if plain data does not need it */
export function named(name: string): Opaque {
  if (!KNOWN.test(name)) {
    throw new CytoError(
      'unsupported',
      `The file wants to use "${name}" of Python, which is not plain data. It is not run.`,
    );
  }
  return new Opaque(name);
}

/** A call that a pickle describes, as what it stands for. */
export function reduced({ name }: Opaque, args: PickleValue[]): PickleValue {
  if (name === 'collections.OrderedDict' || name.endsWith('.dict')) return new Map();
  if (/\.(?:set|frozenset|list)$/.test(name)) return (args[0] as PickleValue[] | undefined) ?? [];
  if (name === '_codecs.encode') return Uint8Array.from(String(args[0]), (c) => c.charCodeAt(0));
  if (name.startsWith('pathlib.')) return args.map(String).join('/').replace(/^\/\//, '/');
  return new Opaque(name, args);
}

/** Values inside out: arrays that are complete now become arrays. */
export function finished(value: PickleValue): PickleValue {
  if (value instanceof Opaque) return finishedObject(value);
  if (Array.isArray(value)) return value.map(finished);
  if (value instanceof Map) return new Map([...value].map(([key, one]) => [finished(key), finished(one)]));
  return value;
}

function finishedObject(object: Opaque): PickleValue {
  const { name, args } = object;
  if (name.endsWith('._reconstruct')) {
    const [, shape, dtype, fortranOrder, content] = args.at(-1) as PickleValue[];
    return arrayOf(content, dtype, shape as number[], fortranOrder as boolean);
  }
  if (name.endsWith('._frombuffer')) {
    const [content, dtype, shape, order] = args;
    return arrayOf(content, dtype, shape as number[], order === 'F');
  }
  if (name.endsWith('.scalar')) {
    const [dtype, content] = args;
    const one = arrayOf(content, dtype, [], false);
    return 'data' in (one as NpyArray) ? (one as NpyArray).data[0] : one;
  }
  return object;
}

function arrayOf(
  content: PickleValue,
  dtype: PickleValue,
  shape: number[],
  fortranOrder: boolean,
): PickleValue {
  const { code, order } = typeOf(dtype);
  if (code.startsWith('O')) {
    const list = (content as PickleValue[]).map(finished);
    return shape.length === 0 ? list[0] : list;
  }
  // Text, dates and complex numbers are kept apart, so that they do not spoil the rest.
  if (!/^(?:[iu][1248]|f[48]|b1)$/.test(code)) return new Opaque(`numpy.${code}`);
  const bytes = typeof content === 'string' ? Uint8Array.from(content, (c) => c.charCodeAt(0)) : content;
  if (!(bytes instanceof Uint8Array)) throw new RangeError('no bytes');
  if (sampleCount(shape) === 0) return { data: new Uint8Array(0), shape };
  return decodeSamples(bytes, { type: `${order}${code}`, shape, fortranOrder });
}

/** Code and byte order of `numpy.dtype(code, False, True)` and its state (3, order, …). */
function typeOf(dtype: PickleValue): { code: string; order: string } {
  if (!(dtype instanceof Opaque) || dtype.name !== 'numpy.dtype') throw new RangeError('no dtype');
  const state = dtype.args.find((arg): arg is PickleValue[] => Array.isArray(arg));
  return { code: String(dtype.args[0]), order: String(state?.[1] ?? '<') };
}
