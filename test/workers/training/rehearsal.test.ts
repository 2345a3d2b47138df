import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainKernels } from '../../../workers/segmentation/kernels/kernels.ts';
import { openGraph } from '../../../workers/segmentation/network/run-graph.ts';
import { emptyCrops } from '../../../workers/training/augmentation.ts';
import { Batches } from '../../../workers/training/batches.ts';
import {
  gatherWeights,
  trainableWeights,
  withWeights,
} from '../../../workers/training/graph/trainable-weights.ts';
import { trainingStep } from '../../../workers/training/graph/training-step.ts';
import { writeOnnx } from '../../../workers/training/onnx/onnx-model.ts';
import { openStep } from '../../../workers/training/optimiser.ts';
import { REPEATED, Rehearsal, rehearsalBytes } from '../../../workers/training/rehearsal.ts';
import { completeSettings } from '../../../workers/training/settings.ts';
import { estimateBytes } from '../../../workers/training/train.ts';
import { prepare } from '../../../workers/training/training-set.ts';
import { firstCrops, model, crops as stored } from './default-model.ts';

const [count, , side] = stored.shape;

let made: Promise<Rehearsal> | undefined;

/** Of the first two crops. */
function rehearsal(): Promise<Rehearsal> {
  made ??= makeRehearsal();
  return made;
}

async function makeRehearsal(): Promise<Rehearsal> {
  const network = await openGraph(writeOnnx(model));
  try {
    return await Rehearsal.of(firstCrops(2), network.run, plainKernels);
  } finally {
    await network.release();
  }
}

test('the default model brings crops, of which unused channels are exactly 0', async () => {
  assert.ok(count >= 16 && side === 160);
  const crops = emptyCrops(1, side);
  (await rehearsal()).cut(0, () => 0, side, crops, 0);
  const area = side * side;
  assert.ok(crops.image.subarray(area).every((value) => value === 0));
  assert.ok(crops.image.subarray(0, area).some((value) => value > 0.5));
  assert.ok(crops.valid.every((value) => value === 1));
});

test('what a model says of its crops asks nothing of its weights; another answer does', async () => {
  const crops = emptyCrops(1, side);
  (await rehearsal()).cut(1, () => 0, side, crops, 0);
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

test('a model remembers all that it says itself, another one less', async () => {
  const known = await rehearsal();
  const trained = trainableWeights(model, 'biases');
  const start = gatherWeights(trained);
  const remembered = async (change: number) => {
    const weights = start.map((value, i) => value + change * Math.sin(i));
    const network = await openGraph(writeOnnx(withWeights(model, trained, weights)));
    try {
      return await known.remembered(network.run, plainKernels);
    } finally {
      await network.release();
    }
  };
  assert.equal(await remembered(0), 1);
  const [little, much] = [await remembered(0.02), await remembered(1)];
  assert.ok(little > 0.9 && much < 0.8, `${little}, ${much}`);
});

test('a window of a crop lies where it was asked for; around a smaller crop nothing counts', async () => {
  const known = await rehearsal();
  const [whole, part, larger] = [side, 64, 192].map((length) => emptyCrops(1, length));
  known.cut(0, () => 0, side, whole, 0);
  known.cut(0, () => 0.5, 64, part, 0);
  known.cut(0, () => 0, 192, larger, 0);
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

test('a batch has a new crop and crops that are known, which count alike', async () => {
  const shape = [40, 40] as const;
  const labels = new Uint32Array(1600).fill(1, 400, 800);
  const image = prepare({ name: '', channels: [new Uint8Array(1600).fill(9, 0, 700)], shape, labels });
  const batches = new Batches({ images: [image], side: 64, seed: 1, rehearsal: await rehearsal() });
  const { valid, image: pictures } = await batches.of(0);
  assert.equal(batches.size, 1 + REPEATED);
  const [first, second] = [
    pictures.slice(3 * 64 ** 2, 6 * 64 ** 2),
    pictures.slice(6 * 64 ** 2, 9 * 64 ** 2),
  ];
  assert.notDeepEqual(first, second);
  for (let place = 0; place < batches.size; place++) {
    const own = valid.subarray(place * 64 ** 2, (place + 1) * 64 ** 2);
    // Most of the new crop lies outside its image, which is smaller.
    assert.equal(
      own.some((value) => value === 0),
      place === 0,
    );
    const sum = own.reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(sum / 64 ** 2 - 1) < 1e-3, `${sum}`);
  }
  const again = (await batches.of(1)).image.slice(3 * 64 ** 2, 6 * 64 ** 2);
  assert.deepEqual((await batches.of(0)).image.slice(3 * 64 ** 2, 6 * 64 ** 2), first);
  assert.notDeepEqual(again, first);
});

test('the memory that is told has room for the crops and for larger batches', () => {
  const image = {
    name: '',
    channels: [new Uint8Array()],
    shape: [160, 160] as const,
    labels: new Uint32Array(),
  };
  const bytes = (known?: typeof stored) =>
    estimateBytes({ model }, [image], completeSettings({ trains: 'biases' }), known);
  const held = stored.data.length * 9 + (stored.data.length / 3) * 4;
  assert.equal(rehearsalBytes(stored), held);
  assert.ok(bytes(stored) > bytes() + held);
});
