import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelRatings } from '../../core/label-ratings.ts';
import { LabelVolume } from '../../core/label-volume.ts';

const calibration = { spacing: [1, 1, 1] as const, unit: 'px', calibrated: false };

test('doubtful labels are bright, sure ones dark, unknown ones have no colour', () => {
  const labels = new LabelVolume([1, 2, 2], calibration);
  assert.equal(labelRatings(labels, 'flow_error'), undefined);
  labels.supplied.set(
    'flow_error',
    new Map([
      [1, 0.1],
      [2, 0.9],
      [4, 0.5],
    ]),
  );
  labels.supplied.set(
    'cellprob',
    new Map([
      [1, 8],
      [2, -1],
    ]),
  );
  const brightness = (colors: Uint8Array, id: number) =>
    colors[4 * id] + colors[4 * id + 1] + colors[4 * id + 2];
  const errors = labelRatings(labels, 'flow_error')!;
  assert.deepEqual([errors.sure, errors.doubtful, errors.colors.length], [0.1, 0.9, 4 * 5]);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((id) => errors.colors[4 * id + 3]),
    [0, 255, 255, 0, 255],
  );
  assert.ok(brightness(errors.colors, 1) < brightness(errors.colors, 4));
  assert.ok(brightness(errors.colors, 4) < brightness(errors.colors, 2));
  const logits = labelRatings(labels, 'cellprob')!;
  assert.deepEqual([logits.sure, logits.doubtful], [8, -1]);
  assert.deepEqual(logits.colors.subarray(4, 8), errors.colors.subarray(4, 8));
  assert.deepEqual(logits.colors.subarray(8, 12), errors.colors.subarray(8, 12));
});

test('one value for all is sure, and a far id does not make a table of gigabytes', () => {
  const labels = new LabelVolume([1, 1, 1], calibration);
  labels.supplied.set(
    'cellprob',
    new Map([
      [3, 2],
      [0xffff_fff0, 2],
    ]),
  );
  const { colors, sure, doubtful } = labelRatings(labels, 'cellprob')!;
  assert.deepEqual([sure, doubtful, colors.length], [2, 2, 16]);
});
