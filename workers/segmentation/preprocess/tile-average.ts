import type { Tile, TilePlan } from './tiles.ts';

/**
 * Weights of a tile's rows or columns, high in the middle and falling toward the border; the weight of a pixel is the
 * product of its row's and its column's (spec §3).
 * @param size pixels of the tile along the axis
 * @param other pixels along the other axis: the larger of the two sets the profile
 */
export function taperProfile(size: number, other = size): Float64Array {
  const full = Math.max(224, size, other);
  const half = (full - 1) / 2;
  const start = Math.floor(full / 2) - Math.floor(size / 2);
  return Float64Array.from({ length: size }, (_, k) => {
    const distance = Math.abs(k + start - half);
    return 1 / (1 + Math.exp((distance - (full / 2 - 20)) / 7.5));
  });
}

/**
 * Taper-weighted average of tile outputs: the numerator is accumulated in place in float32, the weights are a product
 * of a row and a column sum, because the tiles form a grid.
 */
export class TileAverage {
  readonly #plan: TilePlan;
  readonly #channels: number;
  readonly #sum: Float32Array;
  readonly #rowTaper: Float64Array;
  readonly #columnTaper: Float64Array;

  /** @param sum optional Float32 [channels, height, width] to accumulate into; zero-filled */
  constructor(plan: TilePlan, channels = 3, sum?: Float32Array) {
    this.#plan = plan;
    this.#channels = channels;
    this.#sum = sum ?? new Float32Array(channels * plan.height * plan.width);
    this.#rowTaper = taperProfile(plan.tileHeight, plan.tileWidth);
    this.#columnTaper = taperProfile(plan.tileWidth, plan.tileHeight);
  }

  /**
   * Adds the network's output for one tile; flips are undone and the flow along a flipped axis is negated.
   * @param output Float32 [channels, tileHeight, tileWidth] = dY, dX, cellprob, …
   */
  add(output: Float32Array, tile: Tile): void {
    const { height, width, tileHeight, tileWidth, top, left } = this.#plan;
    const tileArea = tileHeight * tileWidth;
    for (let c = 0; c < this.#channels; c++) {
      const sign = (c === 0 && tile.flipY) || (c === 1 && tile.flipX) ? -1 : 1;
      for (let j = 0; j < tileHeight; j++) {
        const y = tile.y + j - top;
        if (y < 0 || y >= height) continue;
        const from = c * tileArea + (tile.flipY ? tileHeight - 1 - j : j) * tileWidth;
        const to = (c * height + y) * width;
        const rowWeight = this.#rowTaper[j] * sign;
        const first = Math.max(0, left - tile.x);
        const last = Math.min(tileWidth, width + left - tile.x);
        for (let i = first; i < last; i++) {
          const value = output[from + (tile.flipX ? tileWidth - 1 - i : i)];
          this.#sum[to + tile.x + i - left] += value * (rowWeight * this.#columnTaper[i]);
        }
      }
    }
  }

  /** The average, Float32 [channels, height, width]; divides in place, to be called once after the last tile. */
  finish(): Float32Array {
    const { height, width, rows, columns, top, left } = this.#plan;
    const weights = (starts: number[], taper: Float64Array, length: number, shift: number) => {
      const sum = new Float64Array(length);
      for (const start of starts) {
        for (let k = 0; k < taper.length; k++) {
          const at = start + k - shift;
          if (at >= 0 && at < length) sum[at] += taper[k];
        }
      }
      return sum;
    };
    const byRow = weights(rows, this.#rowTaper, height, top);
    const byColumn = weights(columns, this.#columnTaper, width, left);
    for (let c = 0, i = 0; c < this.#channels; c++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++, i++) this.#sum[i] /= byRow[y] * byColumn[x];
      }
    }
    return this.#sum;
  }
}
