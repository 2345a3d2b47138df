import { CytoError } from '../../../core/errors.ts';
import type { OnnxNode } from '../onnx/onnx-model.ts';
import type { GraphBuilder } from './graph-builder.ts';

/** A 2D convolution with its shapes: input [n, c, y, x], weights [o, c / group, ky, kx]. */
export interface Convolution {
  name: string;
  input: string;
  weights: string;
  bias: string | undefined;
  group: number;
  /** 1 or more, the same along both axes. */
  stride: number;
  /** Zeros before and after each axis. */
  pads: readonly [y0: number, x0: number, y1: number, x1: number];
}

const integers = (node: OnnxNode, name: string) => node.attributes.find((each) => each.name === name)?.ints;

/** @throws CytoError `unsupported` for dilated convolutions, groups other than one or one a channel, automatic padding */
export function convolutionOf(node: OnnxNode, graph: GraphBuilder): Convolution {
  const [input, weights, bias] = node.inputs;
  const group = node.attributes.find(({ name }) => name === 'group')?.i ?? 1;
  const shape = graph.shapeOf(weights);
  const strides = integers(node, 'strides') ?? [1, 1];
  const [y0, x0, y1, x1] = integers(node, 'pads') ?? [0, 0, 0, 0];
  const automatic = node.attributes.find(({ name }) => name === 'auto_pad')?.s;
  const plain =
    shape.length === 4 &&
    strides[0] === strides[1] &&
    (integers(node, 'dilations') ?? []).every((step) => step === 1) &&
    (!automatic || new TextDecoder().decode(automatic) === 'NOTSET') &&
    (group === 1 || (shape[1] === 1 && group === shape[0]));
  if (!plain) {
    throw new CytoError(
      'unsupported',
      `The convolution "${node.name}" is of a kind that cannot be trained here (dilated, grouped, three-dimensional or with automatic padding).`,
    );
  }
  return { name: node.name, input, weights, bias, group, stride: strides[0], pads: [y0, x0, y1, x1] };
}

/** [n, o, y, x] of the output. */
export function outputShape({ input, weights, stride, pads }: Convolution, graph: GraphBuilder): number[] {
  const [n, , height, width] = graph.shapeOf(input);
  const [o, , ky, kx] = graph.shapeOf(weights);
  return [
    n,
    o,
    Math.floor((height + pads[0] + pads[2] - ky) / stride) + 1,
    Math.floor((width + pads[1] + pads[3] - kx) / stride) + 1,
  ];
}

/** Channels as rows: [n, c, y, x] → [c, n · y · x]. */
function rows(graph: GraphBuilder, tensor: string): string {
  const [n, c, height, width] = graph.shapeOf(tensor);
  return graph.reshape(graph.transpose(tensor, [1, 0, 2, 3]), [c, n * height * width]);
}

/** ∂loss/∂weights from ∂loss/∂output. */
export function weightGradient(graph: GraphBuilder, convolution: Convolution, gradient: string): string {
  const { input, weights, group, stride, pads } = convolution;
  const [n, c, height, width] = graph.shapeOf(input);
  const [o, , ky, kx] = graph.shapeOf(weights);
  const [, , oy, ox] = graph.shapeOf(gradient);
  if (group > 1) {
    // One channel at a time: the gradient slides over the input as a kernel would.
    const after = [
      ky + stride * (oy - 1) - height - pads[0],
      kx + stride * (ox - 1) - width - pads[1],
    ] as const;
    const kernels = graph.add(
      'Conv',
      [
        graph.reshape(shrunk(graph, input, after), [
          1,
          n * c,
          height + Math.min(0, after[0]),
          width + Math.min(0, after[1]),
        ]),
        graph.reshape(gradient, [n * c, 1, oy, ox]),
      ],
      [1, n * c, ky, kx],
      {
        group: n * c,
        kernel_shape: [oy, ox],
        dilations: [stride, stride],
        pads: [pads[0], pads[1], Math.max(0, after[0]), Math.max(0, after[1])],
        strides: [1, 1],
      },
    );
    const apart = graph.reshape(kernels, [n, c, 1, ky, kx]);
    return n === 1 ? graph.reshape(apart, [c, 1, ky, kx]) : graph.sum(apart, [0]);
  }
  // What each weight was multiplied with, as one matrix.
  const padded = graph.pad(input, [0, 0, pads[0], pads[1]], [0, 0, pads[2], pads[3]]);
  const shifted: string[] = [];
  for (let y = 0; y < ky; y++) {
    for (let x = 0; x < kx; x++) shifted.push(graph.slice(padded, [2, 3], [y, x], [oy, ox], stride));
  }
  const columns = shifted.length === 1 ? shifted[0] : graph.concat(shifted, 1);
  const matrix = graph.add('Gemm', [rows(graph, gradient), rows(graph, columns)], [o, ky * kx * c], {
    transB: 1,
  });
  return graph.transpose(graph.reshape(matrix, [o, ky, kx, c]), [0, 3, 1, 2]);
}

/** Without the last rows and columns, where `after` is negative. */
function shrunk(graph: GraphBuilder, input: string, after: readonly [number, number]): string {
  const [, , height, width] = graph.shapeOf(input);
  return graph.slice(input, [2, 3], [0, 0], [height + Math.min(0, after[0]), width + Math.min(0, after[1])]);
}

/** ∂loss/∂bias from ∂loss/∂output. */
export function biasGradient(graph: GraphBuilder, gradient: string): string {
  return graph.sum(gradient, [0, 2, 3]);
}

/** ∂loss/∂input from ∂loss/∂output: a convolution with the turned kernels, strides filled with zeros. */
export function inputGradient(graph: GraphBuilder, convolution: Convolution, gradient: string): string {
  const { input, weights, group, stride, pads, name } = convolution;
  const [n, c, height, width] = graph.shapeOf(input);
  const [o, perGroup, ky, kx] = graph.shapeOf(weights);
  const [, , oy, ox] = graph.shapeOf(gradient);
  let spread = gradient;
  if (stride > 1) {
    const lines = graph.reshape(gradient, [n, o, oy, 1, ox, 1]);
    const filled = graph.pad(lines, [0, 0, 0, 0, 0, 0], [0, 0, 0, stride - 1, 0, stride - 1]);
    spread = graph.reshape(filled, [n, o, oy * stride, ox * stride]);
  }
  const before = [ky - 1 - pads[0], kx - 1 - pads[1]];
  const after = [height + ky - 1 - oy * stride - before[0], width + kx - 1 - ox * stride - before[1]];
  if ([...before, ...after].some((count) => count < 0)) {
    throw new CytoError('unsupported', `The convolution "${name}" pads more than its kernel is wide.`);
  }
  let turned = weights;
  if (ky > 1 || kx > 1) turned = graph.slice(weights, [2, 3], [ky - 1, kx - 1], [ky, kx], -1);
  if (group === 1) turned = graph.transpose(turned, [1, 0, 2, 3]);
  return graph.add('Conv', [spread, turned], [n, group === 1 ? perGroup : c, height, width], {
    group,
    kernel_shape: [ky, kx],
    dilations: [1, 1],
    pads: [...before, ...after],
    strides: [1, 1],
  });
}
