import { CytoError } from '../../../core/errors.ts';
import { INT64, type OnnxNode } from '../onnx/onnx-model.ts';
import type { GraphBuilder, Shape } from './graph-builder.ts';
import { first, gathered, integer, type Layer } from './layer.ts';

const product = (shape: Shape) => shape.reduce((total, length) => total * length, 1);

const swapped = (rank: number) => [...Array(rank - 2).keys(), rank - 1, rank - 2];

/** The other way round: where each axis came from. */
const inverse = (perm: readonly number[]) => perm.map((_, axis) => perm.indexOf(axis));

/** [y, x] → [x, y] in each matrix. */
const turned = (graph: GraphBuilder, tensor: string) =>
  graph.transpose(tensor, swapped(graph.shapeOf(tensor).length));

function multiply(graph: GraphBuilder, a: string, b: string): string {
  const [left, right] = [graph.shapeOf(a), graph.shapeOf(b)];
  return graph.add('MatMul', [a, b], [...left.slice(0, -1), right[right.length - 1]]);
}

/** Sides of a product; @throws CytoError `unsupported` for batches that are repeated */
function matrices({ name, inputs: [a, b] }: OnnxNode, graph: GraphBuilder): { left: Shape; right: Shape } {
  const [left, right] = [graph.shapeOf(a), graph.shapeOf(b)];
  const alike = left.slice(0, -2).join() === right.slice(0, -2).join();
  if (left.length >= 2 && (right.length === 2 || alike)) return { left, right };
  throw new CytoError('unsupported', `The product "${name}" repeats matrices, which cannot be trained here.`);
}

/** The shape that a Reshape gives: 0 keeps a length, -1 is what is left. */
function reshaped(node: OnnxNode, graph: GraphBuilder): Shape {
  const constant = graph.constants.get(node.inputs[1]);
  if (constant?.type !== INT64)
    throw new CytoError('unsupported', `"${node.name}" takes its shape from a computation.`);
  const from = first(node, graph);
  const wanted = [...new BigInt64Array(constant.bytes.slice().buffer)].map(Number);
  const shape = wanted.map((length, axis) => (length === 0 ? from[axis] : length));
  const left = product(from) / product(shape.filter((length) => length > 0));
  return shape.map((length) => (length === -1 ? left : length));
}

/** Mean over the last axis, which stays with length 1. */
function meanOfLast(graph: GraphBuilder, tensor: string): string {
  const shape = graph.shapeOf(tensor);
  const last = shape.length - 1;
  const sum = graph.reshape(graph.sum(tensor, [last]), [...shape.slice(0, last), 1]);
  return graph.combine('Mul', sum, graph.scalar(1 / shape[last]));
}

/** Layers of transformers, on tokens [n, tokens, width]. */
export const TOKEN_LAYERS: Record<string, Layer> = {
  MatMul: {
    shape(node, graph) {
      const { left, right } = matrices(node, graph);
      return [...left.slice(0, -1), right[right.length - 1]];
    },
    back(node, graph, gradient, wanted) {
      const { left, right } = matrices(node, graph);
      const [a, b] = node.inputs;
      const found = new Map<string, string>();
      if (wanted(a)) found.set(a, multiply(graph, gradient, turned(graph, b)));
      if (wanted(b) && right.length > 2) found.set(b, multiply(graph, turned(graph, a), gradient));
      else if (wanted(b)) {
        const [inner, outer] = right;
        const rows = product(left) / inner;
        const flat = [graph.reshape(a, [rows, inner]), graph.reshape(gradient, [rows, outer])];
        found.set(b, graph.add('Gemm', flat, right, { transA: 1 }));
      }
      return found;
    },
  },

  LayerNormalization: {
    shape: first,
    back(node, graph, gradient, wanted) {
      const [input, scale, shift] = node.inputs;
      const shape = first(node, graph);
      const last = shape.length - 1;
      const axis = integer(node, 'axis', -1);
      if ((axis + shape.length) % shape.length !== last)
        throw new CytoError('unsupported', `"${node.name}" normalises over more than one axis.`);
      const epsilon = node.attributes.find(({ name }) => name === 'epsilon')?.f ?? 1e-5;
      const centred = graph.combine('Sub', input, meanOfLast(graph, input));
      const variance = meanOfLast(graph, graph.combine('Mul', centred, centred));
      const spread = graph.map('Sqrt', graph.combine('Add', variance, graph.scalar(epsilon)));
      const normed = graph.combine('Div', centred, spread);
      const found = new Map<string, string>();
      if (wanted(scale))
        found.set(scale, gathered(graph, graph.combine('Mul', gradient, normed), [shape[last]]));
      if (shift && wanted(shift)) found.set(shift, gathered(graph, gradient, [shape[last]]));
      if (wanted(input)) {
        const scaled = graph.combine('Mul', gradient, scale);
        const along = graph.combine('Mul', normed, meanOfLast(graph, graph.combine('Mul', scaled, normed)));
        const across = graph.combine('Sub', scaled, meanOfLast(graph, scaled));
        found.set(input, graph.combine('Div', graph.combine('Sub', across, along), spread));
      }
      return found;
    },
  },

  Transpose: {
    shape(node, graph) {
      const shape = first(node, graph);
      return permOf(node, shape).map((axis) => shape[axis]);
    },
    back: (node, graph, gradient) =>
      new Map([[node.inputs[0], graph.transpose(gradient, inverse(permOf(node, first(node, graph))))]]),
  },

  Reshape: {
    shape: reshaped,
    back: (node, graph, gradient) => new Map([[node.inputs[0], graph.reshape(gradient, first(node, graph))]]),
  },
};

const permOf = (node: OnnxNode, shape: Shape): readonly number[] =>
  node.attributes.find(({ name }) => name === 'perm')?.ints ?? [...shape.keys()].reverse();
