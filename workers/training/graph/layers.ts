import { CytoError } from '../../../core/errors.ts';
import { FLOAT, type OnnxNode } from '../onnx/onnx-model.ts';
import { biasGradient, convolutionOf, inputGradient, outputShape, weightGradient } from './convolution.ts';
import { broadcast, type GraphBuilder } from './graph-builder.ts';
import { first, gathered, integer, type Layer, text } from './layer.ts';
import { TOKEN_LAYERS } from './token-layers.ts';

function numbers(graph: GraphBuilder, name: string): Float32Array {
  const tensor = graph.constants.get(name);
  if (tensor?.type !== FLOAT) throw new CytoError('unsupported', `"${name}" is no constant of the model.`);
  return new Float32Array(tensor.bytes.slice().buffer);
}

/** The gradient where a condition holds, 0 elsewhere. */
function where(graph: GraphBuilder, conditions: readonly string[], gradient: string): string {
  const shape = graph.shapeOf(gradient);
  const all = conditions.reduce((a, b) => graph.add('And', [a, b], shape));
  return graph.combine('Mul', gradient, graph.add('Cast', [all], shape, { to: FLOAT }));
}

const compare = (graph: GraphBuilder, op: 'Greater' | 'Less', tensor: string, limit: string) =>
  graph.add(op, [tensor, limit], graph.shapeOf(tensor));

/** Scale factors of a Resize that repeats pixels a whole number of times. */
function repeats(node: OnnxNode, graph: GraphBuilder): [number, number] {
  const scales = node.inputs[2] ? numbers(graph, node.inputs[2]) : new Float32Array();
  const whole =
    scales.length === 4 &&
    scales[0] === 1 &&
    scales[1] === 1 &&
    [2, 3].every((k) => Number.isInteger(scales[k]));
  const plain =
    text(node, 'mode', 'nearest') === 'nearest' &&
    text(node, 'coordinate_transformation_mode', 'half_pixel') === 'asymmetric' &&
    text(node, 'nearest_mode', 'round_prefer_floor') === 'floor';
  if (whole && plain) return [scales[2], scales[3]];
  throw new CytoError('unsupported', `"${node.name}" resizes in a way that cannot be trained here.`);
}

const LAYERS: Record<string, Layer> = {
  ...TOKEN_LAYERS,

  Conv: {
    shape: (node, graph) => outputShape(convolutionOf(node, graph), graph),
    back(node, graph, gradient, wanted) {
      const convolution = convolutionOf(node, graph);
      const { input, weights, bias } = convolution;
      const found = new Map<string, string>();
      if (wanted(weights)) found.set(weights, weightGradient(graph, convolution, gradient));
      if (bias && wanted(bias)) found.set(bias, biasGradient(graph, gradient));
      if (wanted(input)) found.set(input, inputGradient(graph, convolution, gradient));
      return found;
    },
  },

  Relu: {
    shape: first,
    back: (node, graph, gradient) =>
      new Map([
        [
          node.inputs[0],
          where(graph, [compare(graph, 'Greater', node.outputs[0], graph.scalar(0))], gradient),
        ],
      ]),
  },

  Clip: {
    shape: first,
    back({ inputs: [input, low, high] }, graph, gradient) {
      const conditions = [
        ...(low ? [compare(graph, 'Greater', input, low)] : []),
        ...(high ? [compare(graph, 'Less', input, high)] : []),
      ];
      return new Map([[input, where(graph, conditions, gradient)]]);
    },
  },

  Sigmoid: {
    shape: first,
    back({ inputs, outputs: [output] }, graph, gradient) {
      const slope = graph.combine('Mul', output, graph.combine('Sub', graph.scalar(1), output));
      return new Map([[inputs[0], graph.combine('Mul', gradient, slope)]]);
    },
  },

  Add: {
    shape: ({ inputs }, graph) => broadcast(graph.shapeOf(inputs[0]), graph.shapeOf(inputs[1])),
    back({ inputs: [a, b] }, graph, gradient, wanted) {
      if (a === b) return new Map([[a, graph.combine('Mul', gradient, graph.scalar(2))]]);
      return new Map(
        [a, b].filter(wanted).map((name) => [name, gathered(graph, gradient, graph.shapeOf(name))]),
      );
    },
  },

  Mul: {
    shape: ({ inputs }, graph) => broadcast(graph.shapeOf(inputs[0]), graph.shapeOf(inputs[1])),
    back({ inputs: [a, b] }, graph, gradient, wanted) {
      const times = (name: string, other: string): [string, string] => [
        name,
        gathered(graph, graph.combine('Mul', gradient, other), graph.shapeOf(name)),
      ];
      if (a === b) {
        const [name, half] = times(a, a);
        return new Map([[name, graph.combine('Mul', half, graph.scalar(2))]]);
      }
      return new Map([...(wanted(a) ? [times(a, b)] : []), ...(wanted(b) ? [times(b, a)] : [])]);
    },
  },

  Concat: {
    shape(node, graph) {
      const shape = [...first(node, graph)];
      const axis = (integer(node, 'axis', 1) + shape.length) % shape.length;
      shape[axis] = node.inputs.reduce((total, input) => total + graph.shapeOf(input)[axis], 0);
      return shape;
    },
    back(node, graph, gradient, wanted) {
      const rank = first(node, graph).length;
      const axis = (integer(node, 'axis', 1) + rank) % rank;
      const found = new Map<string, string>();
      let start = 0;
      for (const input of node.inputs) {
        const length = graph.shapeOf(input)[axis];
        if (wanted(input)) found.set(input, graph.slice(gradient, [axis], [start], [length]));
        start += length;
      }
      return found;
    },
  },

  Resize: {
    shape(node, graph) {
      const [n, c, height, width] = first(node, graph);
      const [ry, rx] = repeats(node, graph);
      return [n, c, height * ry, width * rx];
    },
    back(node, graph, gradient) {
      const [ry, rx] = repeats(node, graph);
      const mean = graph.add('AveragePool', [gradient], first(node, graph), {
        kernel_shape: [ry, rx],
        strides: [ry, rx],
      });
      return new Map([[node.inputs[0], graph.combine('Mul', mean, graph.scalar(ry * rx))]]);
    },
  },

  DepthToSpace: {
    shape(node, graph) {
      const [n, c, height, width] = first(node, graph);
      const block = integer(node, 'blocksize', 1);
      return [n, c / block ** 2, height * block, width * block];
    },
    back(node, graph, gradient) {
      const shape = first(node, graph);
      const [n, c, height, width] = shape;
      const block = integer(node, 'blocksize', 1);
      const apart = graph.reshape(gradient, [n, c / block ** 2, height, block, width, block]);
      const perm = text(node, 'mode', 'DCR') === 'CRD' ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4];
      return new Map([[node.inputs[0], graph.reshape(graph.transpose(apart, perm), shape)]]);
    },
  },
};

/** @throws CytoError `unsupported` for an operator that has no gradient here */
export function layerOf(node: OnnxNode): Layer {
  const layer = LAYERS[node.op];
  if (layer) return layer;
  throw new CytoError(
    'unsupported',
    `This model cannot be trained here: it uses the operator ${node.op}. Trainable are models of ${Object.keys(LAYERS).join(', ')}.`,
  );
}
