import { CytoError } from '../../../core/errors.ts';
import { fromHalf, toHalf } from '../../../core/half-float.ts';
import { FLOAT, FLOAT16, type OnnxModel, type OnnxTensor } from '../onnx/onnx-model.ts';

/** Weights of fewer values arrange channels rather than see: they are left as they are. */
const LEAST_VALUES = 64;

/**
 * Which weights are trained: all, those behind the first layer that enlarges its maps, or biases alone (into which
 * normalisation was folded).
 */
export const TRAINED_PARTS = ['all', 'decoder', 'biases'] as const;

export type TrainedPart = (typeof TRAINED_PARTS)[number];

/** Operators with which a decoder begins. */
export const ENLARGING = ['Resize', 'DepthToSpace', 'ConvTranspose'];

/** A tensor of a model that is trained, and its place in the vector of all. */
export interface TrainableWeight {
  /** Name by which layers know it. */
  name: string;
  dims: readonly number[];
  /** First value in the vector. */
  start: number;
  length: number;
  /** The constant it is stored in. */
  stored: OnnxTensor;
}

const lengthOf = ({ dims }: OnnxTensor) => dims.reduce((total, length) => total * length, 1);

/** Numbers of a float32 or float16 constant. */
export function numbersOf(tensor: OnnxTensor): Float32Array {
  if (tensor.external) {
    throw new CytoError(
      'unsupported',
      'This model cannot be trained here: its weights lie in a second file, and it is no converted Cellpose-SAM.',
    );
  }
  const buffer = tensor.bytes.slice().buffer;
  if (tensor.type === FLOAT) return new Float32Array(buffer);
  if (tensor.type === FLOAT16) return fromHalf(new Uint16Array(buffer));
  throw new CytoError(
    'unsupported',
    `The weights "${tensor.name}" are of a type that cannot be trained here.`,
  );
}

/** Constants by the name that layers use: half floats that a Cast widens count as the widened ones. */
export function weightsByName(model: OnnxModel): Map<string, OnnxTensor> {
  const found = new Map(model.constants);
  for (const { op, inputs, outputs } of model.nodes) {
    const stored = op === 'Cast' ? model.constants.get(inputs[0]) : undefined;
    if (stored) found.set(outputs[0], stored);
  }
  return found;
}

/** Inputs that are weights, by operator; those of an Add are if they are constants. */
const WEIGHTS: Record<string, readonly number[]> = {
  Conv: [1, 2],
  MatMul: [1],
  LayerNormalization: [1, 2],
  Add: [1],
};

/**
 * The kernels and biases of a model's convolutions, its matrices, and scales and shifts of its norms.
 * @throws CytoError `unsupported` if there are none
 */
export function trainableWeights(model: OnnxModel, part: TrainedPart = 'all'): TrainableWeight[] {
  const constants = weightsByName(model);
  const first = part === 'decoder' ? model.nodes.findIndex(({ op }) => ENLARGING.includes(op)) : 0;
  const found = new Map<string, TrainableWeight>();
  let start = 0;
  for (const { op, inputs } of model.nodes.slice(Math.max(0, first))) {
    const names = (WEIGHTS[op] ?? []).map((at) => inputs[at]).filter((name) => constants.has(name));
    const [main] = names;
    const stored = constants.get(main);
    if (!stored || (op === 'Conv' && lengthOf(stored) < LEAST_VALUES)) continue;
    for (const name of names) {
      const tensor = constants.get(name);
      const bias = op === 'Add' || name !== main;
      if (!tensor || found.has(name) || lengthOf(tensor) < 2 || (part === 'biases' && !bias)) continue;
      const length = lengthOf(tensor);
      found.set(name, { name, dims: tensor.dims, start, length, stored: tensor });
      start += length;
    }
  }
  if (found.size === 0)
    throw new CytoError('unsupported', 'This model has no weights that could be trained.');
  return [...found.values()];
}

/** The vector of all trainable weights. */
export function gatherWeights(weights: readonly TrainableWeight[]): Float32Array {
  const last = weights.at(-1);
  const vector = new Float32Array(last ? last.start + last.length : 0);
  for (const { stored, start } of weights) vector.set(numbersOf(stored), start);
  return vector;
}

/** The model with other weights; each is stored in the type it had. The original is not changed. */
export function withWeights(
  model: OnnxModel,
  weights: readonly TrainableWeight[],
  vector: Float32Array,
): OnnxModel {
  const constants = new Map(model.constants);
  for (const { stored, start, length } of weights) {
    const values = vector.slice(start, start + length);
    const data = stored.type === FLOAT16 ? toHalf(values) : values;
    constants.set(stored.name, { ...stored, bytes: new Uint8Array(data.buffer) });
  }
  return { ...model, constants };
}
