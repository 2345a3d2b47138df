import { asCytoError, type CytoError } from './errors.ts';
import type { ImageLevel, ImageSource, Region, RegionData } from './image-source.ts';
import type { Box } from './label-volume.ts';
import type { TaskOptions } from './progress.ts';
import { bytesPerSample, type DType, type Shape3, type VolumeData } from './volume.ts';

/** Index into [z, y, x]. */
type Axis = 0 | 1 | 2;

/** Axes of a plane as drawn, indices into [z, y, x]. */
export interface PlaneAxes {
  right: Axis;
  down: Axis;
  across: Axis;
}

/** How a plane of one level is cut into tiles. Lengths are samples of the level. */
export interface TileGrid {
  width: number;
  height: number;
  tileWidth: number;
  tileHeight: number;
}

/** One tile of one plane. */
export interface TilePlace {
  level: number;
  axes: PlaneAxes;
  t: number;
  /** First channel; RGB images have all three in one tile. */
  c: number;
  /** Position along `axes.across`, in samples of the level. */
  index: number;
  column: number;
  row: number;
}

/** Tiles are about this wide where the storage's own blocks are smaller, and at most {@link LARGEST_TILE}. */
const SMALLEST_TILE = 256;
const LARGEST_TILE = 2048;
/** Bytes of storage that may be read for one tile: a plane across the blocks of a file can cost far more than it shows. */
const LARGEST_READ = 32 * 2 ** 20;
/** Reads under way at a time, as many as browsers open connections to one server. */
const LANES = 6;
/** Milliseconds after which a tile that could not be read is asked for again. */
const RETRY_AFTER = 10_000;
/** Bytes of tiles that a page keeps, over all its images. */
export const TILE_BUDGET = 256 * 2 ** 20;

/** The part of an image source that tiles are read through. */
export type TileReader = Pick<ImageSource, 'dtype' | 'levels' | 'read'>;

/** Tiles of all images of a page by recency, the oldest first. */
export class TileMemory {
  readonly #tiles = new Map<string, VolumeData>();
  readonly #budget: number;
  #bytes = 0;

  /** @param budget bytes kept at most */
  constructor(budget = TILE_BUDGET) {
    this.#budget = budget;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): VolumeData | undefined {
    const tile = this.#tiles.get(key);
    if (tile) {
      this.#tiles.delete(key);
      this.#tiles.set(key, tile);
    }
    return tile;
  }

