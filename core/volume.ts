import { CytoError } from './errors.ts';

/** Sample types kept as stored in the file. */
export type DType = 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64';

export type VolumeData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

const ARRAY_TYPES = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** Axis lengths in the fixed order t, c, z, y, x; an absent axis has length 1. */
export type Shape5 = readonly [t: number, c: number, z: number, y: number, x: number];

/** Axis lengths of one time point and channel. */
export type Shape3 = readonly [z: number, y: number, x: number];

/** Distance between neighbouring samples along z, y, x in {@link Calibration.unit}. */
export type Spacing = readonly [z: number, y: number, x: number];

export interface Calibration {
  spacing: Spacing;
  /** UCUM-like symbol such as `µm`, `nm`, `mm`; `px` where the file states none. */
  unit: string;
  /** Whether the spacing was stated by the file (false: assumed 1 px). */
  calibrated: boolean;
  /** Set where the file states the spacing in the plane alone, and that along z is assumed. */
  zAssumed?: true;
  /** Seconds between time points, if stated. */
  timeStep?: number;
}

export interface ChannelInfo {
  name: string;
  /** `#rrggbb`, if the file or server states one. */
  color?: string;
  /** Display window the file or server states, in sample values. */
  window?: readonly [low: number, high: number];
}

/** What is known about an image besides its samples. */
export interface ImageMetadata {
  /** File or image name for people. */
  name: string;
  calibration: Calibration;
  channels: ChannelInfo[];
  /** Three 8-bit channels that are red, green and blue of one picture. */
  rgb: boolean;
  /** Axes as the file orders them, slowest first, e.g. `TCZYX`; for display and correction by the user. */
  storedAxes: string;
  /** Remarks the user should see: assumptions made, parts skipped, lossy sources. */
  notes: string[];
  /** Where the samples come from and how true they are (server, image, route, quality); written into every export. */
  provenance?: Readonly<Record<string, string | number>>;
}

/**
 * A whole image in memory: samples in C order of `shape` = [t, c, z, y, x], dtype as stored.
 * RGB images have c = 3 (planar, not interleaved).
 */
export interface Volume extends ImageMetadata {
  data: VolumeData;
  dtype: DType;
  shape: Shape5;
}

/** Number of samples of a shape. @throws CytoError `too-large` above 2^53 */
export function sampleCount(shape: readonly number[]): number {
  const count = shape.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(count))
    throw new CytoError('too-large', `A shape of ${shape.join('×')} is too large.`);
  return count;
}

export function bytesPerSample(dtype: DType): number {
  return ARRAY_TYPES[dtype].BYTES_PER_ELEMENT;
}

/** The dtype of a typed array. @throws CytoError `unsupported` for BigInt and clamped arrays */
export function dtypeOf(data: ArrayBufferView): DType {
  for (const [dtype, type] of Object.entries(ARRAY_TYPES)) {
    if (data instanceof type) return dtype as DType;
  }
  throw new CytoError('unsupported', `Samples of type ${data.constructor.name} are not supported.`);
}

/**
 * A zero-filled sample array.
 * @throws CytoError `too-large` when the memory is not to be had
 */
export function allocate(dtype: DType, length: number): VolumeData {
  try {
    return new ARRAY_TYPES[dtype](length);
  } catch (cause) {
    const mebibytes = Math.ceil((length * bytesPerSample(dtype)) / 2 ** 20);
    throw new CytoError(
      'too-large',
      `The image needs ${mebibytes} MiB of memory, more than the page can have. Open a region or a lower resolution of it.`,
      { cause },
    );
  }
}

/** A typed array of the given dtype over existing bytes. */
export function viewAs(dtype: DType, buffer: ArrayBufferLike, byteOffset = 0, length?: number): VolumeData {
  return new ARRAY_TYPES[dtype](buffer as ArrayBuffer, byteOffset, length);
}

/** Samples [z, y, x] of one time point and channel, as a view without copying. */
export function channelView(volume: Pick<Volume, 'data' | 'shape'>, t: number, c: number): VolumeData {
  const [nt, nc, nz, ny, nx] = volume.shape;
  if (!(t >= 0 && t < nt && c >= 0 && c < nc)) {
    throw new CytoError(
      'bad-input',
      `There is no time point ${t}, channel ${c} in an image of ${nt} time points and ${nc} channels.`,
    );
  }
  const size = nz * ny * nx;
  const start = (t * nc + c) * size;
  return volume.data.subarray(start, start + size);
}

/** dz / dxy, the ratio Cellpose calls anisotropy; undefined for 2D images and where it is not stated. */
export function statedAnisotropy({
  shape,
  calibration,
}: Pick<Volume, 'shape' | 'calibration'>): number | undefined {
  const { spacing, calibrated, zAssumed } = calibration;
  const [dz, dy, dx] = spacing;
  const ratio = dz / Math.sqrt(dy * dx);
  const stated = shape[2] > 1 && calibrated && !zAssumed;
  return stated && ratio > 0 && Number.isFinite(ratio) ? ratio : undefined;
}

/** {@link statedAnisotropy}, or 1 where there is none. */
export function anisotropyOf(volume: Pick<Volume, 'shape' | 'calibration'>): number {
  return statedAnisotropy(volume) ?? 1;
}

export interface VolumeOptions extends Partial<ImageMetadata> {
  data: VolumeData;
  /** Lengths of t, c, z, y, x; leading axes may be left out: [y, x] and [z, y, x] are accepted. */
  shape: readonly number[];
}

/**
 * A {@link Volume} over existing samples, with defaults for everything not stated.
 * @throws CytoError `bad-input` when shape and data disagree or an axis is empty
 */
export function createVolume({ data, shape, ...metadata }: VolumeOptions): Volume {
  if (shape.length < 2 || shape.length > 5 || shape.some((n) => !Number.isInteger(n) || n < 1)) {
    throw new CytoError(
      'bad-input',
      `A shape of [${shape.join(', ')}] is not an image: 2 to 5 positive axis lengths are needed.`,
    );
  }
  const full = [...new Array<number>(5 - shape.length).fill(1), ...shape] as unknown as Shape5;
  if (data.length !== sampleCount(full)) {
    throw new CytoError('bad-input', `${data.length} samples do not fill a shape of ${shape.join('×')}.`);
  }
  return {
    data,
    dtype: dtypeOf(data),
    shape: full,
    name: metadata.name ?? 'image',
    calibration: metadata.calibration ?? { spacing: [1, 1, 1], unit: 'px', calibrated: false },
    channels: metadata.channels ?? Array.from({ length: full[1] }, (_, c) => ({ name: `Channel ${c + 1}` })),
    rgb: metadata.rgb ?? false,
    storedAxes: metadata.storedAxes ?? 'TCZYX',
    notes: metadata.notes ?? [],
    ...(metadata.provenance ? { provenance: metadata.provenance } : {}),
  };
}
