import { throwIfAborted } from '../../core/errors.ts';
import { DEFAULT_PARAMETERS, type SegmentationParameters } from '../../core/segmentation-parameters.ts';
import type { Shape3, VolumeData } from '../../core/volume.ts';
import type { MaskKernels } from './kernels/kernels.ts';
import { MaskPipeline } from './masks/mask-pipeline.ts';
import { labelCounts } from './masks/renumber.ts';
import { maskParameters } from './parameters.ts';
import { mapSamples, type SampleMap } from './preprocess/normalise.ts';
import { planeWork, type RunTilesOptions, runTiles, type TileNetwork } from './preprocess/run-tiles.ts';

/** When an image is scaled although no diameter was given: cells that look smaller or larger, in pixels. */
export interface SizeRule {
  below: number;
  above: number;
}

/** A part of a plane that is looked at to learn the size of the cells. */
export interface Look {
  z: number;
  y: number;
  x: number;
  height: number;
  width: number;
}

/** The network's output [3, y, x] of a look, and the pipeline that makes labels of it. */
export interface Looked {
  output: Float32Array;
  pipeline: MaskPipeline;
}

/** Largest side of a look and pixels of all looks together. */
const SIDE = 512;
const MOST_PIXELS = 1 << 20;

/** Planes of a stack that are looked at, and among which they are chosen. */
const MOST_PLANES = 3;
const CANDIDATES = 15;

/** Fewer cells than this say nothing about their usual size. */
const LEAST_CELLS = 5;

/** Enlarging further makes nothing clearer and costs by the square. */
const MOST_ENLARGEMENT = 2;

/**
 * Where to look: a plane of up to a megapixel as a whole, of a larger one the parts with most contrast, a megapixel in
 * all. Of a stack, the three planes with most contrast among fifteen, as far as they keep within a megapixel.
 * @param shape [z, y, x]
 */
export function chooseLooks(
  channels: readonly VolumeData[],
  maps: readonly SampleMap[],
  [nz, ny, nx]: Shape3,
): Look[] {
  if (nz === 1 && ny * nx <= MOST_PIXELS) return [{ z: 0, y: 0, x: 0, height: ny, width: nx }];
  const divided = ny * nx > MOST_PIXELS;
  const [rows, columns] = divided ? [Math.ceil(ny / SIDE), Math.ceil(nx / SIDE)] : [1, 1];
  const [height, width] = [Math.ceil(ny / rows), Math.ceil(nx / columns)];
  const planes = lookPlanes(nz);
  const looks = Array.from({ length: planes.length * rows * columns }, (_, k) => {
    const part = k % (rows * columns);
    const look = {
      z: planes[Math.floor(k / (rows * columns))],
      y: Math.min(Math.floor(part / columns) * height, ny - height),
      x: Math.min((part % columns) * width, nx - width),
      height,
      width,
    };
    return { look, contrast: contrastOf(channels, maps, [nz, ny, nx], look) };
  });
  looks.sort((a, b) => b.contrast - a.contrast);
  const affordable = Math.max(1, Math.floor(MOST_PIXELS / (height * width)));
  const most = nz === 1 ? affordable : Math.min(affordable, MOST_PLANES);
  return looks.slice(0, most).map(({ look }) => look);
}

/** Planes of a stack among which those are chosen that are looked at. */
export function lookPlanes(nz: number): number[] {
  const planes = Math.min(nz, CANDIDATES);
  return Array.from({ length: planes }, (_, k) => Math.floor(((k + 0.5) * nz) / planes));
}

/** Largest variance of a channel, by every fourth pixel of every fourth row, normalised and clipped. */
export function contrastOf(
  channels: readonly VolumeData[],
  maps: readonly SampleMap[],
  [, ny, nx]: Shape3,
  { z, y, x, height, width }: Look,
): number {
  let most = 0;
  channels.forEach((samples, c) => {
    const { low, scale } = maps[c];
    let [sum, squares, count] = [0, 0, 0];
    for (let row = y; row < y + height; row += 4) {
      const start = (z * ny + row) * nx;
      for (let i = start + x; i < start + x + width; i += 4) {
        const value = Math.min(1, Math.max(0, (samples[i] - low) * scale));
        if (Number.isNaN(value)) continue;
        sum += value;
        squares += value * value;
        count++;
      }
    }
    if (count > 0) most = Math.max(most, squares / count - (sum / count) ** 2);
  });
  return most;
}

/** Tiles the network is run on to look. */
export function tilesOfLooks(looks: readonly Look[], options: RunTilesOptions): number {
  return looks.reduce((sum, { height, width }) => sum + planeWork(height, width, options).tiles, 0);
}

/**
 * Segments the looks at the image's own scale and measures the cells.
 * @returns the median diameter in pixels of the disc of a cell's area, undefined if fewer than five cells were seen;
 * and what was made of the looks, in their order
 */
export async function lookAtCells(
  { channels, shape }: { channels: readonly VolumeData[]; shape: Shape3 },
  maps: readonly SampleMap[],
  looks: readonly Look[],
  parameters: SegmentationParameters,
  network: TileNetwork,
  tiles: RunTilesOptions,
  kernels: MaskKernels | undefined,
): Promise<{ diameter: number | undefined; looked: Looked[] }> {
  const [, ny, nx] = shape;
  // Of a stack the least size is in voxels, which no cell of a single plane may have.
  const { minSize } = parameters.mode === '2d' ? parameters : DEFAULT_PARAMETERS;
  const masks = maskParameters({ ...parameters, minSize });
  const areas: number[] = [];
  const looked: Looked[] = [];
  for (const { z, y, x, height, width } of looks) {
    throwIfAborted(tiles.signal);
    const inputs = channels.map((samples, c) => {
      const out = new Float32Array(height * width);
      for (let row = 0; row < height; row++) {
        const start = (z * ny + y + row) * nx + x;
        mapSamples(
          samples.subarray(start, start + width),
          maps[c],
          out.subarray(row * width, (row + 1) * width),
        );
      }
      return out;
    });
    const output = await runTiles(inputs, height, width, network, tiles);
    const area = height * width;
    const pipeline = new MaskPipeline(
      output.subarray(0, 2 * area),
      output.subarray(2 * area),
      [height, width],
      kernels,
    );
    looked.push({ output, pipeline });
    const labels = await pipeline.labels(masks, tiles.signal ? { signal: tiles.signal } : {});
    areas.push(...labelCounts(labels).slice(1));
  }
  areas.sort((a, b) => a - b);
  const median = areas[areas.length >> 1];
  return { diameter: areas.length < LEAST_CELLS ? undefined : 2 * Math.sqrt(median / Math.PI), looked };
}

/**
 * Diameter to scale an image by whose cells look this large.
 * @param mean diameter the network likes best
 * @returns undefined if the image is best left at its own scale
 */
export function diameterToUse(
  seen: number | undefined,
  { below, above }: SizeRule,
  mean: number,
): number | undefined {
  if (seen === undefined || (seen >= below && seen <= above)) return undefined;
  return Math.max(seen, mean / MOST_ENLARGEMENT);
}
