import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelVolume } from '../../core/label-volume.ts';
import { imageLayer, type LabelsLayer, labelsLayer } from '../../core/layer.ts';
import { projectEntries, readProject, unzipProject, zipProject } from '../../core/project/project-file.ts';
import { ViewerModel } from '../../core/viewer-model.ts';
import { createVolume } from '../../core/volume.ts';

const calibration = { spacing: [1, 1, 1] as const, unit: 'px', calibrated: false };

/** An image of three time points, labels of each, and labels that belong to none. */
function scene(): ViewerModel {
  const model = new ViewerModel();
  const volume = createVolume({ data: new Uint8Array(3 * 12), shape: [3, 1, 1, 3, 4] });
  model.add(imageLayer('image', volume));
  for (const t of [0, 1, 2]) {
    const labels = new LabelVolume([1, 3, 4], calibration, new Uint32Array(12).fill(t + 1));
    model.add(labelsLayer(`cells-${t}`, labels, { t, series: 'cells' }));
  }
  model.add(labelsLayer('always', new LabelVolume([1, 3, 4], calibration)));
  return model;
}

const ids = (layers: readonly { id: string }[]) => layers.map(({ id }) => id);

test('labels of a time point are those of the model while it is looked at', () => {
  const model = scene();
  assert.deepEqual(ids(model.labels), ['cells-0', 'always']);
  model.setCursor({ t: 2 });
  assert.deepEqual(ids(model.labels), ['cells-2', 'always']);
  assert.deepEqual(ids(model.current), ['image', 'cells-2', 'always']);
  assert.deepEqual(ids(model.allLabels), ['cells-0', 'cells-1', 'cells-2', 'always']);
});

test('time points of one series look alike, but the pointer is over one', () => {
  const model = scene();
  const changed: string[] = [];
  model.on('layer-change', ({ layer }) => changed.push(layer.id));
  model.update('cells-1', { opacity: 0.3, contour: 2, selected: 5, hovered: 5 });
  assert.deepEqual(changed, ['cells-1', 'cells-0', 'cells-2']);
  const settings = (id: string) => {
    const { opacity, contour, selected, hovered } = model.get(id) as LabelsLayer;
    return [opacity, contour, selected, hovered];
  };
  assert.deepEqual(settings('cells-0'), [0.3, 2, 5, 0]);
  assert.deepEqual(settings('cells-1'), [0.3, 2, 5, 5]);
  assert.deepEqual(settings('always'), [0.6, 0, 0, 0]);
});

test('a project keeps the labels of every time point', () => {
  const before = scene();
  const project = readProject(unzipProject(zipProject(projectEntries(before, {}, {}))));
  const model = new ViewerModel();
  for (const layer of project.layers) model.add(layer);
  model.restore(project.state);
  assert.deepEqual(model.toJSON(), before.toJSON());
  assert.deepEqual(
    model.allLabels.map(({ t, series, labels }) => [t, series, labels.data[0]]),
    [
      [0, 'cells', 1],
      [1, 'cells', 2],
      [2, 'cells', 3],
      [undefined, undefined, 0],
    ],
  );
});
