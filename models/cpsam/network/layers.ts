import type { StageBuilder } from '../onnx/graph.ts';
import { transposed, type WeightFile } from './weights.ts';

/** Names and sides of a linear layer of a checkpoint. */
export interface Linear {
  /** Where its weights [rows, inputs] and bias [rows] lie. */
  weights: Float32Array;
  bias: Float32Array;
  inputs: number;
  outputs: number;
  /** Multiplies weights and bias. */
  factor?: number;
}

/** Matrix product and bias; input and output in the precision of the weights. */
export async function linear(
  stage: StageBuilder,
  file: WeightFile,
  name: string,
  value: string,
  { weights, bias, inputs, outputs, factor = 1 }: Linear,
): Promise<string> {
  const { precision } = file;
  const matrix = transposed(weights, outputs, inputs, factor);
  const product = stage.add('MatMul', [
    value,
    await file.write(stage, `${name}.weight`, matrix, [inputs, outputs], precision),
  ]);
  const added = Float32Array.from(bias, (one) => one * factor);
  return stage.add('Add', [product, await file.write(stage, `${name}.bias`, added, [outputs], precision)]);
}

/** A linear layer as it stands in the checkpoint. */
export async function linearOf(
  stage: StageBuilder,
  file: WeightFile,
  name: string,
  value: string,
  inputs: number,
  outputs: number,
): Promise<string> {
  const weights = await file.read(`${name}.weight`, outputs, inputs);
  const bias = await file.read(`${name}.bias`, outputs);
  return linear(stage, file, name, value, { weights, bias, inputs, outputs });
}

/** Layer normalisation over the last axis, in float32. */
export async function layerNorm(
  stage: StageBuilder,
  file: WeightFile,
  name: string,
  value: string,
  width: number,
  epsilon: number,
): Promise<string> {
  const inputs = [value, await file.copy(stage, `${name}.weight`, width)];
  inputs.push(await file.copy(stage, `${name}.bias`, width));
  return stage.add('LayerNormalization', inputs, { axis: -1, epsilon: { float: epsilon } });
}

/** The exact GELU, x · ½ (1 + erf(x / √2)), in the form that runtimes know and fuse. */
export function gelu(stage: StageBuilder, value: string, type: 'float16' | 'float32'): string {
  const scalar = (number: number): string => {
    const name = stage.scalar(number);
    return type === 'float16' ? stage.cast(name, 'float16') : name;
  };
  const error = stage.add('Erf', [stage.add('Div', [value, scalar(Math.SQRT2)])]);
  const product = stage.add('Mul', [value, stage.add('Add', [error, scalar(1)])]);
  return stage.add('Mul', [product, scalar(0.5)]);
}

/** A value for the products of matrices. */
export const narrow = (stage: StageBuilder, file: WeightFile, value: string): string =>
  file.precision === 'float16' ? stage.cast(value, 'float16') : value;

/** A value for sums, norms and softmax. */
export const widen = (stage: StageBuilder, file: WeightFile, value: string): string =>
  file.precision === 'float16' ? stage.cast(value, 'float32') : value;
