import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainKernels } from '../../../workers/segmentation/kernels/kernels.ts';
import { openGraph } from '../../../workers/segmentation/network/run-graph.ts';
import { ungated } from '../../../workers/training/graph/gate.ts';
import { type OnnxModel, writeOnnx } from '../../../workers/training/onnx/onnx-model.ts';
import { completeSettings } from '../../../workers/training/settings.ts';
import { train } from '../../../workers/training/train.ts';
import { wholeTrainee } from '../../../workers/training/trainee.ts';
import type { TrainingImage } from '../../../workers/training/training-set.ts';
import { card, firstCrops, model as original } from './default-model.ts';

const rehearsal = firstCrops(2);
const [, , height, width] = rehearsal.shape;

/** Squares in two rows, dark with a bright edge on a pattern of lines. */
function image(n: number): TrainingImage {
  const side = 96;
  const labels = new Uint32Array(side * side);
  const samples = new Uint8Array(side * side);
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0; x < side; x++, i++) {
      const [row, column] = [(y + 3 * n) % 32, (x + 5 * n) % 32];
      const inside = Math.min(row - 4, column - 4, 27 - row, 27 - column);
      const cell = 1 + Math.floor((y + 3 * n) / 32) * 4 + Math.floor((x + 5 * n) / 32);
      if (inside >= 0) labels[i] = cell;
      samples[i] = inside >= 3 ? 40 : inside >= 0 ? 250 : 120 + 60 * ((x + y) & 1);
    }
  }
  return { name: `${n}`, channels: [samples], shape: [side, side], labels };
}
const images = [0, 1, 2, 3].map(image);

const negative = (each: TrainingImage): TrainingImage => ({
  ...each,
  channels: each.channels.map((samples) => samples.map((value) => 255 - value) as Uint8Array),
});

const settings = completeSettings({ epochs: 3, rate: 2e-3 });

/** What a network says of a crop that the model brings. */
async function says(model: OnnxModel): Promise<Float32Array> {
  const crop = Float32Array.from(
    rehearsal.data.subarray(0, 3 * height * width),
    (value) => (value - 48) / 160,
  );
  const network = await openGraph(writeOnnx(model));
  try {
    return (await network.run(crop, 1, height, width)).slice();
  } finally {
    await network.release();
  }
}

const farthest = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

describe('a training', () => {
  it('keeps what the model was beside what it learned, also when it learns again', {
    timeout: 300_000,
  }, async () => {
    const options = { kernels: plainKernels, rehearsal };
    const once = await train(wholeTrainee(original), card, images, settings, options);
    assert.ok(once.improved && once.after.ap > once.before.ap + 0.1, `${once.before.ap}, ${once.after.ap}`);
    assert.deepEqual([once.share, once.remembered], [1, 1]);
    const apart = ungated(once.model);
    assert.deepEqual(writeOnnx(apart.known), writeOnnx(original));
    const [was, is, learned] = [await says(original), await says(once.model), await says(apart.learned)];
    assert.ok(farthest(was, learned) > 0.5, 'what was learned says other things of images that were known');
    assert.ok(farthest(was, is) < 0.1 * farthest(was, learned), 'the model does not');

    const { styles } = once;
    assert.ok(styles && styles.shape[0] === images.length - 1);
    const again = await train(wholeTrainee(once.model), card, images.map(negative), settings, {
      ...options,
      styles,
    });
    assert.ok(again.improved, `${again.before.ap}, ${again.after.ap}`);
    assert.deepEqual(writeOnnx(ungated(again.model).known), writeOnnx(original));
    assert.equal(again.styles?.shape[0], 2 * styles.shape[0]);
    assert.ok(farthest(was, await says(again.model)) < 0.1 * farthest(was, learned));
  });
});
