import { type ImageDetail, type PlaneAxes, type TileGrid, type TilePlace, tileSize } from './tiled-image.ts';
import type { VolumeData } from './volume.ts';

/** A rectangle of samples of one level, half-open: [x0, y0, x1, y1]. */
export type Rectangle = readonly [x0: number, y0: number, x1: number, y1: number];

/** Which plane of which image a window shows. */
export interface WindowPlane {
  axes: PlaneAxes;
  t: number;
  /** First channel. */
  c: number;
  /** Middle of the plane along `axes.across`, in voxels of the overview. */
  depth: number;
}

/** Samples of a rectangle of one plane, one channel after the other. */
export interface Samples {
  data: VolumeData;
  rectangle: Rectangle;
  /** Voxel size to the right and downwards, in voxels of the overview. */
  voxel: readonly [right: number, down: number];
}

/**
 * The level that shows at least a sample per pixel: the coarsest whose voxels are no larger than a pixel, with a tenth
 * to spare; the overview where that is enough.
 * @param pixel size of a device pixel in voxels of the overview
 */
export function fittingDetail(image: ImageDetail, { right, down }: PlaneAxes, pixel: number): number {
  for (let level = image.overview; level > 0; level--) {
    const voxel = image.voxel(level);
    if (Math.max(voxel[right], voxel[down]) <= pixel * 1.1) return level;
  }
  return 0;
}

/** Tiles of a grid that a rectangle in samples of the level has a part in, as a rectangle in tiles. */
export function tilesWithin(
  { width, height, tileWidth, tileHeight }: TileGrid,
  [x0, y0, x1, y1]: Rectangle,
): Rectangle {
  const clip = (value: number, most: number) => Math.min(Math.max(0, value), most);
  return [
    clip(Math.floor(x0 / tileWidth), Math.ceil(width / tileWidth)),
    clip(Math.floor(y0 / tileHeight), Math.ceil(height / tileHeight)),
    clip(Math.ceil(x1 / tileWidth), Math.ceil(width / tileWidth)),
    clip(Math.ceil(y1 / tileHeight), Math.ceil(height / tileHeight)),
  ];
}

/** The samples that a rectangle of tiles covers. */
export function samplesOfTiles(
  { width, height, tileWidth, tileHeight }: TileGrid,
  tiles: Rectangle,
): Rectangle {
  return [
    tiles[0] * tileWidth,
    tiles[1] * tileHeight,
    Math.min(tiles[2] * tileWidth, width),
    Math.min(tiles[3] * tileHeight, height),
  ];
}

/** Index of the plane of a level that lies at a depth. */
export function levelIndex(image: ImageDetail, level: number, { axes, depth }: WindowPlane): number {
  const index = Math.floor(depth / image.voxel(level)[axes.across]);
  return Math.min(Math.max(0, index), image.shape(level)[axes.across] - 1);
}

/** Places of a rectangle of tiles, from its middle outwards. */
export function placesOf(
  image: ImageDetail,
  level: number,
  plane: WindowPlane,
  tiles: Rectangle,
): TilePlace[] {
  const { axes, t, c } = plane;
  const index = levelIndex(image, level, plane);
  const places: TilePlace[] = [];
  for (let row = tiles[1]; row < tiles[3]; row++) {
    for (let column = tiles[0]; column < tiles[2]; column++)
      places.push({ level, axes, t, c, index, column, row });
  }
  const [mx, my] = [(tiles[0] + tiles[2] - 1) / 2, (tiles[1] + tiles[3] - 1) / 2];
  const far = ({ column, row }: TilePlace) => (column - mx) ** 2 + (row - my) ** 2;
  return places.sort((a, b) => far(a) - far(b));
}

/** A tile in memory with its place in the level. */
export function tileSamples(image: ImageDetail, place: TilePlace): Samples | undefined {
  const data = image.get(place);
  const grid = image.grid(place.level, place.axes);
  if (!data || !grid) return undefined;
  const { width, height } = tileSize(grid, place.column, place.row);
  const [x, y] = [place.column * grid.tileWidth, place.row * grid.tileHeight];
  const voxel = image.voxel(place.level);
  return {
    data,
    rectangle: [x, y, x + width, y + height],
    voxel: [voxel[place.axes.right], voxel[place.axes.down]],
  };
}

