import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labelVolumeOf } from '../../components/labels/label-samples.ts';
import { layersOfVolume } from '../../components/viewer/layers-of-volume.ts';
import { pickAt } from '../../components/viewer/pick.ts';
import { fittingLevel } from '../../components/viewer/read-image.ts';
import type { CytoError } from '../../core/errors.ts';
import { labelsLayer } from '../../core/layer.ts';
import { ViewerModel } from '../../core/viewer-model.ts';
import { createVolume, type Shape5 } from '../../core/volume.ts';

const calibration = { spacing: [2, 0.5, 0.5] as const, unit: 'µm', calibrated: true };
const data = Uint16Array.from({ length: 2 * 3 * 4 * 5 }, (_, i) => i);

describe('layers of an image', () => {
  it('one grey layer for one channel, added colours for several', () => {
    const one = layersOfVolume(createVolume({ data, shape: [6, 4, 5], name: 'a' }), 'i');
    assert.deepEqual(
      one.map(({ id, colormap, blending, name }) => [id, colormap, blending, name]),
      [['i', 'gray', 'translucent', 'a']],
    );
    const two = layersOfVolume(createVolume({ data, shape: [2, 3, 4, 5], name: 'a' }), 'i');
    assert.deepEqual(
      two.map(({ id, colormap, blending, channel }) => [id, colormap, blending, channel]),
      [
        ['i', 'green', 'additive', 0],
        ['i-channel-1', 'magenta', 'additive', 1],
      ],
    );
  });

  it('with the colours and windows that the file states', () => {
    const channels = [
      { name: 'DAPI', color: '#0000ff', window: [10, 90] as const },
      { name: 'GFP', color: '#00ff00' },
    ];
    const layers = layersOfVolume(createVolume({ data, shape: [2, 3, 4, 5], channels, name: 'a' }), 'i');
    assert.deepEqual(
      layers.map(({ colormap, contrast, name }) => [colormap, contrast, name]),
      [
        ['blue', [10, 90], 'a · DAPI'],
        ['green', 'auto', 'a · GFP'],
      ],
    );
    const [only] = layersOfVolume(createVolume({ data, shape: [2, 3, 4, 5], channels }), 'i', { channel: 1 });
    assert.deepEqual([only.channel, only.blending], [1, 'translucent']);
  });

  it('one layer for RGB', () => {
    const volume = createVolume({ data: new Uint8Array(60), shape: [3, 1, 4, 5], rgb: true });
    assert.equal(layersOfVolume(volume, 'i').length, 1);
  });
});

describe('picking', () => {
  const model = new ViewerModel();
  const [image] = layersOfVolume(createVolume({ data, shape: [6, 4, 5], calibration }), 'i');
  model.add(image);
  const labels = labelVolumeOf(
    { data: new Uint8Array(120), shape: [6, 4, 5] },
    { shape: [6, 4, 5], calibration },
  );
  labels.data[(1 * 4 + 2) * 5 + 3] = 42;
  model.add(labelsLayer('l', labels));

  it('tells voxel, position, values and label', () => {
    assert.deepEqual(pickAt(model, [3, 1.25, 1.75]), {
      voxel: [1, 2, 3],
      world: [2, 1, 1.5],
      values: [
        { layerId: 'i', value: 33 },
        { layerId: 'l', value: 42 },
      ],
      label: { layerId: 'l', id: 42 },
    });
  });

  it('finds nothing outside, and nothing of hidden layers', () => {
    assert.equal(pickAt(model, [12.1, 0, 0]), undefined);
    assert.equal(pickAt(model, [0, -0.1, 0]), undefined);
    model.update('l', { visible: false });
    assert.deepEqual(pickAt(model, [3, 1.25, 1.75])?.values, [{ layerId: 'i', value: 33 }]);
  });
});

describe('labels from samples', () => {
  it('take the calibration of an image of their size', () => {
    const scene = { shape: [1, 2, 2] as const, calibration };
    assert.equal(labelVolumeOf({ data: new Uint16Array(4), shape: [2, 2] }, scene).calibration, calibration);
    assert.equal(labelVolumeOf({ data: new Uint16Array(6), shape: [2, 3] }, scene).calibration.unit, 'px');
  });

  it('refuse what is no label', () => {
    for (const value of [-1, 0.5, Number.NaN, 2 ** 32]) {
      assert.throws(
        () => labelVolumeOf({ data: Float64Array.of(1, value), shape: [1, 2] }),
        (error: CytoError) => error.kind === 'bad-input' && error.message.includes(String(value)),
      );
    }
    assert.throws(() => labelVolumeOf({ data: new Uint8Array(4), shape: [4] }), /shape/);
  });
});

describe('choice of a resolution level', () => {
  const level = (y: number, x: number) => ({
    shape: [1, 1, 1, y, x] as Shape5,
    calibration,
    chunk: [1, 256, 256] as const,
  });
  const source = { name: 'slide', dtype: 'uint16' as const, levels: [level(4000, 4000), level(1000, 1000)] };

  it('is the finest that fits', () => {
    assert.equal(fittingLevel(source, 64e6), 0);
    assert.equal(fittingLevel(source, 10e6), 1);
  });

  it('says so when none does', () => {
    assert.throws(
      () => fittingLevel(source, 1e6),
      (error: CytoError) => error.kind === 'too-large',
    );
  });
});
