import { type Zippable, zipSync } from 'fflate';
import { CytoError } from '../errors.ts';
import { labelColor } from '../label-colors.ts';
import { labelStatistics } from '../label-volume.ts';
import { type Measurements, rowOf } from '../measure/measurements.ts';
import {
  type Calibration,
  channelView,
  type DType,
  type Shape3,
  type Volume,
  type VolumeData,
} from '../volume.ts';
import { largestLabel } from './label-tiff.ts';
import { type Level, levelsOf } from './zarr-levels.ts';
import { arrays, type FolderFile, group, type Json, type OmeZarrVersion } from './zarr-store.ts';

export type { FolderFile, OmeZarrVersion };

export interface OmeZarrRequest {
  version: OmeZarrVersion;
  /** Uint32 of `shape` [z, y, x]. */
  labels: Uint32Array;
  shape: Shape3;
  calibration: Calibration;
  /** Name of the label image; also its folder. */
  name: string;
  seed?: number;
  /** Written as properties of the labels. */
  measurements?: Measurements | undefined;
  /** The image that the labels lie in, of the same size; without it the file holds the labels alone. */
  image?: Volume | undefined;
  /** Time point of the image. */
  t?: number;
  provenance?: Record<string, string | number>;
}

const UNITS: Record<string, string> = {
  µm: 'micrometer',
  um: 'micrometer',
  nm: 'nanometer',
  mm: 'millimeter',
  cm: 'centimeter',
  m: 'meter',
  Å: 'angstrom',
  pm: 'picometer',
};

/**
 * Labels (and their image) as the files of an OME-Zarr folder, multiscale, with colours and properties of the labels as
 * napari, vizarr and ome-zarr-py read them. With an image the labels are at `labels/NAME`, else at the root.
 */
export function* omeZarrFiles(request: OmeZarrRequest): Generator<FolderFile> {
  const { version, labels, shape, calibration, image, t = 0, provenance = {} } = request;
  const folder = request.name.replaceAll(/[^\p{L}\p{N}_.-]+/gu, '_') || 'labels';
  const wide = largestLabel(labels) > 0xffff;
  const dtype: DType = wide ? 'uint32' : 'uint16';
  const samples = wide ? labels : Uint16Array.from(labels);
  const path = image ? `labels/${folder}/` : '';
  const imageLabel = {
    version,
    ...colorsAndProperties(request),
    ...(image ? { source: { image: '../../' } } : {}),
  };
  if (image) {
    const levels = levelsOf(imageChannels(image, t), image.dtype, [image.shape[1], ...shape], 'mean');
    yield* group('', version, {
      multiscales: [multiscale(image.name, ['c', ...axesOf(shape)], levels, calibration, version)],
      omero: { channels: omeroChannels(image), rdefs: { model: image.shape[1] > 1 ? 'color' : 'greyscale' } },
      cytopane: provenance,
    });
    yield* arrays('', levels, version, ['c', ...axesOf(shape)]);
    yield* group('labels/', version, { labels: [folder] });
  }
  const levels = levelsOf([samples], dtype, [1, ...shape], 'pick');
  yield* group(path, version, {
    multiscales: [multiscale(request.name, axesOf(shape), levels, calibration, version)],
    'image-label': imageLabel,
    cytopane: provenance,
  });
  yield* arrays(path, levels, version, axesOf(shape));
}

/** The same as one zip file, whose entries are stored as they are. @throws CytoError `too-large` beyond 4 GiB */
export function omeZarrZip(request: OmeZarrRequest): Uint8Array {
  const files: Zippable = {};
  let size = 0;
  for (const [path, bytes] of omeZarrFiles(request)) {
    files[path] = bytes;
    size += bytes.length + 200;
  }
  if (size > 0xffff_ffff) {
    throw new CytoError('too-large', 'The OME-Zarr zip would exceed 4 GiB. Save it as a folder.');
  }
  return zipSync(files, { level: 0, mtime: new Date(1980, 0, 2) });
}

const axesOf = (shape: Shape3) => (shape[0] > 1 ? ['z', 'y', 'x'] : ['y', 'x']);

function imageChannels(image: Volume, t: number): VolumeData[] {
  return Array.from({ length: image.shape[1] }, (_, c) => channelView(image, t, c));
}

function colorsAndProperties({ labels, shape, seed = 0, measurements }: OmeZarrRequest): Json {
  const ids = labelStatistics(labels, shape).map(({ id }) => id);
  return {
    colors: ids.map((id) => ({ 'label-value': id, rgba: [...labelColor(id, seed), 255] })),
    properties: ids.map((id) => {
      const row = measurements ? rowOf(measurements, id) : -1;
      const values = (measurements?.columns ?? []).flatMap(({ key }): Array<[string, number]> => {
        const value = row < 0 ? Number.NaN : (measurements?.values[key][row] ?? Number.NaN);
        return Number.isFinite(value) ? [[key, Number(value.toPrecision(9))]] : [];
      });
      return { 'label-value': id, ...Object.fromEntries(values) };
    }),
  };
}

function omeroChannels({ channels, dtype, rgb, shape }: Volume): Json[] {
  const fallback = rgb
    ? ['FF0000', '00FF00', '0000FF']
    : shape[1] > 1
      ? ['00FF00', 'FF00FF', '00FFFF']
      : ['FFFFFF'];
  const max = { uint8: 255, int8: 127, uint16: 65_535, int16: 32_767 }[dtype as 'uint8'] ?? 1;
  return channels.map(({ name, color, window }, c) => ({
    label: name,
    color: color?.replace('#', '').toUpperCase() ?? fallback[c % fallback.length],
    active: true,
    ...(window ? { window: { start: window[0], end: window[1], min: 0, max } } : {}),
  }));
}

function multiscale(
  name: string,
  axes: string[],
  levels: Level[],
  calibration: Calibration,
  version: OmeZarrVersion,
): Json {
  const { spacing, unit } = calibration;
  const known = UNITS[unit];
  const stepOf = (axis: string) => (axis === 'c' ? 1 : spacing[['z', 'y', 'x'].indexOf(axis)]);
  const inPlane = (axis: string) => axis === 'y' || axis === 'x';
  return {
    ...(version === '0.4' ? { version } : {}),
    name,
    axes: axes.map((axis) =>
      axis === 'c'
        ? { name: 'c', type: 'channel' }
        : { name: axis, type: 'space', ...(known ? { unit: known } : {}) },
    ),
    datasets: levels.map(({ factor, offset }, k) => ({
      path: String(k),
      coordinateTransformations: [
        { type: 'scale', scale: axes.map((axis) => stepOf(axis) * (inPlane(axis) ? factor : 1)) },
        ...(offset > 0
          ? [
              {
                type: 'translation',
                translation: axes.map((axis) => (inPlane(axis) ? stepOf(axis) * offset : 0)),
              },
            ]
          : []),
      ],
    })),
  };
}
