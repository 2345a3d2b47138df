import { LabelVolume, MANUAL } from '../../../core/label-volume.ts';
import { type LabelsLayer, labelsLayer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import type { Volume } from '../../../core/volume.ts';

/** Adds a layer without labels of an image's size on top, to be painted on. */
export function addEmptyLabels(model: ViewerModel, image: Volume, name: string): LabelsLayer {
  let id = 'cells';
  for (let k = 2; model.get(id); k++) id = `cells-${k}`;
  const [, , z, y, x] = image.shape;
  const labels = new LabelVolume([z, y, x], image.calibration);
  labels.origin.method = MANUAL;
  const layer = labelsLayer(id, labels, { name, editable: true });
  model.add(layer, { source: 'user' });
  return layer;
}
