import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseNpy } from '../../../core/npy.ts';
import { openGraph } from '../../../workers/segmentation/network/run-graph.ts';
import { emptyCrops } from '../../../workers/training/augmentation.ts';
import { gatherWeights, trainableWeights } from '../../../workers/training/graph/trainable-weights.ts';
import { trainingStep } from '../../../workers/training/graph/training-step.ts';
import { readOnnx, writeOnnx } from '../../../workers/training/onnx/onnx-model.ts';
import { openStep } from '../../../workers/training/optimiser.ts';
import { Rehearsal } from '../../../workers/training/rehearsal.ts';

const folder = new URL('../../../models/default/', import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));
const model = readOnnx(read('model.onnx'));
const stored = parseNpy(read('rehearsal.npy'));
const [count, , side] = stored.shape;

async function rehearsal(): Promise<Rehearsal> {
  const network = await openGraph(writeOnnx(model));
  try {
    const few = { data: stored.data.slice(0, 2 * 3 * side * side), shape: [2, 3, side, side] };
    return await Rehearsal.of(few, network.run);
  } finally {
    await network.release();
  }
}

test('the default model brings crops, of which unused channels are exactly 0', async () => {
  assert.ok(count >= 16 && side === 160);
  const crops = emptyCrops(1, side);
  (await rehearsal()).cut(0, () => 0, side, crops);
  const area = side * side;
  assert.ok(crops.image.subarray(area).every((value) => value === 0));
  assert.ok(crops.image.subarray(0, area).some((value) => value > 0.5));
  assert.ok(crops.valid.every((value) => value === 1));
});

test('what a model says of its crops asks nothing of its weights; another answer does', async () => {
  const crops = emptyCrops(1, side);
  (await rehearsal()).cut(1, () => 0, side, crops);
  const trained = trainableWeights(model, 'biases');
  const graph = trainingStep(model, trained, { batch: 1, height: side, width: side, gradient: true });
  const step = await openStep(graph);
  const length = async (target: Float32Array) => {
    const state = step.begin(gatherWeights(trained));
    const { gradient } = await step.run(state, { ...crops, target }, { rate: 0, weightDecay: 0 });
    return Math.hypot(...(gradient ?? []));
  };
  const own = await length(crops.target);
  const other = await length(crops.target.map((value) => -value));
  await step.release();
  assert.ok(own < 1e-3 * other, `${own} against ${other}`);
});

test('a window of a crop lies where it was asked for; around a smaller crop nothing counts', async () => {
  const known = await rehearsal();
  const [whole, part, larger] = [side, 64, 192].map((length) => emptyCrops(1, length));
  known.cut(0, () => 0, side, whole);
  known.cut(0, () => 0.5, 64, part);
  known.cut(0, () => 0, 192, larger);
  const at = Math.floor(0.5 * (side - 64 + 1));
  for (const [y, x] of [
    [0, 0],
    [10, 63],
    [63, 5],
  ]) {
    const i = (at + y) * side + at + x;
    assert.equal(part.image[y * 64 + x], whole.image[i]);
    assert.equal(part.target[64 * 64 + y * 64 + x], whole.target[side * side + i]);
  }
  assert.equal(
    larger.valid.reduce((sum, value) => sum + value),
    side * side,
  );
});
