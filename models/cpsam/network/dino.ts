import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { type Stage, StageBuilder } from '../onnx/graph.ts';
import { gelu, layerNorm, linear, narrow, widen } from './layers.ts';
import { depthOf, readoutOf, refuse } from './sam.ts';
import type { Vit } from './vit.ts';
import type { WeightFile } from './weights.ts';

/** Sides of a DINOv3 encoder with the readout of Cellpose (spec §13). */
interface DinoShape {
  /** Pixels of a patch side, and from patch to patch: half of it, so that patches overlap. */
  patch: number;
  step: number;
  /** Patches of a tile side. */
  grid: number;
  /** Tokens that are no patches: class and storage. */
  extra: number;
  width: number;
  depth: number;
  heads: number;
  hidden: number;
  readout: number;
}

/** Default tile of Cellpose for these networks. */
const TILE = 384;
const EPSILON = 1e-5;
/** Base of the periods of the rotary positions. */
const ROPE_BASE = 100;
/** Width of a head where the file does not tell (it holds the periods, a quarter of it). */
const USUAL_HEAD = 64;
const PERIODS = 'encoder.rope_embed.periods';

function dinoShape(checkpoint: Checkpoint): DinoShape {
  const [width, , patch] = checkpoint.shape('encoder.patch_embed.proj.weight');
  const [readout] = checkpoint.shape('out.weight');
  const [, channels, step] = checkpoint.shape('W2');
  const perHead = checkpoint.has(PERIODS) ? 4 * checkpoint.shape(PERIODS)[0] : USUAL_HEAD;
  const heads = width / perHead;
  if (!Number.isInteger(heads)) refuse(checkpoint, `width ${width} is no multiple of ${perHead}`);
  // The padding of half a step on each side gives a token for every step.
  if (patch !== 2 * step || readout !== channels * step * step)
    refuse(checkpoint, `patches of ${patch} pixels do not go with a readout of ${step}`);
  return {
    patch,
    step,
    grid: TILE / step,
    extra: 1 + checkpoint.shape('encoder.storage_tokens')[1],
    width,
    heads,
    depth: depthOf(checkpoint),
    hidden: checkpoint.shape('encoder.blocks.0.mlp.fc1.weight')[0],
    readout,
  };
}

/** The network of `cpdino` and `cpdino-vitb`: a ViT with rotary positions, class and storage tokens. */
export function dinoVit(checkpoint: Checkpoint): Vit {
  const shape = dinoShape(checkpoint);
  const { width, depth, heads, hidden } = shape;
  const tokens = tokensOf(shape);
  return {
    kind: 'Cellpose-DINO',
    tile: TILE,
    largestBuffer: 4 * Math.max(heads * tokens ** 2, tokens * hidden),
    width,
    tokens,
    stages: [
      (file) => embedding(file, shape),
      ...Array.from({ length: depth }, (_, k) => (file: WeightFile) => block(file, shape, k)),
      (file) => head(file, shape),
    ],
  };
}

const tokensOf = ({ grid, extra }: DinoShape) => grid * grid + extra;
const state = (name: string, shape: DinoShape) => ({ name, dims: ['batch', tokensOf(shape), shape.width] });

async function embedding(file: WeightFile, shape: DinoShape): Promise<Stage> {
  const { patch, step, grid, extra, width } = shape;
  const stage = new StageBuilder('embed');
  const name = 'encoder.patch_embed.proj';
  const pad = step / 2;
  const patches = stage.add(
    'Conv',
    [
      'image',
      await file.copy(stage, `${name}.weight`, width, 3, patch, patch),
      await file.copy(stage, `${name}.bias`, width),
    ],
    { kernel_shape: [patch, patch], strides: [step, step], pads: [pad, pad, pad, pad] },
  );
  const tokens = stage.transpose(stage.reshape(patches, 0, width, grid * grid), 0, 2, 1);
  const first = new Float32Array(extra * width);
  first.set(await file.read('encoder.cls_token', 1, 1, width));
  first.set(await file.read('encoder.storage_tokens', 1, extra - 1, width), width);
  const added = await file.write(stage, 'encoder.first_tokens', first, [1, extra, width]);
  // The same tokens for every image of the batch.
  const batch = stage.add('Slice', [stage.add('Shape', ['image']), stage.shape(0), stage.shape(1)]);
  const dims = stage.add('Concat', [batch, stage.shape(extra, width)], { axis: 0 });
  stage.add('Concat', [stage.add('Expand', [added, dims]), tokens], { axis: 1 }, 'state_0');
  return stage.finish({ name: 'image', dims: ['batch', 3, TILE, TILE] }, state('state_0', shape));
}

async function block(file: WeightFile, shape: DinoShape, index: number): Promise<Stage> {
  const { width, hidden } = shape;
  const stage = new StageBuilder(`block_${index}`);
  const name = `encoder.blocks.${index}`;
  const input = `state_${index}`;
  const output = `state_${index + 1}`;
  const normed = await layerNorm(stage, file, `${name}.norm1`, input, width, EPSILON);
  const attended = await attention(stage, file, name, narrow(stage, file, normed), shape);
  const middle = stage.add('Add', [input, widen(stage, file, attended)]);
  const again = await layerNorm(stage, file, `${name}.norm2`, middle, width, EPSILON);
  const inner = await linear(stage, file, `${name}.mlp.fc1`, narrow(stage, file, again), {
    weights: await file.read(`${name}.mlp.fc1.weight`, hidden, width),
    bias: await file.read(`${name}.mlp.fc1.bias`, hidden),
    inputs: width,
    outputs: hidden,
  });
  const active = gelu(stage, inner, file.precision);
  const outer = await scaledLinear(
    stage,
    file,
    `${name}.mlp.fc2`,
    `${name}.ls2.gamma`,
    active,
    hidden,
    width,
  );
  stage.add('Add', [middle, widen(stage, file, outer)], {}, output);
  return stage.finish(state(input, shape), state(output, shape));
}

