import { CytoError } from '../../../core/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { type Stage, StageBuilder } from '../onnx/graph.ts';
import { gelu, layerNorm, linear, linearOf, narrow, widen } from './layers.ts';
import { relativePositions } from './relative-positions.ts';
import type { Vit } from './vit.ts';
import { transposed, type WeightFile } from './weights.ts';

/** Sides of a network of the Segment Anything encoder (spec §1). */
export interface SamShape {
  /** Pixels of a patch side. */
  patch: number;
  /** Patches of a tile side. */
  grid: number;
  width: number;
  depth: number;
  heads: number;
  hidden: number;
  neck: number;
  /** Rows of the readout; the last 3 · patch² are flows and cell probability. */
  readout: number;
}

const EPSILON = 1e-6;
const BLOCK = /^encoder\.blocks\.(\d+)\./;

/** Number of blocks, which must be numbered without a gap. @throws CytoError `model` */
export function depthOf(checkpoint: Checkpoint): number {
  const numbers = new Set(checkpoint.names.flatMap((name) => BLOCK.exec(name)?.[1] ?? []));
  for (let k = 0; k < numbers.size; k++)
    if (!numbers.has(String(k))) return refuse(checkpoint, `block ${k} is missing`);
  return numbers.size || refuse(checkpoint, 'it has no blocks');
}

/** @throws CytoError `model` */
export function refuse(checkpoint: Checkpoint, reason: string): never {
  throw new CytoError('model', `"${checkpoint.name}" is not a Cellpose-SAM checkpoint: ${reason}.`);
}

/** Reads depth, width and heads off the weights. @throws CytoError `model` */
export function samShape(checkpoint: Checkpoint): SamShape {
  const [width, , patch] = checkpoint.shape('encoder.patch_embed.proj.weight');
  const [, grid] = checkpoint.shape('encoder.pos_embed');
  const [, perHead] = checkpoint.shape('encoder.blocks.0.attn.rel_pos_h');
  const heads = width / perHead;
  if (!Number.isInteger(heads)) refuse(checkpoint, `width ${width} is no multiple of ${perHead}`);
  return {
    patch,
    grid,
    width,
    heads,
    depth: depthOf(checkpoint),
    hidden: checkpoint.shape('encoder.blocks.0.mlp.lin1.weight')[0],
    neck: checkpoint.shape('encoder.neck.0.weight')[0],
    readout: checkpoint.shape('out.weight')[0],
  };
}

/** The network of `cpsam` and `cpsam_v2`: a ViT with global attention and decomposed relative positions. */
export function samVit(checkpoint: Checkpoint): Vit {
  const shape = samShape(checkpoint);
  const { patch, grid, width, depth, heads } = shape;
  return {
    kind: 'Cellpose-SAM',
    tile: patch * grid,
    // Of one tile: the scores of all heads in float32.
    largestBuffer: 4 * Math.max(heads * grid ** 4, grid ** 2 * shape.hidden),
    width,
    tokens: grid * grid,
    stages: [
      (file) => embedding(file, shape),
      ...Array.from({ length: depth }, (_, k) => (file: WeightFile) => block(file, shape, k)),
      (file) => head(file, shape),
    ],
  };
}

const state = (name: string, { grid, width }: SamShape) => ({ name, dims: ['batch', grid * grid, width] });

/** [batch, 3, y, x] → tokens [batch, y·x, width], the residual stream, float32 throughout. */
async function embedding(file: WeightFile, shape: SamShape): Promise<Stage> {
  const { patch, grid, width } = shape;
  const stage = new StageBuilder('embed');
  const name = 'encoder.patch_embed.proj';
  const patches = stage.add(
    'Conv',
    [
      'image',
      await file.copy(stage, `${name}.weight`, width, 3, patch, patch),
      await file.copy(stage, `${name}.bias`, width),
    ],
    { kernel_shape: [patch, patch], strides: [patch, patch] },
  );
  const tokens = stage.transpose(stage.reshape(patches, 0, width, grid * grid), 0, 2, 1);
  const positions = await file.read('encoder.pos_embed', 1, grid, grid, width);
  const added = await file.write(stage, 'encoder.pos_embed', positions, [1, grid * grid, width]);
  stage.add('Add', [tokens, added], {}, 'state_0');
  const side = patch * grid;
  return stage.finish({ name: 'image', dims: ['batch', 3, side, side] }, state('state_0', shape));
}

async function block(file: WeightFile, shape: SamShape, index: number): Promise<Stage> {
  const { width, hidden } = shape;
  const stage = new StageBuilder(`block_${index}`);
  const name = `encoder.blocks.${index}`;
  const input = `state_${index}`;
  const normed = await layerNorm(stage, file, `${name}.norm1`, input, width, EPSILON);
  const attended = await attention(stage, file, `${name}.attn`, narrow(stage, file, normed), shape);
  const middle = stage.add('Add', [input, widen(stage, file, attended)]);
  const again = await layerNorm(stage, file, `${name}.norm2`, middle, width, EPSILON);
  const inner = await linearOf(stage, file, `${name}.mlp.lin1`, narrow(stage, file, again), width, hidden);
  const outer = await linearOf(
    stage,
    file,
    `${name}.mlp.lin2`,
    gelu(stage, inner, file.precision),
    hidden,
    width,
  );
  const output = `state_${index + 1}`;
  stage.add('Add', [middle, widen(stage, file, outer)], {}, output);
  return stage.finish(state(input, shape), state(output, shape));
}

