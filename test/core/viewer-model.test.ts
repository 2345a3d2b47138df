import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CytoError } from '../../core/errors.ts';
import { LabelVolume } from '../../core/label-volume.ts';
import { imageLayer, labelsLayer } from '../../core/layer.ts';
import { parseViewerState, ViewerModel } from '../../core/viewer-model.ts';
import { createVolume } from '../../core/volume.ts';

function stack(): ViewerModel {
  const model = new ViewerModel();
  const calibration = { spacing: [2, 0.5, 0.5] as const, unit: 'µm', calibrated: true };
  const volume = createVolume({ data: new Uint16Array(5 * 6 * 7), shape: [5, 6, 7], calibration });
  model.add(imageLayer('image', volume));
  model.add(labelsLayer('cells', new LabelVolume([5, 6, 7], calibration)));
  return model;
}

describe('ViewerModel', () => {
  it('takes its grid from the first image and puts the cursor in the middle', () => {
    const { dims, cursor } = stack();
    assert.deepEqual(dims, { sizeT: 1, shape: [5, 6, 7], spacing: [2, 0.5, 0.5], unit: 'µm' });
    assert.deepEqual(cursor, { t: 0, z: 2, y: 2, x: 3 });
  });

  it('clips the cursor to the grid and announces only real changes', () => {
    const model = stack();
    const seen: unknown[] = [];
    model.on('cursor-change', ({ cursor }) => seen.push(cursor));
    model.setCursor({ z: 99, x: -4 });
    model.setCursor({ z: 4 });
    assert.deepEqual(seen, [{ t: 0, z: 4, y: 2, x: 0 }]);
  });

  it('announces a setting once, with its source, and stays silent when nothing differs', () => {
    const model = stack();
    const seen: unknown[] = [];
    model.on('layer-change', ({ layer, changes, source }) => seen.push([layer.id, changes, source]));
    model.update('image', { colormap: 'green', opacity: 1 }, 'user');
    model.update('image', { colormap: 'green' });
    assert.deepEqual(seen, [['image', { colormap: 'green' }, 'user']]);
  });

  it('keeps slab and crop within the scene, saves them and forgets the crop with the scene', () => {
    const model = stack();
    model.setView({ slab: 3, projection: 'mean', crop: [-2, 1, 2, 4, 99, 3] });
    assert.deepEqual(model.view, { slab: 3, projection: 'mean', crop: [0, 1, 2, 4, 6, 3] });
    const other = stack();
    other.restore(JSON.parse(JSON.stringify(model.toJSON())));
    assert.deepEqual(other.view, model.view);
    model.setView({ crop: [0, 0, 0, 5, 6, 7] });
    assert.equal(model.view.crop, undefined);
    assert.throws(() => model.setView({ projection: 'sum' as never }), CytoError);
    for (const view of [null, { slab: 0, projection: 'max' }, { slab: 1, projection: 'max', crop: [1] }]) {
      assert.throws(() => other.restore({ ...other.toJSON(), view }), CytoError);
    }
    other.remove('image');
    other.remove('cells');
    assert.equal(other.view.crop, undefined);
  });

  it('lets further selected labels go when another one is selected', () => {
    const model = stack();
    model.update('cells', { selected: 1, alsoSelected: [2, 3] });
    assert.deepEqual(model.labels[0].alsoSelected, [2, 3]);
    model.update('cells', { selected: 2 });
    assert.deepEqual(model.labels[0].alsoSelected, []);
  });

  it('refuses a second layer of the same id', () => {
    const model = stack();
    assert.throws(
      () => model.add(labelsLayer('cells', new LabelVolume([1, 1, 1], model.labels[0].labels.calibration))),
      (error) => error instanceof CytoError && error.kind === 'bad-input',
    );
  });

  it('restores the state it saved', () => {
    const model = stack();
    model.setLayout('ortho');
    model.setCursor({ z: 1 });
    model.update('cells', { contour: 2, seed: 7 });
    model.update('image', { contrast: [10, 900], gamma: 0.7, clipped: 2, isoLevel: 0.3 });
    model.update('image', {
      blending: 'minimum',
      interpolation: 'linear',
      rendering: 'iso',
      colormap: 'cividis',
    });
    model.update('cells', { selected: 3, alsoSelected: [4, 5], onlySelected: true });
    const saved = JSON.parse(JSON.stringify(model.toJSON()));
    const other = stack();
    other.restore(saved);
    assert.deepEqual(other.labels[0].alsoSelected, []);
    assert.deepEqual(JSON.parse(JSON.stringify(other.toJSON())), saved);
  });

  it('refuses hostile state and changes nothing', () => {
    const model = stack();
    const before = JSON.stringify(model.toJSON());
    const good = JSON.parse(before);
    const bad = [
      null,
      [],
      { ...good, version: 2 },
      { ...good, layout: '__proto__' },
      { ...good, cursor: { t: 0, z: Number.NaN, y: 0, x: 0 } },
      { ...good, layers: [{ id: 'image', kind: 'image', settings: { volume: 1 } }] },
      { ...good, layers: [{ id: 'image', kind: 'image', settings: { constructor: 1 } }] },
      { ...good, layers: [{ id: 'image', kind: 'image', settings: { opacity: 7 } }] },
      { ...good, layers: [{ id: 'image', kind: 'image', settings: { interpolation: 'cubic' } }] },
      { ...good, layers: [{ id: 'image', kind: 'image', settings: { isoLevel: 2 } }] },
    ];
    for (const state of bad) {
      assert.throws(
        () => model.restore(state),
        (error) => error instanceof CytoError && error.kind === 'bad-input',
      );
      assert.equal(JSON.stringify(model.toJSON()), before);
    }
    assert.doesNotThrow(() => parseViewerState(good));
  });
});
