import { CytoError } from '../../../core/errors.ts';
import { peakBytes } from '../memory.ts';
import { FLOAT, INT64, type OnnxModel, type OnnxValue } from '../onnx/onnx-model.ts';
import { GraphBuilder } from './graph-builder.ts';
import { layerOf } from './layers.ts';
import { numbersOf, type TrainableWeight, weightsByName } from './trainable-weights.ts';

/** AdamW's constants (Loshchilov & Hutter 2019), as PyTorch and Cellpose have them. */
export const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

export interface StepOptions {
  batch: number;
  /** Shape of what the network takes; by default an image [batch, 3, height, width]. */
  input?: readonly number[];
  /** Sides of the crops in pixels. */
  height: number;
  width: number;
  /** Longer gradients are shortened to this Euclidean length; absent: never. */
  longestGradient?: number;
  /** Give out the gradient as well. */
  gradient?: boolean;
}

/** A graph that makes one step. */
export interface TrainingStep extends OnnxModel {
  /** Bytes of its tensors that are alive at once. */
  peakBytes: number;
}

/**
 * Writes one step of training as a graph of ordinary operators: network, loss of spec §9, gradients, AdamW.
 *
 * Inputs: `image` [n, 3, y, x], or what else the network takes; `target` [n, 3, y, x] = dY, dX (5 × unit flow) and 1 inside cells; `valid` [n, 1, y, x],
 * 1 for pixels that count; `weights`, `mean`, `square`: vectors of the trained weights and AdamW's moments; `rate`;
 * `decay` = rate · weight decay; `meanScale`, `squareScale` = 1 / (1 - βᵗ). Outputs: `loss`, `newWeights`, `newMean`,
 * `newSquare` and, if asked for, `gradient`.
 *
 * The loss is ½ · mean squared error of the flows plus binary cross-entropy of the cell probability, means over pixels
 * that count.
 *
 * @throws CytoError `unsupported` for operators or layers without a gradient here
 */
export function trainingStep(
  model: OnnxModel,
  trained: readonly TrainableWeight[],
  options: StepOptions,
): TrainingStep {
  const { batch, height, width } = options;
  const total = trained.reduce((sum, { length }) => sum + length, 0);
  const graph = new GraphBuilder();
  const scalars = ['rate', 'decay', 'meanScale', 'squareScale'];
  const inputs: OnnxValue[] = [
    { name: 'image', type: FLOAT, dims: [...(options.input ?? [batch, 3, height, width])] },
    { name: 'target', type: FLOAT, dims: [batch, 3, height, width] },
    { name: 'valid', type: FLOAT, dims: [batch, 1, height, width] },
    ...['weights', 'mean', 'square'].map((name) => ({ name, type: FLOAT, dims: [total] })),
    ...scalars.map((name) => ({ name, type: FLOAT, dims: [] })),
  ];
  for (const { name, dims } of inputs) graph.shapes.set(name, dims as number[]);

  const prediction = addNetwork(graph, model, trained);
  const { loss, gradient } = addLoss(graph, prediction.name);
  const gradients = goBack(graph, prediction.tape, prediction.name, gradient, trained);
  addUpdate(graph, gradients, options.longestGradient);

  const outputs: OnnxValue[] = [
    { name: loss, type: FLOAT, dims: [] },
    ...['newWeights', 'newMean', 'newSquare', ...(options.gradient ? ['gradient'] : [])].map((name) => ({
      name,
      type: FLOAT,
      dims: [total],
    })),
  ];
  const names = (values: readonly OnnxValue[]) => values.map(({ name }) => name);
  return {
    irVersion: 8,
    opset: Math.max(model.opset, 13),
    producer: 'cytopane',
    description: 'One step of training',
    graphName: 'training-step',
    nodes: graph.nodes,
    constants: graph.constants,
    inputs,
    outputs,
    peakBytes: peakBytes(graph, names(inputs), names(outputs)),
  };
}

type Tape = OnnxModel['nodes'];

/** The forward graph with trained weights cut from the vector. Its layers are returned in order. */
function addNetwork(
  graph: GraphBuilder,
  model: OnnxModel,
  trained: readonly TrainableWeight[],
): { name: string; tape: Tape } {
  const local = (name: string) =>
    name === '' ? '' : name === model.inputs[0].name ? 'image' : `net ${name}`;
  const constants = weightsByName(model);
  const cut = new Map(trained.map((weight) => [weight.name, weight]));
  const place = (name: string) => {
    if (name === '' || graph.shapes.has(local(name))) return;
    const weight = cut.get(name);
    const constant = constants.get(name);
    if (weight) {
      const flat = graph.slice('weights', [0], [weight.start], [weight.length]);
      graph.add('Reshape', [flat, graph.integers(weight.dims)], weight.dims, {}, local(name));
    } else if (constant?.type === INT64) {
      graph.constants.set(local(name), { ...constant, name: local(name) });
      graph.shapes.set(local(name), constant.dims);
    } else if (constant) {
      graph.floats(numbersOf(constant), constant.dims, local(name));
    } else throw new CytoError('corrupt-file', `The model refers to "${name}", which is not in it.`);
  };
  const tape: Tape = [];
  for (const node of model.nodes) {
    if (node.op === 'Cast' && constants.has(node.outputs[0])) continue;
    for (const input of node.inputs) place(input);
    const copy = {
      ...node,
      name: local(node.name),
      inputs: node.inputs.map(local),
      outputs: node.outputs.map(local),
    };
    graph.nodes.push(copy);
    graph.shapes.set(copy.outputs[0], layerOf(node).shape(copy, graph));
    tape.push(copy);
  }
  return { name: local(model.outputs[0].name), tape };
}

