import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CytoError } from '../../../core/errors.ts';
import { flowsFromLabels } from '../../../workers/segmentation/masks/flows-from-labels.ts';
import { cutCrop, emptyCrops } from '../../../workers/training/augmentation.ts';
import { completeSettings, planOf, rateAt } from '../../../workers/training/settings.ts';
import {
  cellCount,
  checkImages,
  prepare,
  split,
  type TrainingImage,
} from '../../../workers/training/training-set.ts';

/** A picture of `count` discs in a row, each with a ramp of brightness. */
function discs(name: string, count: number): TrainingImage {
  const [height, width] = [48, Math.max(48, count * 40)];
  const labels = new Uint32Array(height * width);
  const samples = new Uint16Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const label = Math.floor(x / 40) + 1;
      const i = y * width + x;
      samples[i] = 100 + y + 2 * x;
      if (label <= count && Math.hypot(y - 23, x - (label - 0.5) * 40) < 14) labels[i] = label;
    }
  }
  return { name, channels: [samples], shape: [height, width], labels };
}

test('images without cells, or sets with too few, are refused with the reason', () => {
  const refused = (images: TrainingImage[], reason: RegExp) =>
    assert.throws(
      () => checkImages(images),
      (error) => error instanceof CytoError && error.kind === 'bad-input' && reason.test(error.message),
    );
  refused([], /no image/);
  refused([discs('five', 5), discs('none', 0)], /"none" has no labelled cell/);
  refused([discs('two', 2), discs('one', 1)], /3 labelled cells in all; at least 5/);
  checkImages([discs('five', 5)]);
});

test('of four images one is held back, of fewer a strip, with cells on both sides', () => {
  const four = [1, 5, 3, 2].map((count, i) => discs(String(i), count));
  const { learn, judge } = split(four);
  assert.equal(learn.length, 3);
  assert.deepEqual([judge.length, cellCount(judge[0])], [1, 3]);
  const one = split([discs('row', 8)]);
  assert.deepEqual([one.learn.length, one.judge.length], [1, 1]);
  assert.ok(cellCount(one.learn[0]) >= 4 && cellCount(one.judge[0]) >= 2);
  assert.deepEqual(split([discs('single', 1)]).judge, []);
});

test('outside a region nothing counts', () => {
  const image = { ...discs('row', 4), region: { y: 0, x: 0, height: 48, width: 80 } };
  assert.equal(cellCount(image), 2);
  const prepared = prepare(image);
  assert.deepEqual([prepared.shape, prepared.count], [[48, 80], 2]);
  const crops = emptyCrops(1, 96);
  cutCrop(prepared, { y: 24, x: 40, angle: 0, scale: 1, mirror: false }, 96, crops, 0);
  assert.equal(
    crops.valid.reduce((sum, value) => sum + value),
    // The last row and column lie between pixels for a crop of an even side.
    47 * 79,
  );
});

test('flows of a turned, scaled or mirrored crop are those of its own cells', () => {
  const prepared = prepare(discs('one', 1));
  const side = 64;
  for (const [angle, scale, mirror] of [
    [0, 1, false],
    [Math.PI / 2, 1, false],
    [0.6, 1.2, false],
    [2.1, 0.9, true],
  ] as const) {
    const crops = emptyCrops(1, side);
    cutCrop(prepared, { y: 23, x: 20, angle, scale, mirror }, side, crops, 0);
    const inside = Uint32Array.from(crops.target.subarray(2 * side * side));
    const flows = flowsFromLabels(inside, [side, side]);
    let [agreement, count] = [0, 0];
    inside.forEach((label, i) => {
      if (label === 0) return;
      const [y, x] = [crops.target[i] / 5, crops.target[side * side + i] / 5];
      agreement += y * flows[i] + x * flows[side * side + i];
      count++;
    });
    assert.ok(count > 300);
    assert.ok(agreement / count > 0.9, `angle ${angle}, mirror ${mirror}: ${agreement / count}`);
  }
});

test('the rate rises, stays and falls; settings out of range are refused', () => {
  const settings = completeSettings({ epochs: 10 });
  const plan = planOf([{ shape: [117, 117], scale: 1 }], settings);
  assert.equal(plan.side, 128);
  const rates = Array.from({ length: plan.steps }, (_, step) => rateAt(step, plan, settings));
  assert.equal(Math.max(...rates), settings.rate);
  assert.ok(rates[0] < settings.rate / 2 && rates[plan.steps - 1] < settings.rate / 10);
  assert.throws(() => completeSettings({ rate: 3 }), /"rate" is 3/);
});
