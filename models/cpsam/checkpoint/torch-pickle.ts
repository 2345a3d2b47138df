import { CytoError } from '../../../core/errors.ts';
import {
  Opaque,
  type PickleDialect,
  type PickleValue,
  readPickle,
} from '../../../core/pickle/read-pickle.ts';

/** Number formats of tensors, by PyTorch's names of their storages. */
const STORAGES = {
  FloatStorage: { dtype: 'float32', width: 4 },
  HalfStorage: { dtype: 'float16', width: 2 },
  BFloat16Storage: { dtype: 'bfloat16', width: 2 },
  DoubleStorage: { dtype: 'float64', width: 8 },
  LongStorage: { dtype: 'int64', width: 8 },
  IntStorage: { dtype: 'int32', width: 4 },
  ShortStorage: { dtype: 'int16', width: 2 },
  CharStorage: { dtype: 'int8', width: 1 },
  ByteStorage: { dtype: 'uint8', width: 1 },
  BoolStorage: { dtype: 'bool', width: 1 },
} as const;

export type TorchType = (typeof STORAGES)[keyof typeof STORAGES]['dtype'];

/** A block of numbers in the archive. */
export interface TorchStorage {
  /** Name of its file below `data/`. */
  key: string;
  dtype: TorchType;
  /** Bytes of a number. */
  width: number;
  /** Numbers it holds. */
  length: number;
}

/** A tensor: a view on a storage; shape, strides and offset in numbers. */
export interface TorchTensor {
  storage: TorchStorage;
  shape: readonly number[];
  stride: readonly number[];
  offset: number;
}

class StorageReference extends Opaque {
  readonly storage: TorchStorage;
  constructor(storage: TorchStorage) {
    super('storage');
    this.storage = storage;
  }
}

class TensorReference extends Opaque {
  readonly tensor: TorchTensor;
  constructor(tensor: TorchTensor) {
    super('tensor');
    this.tensor = tensor;
  }
}

const REBUILD_TENSOR = 'torch._utils._rebuild_tensor_v2';
const REBUILD_PARAMETER = 'torch._utils._rebuild_parameter';
const ORDERED = 'collections.OrderedDict';
const STORAGE = /^torch\.(\w+Storage)$/;

const isStorageName = (name: string): name is keyof typeof STORAGES => Object.hasOwn(STORAGES, name);

/** What the state dict of a network needs; everything else is refused by name. */
const TORCH: PickleDialect = {
  named(name) {
    const storage = STORAGE.exec(name)?.[1];
    const known =
      [REBUILD_TENSOR, REBUILD_PARAMETER, ORDERED].includes(name) ||
      (storage !== undefined && isStorageName(storage));
    if (known) return new Opaque(name);
    throw new CytoError(
      'unsupported',
      `The checkpoint wants to use "${name}" of Python, which the weights of a network do not need. It is not run. Save only the weights: torch.save(model.state_dict(), path).`,
    );
  },
  reduced({ name }, args) {
    if (name === ORDERED) return new Map();
    if (name === REBUILD_PARAMETER) return args[0];
    if (name !== REBUILD_TENSOR) throw new RangeError('not a function');
    const [source, offset, shape, stride] = args;
    if (!(source instanceof StorageReference)) throw new RangeError('no storage');
    return new TensorReference({
      storage: source.storage,
      offset: size(offset),
      shape: sizes(shape),
      stride: sizes(stride),
    });
  },
  // The values of a state dict are complete when they are made; nothing is copied, however often it is named.
  finished: (value) => value,
  persistent(id) {
    if (!Array.isArray(id) || id[0] !== 'storage') throw new RangeError('no storage');
    const [, type, key, , length] = id;
    const name = type instanceof Opaque ? STORAGE.exec(type.name)?.[1] : undefined;
    if (name === undefined || !isStorageName(name) || typeof key !== 'string')
      throw new RangeError('no storage');
    return new StorageReference({ ...STORAGES[name], key, length: size(length) });
  },
};

function size(value: PickleValue): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError('not a size');
}

function sizes(value: PickleValue): number[] {
  if (!Array.isArray(value) || value.length > 8) throw new RangeError('not a shape');
  return value.map(size);
}

/**
 * Reads the pickle of a state dict: names and where their numbers lie.
 * @throws CytoError `unsupported` for anything but tensors by name, `corrupt-file` when it is damaged
 */
export function readStateDict(bytes: Uint8Array): Map<string, TorchTensor> {
  const value = readPickle(bytes, TORCH);
  if (!(value instanceof Map)) {
    throw new CytoError(
      'unsupported',
      'The checkpoint holds no named tensors. Save the weights: torch.save(model.state_dict(), path).',
    );
  }
  const tensors = new Map<string, TorchTensor>();
  for (const [name, entry] of value) {
    if (typeof name === 'string' && entry instanceof TensorReference) tensors.set(name, entry.tensor);
  }
  return tensors;
}