function addLoss(graph: GraphBuilder, prediction: string): { loss: string; gradient: string } {
  const part = (tensor: string, start: number, count: number) => graph.slice(tensor, [1], [start], [count]);
  const pixels = graph.combine('Max', graph.sum('valid'), graph.scalar(1));
  const difference = graph.combine('Sub', part(prediction, 0, 2), part('target', 0, 2));
  const flowGradient = graph.combine('Mul', difference, 'valid');
  const twice = graph.combine('Mul', pixels, graph.scalar(2));
  const squares = graph.sum(graph.combine('Mul', flowGradient, difference));
  const flowLoss = graph.combine('Div', squares, graph.combine('Mul', twice, graph.scalar(2)));

  const [logit, inside] = [part(prediction, 2, 1), part('target', 2, 1)];
  const linear = graph.combine(
    'Sub',
    graph.combine('Max', logit, graph.scalar(0)),
    graph.combine('Mul', logit, inside),
  );
  const tail = graph.map('Exp', graph.map('Neg', graph.map('Abs', logit)));
  const entropy = graph.combine('Add', linear, graph.map('Log', graph.combine('Add', tail, graph.scalar(1))));
  const probabilityLoss = graph.combine('Div', graph.sum(graph.combine('Mul', entropy, 'valid')), pixels);
  const logitGradient = graph.combine(
    'Mul',
    graph.combine('Sub', graph.map('Sigmoid', logit), inside),
    'valid',
  );
  return {
    loss: graph.combine('Add', flowLoss, probabilityLoss, 'loss'),
    gradient: graph.concat(
      [graph.combine('Div', flowGradient, twice), graph.combine('Div', logitGradient, pixels)],
      1,
    ),
  };
}

/** Goes back through the layers; the gradient of all trained weights as one vector, named `gradient`. */
function goBack(
  graph: GraphBuilder,
  tape: Tape,
  output: string,
  gradient: string,
  trained: readonly TrainableWeight[],
): string {
  // Only what depends on a trained weight needs a gradient.
  const needed = new Set(trained.map(({ name }) => `net ${name}`));
  for (const { inputs, outputs } of tape) {
    if (inputs.some((input) => needed.has(input))) needed.add(outputs[0]);
  }
  const gradients = new Map([[output, gradient]]);
  const wanted = (input: string) => needed.has(input);
  for (const node of [...tape].reverse()) {
    const incoming = gradients.get(node.outputs[0]);
    if (!incoming || !wanted(node.outputs[0])) continue;
    for (const [input, part] of layerOf(node).back(node, graph, incoming, wanted)) {
      if (!wanted(input)) continue;
      const sum = gradients.get(input);
      gradients.set(input, sum ? graph.combine('Add', sum, part) : part);
    }
  }
  const parts = trained.map(({ name, length }) => {
    const part = gradients.get(`net ${name}`);
    return part ? graph.reshape(part, [length]) : graph.floats(new Float32Array(length), [length]);
  });
  return graph.concat(parts, 0, 'gradient');
}

function addUpdate(graph: GraphBuilder, raw: string, longest: number | undefined): void {
  let gradient = raw;
  if (longest !== undefined) {
    // As torch.nn.utils.clip_grad_norm_ does.
    const length = graph.map('Sqrt', graph.sum(graph.combine('Mul', raw, raw)));
    const factor = graph.combine(
      'Div',
      graph.scalar(longest),
      graph.combine('Add', length, graph.scalar(1e-6)),
    );
    gradient = graph.combine('Mul', raw, graph.combine('Min', factor, graph.scalar(1)));
  }
  const { beta1, beta2, epsilon } = ADAM;
  const blend = (old: string, fresh: string, beta: number, name: string) =>
    graph.combine(
      'Add',
      graph.combine('Mul', old, graph.scalar(beta)),
      graph.combine('Mul', fresh, graph.scalar(1 - beta)),
      name,
    );
  const mean = blend('mean', gradient, beta1, 'newMean');
  const square = blend('square', graph.combine('Mul', gradient, gradient), beta2, 'newSquare');
  const spread = graph.combine(
    'Add',
    graph.map('Sqrt', graph.combine('Mul', square, 'squareScale')),
    graph.scalar(epsilon),
  );
  const step = graph.combine(
    'Mul',
    graph.combine('Div', graph.combine('Mul', mean, 'meanScale'), spread),
    'rate',
  );
  const shrunk = graph.combine('Sub', 'weights', graph.combine('Mul', 'weights', 'decay'));
  graph.combine('Sub', shrunk, step, 'newWeights');
}
