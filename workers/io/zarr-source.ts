import type { DataType, Array as ZarrArray } from 'zarrita';
import { CytoError, isAbort, throwIfAborted } from '../../core/errors.ts';
import {
  completeRegion,
  type ImageLevel,
  type ImageSource,
  type Region,
  type RegionData,
  regionShape,
  wholeLevels,
} from '../../core/image-source.ts';
import type { TaskOptions } from '../../core/progress.ts';
import {
  allocate,
  type Calibration,
  type ChannelInfo,
  type DType,
  dtypeOf,
  type Shape5,
  sampleCount,
  type VolumeData,
} from '../../core/volume.ts';
import { checkFits } from './memory.ts';
import { unitSymbol } from './tiff/descriptions.ts';
import type { ZarrStore } from './zarr-store.ts';

type Json = Record<string, unknown>;
type Level = ZarrArray<DataType, ZarrStore>;
type Library = typeof import('zarrita');

const AXES = 'tczyx';
const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

const DTYPES: Partial<Record<string, DType>> = {
  uint8: 'uint8',
  int8: 'int8',
  uint16: 'uint16',
  int16: 'int16',
  uint32: 'uint32',
  int32: 'int32',
  float32: 'float32',
  float64: 'float64',
  bool: 'uint8',
};

interface Multiscale {
  paths: string[];
  axes: string[];
  scales: number[][];
  unit: string | undefined;
  timeUnit: string | undefined;
  name: string | undefined;
  omero: Json | undefined;
}