  set(key: string, tile: VolumeData): void {
    this.delete(key);
    this.#tiles.set(key, tile);
    this.#bytes += tile.byteLength;
    for (const oldest of this.#tiles.keys()) {
      if (this.#bytes <= this.#budget) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#tiles.get(key)?.byteLength ?? 0;
    this.#tiles.delete(key);
  }

  /** Forgets the tiles whose key begins so. */
  deleteAll(prefix: string): void {
    for (const key of [...this.#tiles.keys()]) if (key.startsWith(prefix)) this.delete(key);
  }
}

const pageMemory = new TileMemory();
let images = 0;

/**
 * The finer resolutions of an image that is too large to hold, read tile by tile for what is on screen. Levels are
 * those of the source, 0 the full one; `overview` is the level that is in memory whole.
 *
 * Dispatches `tile` (`detail`: {@link TilePlace}) when a tile has come and `problem` (`detail`: CytoError) when one
 * could not be read.
 */
export class TiledImage extends EventTarget {
  readonly overview: number;
  readonly dtype: DType;
  /** Samples of one place: 3 for RGB. */
  readonly depth: 1 | 3;
  readonly #reader: TileReader;
  readonly #memory: TileMemory;
  readonly #prefix = `${++images}:`;
  /** What each asker wants, the most urgent first. */
  readonly #wanted = new Map<object, ReadonlyMap<string, TilePlace>>();
  readonly #running = new Map<string, AbortController>();
  readonly #failed = new Map<string, number>();

  constructor(
    reader: TileReader,
    { overview, rgb, memory = pageMemory }: { overview: number; rgb: boolean; memory?: TileMemory },
  ) {
    super();
    this.#reader = reader;
    this.#memory = memory;
    this.overview = overview;
    this.dtype = reader.dtype;
    this.depth = rgb ? 3 : 1;
  }

  /** Bytes of tiles held for all images that share the memory. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /** Tiles wanted that are not there yet. */
  get missing(): number {
    let count = 0;
    for (const tiles of this.#wanted.values()) {
      for (const key of tiles.keys()) if (!this.#memory.get(key) && !this.#failed.has(key)) count++;
    }
    return count;
  }

  /** Voxels of a level along z, y, x. */
  shape(level: number): Shape3 {
    const [, , z, y, x] = this.#reader.levels[level].shape;
    return [z, y, x];
  }

  /** Size of a voxel of `level` in voxels of the overview, along z, y, x. */
  voxel(level: number): Shape3 {
    return relativeVoxel(this.#reader.levels[level], this.#reader.levels[this.overview]);
  }

  /** Tiles of a plane of a level; undefined where a plane of this direction costs too much to read in parts. */
  grid(level: number, { right, down, across }: PlaneAxes): TileGrid | undefined {
    const shape = this.shape(level);
    const { chunk } = this.#reader.levels[level];
    const side = (axis: Axis) => {
      const block = Math.min(Math.max(1, chunk[axis]), shape[axis]);
      const count = Math.max(1, Math.floor(SMALLEST_TILE / block));
      return Math.min(block * count, LARGEST_TILE, shape[axis]);
    };
    const [tileWidth, tileHeight] = [side(right), side(down)];
    // Blocks are read whole.
    const read = (axis: Axis, length: number) => Math.max(length, chunk[axis]);
    const bytes = read(right, tileWidth) * read(down, tileHeight) * chunk[across];
    if (bytes * bytesPerSample(this.dtype) * this.depth > LARGEST_READ) return undefined;
    return { width: shape[right], height: shape[down], tileWidth, tileHeight };
  }

  /** Samples of a tile, row by row (one channel after the other for RGB), if it is in memory. */
  get(place: TilePlace): VolumeData | undefined {
    return this.#memory.get(this.#key(place));
  }

  /**
   * Says what `asker` wants to show now, the most urgent first. What no asker wants any longer is not read, and
   * aborted where it was being read.
   */
  want(asker: object, places: readonly TilePlace[]): void {
    if (places.length === 0) this.#wanted.delete(asker);
    else this.#wanted.set(asker, new Map(places.map((place) => [this.#key(place), place])));
    const all = [...this.#wanted.values()];
    for (const [key, reading] of this.#running) {
      if (!all.some((tiles) => tiles.has(key))) reading.abort();
    }
    this.#proceed();
  }

  /** Sample at a place of the overview (in its voxels), from the finest tile of an xy plane in memory. */
  sampleAt(t: number, c: number, place: Shape3): number | readonly number[] | undefined {
    const axes: PlaneAxes = { right: 2, down: 1, across: 0 };
    for (let level = 0; level < this.overview; level++) {
      const grid = this.grid(level, axes);
      if (!grid) continue;
      const voxel = this.voxel(level);
      const [z, y, x] = [0, 1, 2].map((axis) => Math.floor(place[axis] / voxel[axis]));
      if (x < 0 || y < 0 || x >= grid.width || y >= grid.height) continue;
      const [column, row] = [Math.floor(x / grid.tileWidth), Math.floor(y / grid.tileHeight)];
      const tile = this.get({ level, axes, t, c, index: z, column, row });
      if (!tile) continue;
      const { width, height } = tileSize(grid, column, row);
      const at = (y - row * grid.tileHeight) * width + x - column * grid.tileWidth;
      return this.depth === 1
        ? tile[at]
        : [tile[at], tile[at + width * height], tile[at + 2 * width * height]];
    }
    return undefined;
  }

  /** Samples of a box of the full resolution, all channels, at one time; kept by the caller alone. */
  readBox(t: number, [z0, y0, x0, z1, y1, x1]: Box, options: TaskOptions = {}): Promise<RegionData> {
    return this.#reader.read({ t: [t, t + 1], z: [z0, z1], y: [y0, y1], x: [x0, x1] }, 0, options);
  }

  /** Stops reading and forgets all tiles. */
  close(): void {
    this.#wanted.clear();
    for (const reading of this.#running.values()) reading.abort();
    this.#memory.deleteAll(this.#prefix);
  }

  #key({ level, axes, t, c, index, column, row }: TilePlace): string {
    return `${this.#prefix}${[level, axes.right, axes.down, t, c, index, column, row].join(' ')}`;
  }

  /** Starts reads as long as there are lanes; askers take turns, each with its most urgent tile. */
  #proceed(): void {
    const queues = [...this.#wanted.values()].map((tiles) => [...tiles]);
    for (let turn = 0; this.#running.size < LANES; turn++) {
      let any = false;
      for (const queue of queues) {
        if (turn >= queue.length) continue;
        any = true;
        const [key, place] = queue[turn];
        const failed = this.#failed.get(key);
        if (failed !== undefined && Date.now() - failed < RETRY_AFTER) continue;
        if (this.#running.has(key) || this.#memory.get(key)) continue;
        if (this.#running.size < LANES) this.#read(key, place);
      }
      if (!any) return;
    }
  }

  #read(key: string, place: TilePlace): void {
    const reading = new AbortController();
    this.#running.set(key, reading);
    const { level, axes, t, c, index, column, row } = place;
    const grid = this.grid(level, axes) as TileGrid;
    const { width, height } = tileSize(grid, column, row);
    const [x, y] = [column * grid.tileWidth, row * grid.tileHeight];
    const spans: Array<readonly [number, number]> = [];
    spans[axes.right] = [x, x + width];
    spans[axes.down] = [y, y + height];
    spans[axes.across] = [index, index + 1];
    const region: Region = { t: [t, t + 1], c: [c, c + this.depth], z: spans[0], y: spans[1], x: spans[2] };
    const done = () => {
      if (this.#running.get(key) === reading) this.#running.delete(key);
    };
    this.#reader.read(region, level, { signal: reading.signal }).then(
      ({ data }) => {
        done();
        this.#failed.delete(key);
        if (!reading.signal.aborted) {
          this.#memory.set(key, turned(data, axes, width, height));
          this.dispatchEvent(new CustomEvent<TilePlace>('tile', { detail: place }));
        }
        this.#proceed();
      },
      (cause: unknown) => {
        done();
        if (!reading.signal.aborted) {
          this.#failed.set(key, Date.now());
          this.dispatchEvent(new CustomEvent<CytoError>('problem', { detail: asCytoError(cause) }));
        }
        this.#proceed();
      },
    );
  }
}

/** What layers and painters see of a {@link TiledImage}, of whichever build of this module. */
export type ImageDetail = Pick<TiledImage, keyof TiledImage>;

/** Samples of a tile; those at the right and lower edge are smaller. */
export function tileSize(
  { width, height, tileWidth, tileHeight }: TileGrid,
  column: number,
  row: number,
): { width: number; height: number } {
  return {
    width: Math.min(tileWidth, width - column * tileWidth),
    height: Math.min(tileHeight, height - row * tileHeight),
  };
}

/**
 * Size of a voxel of one level in voxels of another. Levels are halved with rounding, so that the stated spacing is
 * truer than the ratio of their lengths; levels that state none have only that.
 */
export function relativeVoxel(level: ImageLevel, other: ImageLevel): Shape3 {
  const ratio = (axis: Axis): number => {
    const byLength = other.shape[axis + 2] / level.shape[axis + 2];
    const bySpacing = level.calibration.spacing[axis] / other.calibration.spacing[axis];
    const rounding = 2 * Math.max(1 / other.shape[axis + 2], 1 / level.shape[axis + 2]);
    return Math.abs(bySpacing / byLength - 1) <= rounding ? bySpacing : byLength;
  };
  return [ratio(0), ratio(1), ratio(2)];
}

/** Samples read in the order of z, y, x with the axis to the right made the fastest. */
function turned(data: VolumeData, { right, down }: PlaneAxes, width: number, height: number): VolumeData {
  if (right > down) return data;
  const result = data.slice();
  const area = width * height;
  for (let start = 0; start < data.length; start += area) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) result[start + y * width + x] = data[start + x * height + y];
    }
  }
  return result;
}
