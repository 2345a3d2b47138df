import type { TaskOptions } from './progress.ts';
import {
  type Calibration,
  createVolume,
  type DType,
  type ImageMetadata,
  type Shape5,
  type Volume,
  type VolumeData,
} from './volume.ts';

/** One resolution of an image; level 0 is the full one. */
export interface ImageLevel {
  shape: Shape5;
  calibration: Calibration;
  /** Preferred read size [z, y, x]: the storage's chunk or tile. */
  chunk: readonly [z: number, y: number, x: number];
}

/** Half-open index ranges into one level; an absent range means the whole axis. */
export interface Region {
  t?: readonly [start: number, stop: number];
  c?: readonly [start: number, stop: number];
  z?: readonly [start: number, stop: number];
  y?: readonly [start: number, stop: number];
  x?: readonly [start: number, stop: number];
}

/** Samples of a region, C order, shape [t, c, z, y, x]. */
export interface RegionData {
  data: VolumeData;
  shape: Shape5;
}

/**
 * An image that may be too large to hold. Readers of files and servers implement this one interface;
 * a host can add its own.
 */
export interface ImageSource extends ImageMetadata {
  readonly dtype: DType;
  readonly levels: readonly ImageLevel[];
  /** Samples of a region of one level. */
  read(region: Region, level: number, options?: TaskOptions): Promise<RegionData>;
  /** One whole level in memory (default: the full one). */
  readVolume(level?: number, options?: TaskOptions): Promise<Volume>;
  /** Releases what the source holds (file handles, worker memory). */
  close(): void;
}

/** Region with every range filled in. */
export type FullRegion = Required<Region>;

/** Lengths of t, c, z, y, x of a region. */
export function regionShape({ t, c, z, y, x }: FullRegion): Shape5 {
  return [t[1] - t[0], c[1] - c[0], z[1] - z[0], y[1] - y[0], x[1] - x[0]];
}

/** {@link ImageSource.readVolume} of a source that can read any region. */
export function wholeLevels(
  metadata: ImageMetadata,
  levels: readonly ImageLevel[],
  read: ImageSource['read'],
): ImageSource['readVolume'] {
  return async (level = 0, options = {}) => {
    const { data, shape } = await read({}, level, options);
    return createVolume({ ...metadata, data, shape, calibration: levels[level].calibration });
  };
}

/** `region` with absent ranges set to whole axes and every range clipped to the level. */
export function completeRegion(region: Region, shape: Shape5): FullRegion {
  const clip = (range: readonly [number, number] | undefined, length: number): readonly [number, number] => {
    const start = Math.min(Math.max(0, Math.floor(range?.[0] ?? 0)), length);
    const stop = Math.min(Math.max(start, Math.ceil(range?.[1] ?? length)), length);
    return [start, stop];
  };
  return {
    t: clip(region.t, shape[0]),
    c: clip(region.c, shape[1]),
    z: clip(region.z, shape[2]),
    y: clip(region.y, shape[3]),
    x: clip(region.x, shape[4]),
  };
}
