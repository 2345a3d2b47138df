import { CytoError } from '../errors.ts';
import type { TaskOptions } from '../progress.ts';
import type { Calibration, ChannelInfo, DType, Shape5 } from '../volume.ts';
import { type OmeroConnection, pause } from './connection.ts';

/** What OMERO says of an image. */
export interface OmeroImage {
  id: number;
  name: string;
  description: string;
  owner: string;
  /** Names of the dataset and project, where there is just one. */
  dataset: string | undefined;
  project: string | undefined;
  /** OMERO's name of the sample type: `uint16`, `float`, … */
  pixelsType: string;
  /** Sample type of raw reads; undefined for types that are not read raw (`bit`, `complex`). */
  dtype: DType | undefined;
  shape: Shape5;
  calibration: Calibration;
  channels: ChannelInfo[];
  /** Full size first: lengths [y, x] of each resolution. */
  resolutions: ReadonlyArray<readonly [y: number, x: number]>;
  /** Whether the server keeps it as tiles with resolutions. */
  tiled: boolean;
  tileSize: readonly [y: number, x: number];
  /** Plane and time point that the server shows first. */
  defaultZ: number;
  defaultT: number;
  groupId: number | undefined;
  permissions: { canAnnotate: boolean; canDelete: boolean };
  /** Address of the OME-Zarr that the pixels are, if they are one. */
  zarr: string | undefined;
}

interface Quantity {
  Unit?: string;
  Symbol?: string;
  Value?: number;
}
interface Permissions {
  canAnnotate?: boolean;
  canDelete?: boolean;
}
interface ApiImage {
  Name?: string;
  Description?: string;
  'omero:details'?: {
    owner?: { FirstName?: string; LastName?: string; UserName?: string };
    group?: { '@id'?: number };
    permissions?: Permissions;
    externalInfo?: { EntityType?: string; Lsid?: string };
  };
  Pixels?: {
    SizeX: number;
    SizeY: number;
    SizeZ: number;
    SizeC: number;
    SizeT: number;
    PhysicalSizeX?: Quantity;
    PhysicalSizeY?: Quantity;
    PhysicalSizeZ?: Quantity;
    TimeIncrement?: Quantity;
    Type?: { value?: string };
    Channels?: Array<{ Name?: string; Color?: number }>;
  };
}
interface ImgData {
  meta?: { imageName?: string; datasetName?: string; projectName?: string };
  perms?: Permissions;
  tiles?: boolean;
  tile_size?: { width: number; height: number };
  resolutions?: Record<string, { sizeX: number; sizeY: number }>;
  zoomLevelScaling?: Record<string, number>;
  channels?: Array<{ label?: string; color?: string; window?: { start?: number; end?: number } }>;
  rdefs?: { defaultZ?: number; defaultT?: number };
  ConcurrencyException?: { backOff?: number };
}

const DTYPES: Partial<Record<string, DType>> = {
  uint8: 'uint8',
  int8: 'int8',
  uint16: 'uint16',
  int16: 'int16',
  uint32: 'uint32',
  int32: 'int32',
  float: 'float32',
  double: 'float64',
};

/** Micrometres of OMERO's units of length. */
const MICROMETRES: Partial<Record<string, number>> = {
  PICOMETER: 1e-6,
  ANGSTROM: 1e-4,
  NANOMETER: 1e-3,
  MICROMETER: 1,
  MILLIMETER: 1e3,
  CENTIMETER: 1e4,
  METER: 1e6,
  INCH: 25400,
};
const SYMBOLS: Partial<Record<string, string>> = {
  ANGSTROM: 'Å',
  NANOMETER: 'nm',
  MICROMETER: 'µm',
  MILLIMETER: 'mm',
  CENTIMETER: 'cm',
};
const SECONDS: Partial<Record<string, number>> = {
  NANOSECOND: 1e-9,
  MICROSECOND: 1e-6,
  MILLISECOND: 1e-3,
  SECOND: 1,
  MINUTE: 60,
  HOUR: 3600,
  DAY: 86400,
};
const BUSY_TRIES = 20;

/**
 * Everything that is needed to open an image: the JSON API's description, and webgateway's display settings where the
 * rendering engine gives them.
 * @throws CytoError `not-found`, `login`, `forbidden`, `network`, `unsupported`
 */
