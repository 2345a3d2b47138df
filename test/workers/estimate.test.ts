import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CytoError } from '../../core/errors.ts';
import type { SegmentationMode } from '../../core/segmentation-parameters.ts';
import { createVolume, type Shape3 } from '../../core/volume.ts';
import { volumeSource } from '../../core/volume-source.ts';
import { estimateRun, refuseOversized, streamedBytes } from '../../workers/segmentation/estimate.ts';
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
  refused(
    STACK,
    '3d',
    peakBytes,
    /stitch planes .* box of at most \d+ of its 256 planes, run it part by part .* coarser scale/,
  );
  refused(STACK, 'stitch', peakBytes / 2, /^(?!.*stitch planes).*box of at most 1\d\d of its 256 planes/);
  refused([1, 200_000, 200_000], '2d', 2 ** 50, /smaller box/);
});

test('a stack whose flows are on disk needs memory for its labels and a part of fixed size', () => {
  const bytes = (shape: Shape3) => streamedBytes(shape, of('3d'), STORAGE);
  for (const shape of [
    [256, 512, 512],
    [1024, 512, 512],
    [16, 8192, 8192],
  ] as const) {
    const voxels = shape[0] * shape[1] * shape[2];
    assert.ok(bytes(shape) >= 8 * voxels && bytes(shape) <= 9 * voxels + 513 * 2 ** 20, `${shape}`);
  }
  refuseOversized([400, 1000, 1000], of('3d'), STORAGE, 4 * 2 ** 30, true);
  assert.throws(() => refuseOversized([400, 1000, 1000], of('3d'), STORAGE, 4 * 2 ** 30), /part by part/);
});

test('an image in memory is read region by region', async () => {
  const shape = [2, 2, 3, 4, 5];
  const data = Uint16Array.from({ length: 240 }, (_, i) => i);
  const source = volumeSource(createVolume({ data, shape }));
  const { data: part, shape: lengths } = await source.read(
    { t: [1, 2], c: [0, 1], z: [1, 3], y: [2, 3], x: [1, 4] },
    0,
  );
  assert.deepEqual(lengths, [1, 1, 2, 1, 3]);
  const at = (z: number, x: number) => ((2 * 3 + z) * 4 + 2) * 5 + x;
  assert.deepEqual(
    [...part],
    [1, 2].flatMap((z) => [1, 2, 3].map((x) => at(z, x))),
  );
  const all = await source.read({}, 0);
  assert.deepEqual(all.data, data);
});
