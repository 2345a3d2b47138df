import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainKernels } from '../../../workers/segmentation/kernels/kernels.ts';
import { openGraph } from '../../../workers/segmentation/network/run-graph.ts';
import { type Gate, gated, styleGraph, ungated } from '../../../workers/training/graph/gate.ts';
import {
  gatherWeights,
  trainableWeights,
  withWeights,
} from '../../../workers/training/graph/trainable-weights.ts';
import { type OnnxModel, readOnnx, writeOnnx } from '../../../workers/training/onnx/onnx-model.ts';
import { Rehearsal } from '../../../workers/training/rehearsal.ts';
import { fitGate, styleGate } from '../../../workers/training/styles.ts';
import { prepare } from '../../../workers/training/training-set.ts';
import { firstCrops, model as known } from './default-model.ts';

const trained = trainableWeights(known, 'decoder');
const learned = withWeights(
  known,
  trained,
  gatherWeights(trained).map((value, i) => value * (1 + 0.2 * Math.sin(i))),
);
const style = styleGraph(known);
const values = style?.outputs[0].dims[1] as number;
const side = 64;

/** Lines that lie closer in the second of two images. */
const picture = (spacing: number) =>
  Float32Array.from({ length: 3 * side * side }, (_, i) =>
    i < side * side
      ? 0.5 + 0.5 * Math.sin((i % side) / spacing) * Math.cos(Math.floor(i / side) / spacing)
      : 0,
  );

async function through(model: OnnxModel, image: Float32Array): Promise<Float32Array> {
  const network = await openGraph(writeOnnx(model));
  try {
    return (await network.run(image.slice(), 1, side, side)).slice();
  } finally {
    await network.release();
  }
}

const gate = (bias: number): Gate => ({ weights: new Float32Array(values), bias });

const largest = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

describe('a gate between what a network knew and what it learned', () => {
  it('gives the one when it is shut and the other when it is open', async () => {
    const image = picture(5);
    const [was, is] = [await through(known, image), await through(learned, image)];
    assert.ok(largest(was, is) > 0.1);
    assert.ok(largest(await through(gated(known, learned, trained, gate(-40)), image), was) < 1e-4);
    assert.ok(largest(await through(gated(known, learned, trained, gate(40)), image), is) < 1e-4);
    const half = await through(gated(known, learned, trained, gate(0)), image);
    assert.ok(largest(half, was) > 0.01 && largest(half, is) > 0.01);
  });

  it('lets both be taken out again, bit for bit, also from the file', () => {
    const apart = ungated(readOnnx(writeOnnx(gated(known, learned, trained, gate(1)))));
    assert.deepEqual(writeOnnx(apart.known), writeOnnx(known));
    assert.deepEqual(writeOnnx(apart.learned), writeOnnx(learned));
  });

  it('is not found in a network that has none', () => {
    const apart = ungated(known);
    assert.equal(apart.known, known);
    assert.equal(apart.learned, known);
  });

  it('looks at the style of an image, which does not depend on what the decoder learned', async () => {
    assert.ok(style);
    const [first, second] = [await through(style, picture(3)), await through(style, picture(9))];
    assert.equal(first.length, values);
    assert.ok(Math.abs(Math.hypot(...first) - 1) < 1e-5);
    assert.ok(largest(first, second) > 0.02);
    assert.deepEqual(await through(styleGraph(learned) ?? known, picture(3)), first);
  });

  it('takes a network without a decoder as one that has no style', () => {
    const encoder = {
      ...known,
      nodes: known.nodes.filter(({ op }) => !['Resize', 'DepthToSpace'].includes(op)),
    };
    assert.equal(styleGraph(encoder), undefined);
  });
});

/** Styles around one of two middles. */
function styles(count: number, middle: number, seed: number): Float32Array[] {
  return Array.from({ length: count }, (_, n) =>
    Float32Array.from({ length: 50 }, (__, i) => {
      const noise = Math.sin(12.9898 * (n + 1) * (i + 1 + seed)) * 0.1;
      return (i % 2 === middle ? 0.1 : 0.02) + noise;
    }),
  );
}

const logit = ({ weights, bias }: Gate, row: Float32Array) =>
  row.reduce((sum, value, i) => sum + value * weights[i], bias);

describe('where a gate opens', () => {
  it('is on the side of the styles that were learned from, those it has not seen included', () => {
    const fitted = fitGate(styles(5, 0, 1), styles(27, 1, 2));
    for (const row of [...styles(5, 0, 1), ...styles(8, 0, 5)]) assert.ok(logit(fitted, row) > 6);
    for (const row of [...styles(27, 1, 2), ...styles(8, 1, 6)]) assert.ok(logit(fitted, row) < -6);
    const mean = (rows: Float32Array[]) =>
      rows.reduce((sum, row) => sum + logit(fitted, row), 0) / rows.length;
    assert.ok(Math.abs(mean(styles(5, 0, 1)) - 18) < 1e-2);
    assert.ok(Math.abs(mean(styles(27, 1, 2)) + 18) < 1e-2);
  });

  it('is half way where both are alike', () => {
    const fitted = fitGate(styles(4, 0, 1), styles(4, 0, 1));
    assert.equal(logit(fitted, styles(1, 0, 9)[0]), 0);
  });

  it('is found with one style of either kind', () => {
    const [[own], [known]] = [styles(1, 0, 1), styles(1, 1, 2)];
    const fitted = fitGate([own], [known]);
    assert.ok(Math.abs(logit(fitted, own) - 18) < 1e-2 && Math.abs(logit(fitted, known) + 18) < 1e-2);
  });

  it('keeps to what was learned before as well', async () => {
    assert.ok(style);
    const decoder = await openGraph(writeOnnx(known));
    const crops = await Rehearsal.of(firstCrops(3), decoder.run, plainKernels);
    await decoder.release();
    const labels = new Uint32Array(side * side).fill(1, 400, 800);
    const image = (spacing: number) =>
      prepare({
        name: '',
        channels: [Uint8Array.from(picture(spacing).subarray(0, side * side), (value) => 255 * value)],
        shape: [side, side],
        labels,
      });
    const network = await openGraph(writeOnnx(style));
    const card = { tile: 256, sides: { step: 32, largest: 512 } };
    const first = await styleGate([image(3)], undefined, crops, card, network.run);
    const then = await styleGate([image(9)], first.styles, crops, card, network.run);
    const other = { data: new Float32Array(4), shape: [2, 2] };
    const alone = await styleGate([image(9)], other, crops, card, network.run);
    await network.release();
    assert.deepEqual(first.styles.shape, [1, values]);
    assert.deepEqual(then.styles.shape, [2, values]);
    assert.deepEqual(alone.styles.shape, [1, values]);
    assert.ok(logit(then.gate, first.styles.data) > 6, 'open for the first kind');
    assert.ok(logit(then.gate, alone.styles.data) > 6, 'open for the second kind');
    assert.ok(logit(alone.gate, first.styles.data) < logit(then.gate, first.styles.data));
  });
});
