import type { OnnxNode } from '../onnx/onnx-model.ts';
import type { GraphBuilder, Shape } from './graph-builder.ts';

/** What is known of an operator: the shape of its output, and how a gradient goes back through it. */
export interface Layer {
  shape(node: OnnxNode, graph: GraphBuilder): Shape;
  /**
   * @param gradient ∂loss/∂output
   * @param wanted whether the gradient of an input is needed
   * @returns ∂loss/∂input, for the inputs that are wanted
   */
  back(
    node: OnnxNode,
    graph: GraphBuilder,
    gradient: string,
    wanted: (input: string) => boolean,
  ): Map<string, string>;
}

/** An attribute that is a whole number. */
export const integer = (node: OnnxNode, name: string, otherwise: number) =>
  node.attributes.find((each) => each.name === name)?.i ?? otherwise;

/** An attribute that is a text. */
export const text = (node: OnnxNode, name: string, otherwise: string) => {
  const bytes = node.attributes.find((each) => each.name === name)?.s;
  return bytes ? new TextDecoder().decode(bytes) : otherwise;
};

/** Shape of the first input. */
export const first = ({ inputs }: OnnxNode, graph: GraphBuilder) => graph.shapeOf(inputs[0]);

/** Sums a gradient over the axes along which its input was repeated. */
export function gathered(graph: GraphBuilder, gradient: string, shape: Shape): string {
  const long = graph.shapeOf(gradient);
  const extra = long.length - shape.length;
  const axes = long
    .map((_, axis) => axis)
    .filter((axis) => axis < extra || shape[axis - extra] !== long[axis]);
  return axes.length === 0 ? gradient : graph.reshape(graph.sum(gradient, axes), shape);
}
