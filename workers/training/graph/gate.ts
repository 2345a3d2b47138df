import { CytoError } from '../../../core/errors.ts';
import {
  FLOAT,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '../onnx/onnx-model.ts';
import { ENLARGING, type TrainableWeight } from './trainable-weights.ts';

/**
 * Decides by the style of an image between what a model knew and what it learned.
 */
export interface Gate {
  /** Of each value of a style. */
  weights: Float32Array;
  bias: number;
}

/** Names of what a gate adds to a graph begin with one of these. */
const LEARNED = 'learned ';
const GATE = 'gate ';

const STYLE = `${GATE}style`;
const WEIGHTS = `${GATE}weights`;
const BIAS = `${GATE}bias`;
const OPENING = `${GATE}opening`;
const BETWEEN = `${GATE}between `;

const node = (op: string, inputs: string[], output: string, attributes: OnnxAttribute[] = []): OnnxNode => ({
  name: output,
  op,
  inputs,
  outputs: [output],
  attributes,
});

const integer = (name: string, i: number): OnnxAttribute => ({ name, type: 2, i });

function floats(name: string, values: Float32Array, dims: number[]): [string, OnnxTensor] {
  return [name, { name, dims, type: FLOAT, bytes: new Uint8Array(values.slice().buffer) }];
}

/** The encoder's last map: what the last convolution before the first enlargement sees. */
function lastMap({ nodes, constants }: OnnxModel): { map: string; channels: number } | undefined {
  const makers = new Map(nodes.flatMap((each) => each.outputs.map((output) => [output, each] as const)));
  let at = nodes.find(({ op }) => ENLARGING.includes(op));
  do at = at && makers.get(at.inputs[0]);
  while (at && at.op !== 'Conv');
  if (!at) return;
  const stored = constants.get(at.inputs[1]) ?? constants.get(makers.get(at.inputs[1])?.inputs[0] ?? '');
  const group = at.attributes.find(({ name }) => name === 'group')?.i ?? 1;
  return stored && { map: at.inputs[0], channels: stored.dims[1] * group };
}

/** Nodes and constants that make a style of the encoder's last map. */
function stylePart(
  model: OnnxModel,
): { map: string; nodes: OnnxNode[]; constants: [string, OnnxTensor][] } | undefined {
  const last = lastMap(model);
  if (!last) return;
  const { map, channels } = last;
  const g = (name: string) => GATE + name;
  return {
    map,
    nodes: [
      node('GlobalAveragePool', [map], g('mean')),
      node('Mul', [map, map], g('squares')),
      node('GlobalAveragePool', [g('squares')], g('mean square')),
      node('Mul', [g('mean'), g('mean')], g('squared mean')),
      node('Sub', [g('mean square'), g('squared mean')], g('difference')),
      node('Relu', [g('difference')], g('variance')), // rounding may have made it negative
      node('Sqrt', [g('variance')], g('deviation')),
      node('Concat', [g('mean'), g('deviation')], g('values'), [integer('axis', 1)]),
      node('Mul', [g('values'), g('values')], g('powers')),
      node('Conv', [g('powers'), g('ones'), g('least')], g('power')),
      node('Sqrt', [g('power')], g('length')),
      node('Div', [g('values'), g('length')], STYLE),
    ],
    constants: [
      floats(g('ones'), new Float32Array(2 * channels).fill(1), [1, 2 * channels, 1, 1]),
      floats(g('least'), Float32Array.of(1e-12), [1]),
    ],
  };
}

/**
 * A graph that gives the style of an image instead of its flows: means and standard deviations of the channels of the
 * encoder's last map, together of length 1 (after the style vector of Stringer et al. 2021).
 * @returns undefined for networks without a decoder that enlarges maps; output Float32 [n, 2 · channels, 1, 1]
 */
export function styleGraph(model: OnnxModel): OnnxModel | undefined {
  const part = stylePart(model);
  if (!part) return;
  const dims = ['batch', part.constants[0][1].dims[1], 1, 1];
  return {
    ...model,
    nodes: [...model.nodes, ...part.nodes],
    constants: new Map([...model.constants, ...part.constants]),
    outputs: [{ name: STYLE, type: FLOAT, dims }],
  };
}

/**
 * A network that keeps what it was before it learned: its weights are known + g · (learned − known), with
 * g = 1 / (1 + exp(−(weights · style + bias))), the logit's mean over the tiles of a call. So images that look unlike those
 * that were learned from are segmented as before (a gate between two experts, Jacobs et al. 1991; weights between two
 * trainings, Wortsman et al. 2022).
 * @param known as it was before
 * @param learned the same graph with other weights
 * @param trained the weights that differ, all behind the encoder
 * @throws CytoError `internal` for a network without a style
 */
export function gated(
  known: OnnxModel,
  learned: OnnxModel,
  trained: readonly TrainableWeight[],
  gate: Gate,
): OnnxModel {
  const part = stylePart(known);
  if (!part) throw new CytoError('internal', 'This network has no map that a gate could look at.');
  const constants = new Map([
    ...known.constants,
    ...part.constants,
    floats(WEIGHTS, gate.weights, [1, gate.weights.length, 1, 1]),
    floats(BIAS, Float32Array.of(gate.bias), [1]),
  ]);
  const between: OnnxNode[] = [
    node('Conv', [STYLE, WEIGHTS, BIAS], `${GATE}logits`),
    node('ReduceMean', [`${GATE}logits`], `${GATE}logit`, [integer('keepdims', 0)]),
    node('Sigmoid', [`${GATE}logit`], OPENING),
  ];
  for (const { name, stored } of trained) {
    const own = LEARNED + stored.name;
    constants.set(own, { ...(learned.constants.get(stored.name) ?? stored), name: own });
    if (name !== stored.name) between.push(node('Cast', [own], LEARNED + name, [integer('to', FLOAT)]));
    between.push(
      node('Sub', [LEARNED + name, name], `${GATE}change of ${name}`),
      node('Mul', [`${GATE}change of ${name}`, OPENING], `${GATE}share of ${name}`),
      node('Add', [name, `${GATE}share of ${name}`], BETWEEN + name),
    );
  }
  const names = new Set(trained.map(({ name }) => name));
  const makes = ({ outputs }: OnnxNode) => outputs.some((name) => names.has(name) || name === part.map);
  const first = known.nodes.findLastIndex(makes) + 1;
  const used = (name: string) => (names.has(name) ? BETWEEN + name : name);
  const layers = known.nodes.slice(first).map((each) => ({ ...each, inputs: each.inputs.map(used) }));
  return {
    ...known,
    nodes: [...known.nodes.slice(0, first), ...part.nodes, ...between, ...layers],
    constants,
  };
}

/** What a network was before it learned, and what it learned; both are the network itself if it has no gate. */
export function ungated(model: OnnxModel): { known: OnnxModel; learned: OnnxModel } {
  if (!model.constants.has(WEIGHTS)) return { known: model, learned: model };
  const added = (name: string) => name.startsWith(LEARNED) || name.startsWith(GATE);
  const used = (name: string) => (name.startsWith(BETWEEN) ? name.slice(BETWEEN.length) : name);
  const nodes = model.nodes
    .filter(({ name }) => !added(name))
    .map((each) => ({ ...each, inputs: each.inputs.map(used) }));
  const constants = new Map([...model.constants].filter(([name]) => !added(name)));
  const own = new Map(constants);
  for (const [name, tensor] of model.constants) {
    const original = name.slice(LEARNED.length);
    if (name.startsWith(LEARNED)) own.set(original, { ...tensor, name: original });
  }
  return { known: { ...model, nodes, constants }, learned: { ...model, nodes, constants: own } };
}
