import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { LabelHistory } from '../../../core/edit/label-history.ts';
import { CytoError } from '../../../core/errors.ts';
import { LabelVolume } from '../../../core/label-volume.ts';
import { imageLayer, labelsLayer } from '../../../core/layer.ts';
import { projectEntries, readProject, unzipProject, zipProject } from '../../../core/project/project-file.ts';
import { ViewerModel } from '../../../core/viewer-model.ts';
import { createVolume } from '../../../core/volume.ts';

const calibration = { spacing: [2, 0.5, 0.5] as const, unit: 'µm', calibrated: true };

/** Two channels of one image and labels with three edits, the last of them undone. */
function scene(): ViewerModel {
  const model = new ViewerModel();
  const volume = createVolume({
    data: Float32Array.from({ length: 2 * 3 * 4 * 5 }, (_, i) => i / 7),
    shape: [1, 2, 3, 4, 5],
    name: 'embryo.tif',
    calibration,
    channels: [{ name: 'DNA', color: '#0000ff' }, { name: 'actin' }],
    notes: ['a note'],
  });
  model.add(imageLayer('image-1', volume, { colormap: 'blue', contrast: [1, 9], gamma: 0.7 }));
  model.add(imageLayer('image-1-channel-1', volume, { channel: 1, blending: 'additive', visible: false }));
  const labels = new LabelVolume([3, 4, 5], calibration);
  labels.origin.model = 'cyto-s1';
  labels.supplied.set('flow_error', new Map([[1, 0.25]]));
  model.add(labelsLayer('cells', labels, { name: 'Cells', contour: 2, selected: 7 }));
  const history = LabelHistory.of(labels);
  for (const id of [1, 7, 9])
    history.run(`paint ${id}`, (edit) => edit.set(0, Math.floor(id / 5), id % 5, id));
  history.undo();
  model.setLayout('ortho');
  model.setCursor({ z: 2, y: 1, x: 4 });
  return model;
}

const writeProject = (...scene: Parameters<typeof projectEntries>) => zipProject(projectEntries(...scene));

function reopened(bytes: Uint8Array) {
  const project = readProject(unzipProject(bytes));
  const model = new ViewerModel();
  for (const layer of project.layers) model.add(layer);
  model.restore(project.state);
  return { model, project };
}

describe('project file', () => {
  it('reopens the same: samples, layers, view, settings, edits that can be undone and redone', () => {
    const before = scene();
    const bytes = writeProject(before, { segmenter: { diameter: 21 } }, { source: 'embryo.tif' });
    const { model, project } = reopened(bytes);
    assert.deepEqual(model.toJSON(), before.toJSON());
    assert.deepEqual(model.dims, before.dims);
    assert.deepEqual(model.images[0].volume, before.images[0].volume);
    assert.equal(model.images[0].volume, model.images[1].volume);
    assert.deepEqual(project.controls, { segmenter: { diameter: 21 } });
    assert.equal(project.provenance.source, 'embryo.tif');
    const [then, now] = [before.labels[0].labels, model.labels[0].labels];
    assert.deepEqual(now.data, then.data);
    assert.deepEqual(now.origin, then.origin);
    assert.deepEqual(now.supplied, then.supplied);
    const history = LabelHistory.of(now);
    assert.deepEqual(
      history.steps.map(({ name }) => name),
      ['paint 1', 'paint 7', 'paint 9'],
    );
    history.redo();
    assert.equal(now.data[9], 9);
    while (history.canUndo) history.undo();
    assert.ok(now.data.every((label) => label === 0));
  });

  it('is the same file for the same scene', () => {
    assert.deepEqual(writeProject(scene()), writeProject(scene()));
    const again = reopened(writeProject(scene())).model;
    assert.deepEqual(writeProject(again), writeProject(scene()));
  });

  it('names what is wrong with a damaged one', () => {
    const refused = (bytes: Uint8Array, kind: string, words: RegExp) =>
      assert.throws(
        () => readProject(unzipProject(bytes)),
        (error) => error instanceof CytoError && error.kind === kind && words.test(error.message),
      );
    const whole = writeProject(scene());
    refused(whole.subarray(0, whole.length / 2), 'corrupt-file', /damaged or incomplete/);
    const { 'image-0.raw': _, ...rest } = unzipSync(whole);
    refused(zipSync(rest), 'corrupt-file', /lacks "image-0.raw"/);
    refused(
      zipSync({ 'project.json': strToU8('{"format":"cytopane-project","version":2}') }),
      'unsupported',
      /later/,
    );
    refused(zipSync({ 'project.json': strToU8('{') }), 'corrupt-file', /damaged/);
    refused(zipSync({ 'other.txt': strToU8('') }), 'corrupt-file', /lacks "project.json"/);
  });
});
