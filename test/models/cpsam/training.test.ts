import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { openCheckpoint } from '../../../models/cpsam/checkpoint/checkpoint.ts';
import { headTensors } from '../../../models/cpsam/network/head-tensors.ts';
import { blobFolder } from '../../../workers/models/model-folder.ts';
import { WasmKernels } from '../../../workers/segmentation/kernels/wasm-kernels.ts';
import { loadModel } from '../../../workers/segmentation/network/model-files.ts';
import {
  gatherWeights,
  trainableWeights,
  withWeights,
} from '../../../workers/training/graph/trainable-weights.ts';
import { trainingStep } from '../../../workers/training/graph/training-step.ts';
import { newModelFiles } from '../../../workers/training/new-model.ts';
import { openStep } from '../../../workers/training/optimiser.ts';
import { completeSettings } from '../../../workers/training/settings.ts';
import { type TrainingState, train } from '../../../workers/training/train.ts';
import { trainedCheckpoint } from '../../../workers/training/trained-checkpoint.ts';
import { openTrainee, type Trainee } from '../../../workers/training/trainee.ts';
import { converted, convertedFolder, referenceFile, sourceOf } from './sinks.ts';

const TILE = 256;
const TOLERANCE = 1e-4;

interface Reference {
  loss: number;
  rate: number;
  decay: number;
  longest: number;
  gradients: Record<string, { norm: number; entries: number[] }>;
  weights: Record<string, number[]>;
}

/** Lehmer's generator, as in models/cpsam/reference/network.py. */
function noise(count: number): Float32Array {
  let seed = 20250401;
  return Float32Array.from({ length: count }, () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  });
}

/** Target of make_training_reference.py. */
function checkerboard(): Float32Array {
  const area = TILE * TILE;
  const target = new Float32Array(3 * area);
  for (let i = 0; i < area; i++) {
    const [y, x] = [Math.floor(i / TILE), i % TILE];
    const inside = ((y >> 4) + (x >> 4)) % 2;
    const angle = 0.03 * y + 0.01 * x;
    target[i] = 5 * Math.sin(angle) * inside;
    target[area + i] = 5 * Math.cos(angle) * inside;
    target[2 * area + i] = inside;
  }
  return target;
}

/** Values of the trained weights as the checkpoint has them, by name. */
async function asInCheckpoint(trainee: Trainee, vector: Float32Array): Promise<Map<string, Float32Array>> {
  const checkpoint = await openCheckpoint(sourceOf(await referenceFile('mini.pth')));
  const parts = trainableWeights(trainee.model).map(
    ({ name, start, length }) => [name, vector.slice(start, start + length)] as const,
  );
  return headTensors(checkpoint, new Map(parts));
}

/** Bright discs on a dark ground, and their labels. */
function discs() {
  const side = 256;
  const samples = new Uint8Array(side * side).fill(20);
  const labels = new Uint32Array(side * side);
  for (let k = 0; k < 16; k++) {
    const [cy, cx] = [32 + 64 * (k >> 2), 32 + 64 * (k & 3)];
    for (let y = cy - 18; y <= cy + 18; y++)
      for (let x = cx - 18; x <= cx + 18; x++)
        if ((y - cy) ** 2 + (x - cx) ** 2 < 18 ** 2) {
          samples[y * side + x] = 180;
          labels[y * side + x] = k + 1;
        }
  }
  return { name: 'discs', channels: [samples], shape: [side, side] as const, labels };
}