export async function imageDetails(
  connection: OmeroConnection,
  id: number,
  options: TaskOptions = {},
): Promise<OmeroImage> {
  const [answer, display] = await Promise.all([
    connection.json<{ data: ApiImage | ApiImage[] }>(`api/v0/m/images/${id}/`, options),
    displaySettings(connection, id, options),
  ]);
  // The documentation shows a list, the code sends an object.
  const image = Array.isArray(answer.data) ? answer.data[0] : answer.data;
  const pixels = image?.Pixels;
  if (!pixels)
    throw new CytoError('unsupported', `Image ${id} has no pixels (yet): its import is incomplete.`);
  const { SizeT, SizeC, SizeZ, SizeY, SizeX } = pixels;
  const details = image['omero:details'] ?? {};
  const pixelsType = pixels.Type?.value ?? 'uint8';
  const permissions = display.perms ?? details.permissions ?? {};
  const { owner } = details;
  const external = details.externalInfo;
  return {
    id,
    name: image.Name ?? display.meta?.imageName ?? `Image ${id}`,
    description: image.Description ?? '',
    owner: [owner?.FirstName, owner?.LastName].filter(Boolean).join(' ') || (owner?.UserName ?? ''),
    dataset: single(display.meta?.datasetName),
    project: single(display.meta?.projectName),
    pixelsType,
    dtype: DTYPES[pixelsType],
    shape: [SizeT, SizeC, SizeZ, SizeY, SizeX],
    calibration: calibrationOf(pixels),
    channels: channelsOf(pixels.Channels ?? [], display.channels ?? [], SizeC),
    resolutions: resolutionsOf(display, SizeY, SizeX),
    tiled: display.tiles === true,
    tileSize: [display.tile_size?.height ?? 512, display.tile_size?.width ?? 512],
    defaultZ: display.rdefs?.defaultZ ?? SizeZ >> 1,
    defaultT: display.rdefs?.defaultT ?? 0,
    groupId: details.group?.['@id'],
    permissions: {
      canAnnotate: permissions.canAnnotate ?? false,
      canDelete: permissions.canDelete ?? false,
    },
    zarr: external?.EntityType === 'com.glencoesoftware.ngff:multiscales' ? external.Lsid : undefined,
  };
}

const single = (name: string | undefined) => (name && name !== 'Multiple' ? name : undefined);

/** webgateway's imgData; empty when the rendering engine is not to be had. A busy engine is waited for. */
async function displaySettings(
  connection: OmeroConnection,
  id: number,
  options: TaskOptions,
): Promise<ImgData> {
  for (let attempt = 0; ; attempt++) {
    let data: ImgData;
    try {
      data = await connection.json<ImgData>(`webgateway/imgData/${id}/`, options);
    } catch (error) {
      // Images without thumbnails or settings have none; the description of the JSON API is enough to open them.
      if (error instanceof CytoError && ['not-found', 'network', 'bad-input'].includes(error.kind)) return {};
      throw error;
    }
    if (!data.ConcurrencyException) return data;
    if (attempt >= BUSY_TRIES) return {};
    await pause(Math.min(5000, data.ConcurrencyException.backOff ?? 1000), options.signal);
  }
}

function calibrationOf(pixels: NonNullable<ApiImage['Pixels']>): Calibration {
  const step = (time: Quantity | undefined) => {
    const seconds = SECONDS[time?.Unit ?? ''];
    return time?.Value && seconds ? { timeStep: time.Value * seconds } : {};
  };
  const timing = step(pixels.TimeIncrement);
  const { PhysicalSizeX: x, PhysicalSizeY, PhysicalSizeZ } = pixels;
  const lengthOf = (size: Quantity | undefined) => {
    const factor = MICROMETRES[size?.Unit ?? ''];
    return size?.Value && size.Value > 0 && factor ? size.Value * factor : undefined;
  };
  const width = lengthOf(x);
  if (width === undefined) return { spacing: [1, 1, 1], unit: 'px', calibrated: false, ...timing };
  // The unit of the pixel width, so that the numbers are those that OMERO shows.
  const symbol = SYMBOLS[x?.Unit ?? ''];
  const factor = symbol ? (MICROMETRES[x?.Unit ?? ''] ?? 1) : 1;
  const height = lengthOf(PhysicalSizeY) ?? width;
  const stated = lengthOf(PhysicalSizeZ);
  const depth = stated ?? width;
  const spacing = [depth, height, width].map((micrometres) => Number((micrometres / factor).toPrecision(12)));
  return {
    spacing: spacing as [number, number, number],
    unit: symbol ?? 'µm',
    calibrated: true,
    ...(stated === undefined && pixels.SizeZ > 1 ? { zAssumed: true } : {}),
    ...timing,
  };
}

function channelsOf(
  described: NonNullable<NonNullable<ApiImage['Pixels']>['Channels']>,
  displayed: NonNullable<ImgData['channels']>,
  count: number,
): ChannelInfo[] {
  return Array.from({ length: count }, (_, c): ChannelInfo => {
    const { start, end } = displayed[c]?.window ?? {};
    const packed = described[c]?.Color;
    const hex =
      displayed[c]?.color ??
      (packed === undefined ? undefined : (packed >>> 8).toString(16).padStart(6, '0'));
    return {
      name: described[c]?.Name ?? displayed[c]?.label ?? `Channel ${c + 1}`,
      ...(hex && /^[0-9a-f]{6}$/i.test(hex) ? { color: `#${hex.toLowerCase()}` } : {}),
      ...(Number.isFinite(start) && Number.isFinite(end) && start !== end
        ? { window: [start as number, end as number] as const }
        : {}),
    };
  });
}

function resolutionsOf({ tiles, resolutions, zoomLevelScaling }: ImgData, sizeY: number, sizeX: number) {
  const full = [sizeY, sizeX] as const;
  if (!tiles) return [full];
  const byLevel = <T>(record: Record<string, T>) =>
    Object.entries(record)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, value]) => value);
  if (resolutions) return byLevel(resolutions).map((level) => [level.sizeY, level.sizeX] as const);
  if (!zoomLevelScaling) return [full];
  // Servers before 5.30 give ratios only; sizes are rounded down as Bio-Formats does.
  return byLevel(zoomLevelScaling).map(
    (ratio) => [Math.max(1, Math.floor(sizeY * ratio)), Math.max(1, Math.floor(sizeX * ratio))] as const,
  );
}
