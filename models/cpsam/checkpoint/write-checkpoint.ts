import { Uint8ArrayReader, ZipWriter } from '@zip.js/zip.js';
import { throwIfAborted } from '../../../core/errors.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import { sampleCount } from '../../../core/volume.ts';
import type { Checkpoint } from './checkpoint.ts';

/** Folder in the archive; PyTorch takes any. */
const FOLDER = 'archive';

/** Version of the archive's layout that PyTorch has written since 1.6. */
const LAYOUT = '3\n';

const encoder = new TextEncoder();

/** Distances of neighbours along each axis, in numbers, for C order. */
function strides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sampleCount(shape.slice(axis + 1)));
}

/**
 * The pickle of a state dict of float32 tensors, protocol 2: nothing but names, shapes and places of the numbers, by the
 * functions that PyTorch's restricted reader knows (`torch.load(…, weights_only=True)`).
 */
export function stateDictPickle(tensors: ReadonlyMap<string, readonly number[]>): Uint8Array<ArrayBuffer> {
  const parts: (number | string)[] = [];
  const put = (...list: (number | string)[]) => void parts.push(...list);
  const integer = (value: number) => put(0x4a, ...new Uint8Array(Int32Array.of(value).buffer));
  const text = (value: string) => {
    const { length } = encoder.encode(value);
    put('X', ...new Uint8Array(Int32Array.of(length).buffer), value);
  };
  const tuple = (values: readonly number[]) => {
    put('(');
    values.forEach(integer);
    put('t');
  };
  const ordered = () => put('ccollections\nOrderedDict\n', ')', 'R');
  put(0x80, 2);
  ordered();
  put('(');
  let storage = 0;
  for (const [name, shape] of tensors) {
    text(name);
    put('ctorch._utils\n_rebuild_tensor_v2\n', '(');
    put('(');
    text('storage');
    put('ctorch\nFloatStorage\n');
    text(String(storage++));
    text('cpu');
    integer(sampleCount(shape));
    put('t', 'Q');
    integer(0);
    tuple(shape);
    tuple(strides(shape));
    // No gradient, and no hooks.
    put(0x89);
    ordered();
    put('t', 'R');
  }
  put('u', '.');
  const bytes = parts.map((part) => (typeof part === 'number' ? Uint8Array.of(part) : encoder.encode(part)));
  const out = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of bytes) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * Writes a checkpoint as `torch.save(state_dict)` does (spec §1.2): every tensor of another one under its key as float32,
 * some with other numbers. One tensor at a time is in memory. Progress phase: `checkpoint` (tensors).
 * @param replaced numbers in C order, as many as the tensor has
 * @param write takes the file's bytes in order
 * @throws CytoError as reading the checkpoint does; `aborted`
 */
export async function writeCheckpoint(
  checkpoint: Checkpoint,
  replaced: ReadonlyMap<string, Float32Array>,
  write: (bytes: Uint8Array) => void | Promise<void>,
  { signal, onProgress }: TaskOptions = {},
): Promise<void> {
  const zip = new ZipWriter(new WritableStream<Uint8Array>({ write: async (bytes) => write(bytes) }), {
    level: 0,
    dataDescriptor: false,
    extendedTimestamp: false,
    useWebWorkers: false,
  });
  const put = (name: string, bytes: Uint8Array) => zip.add(`${FOLDER}/${name}`, new Uint8ArrayReader(bytes));
  const { names } = checkpoint;
  const shapes = new Map(names.map((name) => [name, checkpoint.shape(name)]));
  await put('data.pkl', stateDictPickle(shapes));
  await put('byteorder', encoder.encode('little'));
  for (const [k, name] of names.entries()) {
    throwIfAborted(signal);
    onProgress?.({ phase: 'checkpoint', value: k, total: names.length });
    const values = replaced.get(name) ?? (await checkpoint.read(name, signal));
    if (values.length !== sampleCount(checkpoint.shape(name)))
      throw new RangeError(`${name}: ${values.length} numbers`);
    await put(`data/${k}`, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  await put('version', encoder.encode(LAYOUT));
  await zip.close();
}
