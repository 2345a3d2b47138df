import { gzipSync, type Zippable, zipSync, zlibSync } from 'fflate';
import { CytoError } from '../errors.ts';
import { labelColor } from '../label-colors.ts';
import { labelStatistics } from '../label-volume.ts';
import { type Measurements, rowOf } from '../measure/measurements.ts';
import {
  allocate,
  type Calibration,
  channelView,
  type DType,
  type Shape3,
  type Volume,
  type VolumeData,
} from '../volume.ts';
import { largestLabel } from './label-tiff.ts';

/** 0.4 lies on Zarr 2, 0.5 on Zarr 3. */
export type OmeZarrVersion = '0.4' | '0.5';

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

/** A file of a folder: its path with `/` and its bytes. */
export type FolderFile = readonly [path: string, bytes: Uint8Array];

const CHUNK: Shape3 = [32, 256, 256];
/** Halved until no side in the plane is longer. */
const SMALLEST_LEVEL = 256;

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

const V2_TYPES: Record<DType, string> = {
  uint8: '|u1',
  int8: '|i1',
  uint16: '<u2',
  int16: '<i2',
  uint32: '<u4',
  int32: '<i4',
  float32: '<f4',
  float64: '<f8',
};

type Json = Record<string, unknown>;

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

/** One resolution: samples of each channel. */
interface Level {
  channels: VolumeData[];
  dtype: DType;
  /** c, z, y, x */
  shape: readonly [number, number, number, number];
  /** Samples of the full resolution per sample, and where its first sample lies. */
  factor: number;
  offset: number;
}

type Shape4 = readonly [c: number, z: number, y: number, x: number];

function levelsOf(channels: VolumeData[], dtype: DType, shape: Shape4, how: 'mean' | 'pick'): Level[] {
  const levels: Level[] = [{ channels, dtype, shape, factor: 1, offset: 0 }];
  for (
    let last = levels[0];
    Math.max(last.shape[2], last.shape[3]) > SMALLEST_LEVEL;
    last = levels[levels.length - 1]
  ) {
    const [c, z, y, x] = last.shape;
    const half: Shape4 = [c, z, Math.max(1, y >> 1), Math.max(1, x >> 1)];
    levels.push({
      channels: last.channels.map((samples) => halved(samples, dtype, last.shape, half, how)),
      dtype,
      shape: half,
      factor: 2 * last.factor,
      offset: how === 'mean' ? last.offset + last.factor / 2 : 0,
    });
  }
  return levels;
}

function halved(
  from: VolumeData,
  dtype: DType,
  [, nz, ny, nx]: Shape4,
  [, , my, mx]: Shape4,
  how: 'mean' | 'pick',
): VolumeData {
  const out = allocate(dtype, nz * my * mx);
  const whole = !dtype.startsWith('float');
  const [dy, dx] = [ny > 1 ? nx : 0, nx > 1 ? 1 : 0];
  let at = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < my; y++) {
      let i = (z * ny + 2 * y) * nx;
      for (let x = 0; x < mx; x++, i += 2) {
        const mean =
          how === 'mean' ? (from[i] + from[i + dx] + from[i + dy] + from[i + dy + dx]) / 4 : from[i];
        out[at++] = whole ? Math.round(mean) : mean;
      }
    }
  }
  return out;
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

function jsonFile(path: string, value: Json): FolderFile {
  return [path, new TextEncoder().encode(JSON.stringify(value))];
}

function* group(path: string, version: OmeZarrVersion, attributes: Json): Generator<FolderFile> {
  if (version === '0.4') {
    yield jsonFile(`${path}.zgroup`, { zarr_format: 2 });
    yield jsonFile(`${path}.zattrs`, attributes);
    return;
  }
  const { cytopane, ...ome } = attributes;
  yield jsonFile(`${path}zarr.json`, {
    zarr_format: 3,
    node_type: 'group',
    attributes: { ome: { version, ...ome }, ...(cytopane ? { cytopane } : {}) },
  });
}

function* arrays(
  path: string,
  levels: Level[],
  version: OmeZarrVersion,
  axes: string[],
): Generator<FolderFile> {
  for (const [k, level] of levels.entries()) yield* array(`${path}${k}/`, level, version, axes);
}

function* array(
  path: string,
  { channels, dtype, shape }: Level,
  version: OmeZarrVersion,
  axes: string[],
): Generator<FolderFile> {
  const [, nz, ny, nx] = shape;
  const chunk: Shape3 = [Math.min(CHUNK[0], nz), Math.min(CHUNK[1], ny), Math.min(CHUNK[2], nx)];
  const shown = (full: readonly number[]) => axes.map((axis) => full[['c', 'z', 'y', 'x'].indexOf(axis)]);
  const [lengths, chunks] = [shown(shape), shown([1, ...chunk])];
  if (version === '0.4') {
    yield jsonFile(`${path}.zarray`, {
      zarr_format: 2,
      shape: lengths,
      chunks,
      dtype: V2_TYPES[dtype],
      compressor: { id: 'zlib', level: 3 },
      fill_value: 0,
      order: 'C',
      filters: null,
      dimension_separator: '/',
    });
  } else {
    yield jsonFile(`${path}zarr.json`, {
      zarr_format: 3,
      node_type: 'array',
      shape: lengths,
      data_type: dtype,
      chunk_grid: { name: 'regular', configuration: { chunk_shape: chunks } },
      chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
      fill_value: 0,
      codecs: [
        { name: 'bytes', configuration: { endian: 'little' } },
        { name: 'gzip', configuration: { level: 3 } },
      ],
      attributes: {},
      dimension_names: axes,
    });
  }
  for (let c = 0; c < channels.length; c++) {
    for (let cz = 0; cz * chunk[0] < nz; cz++) {
      for (let cy = 0; cy * chunk[1] < ny; cy++) {
        for (let cx = 0; cx * chunk[2] < nx; cx++) {
          const bytes = chunkBytes(channels[c], dtype, shape, chunk, [cz, cy, cx]);
          // A chunk that is not there is full of the fill value.
          if (!bytes) continue;
          const place = shown([c, cz, cy, cx]).join('/');
          yield version === '0.4'
            ? [`${path}${place}`, zlibSync(bytes, { level: 3 })]
            : [`${path}c/${place}`, gzipSync(bytes, { level: 3, mtime: 0 })];
        }
      }
    }
  }
}

/** Samples of a chunk, filled up with 0 beyond the array; undefined if all are 0. */
function chunkBytes(
  samples: VolumeData,
  dtype: DType,
  [, nz, ny, nx]: Shape4,
  chunk: Shape3,
  at: Shape3,
): Uint8Array | undefined {
  const out = allocate(dtype, chunk[0] * chunk[1] * chunk[2]);
  const [z0, y0, x0] = at.map((index, axis) => index * chunk[axis]);
  const width = Math.min(chunk[2], nx - x0);
  for (let z = z0; z < Math.min(nz, z0 + chunk[0]); z++) {
    for (let y = y0; y < Math.min(ny, y0 + chunk[1]); y++) {
      const row = (z * ny + y) * nx + x0;
      out.set(samples.subarray(row, row + width), ((z - z0) * chunk[1] + y - y0) * chunk[2]);
    }
  }
  return out.some((value) => value !== 0) ? new Uint8Array(out.buffer) : undefined;
}
