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
const ENLARGING = ['Resize', 'DepthToSpace', 'ConvTranspose'];

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

/**
 * The kernels and biases of a model's convolutions.
 * @throws CytoError `unsupported` if there are none
 */
export function trainableWeights(model: OnnxModel, part: TrainedPart = 'all'): TrainableWeight[] {
  const constants = weightsByName(model);
  const first = part === 'decoder' ? model.nodes.findIndex(({ op }) => ENLARGING.includes(op)) : 0;
  const layers = model.nodes.slice(Math.max(0, first)).filter(({ op }) => op === 'Conv');
  const found = new Map<string, TrainableWeight>();
  let start = 0;
  for (const { inputs } of layers) {
    const [kernel, ...rest] = inputs.slice(1);
    const stored = constants.get(kernel);
    if (!stored || lengthOf(stored) < LEAST_VALUES) continue;
    for (const name of part === 'biases' ? rest : [kernel, ...rest]) {
      const tensor = constants.get(name);
      if (!tensor || found.has(name)) continue;
      const length = lengthOf(tensor);
      found.set(name, { name, dims: tensor.dims, start, length, stored: tensor });
      start += length;
    }
  }
  if (found.size === 0)
    throw new CytoError('unsupported', 'This model has no convolutions with weights that could be trained.');
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