describe('training of a converted Cellpose-SAM', () => {
  it('loss, gradients and a step of AdamW over frozen features are those of PyTorch', async () => {
    const reference = JSON.parse(
      readFileSync(new URL('reference/training-step.json', import.meta.url), 'utf8'),
    ) as Reference;
    const trainee = await openTrainee(await converted(await referenceFile('mini.pth'), 'float32'));
    assert.ok(trainee.frozen);
    const { data, dims } = await trainee.frozen.features(noise(3 * TILE * TILE));
    const trained = trainableWeights(trainee.model);
    const step = await openStep(
      trainingStep(trainee.model, trained, {
        batch: 1,
        height: TILE,
        width: TILE,
        input: dims,
        longestGradient: reference.longest,
        gradient: true,
      }),
    );
    const state = step.begin(gatherWeights(trained));
    const { loss, gradient } = await step.run(
      state,
      { image: data, target: checkerboard(), valid: new Float32Array(TILE * TILE).fill(1) },
      { rate: reference.rate, weightDecay: reference.decay },
    );
    assert.ok(Math.abs(loss / reference.loss - 1) < TOLERANCE, `loss ${loss}, PyTorch ${reference.loss}`);
    assert.ok(gradient);
    const gradients = await asInCheckpoint(trainee, gradient);
    const weights = await asInCheckpoint(trainee, state.weights);
    assert.deepEqual([...gradients.keys()].sort(), Object.keys(reference.gradients).sort());
    for (const [name, mine] of gradients) {
      const { norm, entries } = reference.gradients[name];
      const size = Math.sqrt(mine.reduce((sum, value) => sum + value * value, 0));
      assert.ok(Math.abs(size / norm - 1) < TOLERANCE, `${name}: length ${size}, PyTorch ${norm}`);
      entries.forEach((value, i) => {
        const at = Math.floor((i * mine.length) / entries.length);
        const scale = Math.max(Math.abs(value), norm / Math.sqrt(mine.length));
        const off = Math.abs(mine[at] - value);
        assert.ok(off < TOLERANCE * scale, `gradient of ${name}[${at}]: ${mine[at]}, PyTorch ${value}`);
        const weight = reference.weights[name][i];
        const moved = weights.get(name)?.[at] ?? Number.NaN;
        assert.ok(
          Math.abs(moved - weight) <= TOLERANCE * Math.max(Math.abs(weight), reference.rate),
          `${name}[${at}] after the step: ${moved}, PyTorch ${weight}`,
        );
      });
    }
    await step.release();
    await trainee.release();
  });

  it('is kept at the step where it is stopped, and goes on from there as if it had not been', async () => {
    const parent = await converted(await referenceFile('mini.pth'), 'float32');
    const trainee = await openTrainee(parent);
    const settings = completeSettings({ epochs: 1 });
    const kernels = await WasmKernels.create();
    const stop = new AbortController();
    const first: number[] = [];
    let kept: TrainingState | undefined;
    const stopped = train(trainee, parent.card, [discs()], settings, {
      kernels,
      signal: stop.signal,
      onStep: ({ step, loss }) => {
        first.push(loss);
        if (step === 3) stop.abort();
      },
      onState: async (state) => {
        kept = structuredClone(state);
      },
    });
    await assert.rejects(stopped, { kind: 'aborted' });
    assert.equal(kept?.optimiser.step, 3);
    const second: number[] = [];
    const whole: number[] = [];
    const resumed = await train(trainee, parent.card, [discs()], settings, {
      kernels,
      state: kept as TrainingState,
      onStep: ({ loss }) => second.push(loss),
    });
    await train(trainee, parent.card, [discs()], settings, {
      kernels,
      onStep: ({ loss }) => whole.push(loss),
    });
    assert.equal(resumed.steps, whole.length);
    assert.deepEqual([...first, ...second], whole);
    // One that was begun otherwise begins anew.
    const anew: number[] = [];
    const other = { ...(kept as TrainingState), scheme: 'of an older version' };
    await train(trainee, parent.card, [discs()], settings, {
      kernels,
      state: other,
      onStep: ({ loss, resumed: wentOn }) => {
        assert.equal(wentOn, false);
        anew.push(loss);
      },
    });
    assert.deepEqual(anew, whole);
    await trainee.release();
  });

  it('learns, and leaves as a model and as a checkpoint with the same keys', async () => {
    const original = await referenceFile('mini.pth');
    const folder = await convertedFolder(original, 'float32');
    const parent = await loadModel(folder);
    const trainee = await openTrainee(parent);
    const settings = completeSettings({ epochs: 3, rate: 3e-3 });
    const losses: number[] = [];
    const outcome = await train(trainee, parent.card, [discs()], settings, {
      kernels: await WasmKernels.create(),
      onStep: ({ loss }) => losses.push(loss),
    });
    const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
    assert.ok(mean(losses.slice(-4)) < 0.9 * mean(losses.slice(0, 4)), losses.join(' '));

    // So short a training may bring nothing that its judge takes: other weights leave in any case.
    const trained = trainableWeights(trainee.model);
    const vector = gatherWeights(trained).map((value) => 0.9 * value + 0.01);
    const changed = { ...outcome, model: withWeights(trainee.model, trained, vector) };
    const name = { id: 'mini-trained', name: 'Mini, trained' };
    const files = await newModelFiles(parent, folder, trainee, changed, settings, name);
    const model = await loadModel(blobFolder(files));
    assert.equal(model.card.id, 'mini-trained');
    const file = await trainedCheckpoint(
      await model.weights(),
      new File([Uint8Array.from(original)], 'mini.pth'),
    );
    await trainee.release();

    const [before, after] = [
      await openCheckpoint(sourceOf(original)),
      await openCheckpoint(sourceOf(new Uint8Array(await file.arrayBuffer()))),
    ];
    assert.deepEqual(after.names, before.names);
    for (const name of before.names) {
      assert.deepEqual(after.shape(name), before.shape(name), name);
      const [was, is] = [await before.read(name), await after.read(name)];
      const same = was.every((value, i) => value === is[i]);
      assert.equal(same, !/^(encoder\.neck|out)\./.test(name), name);
    }
    // Brought back in, it is the network that was trained.
    const again = await converted(new Uint8Array(await file.arrayBuffer()), 'float32');
    const expected = model.testOutput.data as Float32Array;
    const actual = again.testOutput.data as Float32Array;
    assert.ok(expected.every((value, i) => Math.abs(value - actual[i]) <= 1e-4));
    assert.ok(expected.some((value, i) => Math.abs(value - (parent.testOutput.data[i] as number)) > 1e-2));
  });
});
