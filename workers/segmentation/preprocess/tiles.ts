import { CytoError } from '../../../core/errors.ts';

export interface TileOptions {
  /** Share of a tile that overlaps its neighbour, clamped to 0.05…0.5. */
  overlap: number;
  /** Twice as many tiles, flipped alternately. */
  augment: boolean;
  /**
   * For networks that take other sides than `tile`: sides are multiples of `step`, `largest` at most. An axis is then
   * covered by as few tiles of one size as can be, three quarters of `tile` at least, which overlap by as many pixels as
   * tiles of side `tile` would.
   * Absent, or with `augment`: whole tiles, as the reference does.
   */
  sides?: { step: number; largest: number };
}

/** Zeros before and after an axis so that the network sees whole tiles (spec §3). */
export function tilePadding(length: number, tile: number): { before: number; after: number } {
  const pad = length >= tile ? 16 * Math.ceil(length / 16) - length : Math.max(0, tile - length - 16);
  return { before: 8 + Math.floor(pad / 2), after: 8 + pad - Math.floor(pad / 2) };
}

/** First pixels of the tiles along a padded axis (spec §3). */
export function tileStarts(length: number, tile: number, { overlap, augment }: TileOptions): number[] {
  if (!(tile >= 1)) throw new CytoError('bad-input', `A tile of ${tile} pixels is not possible.`);
  const share = overlapShare(overlap);
  const count = augment
    ? Math.max(2, Math.ceil((2 * length) / tile))
    : length <= tile
      ? 1
      : Math.ceil(((1 + 2 * share) * length) / tile);
  return evenStarts(length - tile, count);
}

/** The overlap as the reference bounds it. */
function overlapShare(overlap: number): number {
  return Math.min(0.5, Math.max(0.05, overlap));
}

/** `count` whole numbers from 0 to `last` at even steps. */
function evenStarts(last: number, count: number): number[] {
  if (count === 1) return [0];
  // numpy's linspace: i · step with the last value set, so that truncation falls as in the reference.
  const step = last / (count - 1);
  return Array.from({ length: count }, (_, i) => Math.trunc(i === count - 1 ? last : i * step));
}

/** Tiles along one axis: zeros before and after it, side of a tile, first pixels in the padded axis. */
interface AxisTiles {
  before: number;
  after: number;
  side: number;
  starts: number[];
}

function wholeTiles(length: number, tile: number, options: TileOptions): AxisTiles {
  const { before, after } = tilePadding(length, tile);
  const padded = length + before + after;
  const side = Math.min(tile, padded);
  return { before, after, side, starts: tileStarts(padded, side, options) };
}

/**
 * Sides of fewer pixels than this share of a tile are filled up with zeros: networks that saw tiles alone when they were
 * trained find less in smaller ones.
 */
const LEAST_SIDE = 0.75;

function fewTiles(
  length: number,
  tile: number,
  overlap: number,
  { step, largest }: { step: number; largest: number },
): AxisTiles {
  const least = length + 16;
  const share = overlapShare(overlap);
  const shared = (tile * 2 * share) / (1 + 2 * share); // pixels that whole tiles of a long axis have in common
  const count = Math.max(1, Math.ceil((least - shared) / (largest - shared)));
  const needed = Math.max((least + (count - 1) * shared) / count, Math.min(largest, LEAST_SIDE * tile));
  const side = step * Math.ceil(needed / step);
  const padded = Math.max(least, side);
  const before = Math.floor((padded - length) / 2);
  return { before, after: padded - length - before, side, starts: evenStarts(padded - side, count) };
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

function plan(height: number, width: number, y: AxisTiles, x: AxisTiles, augment: boolean): TilePlan {
  const tiles = y.starts.flatMap((top, j) =>
    x.starts.map((left, i) => ({
      y: top,
      x: left,
      flipY: augment && i % 2 === 1,
      flipX: augment && j % 2 === 1,
    })),
  );
  return {
    height,
    width,
    paddedHeight: y.before + height + y.after,
    paddedWidth: x.before + width + x.after,
    tileHeight: y.side,
    tileWidth: x.side,
    top: y.before,
    left: x.before,
    rows: y.starts,
    columns: x.starts,
    tiles,
  };
}

/** Tiles of a plane with zeros around it: what the network runner uses. */
export function planTiles(height: number, width: number, tile: number, options: TileOptions): TilePlan {
  const { sides, overlap, augment } = options;
  const axis = (length: number) =>
    sides && !augment ? fewTiles(length, tile, overlap, sides) : wholeTiles(length, tile, options);
  return plan(height, width, axis(height), axis(width), augment);
}

/** Tiles of a plane without padding; tiles are cut down to a smaller plane, unless augmenting, which pads at the end. */
export function planTilesUnpadded(
  height: number,
  width: number,
  tile: number,
  options: TileOptions,
): TilePlan {
  const [paddedHeight, paddedWidth] = options.augment
    ? [Math.max(height, tile), Math.max(width, tile)]
    : [height, width];
  const axis = (length: number): AxisTiles => {
    const side = Math.min(tile, length);
    return { before: 0, after: 0, side, starts: tileStarts(length, side, options) };
  };
  return plan(paddedHeight, paddedWidth, axis(paddedHeight), axis(paddedWidth), options.augment);
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
