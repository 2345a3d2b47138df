import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labelCsv } from '../../../core/exports/label-csv.ts';
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

describe('label CSV', () => {
  it('gives sizes and centroids in pixels and physical units', () => {
    // Two voxels of label 5 in neighbouring planes, four pixels of label 70,000 in the second.
    const labels = new Uint32Array(2 * 3 * 4);
    labels[0] = 5;
    labels[12] = 5;
    for (const i of [17, 18, 21, 22]) labels[i] = 70_000;
    const [comment, header, first, second, end] = labelCsv(labels, [2, 3, 4], calibration, {
      model: 'test',
    }).split('\n');
    assert.equal(comment, '# model: test');
    const row = (line: string) =>
      Object.fromEntries(header.split(',').map((name, k) => [name, Number(line.split(',')[k])]));
    assert.deepEqual(row(first), {
      label: 5,
      voxels: 2,
      volume_µm3: 2.24,
      centroid_z_px: 0.5,
      centroid_y_px: 0,
      centroid_x_px: 0,
      centroid_z_µm: 0.875,
      centroid_y_µm: 0,
      centroid_x_µm: 0,
      box_z0: 0,
      box_y0: 0,
      box_x0: 0,
      box_z1: 2,
      box_y1: 1,
      box_x1: 1,
    });
    assert.equal(row(second).label, 70_000);
    assert.equal(row(second).volume_µm3, 4.48);
    assert.equal(row(second).centroid_x_µm, 1.2);
    assert.equal(end, '');
  });

  it('gives areas for a plane', () => {
    const csv = labelCsv(Uint32Array.of(1, 1, 0, 2), [1, 2, 2], calibration);
    assert.match(csv, /^label,pixels,area_µm2,centroid_y_px,centroid_x_px,/);
    assert.match(csv, /\n1,2,1.28,0,0.5,0,0.4,/);
  });
});