/** Metadata of a group, whichever zarr version; `ome` of 0.5 is unwrapped. */
async function attributesOf(library: Library, store: ZarrStore, path: string): Promise<Json | undefined> {
  try {
    const location = library.root(store).resolve(path);
    const group = await library.open(location, { kind: 'group' });
    const attributes = group.attrs as Json;
    return isRecord(attributes.ome) ? attributes.ome : attributes;
  } catch (error) {
    if (library.isZarritaError(error, 'NotFoundError')) return undefined;
    if (error instanceof CytoError) throw error;
    throw new CytoError(
      'corrupt-file',
      `The zarr metadata at "${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      { cause: error },
    );
  }
}

function parseMultiscale(attributes: Json): Multiscale | undefined {
  const multiscale = list(attributes.multiscales)[0];
  if (!isRecord(multiscale)) return undefined;
  const datasets = list(multiscale.datasets).filter(isRecord);
  const rawAxes = list(multiscale.axes);
  const axes = rawAxes.map((axis) => String(isRecord(axis) ? axis.name : axis).toLowerCase());
  const transforms = (owner: Json): Json[] => list(owner.coordinateTransformations).filter(isRecord);
  const scaleOf = (owner: Json): number[] | undefined => {
    const scale = transforms(owner).find(({ type }) => type === 'scale')?.scale;
    return Array.isArray(scale) ? scale.map(Number) : undefined;
  };
  const outer = scaleOf(multiscale);
  const unitOf = (wanted: string) => {
    const axis = rawAxes.find((entry) => isRecord(entry) && String(entry.name).toLowerCase() === wanted) as
      | Json
      | undefined;
    const unit = axis?.unit ?? axis?.units;
    return typeof unit === 'string' ? unit : undefined;
  };
  return {
    paths: datasets.map(({ path }) => String(path)),
    axes,
    scales: datasets.map((dataset) => {
      const scale = scaleOf(dataset) ?? [];
      return scale.map((value, k) => value * (outer?.[k] ?? 1));
    }),
    unit: unitOf('x') ?? unitOf('y'),
    timeUnit: unitOf('t'),
    name: typeof multiscale.name === 'string' ? multiscale.name : undefined,
    omero: isRecord(attributes.omero) ? attributes.omero : undefined,
  };
}

/** The first image of a hierarchy: itself, a bioformats2raw series, or the first field of a plate. */
async function findImage(
  library: Library,
  store: ZarrStore,
  path: string,
  depth = 0,
): Promise<{ path: string; multiscale: Multiscale; note?: string } | undefined> {
  const attributes = await attributesOf(library, store, path || '/');
  if (!attributes || depth > 3) return undefined;
  const multiscale = parseMultiscale(attributes);
  if (multiscale) return { path, multiscale };
  const join = (child: string) => (path ? `${path}/${child}` : child);
  if (attributes['bioformats2raw.layout'] !== undefined) {
    const found = await findImage(library, store, join('0'), depth + 1);
    return found && { ...found, note: 'The first image of the collection is shown.' };
  }
  const wells = isRecord(attributes.plate) ? list(attributes.plate.wells).filter(isRecord) : [];
  if (wells.length > 0) {
    const found = await findImage(library, store, join(String(wells[0].path)), depth + 1);
    return found && { ...found, note: `The first field of well ${String(wells[0].path)} is shown.` };
  }
  const fields = isRecord(attributes.well) ? list(attributes.well.images).filter(isRecord) : [];
  if (fields.length > 0) return findImage(library, store, join(String(fields[0].path)), depth + 1);
  return undefined;
}

async function openArray(library: Library, store: ZarrStore, path: string): Promise<Level> {
  try {
    return await library.open(library.root(store).resolve(path), { kind: 'array' });
  } catch (error) {
    if (error instanceof CytoError) throw error;
    const missing = library.isZarritaError(error, 'NotFoundError');
    throw new CytoError(
      missing ? 'corrupt-file' : 'unsupported',
      missing
        ? `The zarr array "${path}" that the metadata names is missing.`
        : `The zarr array "${path}" cannot be opened: ${error instanceof Error ? error.message : String(error)}.`,
      { cause: error },
    );
  }
}

/** Axis order that is assumed where none is named (OME-Zarr before 0.3, plain arrays). */
function assumedAxes(rank: number): string[] {
  return AXES.slice(5 - rank).split('');
}

/**
 * Opens an OME-Zarr image (0.1 to 0.5, plates and bioformats2raw collections: their first image) or a plain zarr array.
 * Chunks are read when asked for.
 * @throws CytoError `corrupt-file`, `unsupported`, `not-found`, `network`
 */
export async function openZarr(store: ZarrStore, name: string): Promise<ImageSource> {
  const library = await import('zarrita');
  const found = await findImage(library, store, '');
  if (!found) return openPlainArray(library, store, name);
  const { path, multiscale, note } = found;
  if (multiscale.paths.length === 0)
    throw new CytoError('corrupt-file', 'The OME-Zarr metadata names no resolution level.');
  const arrays: Level[] = [];
  for (const level of multiscale.paths)
    arrays.push(await openArray(library, store, `${path ? `/${path}` : ''}/${level}`));
  const rank = arrays[0].shape.length;
  const axes = multiscale.axes.length === rank ? multiscale.axes : assumedAxes(rank);
  return zarrSource(library, arrays, {
    axes,
    scales: multiscale.scales,
    name: multiscale.name || name,
    unit: multiscale.unit,
    timeUnit: multiscale.timeUnit,
    channels: channelsOf(multiscale.omero),
    notes: note ? [note] : [],
  });
}

/** @throws CytoError `corrupt-file` if a metadata file is there but is no JSON */
async function checkMetadata(store: ZarrStore, name: string): Promise<void> {
  for (const file of ['/.zattrs', '/.zgroup', '/.zarray', '/zarr.json'] as const) {
    const bytes = await store.get(file);
    if (!bytes) continue;
    try {
      JSON.parse(new TextDecoder().decode(bytes));
    } catch (cause) {
      throw new CytoError(
        'corrupt-file',
        `The metadata file ${file.slice(1)} of "${name}" is damaged: it is no valid JSON. Copy or export the image again.`,
        { cause },
      );
    }
  }
}

async function openPlainArray(library: Library, store: ZarrStore, name: string): Promise<ImageSource> {
  let array: Level;
  try {
    array = await library.open(library.root(store), { kind: 'array' });
  } catch (error) {
    if (error instanceof CytoError) throw error;
    if (library.isZarritaError(error, 'NotFoundError')) {
      // The library takes metadata that is no JSON for metadata that is not there.
      await checkMetadata(store, name);
      throw new CytoError(
        'unsupported',
        `"${name}" holds no OME-Zarr image (no multiscales metadata). Choose the folder that contains the image.`,
        { cause: error },
      );
    }
    throw new CytoError(
      'unsupported',
      `"${name}" cannot be opened: ${error instanceof Error ? error.message : String(error)}.`,
      { cause: error },
    );
  }
  if (array.shape.length > 5)
    throw new CytoError(
      'unsupported',
      `"${name}" has ${array.shape.length} axes; an image has at most five.`,
    );
  const axes = array.dimensionNames?.every((axis) => axis && AXES.includes(axis))
    ? (array.dimensionNames as string[])
    : assumedAxes(array.shape.length);
  return zarrSource(library, [array], {
    axes,
    scales: [],
    name,
    unit: undefined,
    timeUnit: undefined,
    channels: undefined,
    notes: [`The array does not say what its axes are; they are read as ${axes.join('').toUpperCase()}.`],
  });
}

function channelsOf(omero: Json | undefined): ChannelInfo[] | undefined {
  const channels = list(omero?.channels).filter(isRecord);
  if (channels.length === 0) return undefined;
  return channels.map((channel, c) => {
    const window = isRecord(channel.window) ? channel.window : {};
    const [low, high] = [Number(window.start), Number(window.end)];
    const color =
      typeof channel.color === 'string' && /^[0-9a-fA-F]{6}$/.test(channel.color)
        ? `#${channel.color.toLowerCase()}`
        : undefined;
    return {
      name: String(channel.label ?? `Channel ${c + 1}`),
      ...(color ? { color } : {}),
      ...(Number.isFinite(low) && Number.isFinite(high) && high > low
        ? { window: [low, high] as const }
        : {}),
    };
  });
}

interface Description {
  axes: string[];
  scales: number[][];
  name: string;
  unit: string | undefined;
  timeUnit: string | undefined;
  channels: ChannelInfo[] | undefined;
  notes: string[];
}

