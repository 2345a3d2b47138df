import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CytoError } from '../../core/errors.ts';
import type { SegmentationMode } from '../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../core/volume.ts';
import { estimateRun, refuseOversized } from '../../workers/segmentation/estimate.ts';
import { completeParameters } from '../../workers/segmentation/parameters.ts';

const STACK: Shape3 = [256, 512, 512];
const STORAGE = { channels: 1, bytesPerSample: 2 };
const of = (mode: SegmentationMode) => completeParameters({ mode }, 1);

test('an estimate counts tiles and bytes of each mode', () => {
  const whole = { tile: 256 };
  const plane = estimateRun([1, 512, 512], of('2d'), STORAGE, whole);
  assert.equal(plane.tiles, 9);
  assert.equal(estimateRun(STACK, of('stitch'), STORAGE, whole).tiles, 256 * 9);
  const flows = estimateRun(STACK, of('3d'), STORAGE, whole);
  // YX planes of 3 × 3 tiles; 256 + 16 pixels of z make two tiles beside the three of y or x.
  assert.equal(flows.tiles, 256 * 9 + 2 * 512 * 6);
  assert.ok(flows.peakBytes > estimateRun(STACK, of('stitch'), STORAGE).peakBytes);
  // Twice the diameter is half the scale: a quarter of the pixels.
  const coarse = estimateRun(STACK, completeParameters({ mode: 'stitch', diameter: 60 }, 1), STORAGE, whole);
  assert.ok(coarse.tiles <= 256 * 4);
});

test('a run that does not fit is refused with what would', () => {
  const refused = (shape: Shape3, mode: SegmentationMode, budget: number, words: RegExp) =>
    assert.throws(
      () => refuseOversized(shape, of(mode), STORAGE, budget),
      (error) => error instanceof CytoError && error.kind === 'too-large' && words.test(error.message),
    );
  refuseOversized(STACK, of('3d'), STORAGE, 4 * 2 ** 30);
  const { peakBytes } = estimateRun(STACK, of('stitch'), STORAGE);
  refused(STACK, '3d', peakBytes, /stitch planes .* box of at most \d+ of its 256 planes .* coarser scale/);
  refused(STACK, 'stitch', peakBytes / 2, /^(?!.*stitch planes).*box of at most 1\d\d of its 256 planes/);
  refused([1, 200_000, 200_000], '2d', 2 ** 50, /smaller box/);
});