async function attention(
  stage: StageBuilder,
  file: WeightFile,
  name: string,
  value: string,
  { grid, width, heads }: SamShape,
): Promise<string> {
  const tokens = grid * grid;
  const perHead = width / heads;
  const weights = await file.read(`${name}.qkv.weight`, 3 * width, width);
  const bias = await file.read(`${name}.qkv.bias`, 3 * width);
  const part = async (index: number, letter: string, factor = 1) =>
    stage.reshape(
      await linear(stage, file, `${name}.${letter}`, value, {
        weights: weights.subarray(index * width * width, (index + 1) * width * width),
        bias: bias.subarray(index * width, (index + 1) * width),
        inputs: width,
        outputs: width,
        factor,
      }),
      0,
      tokens,
      heads,
      perHead,
    );
  const query = stage.transpose(await part(0, 'q'), 0, 2, 1, 3);
  // The scale of the scores lies in the keys: the positions take the query as it is.
  const key = stage.transpose(await part(1, 'k', perHead ** -0.5), 0, 2, 3, 1);
  const values = stage.transpose(await part(2, 'v'), 0, 2, 1, 3);
  const scores = widen(stage, file, stage.add('MatMul', [query, key]));

  const table = async (axis: 'h' | 'w') => {
    const key = `${name}.rel_pos_${axis}`;
    const length = file.shape(key)[0];
    const positions = relativePositions(await file.read(key, length, perHead), length, perHead, grid);
    return file.write(stage, key, positions, [grid, perHead, grid], file.precision);
  };
  // Queries by row, then by column, meet the table of their row or column.
  const rows = stage.reshape(query, -1, grid, grid, perHead);
  const byRow = stage.add('MatMul', [rows, await table('h')]);
  const columns = stage.transpose(rows, 0, 2, 1, 3);
  const byColumn = stage.transpose(stage.add('MatMul', [columns, await table('w')]), 0, 2, 1, 3);
  const wide = (bias: string, ...dims: number[]) => stage.reshape(widen(stage, file, bias), -1, ...dims);
  const sum = stage.add('Add', [
    stage.add('Add', [stage.reshape(scores, -1, grid, grid), wide(byRow, grid, 1)]),
    wide(byColumn, 1, grid),
  ]);
  const shares = stage.add('Softmax', [stage.reshape(sum, -1, heads, tokens, tokens)], { axis: -1 });
  const mixed = stage.add('MatMul', [narrow(stage, file, shares), values]);
  const joined = stage.reshape(stage.transpose(mixed, 0, 2, 1, 3), 0, tokens, width);
  return linearOf(stage, file, `${name}.proj`, joined, width, width);
}

/** Neck and readout in float32; both 1 × 1 convolutions are products on tokens. */
async function head(file: WeightFile, shape: SamShape): Promise<Stage> {
  const { patch, grid, width, depth, neck, readout } = shape;
  const stage = new StageBuilder('head');
  const squeeze = transposed(await file.read('encoder.neck.0.weight', neck, width, 1, 1), neck, width);
  const narrowed = stage.add('MatMul', [
    `state_${depth}`,
    await file.write(stage, 'encoder.neck.0.weight', squeeze, [width, neck]),
  ]);
  const first = await layerNorm(stage, file, 'encoder.neck.1', narrowed, neck, EPSILON);
  const map = stage.reshape(stage.transpose(first, 0, 2, 1), 0, neck, grid, grid);
  const convolved = stage.add(
    'Conv',
    [map, await file.copy(stage, 'encoder.neck.2.weight', neck, neck, 3, 3)],
    {
      kernel_shape: [3, 3],
      pads: [1, 1, 1, 1],
    },
  );
  const tokens = stage.transpose(stage.reshape(convolved, 0, neck, grid * grid), 0, 2, 1);
  const second = await layerNorm(stage, file, 'encoder.neck.3', tokens, neck, EPSILON);
  const weights = await file.read('out.weight', readout, neck, 1, 1);
  await readoutOf(stage, file, second, weights, { patch, grid, width: neck, readout });
  const side = patch * grid;
  return stage.finish(state(`state_${depth}`, shape), { name: 'flows', dims: ['batch', 3, side, side] });
}

/** Tokens → the last three maps; the fixed transposed convolution `W2` only moves numbers to their pixels. */
export async function readoutOf(
  stage: StageBuilder,
  file: WeightFile,
  tokens: string,
  weights: Float32Array,
  { patch, grid, width, readout }: { patch: number; grid: number; width: number; readout: number },
): Promise<void> {
  const rows = 3 * patch * patch;
  const bias = await file.read('out.bias', readout);
  const matrix = transposed(weights.subarray((readout - rows) * width), rows, width);
  const product = stage.add('MatMul', [tokens, await file.write(stage, 'out.weight', matrix, [width, rows])]);
  const pixels = stage.add('Add', [
    product,
    await file.write(stage, 'out.bias', bias.slice(readout - rows), [rows]),
  ]);
  const map = stage.reshape(stage.transpose(pixels, 0, 2, 1), 0, rows, grid, grid);
  stage.add('DepthToSpace', [map], { blocksize: patch, mode: 'CRD' }, 'flows');
}