function zarrSource(library: Library, arrays: Level[], description: Description): ImageSource {
  const { axes, name } = description;
  const dtype = DTYPES[arrays[0].dtype];
  const wide = arrays[0].dtype === 'int64' || arrays[0].dtype === 'uint64';
  if (!dtype && !wide)
    throw new CytoError('unsupported', `Zarr samples of type ${arrays[0].dtype} are not supported.`);
  if (axes.some((axis) => !AXES.includes(axis)) || new Set(axes).size !== axes.length) {
    throw new CytoError(
      'unsupported',
      `The axes ${axes.join(', ')} are not supported; only t, c, z, y and x are.`,
    );
  }
  const place = [...AXES].map((axis) => axes.indexOf(axis));
  const five = (values: readonly number[], absent: number) =>
    place.map((k) => (k < 0 ? absent : values[k])) as unknown as Shape5;
  const calibration = (level: number): Calibration => {
    const scale = description.scales[level] ?? [];
    const [t, , z, y, x] = five(scale.length === axes.length ? scale : axes.map(() => 1), 1);
    const calibrated = scale.length === axes.length && description.unit !== undefined;
    return {
      spacing: [z, y, x],
      unit: unitSymbol(description.unit),
      calibrated,
      ...(place[0] >= 0 && description.timeUnit === 'second' ? { timeStep: t } : {}),
    };
  };
  const levels: ImageLevel[] = arrays.map((array, level) => {
    const chunk = five(array.chunks, 1);
    return {
      shape: five(array.shape, 1),
      calibration: calibration(level),
      chunk: [chunk[2], chunk[3], chunk[4]],
    };
  });
  const nc = levels[0].shape[1];
  const metadata = {
    name,
    calibration: levels[0].calibration,
    channels:
      description.channels?.length === nc
        ? description.channels
        : Array.from({ length: nc }, (_, c) => ({ name: `Channel ${c + 1}` })),
    rgb: false,
    storedAxes: axes.join('').toUpperCase(),
    notes: description.notes,
  };
  const read = async (region: Region, level: number, options: TaskOptions = {}): Promise<RegionData> => {
    throwIfAborted(options.signal);
    const full = completeRegion(region, levels[level].shape);
    const ranges = [full.t, full.c, full.z, full.y, full.x];
    const shape = regionShape(full);
    checkFits(shape, dtype ?? 'int32', name, levels.length);
    const selection = axes.map((axis) => library.slice(...ranges[AXES.indexOf(axis)]));
    let chunk: { data: unknown; shape: number[]; stride: number[] };
    try {
      chunk = await library.get(
        arrays[level],
        selection,
        options.signal ? { opts: { signal: options.signal } as never } : {},
      );
    } catch (error) {
      if (error instanceof CytoError || isAbort(error)) throw error;
      const unknown =
        library.isZarritaError(error, 'UnknownCodecError') ||
        library.isZarritaError(error, 'UnsupportedError');
      throw new CytoError(
        unknown ? 'unsupported' : 'corrupt-file',
        `A chunk of "${name}" cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
        { cause: error },
      );
    }
    throwIfAborted(options.signal);
    return { data: inOrder(samplesOf(chunk.data, name), chunk, place, shape), shape };
  };
  return {
    ...metadata,
    dtype: dtype ?? 'int32',
    levels,
    read,
    readVolume: wholeLevels(metadata, levels, read),
    close() {},
  };
}

/** zarrita's samples as a plain typed array. */
function samplesOf(data: unknown, name: string): VolumeData {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (const value of data) {
      if (value < -(2n ** 31n) || value >= 2n ** 31n) {
        throw new CytoError('unsupported', `"${name}" holds 64-bit numbers beyond 32 bits.`);
      }
    }
    return Int32Array.from(data as BigInt64Array, Number);
  }
  if (ArrayBuffer.isView(data)) {
    dtypeOf(data);
    return data as VolumeData;
  }
  // Booleans come in a container of their own that iterates.
  return Uint8Array.from(data as Iterable<boolean>, Number);
}

/** Samples in C order of t, c, z, y, x, whatever order the array's axes have. */
function inOrder(
  data: VolumeData,
  { shape, stride }: { shape: number[]; stride: number[] },
  place: number[],
  out: Shape5,
): VolumeData {
  const strides = place.map((k) => (k < 0 ? 0 : stride[k]));
  let expected = 1;
  let ordered = true;
  for (let axis = 4; axis >= 0; axis--) {
    if (out[axis] > 1 && strides[axis] !== expected) ordered = false;
    expected *= out[axis];
  }
  if (ordered && data.length === sampleCount(shape)) return data;
  const result = allocate(dtypeOf(data), sampleCount(out));
  let i = 0;
  for (let t = 0; t < out[0]; t++) {
    for (let c = 0; c < out[1]; c++) {
      for (let z = 0; z < out[2]; z++) {
        for (let y = 0; y < out[3]; y++) {
          const line = t * strides[0] + c * strides[1] + z * strides[2] + y * strides[3];
          for (let x = 0; x < out[4]; x++, i++) result[i] = data[line + x * strides[4]];
        }
      }
    }
  }
  return result;
}
