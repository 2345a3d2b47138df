import { CytoError } from '../../../core/errors.ts';
import { fromBfloat16, fromHalf } from '../../../core/half-float.ts';
import { sampleCount } from '../../../core/volume.ts';
import { damaged, openArchive } from './archive.ts';
import type { ByteSource } from './byte-source.ts';
import { readStateDict, type TorchTensor, type TorchType } from './torch-pickle.ts';

/** The pickle holds names and shapes only: a few hundred kilobytes for the largest networks. */
const LARGEST_PICKLE = 32 * 2 ** 20;
/** Largest storage that is read at once; the largest of ViT-L has 16.8 MB. */
const LARGEST_STORAGE = 2 ** 30;

/** Named tensors of a PyTorch file, read one at a time. */
export interface Checkpoint {
  readonly name: string;
  /** Tells its content from any other; see `Archive`. */
  readonly fingerprint: string;
  /** Names without the prefix of data-parallel training. */
  readonly names: readonly string[];
  has(name: string): boolean;
  /** @throws CytoError `model` if there is no such tensor */
  shape(name: string): readonly number[];
  /**
   * The numbers of a tensor in C order, whatever its strides and number format.
   * @throws CytoError `model`, `corrupt-file`, `unsupported` for integers, `network`, `aborted`
   */
  read(name: string, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>>;
}

const PREFIX = 'module.';

/**
 * Opens a checkpoint as `torch.save(state_dict)` writes it since PyTorch 1.6 (spec §1.2). Names, shapes and places are
 * read and checked against the sizes of the archive; the numbers wait until they are asked for.
 * @throws CytoError `unsupported`, `corrupt-file`, `network`, `aborted`
 */
export async function openCheckpoint(source: ByteSource, signal?: AbortSignal): Promise<Checkpoint> {
  const archive = await openArchive(source, signal);
  const pickle = archive.members.get('data.pkl');
  if (pickle && pickle.size > LARGEST_PICKLE)
    throw damaged(source.name, `its list of tensors has ${pickle.size} bytes`);
  if (archive.members.has('byteorder')) {
    const order = new TextDecoder().decode(await archive.read('byteorder', signal));
    if (order.trim() !== 'little') {
      throw new CytoError(
        'unsupported',
        `"${source.name}" was saved on a big-endian machine. Load it in Python on another one and save it again.`,
      );
    }
  }
  const stored = readStateDict(await archive.read('data.pkl', signal));
  const prefixed = stored.size > 0 && [...stored.keys()].every((name) => name.startsWith(PREFIX));
  const tensors = new Map(
    [...stored].map(([name, tensor]) => [prefixed ? name.slice(PREFIX.length) : name, tensor]),
  );
  for (const [name, tensor] of tensors) check(name, tensor, source.name, archive.members);
  const find = (name: string): TorchTensor => {
    const tensor = tensors.get(name);
    if (tensor) return tensor;
    throw new CytoError('model', `"${source.name}" lacks the weights "${name}" of the network.`);
  };
  return {
    name: source.name,
    fingerprint: archive.fingerprint,
    names: [...tensors.keys()],
    has: (name) => tensors.has(name),
    shape: (name) => find(name).shape,
    read: async (name, stop) => {
      const tensor = find(name);
      const { storage, offset } = tensor;
      const part = {
        start: offset * storage.width,
        end: (offset + extent(tensor)) * storage.width,
      };
      const bytes = await archive.read(`data/${storage.key}`, stop, part);
      return inOrder(decode(bytes, storage.dtype, name), tensor);
    },
  };
}

/** Numbers from the first to the last one that a tensor uses of its storage. */
function extent({ shape, stride }: TorchTensor): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((sum, length, axis) => sum + (length - 1) * stride[axis], 1);
}

/** Refuses tensors whose sizes contradict each other or the archive. */
function check(
  name: string,
  tensor: TorchTensor,
  file: string,
  members: ReadonlyMap<string, { size: number }>,
): void {
  const { storage, shape, stride, offset } = tensor;
  const member = members.get(`data/${storage.key}`);
  if (!member) throw damaged(file, `the numbers of "${name}" are missing`);
  if (member.size !== storage.length * storage.width)
    throw damaged(
      file,
      `the numbers of "${name}" take ${member.size} bytes instead of ${storage.length * storage.width}`,
    );
  const end = offset + extent(tensor);
  if (stride.length !== shape.length || !Number.isSafeInteger(end) || end > storage.length)
    throw damaged(file, `"${name}" (${shape.join('×')}) reaches beyond its ${storage.length} numbers`);
  if (sampleCount(shape) > storage.length)
    throw damaged(file, `"${name}" (${shape.join('×')}) has more numbers than are stored`);
  if (member.size > LARGEST_STORAGE)
    throw new CytoError(
      'too-large',
      `"${name}" of "${file}" has ${member.size} bytes, too many for one tensor.`,
    );
}

function decode(bytes: Uint8Array<ArrayBuffer>, dtype: TorchType, name: string): Float32Array<ArrayBuffer> {
  const buffer = bytes.buffer;
  const own = bytes.byteOffset === 0 && bytes.byteLength === buffer.byteLength;
  // Views need aligned numbers.
  const aligned = own || bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const { byteOffset, byteLength } = aligned;
  if (dtype === 'float32') return new Float32Array(aligned.buffer, byteOffset, byteLength / 4);
  if (dtype === 'float64')
    return Float32Array.from(new Float64Array(aligned.buffer, byteOffset, byteLength / 8));
  const words = new Uint16Array(aligned.buffer, byteOffset, Math.floor(byteLength / 2));
  if (dtype === 'float16') return fromHalf(words);
  if (dtype === 'bfloat16') return fromBfloat16(words);
  throw new CytoError('unsupported', `The weights "${name}" are ${dtype}, not floating-point numbers.`);
}

/** Numbers of a view in C order. */
function inOrder(
  values: Float32Array<ArrayBuffer>,
  { shape, stride }: TorchTensor,
): Float32Array<ArrayBuffer> {
  const count = sampleCount(shape);
  const dense = shape.map((_, axis) => sampleCount(shape.slice(axis + 1)));
  if (shape.every((length, axis) => length === 1 || stride[axis] === dense[axis]))
    return values.subarray(0, count);
  const out = new Float32Array(count);
  const at = new Array<number>(shape.length).fill(0);
  const last = shape.length - 1;
  const [length, step] = [shape[last], stride[last]];
  for (let i = 0; i < count; i += length) {
    let from = 0;
    for (let axis = 0; axis < last; axis++) from += at[axis] * stride[axis];
    for (let k = 0; k < length; k++) out[i + k] = values[from + k * step];
    for (let axis = last - 1; axis >= 0 && ++at[axis] === shape[axis]; axis--) at[axis] = 0;
  }
  return out;
}
