import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseNpy } from '../../../core/npy.ts';
import {
  gatherWeights,
  trainableWeights,
  withWeights,
} from '../../../workers/training/graph/trainable-weights.ts';
import { trainingStep } from '../../../workers/training/graph/training-step.ts';
import { type OnnxModel, readOnnx, writeOnnx } from '../../../workers/training/onnx/onnx-model.ts';
import { openStep } from '../../../workers/training/optimiser.ts';

interface Reference {
  brightness: number;
  loss: number;
  rate: number;
  decay: number;
  longest: number;
  gradients: Record<string, { norm: number; entries: number[] }>;
  weights: Record<string, number[]>;
}

const here = new URL('.', import.meta.url);
const folder = new URL('../../../models/default/', here);
const reference = JSON.parse(readFileSync(new URL('reference-step.json', here), 'utf8')) as Reference;
const model = readOnnx(new Uint8Array(readFileSync(new URL('model.onnx', folder))));

const SIDE = 64;
const TOLERANCE = 1e-4;

function checkerboard(): Float32Array {
  const target = new Float32Array(3 * SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const inside = ((y >> 3) + (x >> 3)) % 2;
      const angle = 0.3 * y + 0.1 * x;
      const i = y * SIDE + x;
      target[i] = 5 * Math.sin(angle) * inside;
      target[SIDE * SIDE + i] = 5 * Math.cos(angle) * inside;
      target[2 * SIDE * SIDE + i] = inside;
    }
  }
  return target;
}

const same = (a: ArrayBufferView, b: ArrayBufferView) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

/** Compares constants by their bytes, which is much quicker than one by one. */
function assertSame(actual: OnnxModel, expected: OnnxModel): void {
  const { constants, ...rest } = actual;
  const { constants: others, ...expectedRest } = expected;
  assert.deepEqual(rest, expectedRest);
  assert.deepEqual([...constants.keys()], [...others.keys()]);
  for (const [name, { bytes, dims, type }] of constants) {
    const other = others.get(name);
    assert.ok(other && same(bytes, other.bytes), name);
    assert.deepEqual([dims, type], [other.dims, other.type], name);
  }
}

const tile = parseNpy(new Uint8Array(readFileSync(new URL('quick_input.npy', folder)))).data as Float32Array;
const image = tile.map((value) => reference.brightness * value);
const valid = new Float32Array(SIDE * SIDE).fill(1);

test('loss, gradients and a step of AdamW are those of PyTorch with the loss of Cellpose', async () => {
  const trained = trainableWeights(model);
  const options = { batch: 1, height: SIDE, width: SIDE, longestGradient: reference.longest, gradient: true };
  const step = await openStep(trainingStep(model, trained, options));
  const state = step.begin(gatherWeights(trained));
  const crop = { image, target: checkerboard(), valid };
  const { loss, gradient } = await step.run(state, crop, {
    rate: reference.rate,
    weightDecay: reference.decay,
  });
  await step.release();
  assert.ok(gradient);
  assert.ok(Math.abs(loss / reference.loss - 1) < TOLERANCE, `loss ${loss}, PyTorch ${reference.loss}`);
  assert.deepEqual(
    trained.map(({ name }) => name).sort(),
    Object.keys(reference.gradients).sort(),
    'the trained tensors',
  );
  for (const { name, start, length } of trained) {
    const { norm, entries } = reference.gradients[name];
    const mine = gradient.subarray(start, start + length);
    const size = Math.sqrt(mine.reduce((sum, value) => sum + value * value, 0));
    assert.ok(Math.abs(size / norm - 1) < TOLERANCE, `${name}: length ${size}, PyTorch ${norm}`);
    entries.forEach((value, i) => {
      const at = Math.floor((i * length) / entries.length);
      const scale = Math.max(Math.abs(value), norm / Math.sqrt(length));
      assert.ok(
        Math.abs(mine[at] - value) < TOLERANCE * scale,
        `gradient of ${name}[${at}]: ${mine[at]}, PyTorch ${value}`,
      );
      const weight = reference.weights[name][i];
      const own = state.weights[start + at];
      // Where a gradient is almost nothing, the step of a full rate has its sign alone.
      const slack = Math.abs(value) < TOLERANCE * scale ? 2 * reference.rate : 0;
      assert.ok(
        Math.abs(own - weight) <= TOLERANCE * Math.max(Math.abs(weight), reference.rate) + slack,
        `${name}[${at}] after the step: ${own}, PyTorch ${weight}`,
      );
    });
  }
});

test('pixels that do not count change neither loss nor gradients', async () => {
  const trained = trainableWeights(model, 'decoder');
  const step = await openStep(
    trainingStep(model, trained, { batch: 1, height: SIDE, width: SIDE, gradient: true }),
  );
  const half = valid.map((_, i) => (i % SIDE < SIDE / 2 ? 1 : 0));
  const [target, other] = [checkerboard(), checkerboard()];
  for (let i = 0; i < other.length; i++) if (i % SIDE >= SIDE / 2) other[i] = 3;
  const rates = { rate: 0, weightDecay: 0 };
  const run = (wanted: Float32Array) =>
    step.run(step.begin(gatherWeights(trained)), { image, target: wanted, valid: half }, rates);
  const [first, second] = [await run(target), await run(other)];
  await step.release();
  assert.equal(first.loss, second.loss);
  assert.ok(first.gradient && second.gradient);
  assert.ok(first.gradient.some((value) => value !== 0));
  assert.ok(same(first.gradient, second.gradient));
});

test('a model that is read and written again is the same; other weights keep their type', () => {
  const again = readOnnx(writeOnnx(model));
  assertSame(again, model);
  const trained = trainableWeights(model);
  const weights = gatherWeights(trained);
  assertSame(withWeights(model, trained, weights), model);
  const changed = readOnnx(
    writeOnnx(
      withWeights(
        model,
        trained,
        weights.map((value) => value + 1),
      ),
    ),
  );
  const after = gatherWeights(trainableWeights(changed));
  assert.ok(
    after.every((value, i) => Math.abs(value - weights[i] - 1) <= 2 ** -10 * Math.max(1, Math.abs(value))),
  );
});
