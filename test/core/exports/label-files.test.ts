import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labelTiff } from '../../../core/exports/label-tiff.ts';
import type { Calibration, Shape3 } from '../../../core/volume.ts';
import { openImage } from '../../../workers/io/open.ts';

const calibration: Calibration = { spacing: [1.75, 0.8, 0.8], unit: 'µm', calibrated: true };

async function reopened(labels: Uint32Array, shape: Shape3, of = calibration) {
  const bytes = labelTiff(labels, shape, of, { model: 'µ-test', note: 'two\nlines' });
  const name = 'labels.tif';
  const source = await openImage({ name, path: name, blob: new Blob([bytes as Uint8Array<ArrayBuffer>]) });
  return source.readVolume();
}

describe('label TIFF', () => {
  it('comes back with the same labels and scale, as 16 bits where they suffice', async () => {
    const labels = Uint32Array.from({ length: 3 * 40 * 50 }, (_, i) => (i % 7 === 0 ? i % 65_536 : 0));
    const volume = await reopened(labels, [3, 40, 50]);
    assert.equal(volume.dtype, 'uint16');
    assert.deepEqual(volume.shape, [1, 1, 3, 40, 50]);
    assert.deepEqual(Uint32Array.from(volume.data), labels);
    assert.equal(volume.calibration.unit, 'µm');
    volume.calibration.spacing.forEach((step, axis) => {
      assert.ok(Math.abs(step - calibration.spacing[axis]) < 1e-5);
    });
  });

  it('keeps labels beyond 65,535 as 32 bits', async () => {
    const labels = Uint32Array.of(0, 65_536, 4_294_967_294, 1);
    const volume = await reopened(labels, [1, 2, 2]);
    assert.equal(volume.dtype, 'uint32');
    assert.deepEqual(volume.data, labels);
  });
});
