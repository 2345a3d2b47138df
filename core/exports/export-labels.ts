import type { ChannelSamples } from '../measure/columns.ts';
import { type Measurements, measureLabels } from '../measure/measurements.ts';
import type { Calibration, Shape3, Volume } from '../volume.ts';
import { cellposeSeg } from './cellpose-seg.ts';
import { labelGeoJson } from './geojson.ts';
import { labelRoiZip } from './imagej-rois.ts';
import { labelTiff } from './label-tiff.ts';
import { labelOmeTiff } from './ome-tiff.ts';
import { omeZarrZip } from './ome-zarr.ts';
import { tableCsv } from './table-csv.ts';

export const EXPORT_FORMATS = [
  'tiff',
  'ome-tiff',
  'ome-zarr-0.4',
  'ome-zarr-0.5',
  'imagej-rois',
  'geojson',
  'csv',
  'cellpose-seg',
] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Where an export comes from: source, model, parameters, version, number of edits. */
export type Provenance = Record<string, string | number>;

export interface LabelExport {
  /** Uint32 of `shape` [z, y, x]. */
  labels: Uint32Array;
  shape: Shape3;
  calibration: Calibration;
  /** Name of the label layer. */
  layerName: string;
  /** File name of the image. */
  sourceName: string;
  seed: number;
  provenance: Provenance;
  /** Images of the same shape, whose samples are measured (CSV, GeoJSON, OME-Zarr). */
  channels: readonly ChannelSamples[];
  /** Columns that came with the labels. */
  supplied: ReadonlyArray<{ key: string; values: ReadonlyMap<number, number> }>;
  /** Written beside the labels into OME-Zarr, if it has their size. */
  image?: Volume | undefined;
  t: number;
  /** Cell diameter of the run in pixels, if one was given. */
  diameter?: number | undefined;
}

/** A file to be saved. */
export interface ExportedFile {
  name: string;
  /** Media type. */
  type: string;
  bytes: Uint8Array;
}

/** Ending and media type of each format. */
export const EXPORT_FILES: Record<ExportFormat, { suffix: string; type: string }> = {
  tiff: { suffix: '_labels.tif', type: 'image/tiff' },
  'ome-tiff': { suffix: '_labels.ome.tif', type: 'image/tiff' },
  'ome-zarr-0.4': { suffix: '_labels.ome.zarr.zip', type: 'application/zip' },
  'ome-zarr-0.5': { suffix: '_labels.ome.zarr.zip', type: 'application/zip' },
  'imagej-rois': { suffix: '_rois.zip', type: 'application/zip' },
  geojson: { suffix: '_labels.geojson', type: 'application/geo+json' },
  csv: { suffix: '_labels.csv', type: 'text/csv' },
  'cellpose-seg': { suffix: '_seg.npy', type: 'application/octet-stream' },
};

/** Name of an exported file beside its image: without the image's endings. */
export function exportName(sourceName: string, format: ExportFormat): string {
  return `${sourceName.replace(/(\.ome)?\.[a-z0-9]{2,5}$/i, '')}${EXPORT_FILES[format].suffix}`;
}

export function measurementsOf({
  labels,
  shape,
  calibration,
  channels,
  supplied,
}: LabelExport): Measurements {
  return measureLabels({ labels, shape, calibration, channels, supplied });
}

/**
 * Labels as a file of a format, with their provenance in it.
 * @throws CytoError `too-large` where the format has no room, `bad-input` for ROIs of no label
 */
export function exportLabels(format: ExportFormat, request: LabelExport): ExportedFile {
  const { labels, shape, calibration, provenance, seed } = request;
  const bytes = (): Uint8Array => {
    switch (format) {
      case 'tiff':
        return labelTiff(labels, shape, calibration, provenance);
      case 'ome-tiff':
        return labelOmeTiff(labels, shape, calibration, { name: request.layerName, provenance });
      case 'ome-zarr-0.4':
      case 'ome-zarr-0.5':
        return omeZarrZip(zarrRequest(format, request));
      case 'imagej-rois':
        return labelRoiZip(labels, shape, provenance, seed);
      case 'geojson':
        return new TextEncoder().encode(
          labelGeoJson(labels, shape, { seed, measurements: measurementsOf(request), provenance }),
        );
      case 'csv':
        return new TextEncoder().encode(tableCsv(measurementsOf(request), { provenance }));
      case 'cellpose-seg':
        return cellposeSeg(labels, shape, {
          fileName: request.sourceName,
          diameter: request.diameter,
          seed,
          provenance,
        });
    }
  };
  return { name: exportName(request.sourceName, format), type: EXPORT_FILES[format].type, bytes: bytes() };
}

/** What the OME-Zarr writer needs; the image only if it has the size of the labels. */
export function zarrRequest(format: 'ome-zarr-0.4' | 'ome-zarr-0.5', request: LabelExport) {
  const { labels, shape, calibration, layerName, seed, image, t, provenance } = request;
  const fits = image && shape.every((length, axis) => length === image.shape[axis + 2]);
  return {
    version: format === 'ome-zarr-0.4' ? ('0.4' as const) : ('0.5' as const),
    labels,
    shape,
    calibration,
    name: layerName,
    seed,
    measurements: measurementsOf(request),
    image: fits ? image : undefined,
    t: fits ? Math.min(t, image.shape[0] - 1) : 0,
    provenance,
  };
}
