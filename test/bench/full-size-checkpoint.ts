import { createWriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import { configure, ZipWriter } from '@zip.js/zip.js';
import { sampleCount } from '../../core/volume.ts';

configure({ useWebWorkers: false });

/** Sides of Cellpose-SAM's encoder, SAM's ViT-L (spec §1). */
const [WIDTH, DEPTH, HEADS, GRID, PATCH, NECK] = [1024, 24, 16, 32, 8, 256];
/** Random numbers are drawn once and taken from another place for every tensor. */
const DRAWN = 2 ** 22;

interface Weights {
  name: string;
  shape: readonly number[];
  /** Numbers lie around `mean`, up to `spread` away from it. */
  mean: number;
  spread: number;
}

/** All tensors of a released checkpoint but the diameters, with numbers that keep activations of usual size. */
function tensors(): Weights[] {
  const [perHead, hidden, readout] = [WIDTH / HEADS, 4 * WIDTH, 3 * PATCH * PATCH];
  const matrix = (name: string, ...shape: number[]): Weights => ({
    name,
    shape,
    mean: 0,
    spread: Math.sqrt(3 / sampleCount(shape.slice(1))),
  });
  const bias = (name: string, length: number): Weights => ({ name, shape: [length], mean: 0, spread: 0.1 });
  const linear = (name: string, out: number, inputs: number) => [
    matrix(`${name}.weight`, out, inputs),
    bias(`${name}.bias`, out),
  ];
  const norm = (name: string, width: number): Weights[] => [
    { name: `${name}.weight`, shape: [width], mean: 1, spread: 0.2 },
    bias(`${name}.bias`, width),
  ];
  const block = (k: number): Weights[] => {
    const name = `encoder.blocks.${k}`;
    // SAM attends globally in every sixth block; the others have tables of its windows.
    const length = k % 6 === 5 ? 4 * GRID - 1 : 27;
    const table = (axis: string): Weights => ({
      name: `${name}.attn.rel_pos_${axis}`,
      shape: [length, perHead],
      mean: 0,
      spread: 0.1,
    });
    return [
      ...norm(`${name}.norm1`, WIDTH),
      table('h'),
      table('w'),
      ...linear(`${name}.attn.qkv`, 3 * WIDTH, WIDTH),
      ...linear(`${name}.attn.proj`, WIDTH, WIDTH),
      ...norm(`${name}.norm2`, WIDTH),
      ...linear(`${name}.mlp.lin1`, hidden, WIDTH),
      ...linear(`${name}.mlp.lin2`, WIDTH, hidden),
    ];
  };
  return [
    { name: 'W2', shape: [readout, 3, PATCH, PATCH], mean: 0, spread: 0 },
    { name: 'encoder.pos_embed', shape: [1, GRID, GRID, WIDTH], mean: 0, spread: 0.5 },
    matrix('encoder.patch_embed.proj.weight', WIDTH, 3, PATCH, PATCH),
    bias('encoder.patch_embed.proj.bias', WIDTH),
    ...Array.from({ length: DEPTH }, (_, k) => block(k)).flat(),
    matrix('encoder.neck.0.weight', NECK, WIDTH, 1, 1),
    ...norm('encoder.neck.1', NECK),
    matrix('encoder.neck.2.weight', NECK, NECK, 3, 3),
    ...norm('encoder.neck.3', NECK),
    matrix('out.weight', readout, NECK, 1, 1),
    bias('out.bias', readout),
  ];
}

/** The pickle of a state dict, protocol 2, as torch.save writes it (spec §1.2). */
function pickle(all: readonly Weights[]): Uint8Array {
  const bytes: number[] = [];
  const put = (...codes: number[]) => bytes.push(...codes);
  const line = (text: string) => put(...Buffer.from(text, 'latin1'));
  const int32 = (value: number) => put(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >> 24);
  const text = (value: string) => {
    put(0x58);
    int32(value.length);
    line(value);
  };
  const tuple = (values: readonly number[]) => {
    put(0x28);
    for (const value of values) {
      put(0x4a);
      int32(value);
    }
    put(0x74);
  };
  put(0x80, 2);
  line('ccollections\nOrderedDict\n)R(');
  all.forEach(({ name, shape }, k) => {
    text(name);
    line('ctorch._utils\n_rebuild_tensor_v2\n((');
    text('storage');
    line('ctorch\nFloatStorage\n');
    text(String(k));
    text('cpu');
    put(0x4a);
    int32(sampleCount(shape));
    // The tuple so far is the storage's id; then offset, shape, strides, no gradient, no hooks.
    line('tQK\0');
    tuple(shape);
    tuple(shape.map((_, axis) => sampleCount(shape.slice(axis + 1))));
    put(0x89);
    line('ccollections\nOrderedDict\n)RtR');
  });
  line('u.');
  return Uint8Array.from(bytes);
}

/** A file to be written in the archive, from which the numbers are drawn. */
function numbers({ shape, mean, spread, name }: Weights, drawn: Float32Array, at: number): Float32Array {
  const values = new Float32Array(sampleCount(shape));
  if (name === 'W2') {
    for (let row = 0; row < shape[0]; row++) values[row * (shape[0] + 1)] = 1;
    return values;
  }
  for (let i = 0; i < values.length; i++) values[i] = mean + spread * drawn[(at + i) % DRAWN];
  return values;
}

/**
 * Writes a checkpoint of the size of the released ones, 304.6 million single floats, with random numbers.
 * @returns its bytes
 */
export async function writeFullSizeCheckpoint(path: string): Promise<number> {
  let seed = 20250405;
  const drawn = Float32Array.from({ length: DRAWN }, () => {
    seed = (seed * 48271) % 2147483647;
    return (2 * seed) / 2147483647 - 1;
  });
  const all = tensors();
  const file = createWriteStream(path);
  const zip = new ZipWriter(Writable.toWeb(file), {
    level: 0,
    dataDescriptor: false,
    extendedTimestamp: false,
  });
  const add = (name: string, bytes: Uint8Array) =>
    zip.add(`cpsam/${name}`, new Blob([bytes as Uint8Array<ArrayBuffer>]).stream(), {
      level: 0,
      uncompressedSize: bytes.length,
    });
  await add('data.pkl', pickle(all));
  await add('byteorder', new TextEncoder().encode('little'));
  let at = 0;
  for (const [k, weights] of all.entries()) {
    const values = numbers(weights, drawn, at);
    at = (at + values.length) % DRAWN;
    await add(`data/${k}`, new Uint8Array(values.buffer));
  }
  await add('version', new TextEncoder().encode('3\n'));
  await zip.close();
  return file.bytesWritten;
}
