import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { unzipSync } from 'fflate';
import { labelOmeTiff } from '../../../core/exports/ome-tiff.ts';
import { type OmeZarrVersion, omeZarrFiles, omeZarrZip } from '../../../core/exports/ome-zarr.ts';
import { measureLabels } from '../../../core/measure/measurements.ts';
import {
  anisotropyOf,
  type Calibration,
  type Shape3,
  statedAnisotropy,
  type Volume,
} from '../../../core/volume.ts';
import { openImage } from '../../../workers/io/open.ts';

const calibration: Calibration = { spacing: [1.75, 0.8, 0.8], unit: 'µm', calibrated: true };

async function demo(name: string): Promise<Volume> {
  const bytes = await readFile(new URL(`../../../demo/data/${name}`, import.meta.url));
  const source = await openImage({ name, path: name, blob: new Blob([bytes]) });
  return source.readVolume();
}

const open = (name: string, bytes: Uint8Array) =>
  openImage({ name, path: name, blob: new Blob([bytes as Uint8Array<ArrayBuffer>]) });

describe('OME-TIFF of labels', () => {
  for (const [title, shape, scale] of [
    ['a stack', [3, 40, 50], 1],
    ['a plane with labels beyond 16 bits', [1, 40, 50], 70_000],
  ] as const) {
    it(`${title} comes back with labels, physical sizes and provenance`, async () => {
      const labels = Uint32Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => (i % 7) * scale);
      const bytes = labelOmeTiff(labels, shape, calibration, {
        name: 'a & "b"',
        provenance: { model: 'µ <net>' },
      });
      const volume = await (await open('labels.ome.tif', bytes)).readVolume();
      assert.deepEqual(Uint32Array.from(volume.data), labels);
      assert.deepEqual(volume.shape, [1, 1, ...shape]);
      assert.equal(volume.calibration.unit, 'µm');
      assert.deepEqual(volume.calibration.spacing.slice(1), [0.8, 0.8]);
      if (shape[0] > 1) assert.equal(volume.calibration.spacing[0], 1.75);
      assert.match(new TextDecoder().decode(bytes), /<M K="model">µ &lt;net&gt;<\/M>/);
    });
  }
});

describe('a step along z that no file tells', () => {
  const labels = Uint32Array.from({ length: 3 * 8 * 8 }, (_, i) => i % 7);
  const read = async (of: Calibration) =>
    (await open('labels.ome.tif', labelOmeTiff(labels, [3, 8, 8], of, { name: 'cells' }))).readVolume();

  it('is not taken for stated, nor written as such', async () => {
    const stated = await read(calibration);
    assert.equal(stated.calibration.zAssumed, undefined);
    assert.ok(Math.abs(statedAnisotropy(stated)! - 1.75 / 0.8) < 1e-6);
    const assumed = await read({ ...calibration, spacing: [1, 0.8, 0.8], zAssumed: true });
    assert.deepEqual(assumed.calibration, {
      spacing: [1, 0.8, 0.8],
      unit: 'µm',
      calibrated: true,
      zAssumed: true,
    });
    assert.equal(statedAnisotropy(assumed), undefined);
    assert.equal(anisotropyOf(assumed), 1);
    const plane = { ...stated, shape: [1, 1, 1, 8, 8] } as const;
    assert.equal(statedAnisotropy(plane), undefined);
  });
});

describe('OME-Zarr of labels', () => {
  for (const version of ['0.4', '0.5'] as OmeZarrVersion[]) {
    it(`${version}: image and labels of a stack come back from the zip`, async () => {
      const [image, truth] = await Promise.all([demo('embryo-3d.tif'), demo('embryo-3d-labels.tif')]);
      const shape = truth.shape.slice(2) as unknown as Shape3;
      const labels = Uint32Array.from(truth.data);
      const zip = omeZarrZip({
        version,
        labels,
        shape,
        calibration,
        name: 'cells',
        image,
        measurements: measureLabels({ labels, shape, calibration }),
        provenance: { source: image.name },
      });
      const shown = await (await open('embryo.ome.zarr.zip', zip)).readVolume();
      assert.deepEqual(shown.data, image.data);
      assert.deepEqual(shown.calibration.spacing, calibration.spacing);
      const files = Object.entries(unzipSync(zip))
        .filter(([path]) => path.startsWith('labels/cells/'))
        .map(([path, bytes]) => ({
          name: path,
          path: path.replace('labels/cells', 'cells.zarr'),
          blob: new Blob([bytes as Uint8Array<ArrayBuffer>]),
        }));
      const back = await (await openImage(files)).readVolume();
      assert.deepEqual(Uint32Array.from(back.data), labels);
      assert.equal(back.dtype, 'uint16');
    });

    it(`${version}: a large plane has levels, colours and properties`, async () => {
      const shape: Shape3 = [1, 700, 1100];
      const labels = Uint32Array.from({ length: 700 * 1100 }, (_, i) =>
        i % 1100 > 500 && i < 300_000 ? 70_000 : 0,
      );
      const files = new Map(
        omeZarrFiles({
          version,
          labels,
          shape,
          calibration,
          name: 'my cells',
          measurements: measureLabels({ labels, shape, calibration }),
        }),
      );
      const json = (path: string) => JSON.parse(new TextDecoder().decode(files.get(path)));
      const attributes = version === '0.4' ? json('.zattrs') : json('zarr.json').attributes.ome;
      const [{ datasets, axes }] = attributes.multiscales;
      assert.deepEqual(
        axes.map(({ name, unit }: { name: string; unit: string }) => `${name} ${unit}`),
        ['y micrometer', 'x micrometer'],
      );
      assert.deepEqual(
        datasets.map(
          ({
            coordinateTransformations: [{ scale }],
          }: {
            coordinateTransformations: [{ scale: number[] }];
          }) => scale,
        ),
        [
          [0.8, 0.8],
          [1.6, 1.6],
          [3.2, 3.2],
          [6.4, 6.4],
        ],
      );
      const [{ area }] = attributes['image-label'].properties;
      assert.ok(Math.abs(area - labels.filter(Boolean).length * 0.64) < 1);
      assert.equal(attributes['image-label'].colors[0].rgba.length, 4);
      const source = await openImage(
        [...files].map(([path, bytes]) => ({
          name: path,
          path: `x.zarr/${path}`,
          blob: new Blob([bytes as Uint8Array<ArrayBuffer>]),
        })),
      );
      assert.equal(source.levels.length, 4);
      assert.deepEqual((await source.readVolume()).data, labels);
      const small = await source.readVolume(2);
      assert.deepEqual(small.shape.slice(3), [175, 275]);
      assert.equal(small.data[100 * 275 + 200], labels[400 * 1100 + 800]);
    });
  }
});