/** A linear layer whose outputs are multiplied by learned numbers, which are taken into its weights. */
async function scaledLinear(
  stage: StageBuilder,
  file: WeightFile,
  name: string,
  scale: string,
  value: string,
  inputs: number,
  outputs: number,
): Promise<string> {
  const weights = (await file.read(`${name}.weight`, outputs, inputs)).slice();
  const bias = (await file.read(`${name}.bias`, outputs)).slice();
  const gamma = await file.read(scale, outputs);
  for (let row = 0; row < outputs; row++) {
    bias[row] *= gamma[row];
    for (let k = row * inputs; k < (row + 1) * inputs; k++) weights[k] *= gamma[row];
  }
  return linear(stage, file, name, value, { weights, bias, inputs, outputs });
}

async function attention(
  stage: StageBuilder,
  file: WeightFile,
  block: string,
  value: string,
  shape: DinoShape,
): Promise<string> {
  const { width, heads } = shape;
  const name = `${block}.attn`;
  const perHead = width / heads;
  const weights = await file.read(`${name}.qkv.weight`, 3 * width, width);
  const bias = (await file.read(`${name}.qkv.bias`, 3 * width)).slice();
  // The mask of the bias takes away that of the keys, whatever the file holds there.
  if (file.has(`${name}.qkv.bias_mask`)) bias.fill(0, width, 2 * width);
  const part = async (index: number, letter: string, factor = 1) => {
    const made = await linear(stage, file, `${name}.${letter}`, value, {
      weights: weights.subarray(index * width * width, (index + 1) * width * width),
      bias: bias.subarray(index * width, (index + 1) * width),
      inputs: width,
      outputs: width,
      factor,
    });
    return stage.transpose(stage.reshape(made, 0, tokensOf(shape), heads, perHead), 0, 2, 1, 3);
  };
  const { cosine, sine } = await rotation(stage, file, block, shape);
  const query = rotated(stage, file, await part(0, 'q'), perHead, cosine, sine);
  const key = rotated(stage, file, await part(1, 'k', perHead ** -0.5), perHead, cosine, sine);
  const scores = stage.add('MatMul', [query, stage.transpose(key, 0, 1, 3, 2)]);
  const shares = stage.add('Softmax', [widen(stage, file, scores)], { axis: -1 });
  const mixed = stage.add('MatMul', [narrow(stage, file, shares), await part(2, 'v')]);
  const joined = stage.reshape(stage.transpose(mixed, 0, 2, 1, 3), 0, tokensOf(shape), width);
  return scaledLinear(stage, file, `${name}.proj`, `${block}.ls1.gamma`, joined, width, width);
}

/** Turns pairs of channels c, c + half by the angles of the token, in float32. */
function rotated(
  stage: StageBuilder,
  file: WeightFile,
  value: string,
  perHead: number,
  cosine: string,
  sine: string,
): string {
  const half = perHead / 2;
  const wide = widen(stage, file, value);
  const cut = (from: number, to: number) =>
    stage.add('Slice', [wide, stage.shape(from), stage.shape(to), stage.shape(3)]);
  const turned = stage.add('Concat', [stage.add('Neg', [cut(half, perHead)]), cut(0, half)], { axis: 3 });
  const sum = stage.add('Add', [stage.add('Mul', [wide, cosine]), stage.add('Mul', [turned, sine])]);
  return narrow(stage, file, sum);
}

/** Cosines and sines [tokens, channels of a head]: 1 and 0 for the tokens that have no place. */
async function rotation(
  stage: StageBuilder,
  file: WeightFile,
  block: string,
  shape: DinoShape,
): Promise<{ cosine: string; sine: string }> {
  const { grid, extra, width, heads } = shape;
  const perHead = width / heads;
  const quarter = perHead / 4;
  const periods = file.has(PERIODS)
    ? await file.read(PERIODS, quarter)
    : Float32Array.from({ length: quarter }, (_, k) => ROPE_BASE ** ((2 * k) / (perHead / 2)));
  const cosines = new Float32Array(tokensOf(shape) * perHead).fill(1);
  const sines = new Float32Array(cosines.length);
  for (let token = 0; token < grid * grid; token++) {
    const places = [Math.floor(token / grid), token % grid].map((at) => (2 * (at + 0.5)) / grid - 1);
    for (let c = 0; c < perHead; c++) {
      const pair = c % (perHead / 2);
      const angle = (2 * Math.PI * places[Math.floor(pair / quarter)]) / periods[pair % quarter];
      cosines[(extra + token) * perHead + c] = Math.cos(angle);
      sines[(extra + token) * perHead + c] = Math.sin(angle);
    }
  }
  const dims = [tokensOf(shape), perHead];
  return {
    cosine: await file.write(stage, `${block}.cosines`, cosines, dims),
    sine: await file.write(stage, `${block}.sines`, sines, dims),
  };
}

async function head(file: WeightFile, shape: DinoShape): Promise<Stage> {
  const { step, grid, extra, width, depth, readout } = shape;
  const stage = new StageBuilder('head');
  const input = `state_${depth}`;
  const normed = await layerNorm(stage, file, 'encoder.norm', input, width, EPSILON);
  const bounds = [stage.shape(extra), stage.shape(tokensOf(shape)), stage.shape(1)];
  const tokens = stage.add('Slice', [normed, ...bounds]);
  const weights = await file.read('out.weight', readout, width);
  await readoutOf(stage, file, tokens, weights, { patch: step, grid, width, readout });
  return stage.finish(state(input, shape), { name: 'flows', dims: ['batch', 3, TILE, TILE] });
}
