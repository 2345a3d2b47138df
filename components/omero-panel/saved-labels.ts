import type { ExportedFile, ExportFormat } from '../../core/exports/export-labels.ts';
import { LabelVolume } from '../../core/label-volume.ts';
import { type LabelsLayer, labelsLayer } from '../../core/layer.ts';
import type { OmeroConnection } from '../../core/omero/connection.ts';
import type { OmeroImage } from '../../core/omero/image-details.ts';
import { listRois, roiLabels } from '../../core/omero/rois.ts';
import { OmeroSaving } from '../../core/omero/save.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import { ExportClient } from '../../workers/exports/client.ts';
import { labelExport } from '../export-menu/label-export.ts';

/** Formats of attached files. */
export const ATTACHED = ['tiff', 'ome-zarr-0.4', 'geojson'] as const satisfies readonly ExportFormat[];
export type Attached = (typeof ATTACHED)[number];

/** A save of a label layer, ready to run. @throws CytoError as the exports do */
export async function savingOf(
  connection: OmeroConnection,
  image: OmeroImage,
  model: ViewerModel,
  layer: LabelsLayer,
  { rois, formats, ...options }: TaskOptions & { rois: boolean; formats: readonly Attached[] },
): Promise<OmeroSaving> {
  const request = labelExport(model, layer);
  const client = new ExportClient();
  const files: ExportedFile[] = [];
  try {
    // The image itself is in OMERO already.
    for (const format of formats)
      files.push(await client.export(format, { ...request, image: undefined }, options));
  } finally {
    client.dispose();
  }
  const { labels, shape, provenance, t, seed } = request;
  const copy = { imageId: image.id, labels: labels.slice(), shape, provenance, t, seed };
  return new OmeroSaving(connection, { ...copy, rois, files });
}

/**
 * ROIs of an image as a layer over it.
 * @param ids only these; absent: all
 * @returns the layer, undefined where there are no areas; and how many shapes had none
 */
export async function roisLayer(
  connection: OmeroConnection,
  image: OmeroImage,
  model: ViewerModel,
  { ids, name, ...options }: TaskOptions & { ids?: readonly number[]; name: string },
): Promise<{ layer: LabelsLayer | undefined; skipped: number }> {
  const wanted = ids && new Set(ids);
  const rois = (await listRois(connection, image.id, options)).filter(({ id }) => wanted?.has(id) ?? true);
  const [, , nz, ny, nx] = image.shape;
  const shape = [nz, ny, nx] as const;
  const { labels, objects, skipped } = await roiLabels(rois, shape, model.cursor.t, connection, options);
  if (objects === 0) return { layer: undefined, skipped };
  const volume = new LabelVolume(shape, image.calibration, labels);
  volume.origin.opened = `OMERO image ${image.id}`;
  let id = 'rois';
  for (let k = 2; model.get(id); k++) id = `rois-${k}`;
  return { layer: labelsLayer(id, volume, { name, editable: true }), skipped };
}
