import { expect } from '@open-wc/testing';
import { setAssetBase } from '../../core/assets.ts';
import { loadOrt } from '../../workers/segmentation/network/ort.ts';
import { gated } from '../../workers/training/graph/gate.ts';
import {
  gatherWeights,
  trainableWeights,
  withWeights,
} from '../../workers/training/graph/trainable-weights.ts';
import { trainingStep } from '../../workers/training/graph/training-step.ts';
import {
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  writeOnnx,
} from '../../workers/training/onnx/onnx-model.ts';
import { openStep } from '../../workers/training/optimiser.ts';
import { agree } from '../../workers/training/step-ladder.ts';

const SIDE = 16;

/** Numbers without pattern, the same on every machine. */
const waves = (count: number, pace: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * pace));

const ints = (name: string, values: number[]) => ({ name, type: 7, ints: values });

/** A network with the layers of the default model: convolutions with strides and in channels, clips, a jump, enlarging. */
function smallNetwork(): OnnxModel {
  const constants = new Map<string, OnnxTensor>();
  const constant = (name: string, dims: number[], pace: number) => {
    const values = waves(
      dims.reduce((product, length) => product * length, 1),
      pace,
    ).map((value) => 0.4 * value);
    constants.set(name, { name, dims, type: 1, bytes: new Uint8Array(values.buffer) });
    return name;
  };
  const node = (op: string, inputs: string[], output: string, attributes: OnnxNode['attributes'] = []) => ({
    ...{ name: output, op, inputs, outputs: [output], attributes },
  });
  const conv = (input: string, output: string, dims: number[], stride: number, group = 1) => {
    const pad = dims[2] >> 1;
    return node(
      'Conv',
      [input, constant(`${output}.weight`, dims, 1.7), constant(`${output}.bias`, [dims[0]], 0.9)],
      output,
      [
        ints('kernel_shape', [dims[2], dims[3]]),
        ints('pads', [pad, pad, pad, pad]),
        ints('strides', [stride, stride]),
        { name: 'group', type: 2, i: group },
      ],
    );
  };
  const port = (name: string) => ({ name, type: 1, dims: ['batch', 3, 'y', 'x'] });
  return {
    irVersion: 8,
    opset: 16,
    producer: 'test',
    description: '',
    graphName: 'small',
    nodes: [
      conv('image', 'first', [16, 3, 3, 3], 2),
      node('Relu', ['first'], 'relu'),
      conv('relu', 'apart', [16, 1, 3, 3], 1, 16),
      node('Add', ['relu', 'apart'], 'sum'),
      conv('sum', 'last', [12, 16, 3, 3], 1),
      node('DepthToSpace', ['last'], 'flows', [{ name: 'blocksize', type: 2, i: 2 }]),
    ],
    constants,
    inputs: [port('image')],
    outputs: [port('flows')],
  };
}

describe('a training step', () => {
  // The adapter is emulated in software: a network of three layers, crops of 16².
  it('is the same on WebGPU and on WASM', async () => {
    setAssetBase(new URL('/dist/', location.href).href);
    const model = smallNetwork();
    const trained = trainableWeights(model);
    const graph = trainingStep(model, trained, { batch: 1, height: SIDE, width: SIDE, longestGradient: 1 });
    const area = SIDE * SIDE;
    const crops = {
      image: waves(3 * area, 0.37),
      target: waves(3 * area, 0.11).map((value, i) => (i < 2 * area ? 5 * value : Number(value > 0))),
      valid: new Float32Array(area).fill(1),
    };
    const outcomes = [];
    for (const kind of ['wasm', 'webgpu'] as const) {
      const step = await openStep(graph, kind);
      const state = step.begin(gatherWeights(trained));
      const losses: number[] = [];
      for (let k = 0; k < 3; k++)
        losses.push((await step.run(state, crops, { rate: 1e-3, weightDecay: 0.1 })).loss);
      outcomes.push({ losses, loss: losses[2], mean: state.mean, weights: state.weights });
      await step.release();
    }
    const [wasm, webgpu] = outcomes;
    expect(wasm.losses[2]).lessThan(wasm.losses[0]);
    expect(agree(wasm, webgpu), `losses ${wasm.losses} and ${webgpu.losses}`).equal(true);
    const farthest = wasm.weights.reduce(
      (most, weight, i) => Math.max(most, Math.abs(weight - webgpu.weights[i])),
      0,
    );
    expect(farthest).lessThan(1e-4);
    // What does not agree is noticed.
    expect(agree(wasm, { ...webgpu, mean: webgpu.mean.map((value) => 1.01 * value) })).equal(false);
  });
});

describe('a gate of a trained network', () => {
  it('lets through the same share of what was learned on WebGPU and on WASM', async () => {
    setAssetBase(new URL('/dist/', location.href).href);
    const known = smallNetwork();
    const all = trainableWeights(known);
    const learned = withWeights(
      known,
      all,
      gatherWeights(all).map((value) => 2 * value),
    );
    const behind = all.filter(({ name }) => name.startsWith('last'));
    const image = waves(3 * SIDE * SIDE, 0.37);
    const run = async (kind: 'wasm' | 'webgpu', bias: number) => {
      const weights = waves(32, 0.7);
      const graph = gated(known, learned, behind, { weights, bias });
      const ort = await loadOrt(kind, 1);
      const session = await ort.InferenceSession.create(writeOnnx(graph), { executionProviders: [kind] });
      const result = await session.run({ image: new ort.Tensor('float32', image, [1, 3, SIDE, SIDE]) });
      const output = Float32Array.from((await result.flows.getData()) as Float32Array);
      await session.release();
      return output;
    };
    const shut = await run('wasm', -40);
    const open = await run('wasm', 40);
    const [wasm, webgpu] = [await run('wasm', 0), await run('webgpu', 0)];
    const share = (output: Float32Array, i: number) => (output[i] - shut[i]) / (open[i] - shut[i]);
    const i = shut.reduce((best, value, k) => (Math.abs(value) > Math.abs(shut[best]) ? k : best), 0);
    expect(open[i] / shut[i]).closeTo(2, 1e-3);
    expect(share(wasm, i)).within(0.05, 0.95);
    for (const [k, value] of wasm.entries()) expect(webgpu[k]).closeTo(value, 1e-3);
  });
});
