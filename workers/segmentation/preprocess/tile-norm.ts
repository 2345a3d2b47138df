import { CytoError } from '../../../core/errors.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { gaussianAlong } from './gaussian.ts';
import { percentiles } from './percentile.ts';
import { resizePlane } from './resize.ts';
import { tileStarts } from './tiles.ts';

export interface TileNormOptions {
  /** Tile side in pixels. */
  blocksize: number;
  percentile: readonly [number, number];
  norm3D: boolean;
  smooth3D: number;
  /** Repeat a fault of the reference: for a single plane it uses the first row of the grid for all. */
  compat?: boolean;
}

/**
 * Local normalisation, in place: percentiles per overlapping tile, smoothed over the grid of tiles, resized to the
 * image (spec §2.5). The grid is smoothed along z and tile-y, as the reference does.
 * @param samples one channel, Float32 [z, y, x]
 */
export function normaliseTiles(samples: Float32Array, shape: Shape3, options: TileNormOptions): void {
  const { blocksize, percentile, norm3D, smooth3D, compat = false } = options;
  if (!(blocksize >= 2))
    throw new CytoError('bad-input', `A tile of ${blocksize} pixels is too small to normalise.`);
  const [nz, ny, nx] = shape;
  const tileY = Math.min(blocksize, ny);
  const tileX = Math.min(blocksize, nx);
  const ys = tileStarts(ny, tileY, { overlap: 0.1, augment: false });
  const xs = tileStarts(nx, tileX, { overlap: 0.1, augment: false });
  const grid = ys.length * xs.length;
  const low = new Float32Array(nz * grid);
  const high = new Float32Array(nz * grid);
  const tile = new Float32Array(tileY * tileX);
  for (let z = 0; z < nz; z++) {
    ys.forEach((y0, j) => {
      xs.forEach((x0, i) => {
        for (let y = 0; y < tileY; y++) {
          const line = (z * ny + y0 + y) * nx + x0;
          tile.set(samples.subarray(line, line + tileX), y * tileX);
        }
        [low[z * grid + j * xs.length + i], high[z * grid + j * xs.length + i]] = percentiles(
          tile,
          percentile,
        );
      });
    });
    fillFlatTiles(low.subarray(z * grid, (z + 1) * grid), high.subarray(z * grid, (z + 1) * grid), xs.length);
  }
  for (const map of [low, high]) {
    gaussianAlong(map, [nz, ys.length, xs.length], 0, 1);
    gaussianAlong(map, [nz, ys.length, xs.length], 1, 1);
    if (norm3D) gaussianAlong(map, [nz, ys.length, xs.length], 1, smooth3D > 0 ? smooth3D : 1);
  }
  const meanOverZ = (map: Float32Array) =>
    Float32Array.from({ length: grid }, (_, k) => {
      let sum = 0;
      for (let z = 0; z < nz; z++) sum += map[z * grid + k];
      return sum / nz;
    });
  const rows = compat && nz === 1 ? 1 : ys.length;
  const resized = (map: Float32Array) =>
    resizePlane(meanOverZ(map).subarray(0, rows * xs.length), rows, xs.length, ny, nx);
  const lows = resized(low);
  const highs = resized(high);
  for (let i = 0; i < samples.length; i++) {
    const k = i % (ny * nx);
    const range = highs[k] - lows[k];
    samples[i] = range > 0 ? (samples[i] - lows[k]) / range : 0;
  }
}

/** Tiles without contrast take the percentiles of the nearest tile that has some; 0 and 1 if there is none. */
function fillFlatTiles(low: Float32Array, high: Float32Array, columns: number): void {
  const good = [...low.keys()].filter((k) => high[k] - low[k] >= 1e-3);
  const sources = good.map((k) => [low[k], high[k]]);
  for (let k = 0; k < low.length; k++) {
    if (high[k] - low[k] >= 1e-3) continue;
    let nearest = -1;
    let least = Number.POSITIVE_INFINITY;
    good.forEach((other, at) => {
      const dy = Math.floor(other / columns) - Math.floor(k / columns);
      const dx = (other % columns) - (k % columns);
      const distance = dy * dy + dx * dx;
      if (distance < least) {
        least = distance;
        nearest = at;
      }
    });
    [low[k], high[k]] = nearest < 0 ? [0, 1] : sources[nearest];
  }
}