/**
 * Writes what a part of the source shows into the target, where they overlap: each sample is that of the source at its
 * middle.
 * @param within only this rectangle of the target, in its level's samples
 */
export function resample(
  source: Samples,
  target: Samples,
  depth: number,
  within: Rectangle = target.rectangle,
): void {
  const [sx0, sy0, sx1, sy1] = source.rectangle;
  const [tx0, ty0, tx1, ty1] = target.rectangle;
  const [fx, fy] = [target.voxel[0] / source.voxel[0], target.voxel[1] / source.voxel[1]];
  const [sourceWidth, targetWidth] = [sx1 - sx0, tx1 - tx0];
  const first = (low: number, from: number, factor: number) => Math.max(low, Math.ceil(from / factor - 0.5));
  const end = (high: number, to: number, factor: number) => Math.min(high, Math.ceil(to / factor - 0.5));
  const [x0, x1] = [first(Math.max(tx0, within[0]), sx0, fx), end(Math.min(tx1, within[2]), sx1, fx)];
  const [y0, y1] = [first(Math.max(ty0, within[1]), sy0, fy), end(Math.min(ty1, within[3]), sy1, fy)];
  if (x1 <= x0 || y1 <= y0) return;
  const columns = new Int32Array(x1 - x0);
  const inside = (at: number, length: number) => Math.min(Math.max(0, at), length - 1);
  for (let x = x0; x < x1; x++) columns[x - x0] = inside(Math.floor((x + 0.5) * fx) - sx0, sourceWidth);
  for (let channel = 0; channel < depth; channel++) {
    const from = channel * sourceWidth * (sy1 - sy0);
    const to = channel * targetWidth * (ty1 - ty0);
    let before = -1;
    for (let y = y0; y < y1; y++) {
      const sourceRow = inside(Math.floor((y + 0.5) * fy) - sy0, sy1 - sy0);
      const at = to + (y - ty0) * targetWidth + x0 - tx0;
      if (sourceRow === before) {
        // The same row once more, as often as the source is coarser.
        target.data.copyWithin(at, at - targetWidth, at - targetWidth + x1 - x0);
        continue;
      }
      before = sourceRow;
      const row = from + sourceRow * sourceWidth;
      if (fx === 1)
        target.data.set(source.data.subarray(row + columns[0], row + columns[0] + x1 - x0) as never, at);
      else for (let k = 0; k < columns.length; k++) target.data[at + k] = source.data[row + columns[k]];
    }
  }
}

/**
 * Fills a window of one level with the best that is in memory: tiles of the level, else of the next coarser ones, else
 * the overview.
 * @param overview the plane of the overview
 * @returns places whose own tile was there
 */
export function fillWindow(
  image: ImageDetail,
  plane: WindowPlane,
  level: number,
  target: Samples,
  overview: Samples,
): TilePlace[] {
  const grid = image.grid(level, plane.axes);
  if (!grid) return [];
  const there: TilePlace[] = [];
  const coarser = coarserTiles(image, plane, level, target);
  for (const place of placesOf(image, level, plane, tilesWithin(grid, target.rectangle))) {
    const own = tileSamples(image, place);
    if (own) {
      resample(own, target, image.depth);
      there.push(place);
      continue;
    }
    const within = samplesOfTiles(grid, [place.column, place.row, place.column + 1, place.row + 1]);
    resample(overview, target, image.depth, within);
    for (const tile of coarser) resample(tile, target, image.depth, within);
  }
  return there;
}

/** Tiles in memory of the two levels above, the coarser first. */
function coarserTiles(image: ImageDetail, plane: WindowPlane, level: number, target: Samples): Samples[] {
  const found: Samples[] = [];
  const { right, down } = plane.axes;
  for (let above = Math.min(level + 2, image.overview - 1); above > level; above--) {
    const grid = image.grid(above, plane.axes);
    if (!grid) continue;
    const voxel = image.voxel(above);
    const [fx, fy] = [target.voxel[0] / voxel[right], target.voxel[1] / voxel[down]];
    const [x0, y0, x1, y1] = target.rectangle;
    for (const place of placesOf(
      image,
      above,
      plane,
      tilesWithin(grid, [x0 * fx, y0 * fy, x1 * fx, y1 * fy]),
    )) {
      const tile = tileSamples(image, place);
      if (tile) found.push(tile);
    }
  }
  return found;
}
