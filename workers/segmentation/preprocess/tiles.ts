import { CytoError } from '../../../core/errors.ts';

export interface TileOptions {
  /** Share of a tile that overlaps its neighbour, clamped to 0.05…0.5. */
  overlap: number;
  /** Twice as many tiles, flipped alternately. */
  augment: boolean;
  /**
   * Sides that the network takes are multiples of this: an axis shorter than a tile is then padded to the next one
   * only. Absent: always to a whole tile, as the reference does.
   */
  step?: number;
}

/** Zeros before and after an axis so that the network sees whole tiles (spec §3). */
export function tilePadding(length: number, tile: number, step = tile): { before: number; after: number } {
  const least = Math.min(tile, step * Math.ceil((length + 16) / step));
  const pad = length >= tile ? 16 * Math.ceil(length / 16) - length : Math.max(0, least - length - 16);
  return { before: 8 + Math.floor(pad / 2), after: 8 + pad - Math.floor(pad / 2) };
}

/** First pixels of the tiles along a padded axis (spec §3). */
export function tileStarts(length: number, tile: number, { overlap, augment }: TileOptions): number[] {
  if (!(tile >= 1)) throw new CytoError('bad-input', `A tile of ${tile} pixels is not possible.`);
  const share = Math.min(0.5, Math.max(0.05, overlap));
  const count = augment
    ? Math.max(2, Math.ceil((2 * length) / tile))
    : length <= tile
      ? 1
      : Math.ceil(((1 + 2 * share) * length) / tile);
  if (count === 1) return [0];
  const last = length - tile;
  // numpy's linspace: i · step with the last value set, so that truncation falls as in the reference.
  const step = last / (count - 1);
  return Array.from({ length: count }, (_, i) => Math.trunc(i === count - 1 ? last : i * step));
}

/** One tile: its corner in the padded plane and whether it is flipped before the network. */
export interface Tile {
  y: number;
  x: number;
  flipY: boolean;
  flipX: boolean;
}

/** Where the tiles of a plane lie. */
export interface TilePlan {
  /** Size of the plane. */
  height: number;
  width: number;
  /** Size of the padded plane and of a tile. */
  paddedHeight: number;
  paddedWidth: number;
  tileHeight: number;
  tileWidth: number;
  /** Position of the plane inside the padded one. */
  top: number;
  left: number;
  rows: number[];
  columns: number[];
  /** Row-major. */
  tiles: Tile[];
}

function plan(
  size: readonly [height: number, width: number],
  padded: readonly [height: number, width: number],
  corner: readonly [top: number, left: number],
  tile: readonly [height: number, width: number],
  options: TileOptions,
): TilePlan {
  const rows = tileStarts(padded[0], tile[0], options);
  const columns = tileStarts(padded[1], tile[1], options);
  const tiles = rows.flatMap((y, j) =>
    columns.map((x, i) => ({
      y,
      x,
      flipY: options.augment && i % 2 === 1,
      flipX: options.augment && j % 2 === 1,
    })),
  );
  return {
    height: size[0],
    width: size[1],
    paddedHeight: padded[0],
    paddedWidth: padded[1],
    tileHeight: tile[0],
    tileWidth: tile[1],
    top: corner[0],
    left: corner[1],
    rows,
    columns,
    tiles,
  };
}

/** Tiles of a plane that is padded by {@link tilePadding}: what the network runner uses. */
export function planTiles(height: number, width: number, tile: number, options: TileOptions): TilePlan {
  // Flipped tiles are cut from whole ones.
  const step = options.augment ? tile : options.step;
  const y = tilePadding(height, tile, step);
  const x = tilePadding(width, tile, step);
  const padded = [height + y.before + y.after, width + x.before + x.after] as const;
  const size = [Math.min(tile, padded[0]), Math.min(tile, padded[1])] as const;
  return plan([height, width], padded, [y.before, x.before], size, options);
}

/** Tiles of a plane without padding; tiles are cut down to a smaller plane, unless augmenting, which pads at the end. */
export function planTilesUnpadded(
  height: number,
  width: number,
  tile: number,
  options: TileOptions,
): TilePlan {
  const padded = options.augment
    ? ([Math.max(height, tile), Math.max(width, tile)] as const)
    : ([height, width] as const);
  const size = [Math.min(tile, padded[0]), Math.min(tile, padded[1])] as const;
  return plan(padded, padded, [0, 0], size, options);
}

/**
 * Cuts one channel of a tile out of a plane, zeros outside, flipped if the tile says so.
 * @param out receives tileHeight × tileWidth values
 */
export function cutTile(
  plane: ArrayLike<number>,
  planeHeight: number,
  planeWidth: number,
  plan: TilePlan,
  tile: Tile,
  out: Float32Array,
): void {
  const { tileHeight, tileWidth, top, left } = plan;
  for (let j = 0; j < tileHeight; j++) {
    const y = tile.y + (tile.flipY ? tileHeight - 1 - j : j) - top;
    const row = j * tileWidth;
    if (y < 0 || y >= planeHeight) {
      out.fill(0, row, row + tileWidth);
      continue;
    }
    for (let i = 0; i < tileWidth; i++) {
      const x = tile.x + (tile.flipX ? tileWidth - 1 - i : i) - left;
      out[row + i] = x < 0 || x >= planeWidth ? 0 : plane[y * planeWidth + x];
    }
  }
}
