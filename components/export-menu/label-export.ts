import { LabelHistory } from '../../core/edit/label-history.ts';
import type { LabelExport, Provenance } from '../../core/exports/export-labels.ts';
import type { LabelsLayer } from '../../core/layer.ts';
import { VERSION } from '../../core/version.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import { measurementInput } from '../label-table/measured-labels.ts';

/** Name of the image that a scene shows, or of the labels where there is none. */
export function sourceName(model: ViewerModel): string {
  return model.images.at(0)?.volume.name ?? model.labels.at(-1)?.name ?? 'image';
}

/** What is written into every file of a scene. @param layer the labels in it, if any */
export function provenanceOf(model: ViewerModel, layer?: LabelsLayer): Provenance {
  return {
    software: 'Cytopane',
    version: VERSION,
    source: sourceName(model),
    ...model.images.at(0)?.volume.provenance,
    ...(layer
      ? { layer: layer.name, ...layer.labels.origin, edits: LabelHistory.of(layer.labels).position }
      : {}),
    exported: new Date().toISOString(),
  };
}

/** All that the exports of a label layer need. */
export function labelExport(model: ViewerModel, layer: LabelsLayer): LabelExport {
  const { labels, shape, calibration, channels = [], supplied = [] } = measurementInput(model, layer);
  const image = model.images.at(0)?.volume;
  const parameters = layer.labels.origin.parameters;
  const diameter =
    typeof parameters === 'string' ? (JSON.parse(parameters) as { diameter?: number }).diameter : undefined;
  return {
    labels,
    shape,
    calibration: { ...layer.labels.calibration, ...calibration, calibrated: calibration.unit !== 'px' },
    layerName: layer.name,
    sourceName: sourceName(model),
    seed: layer.seed,
    provenance: provenanceOf(model, layer),
    channels,
    supplied,
    image,
    t: model.cursor.t,
    diameter,
  };
}
