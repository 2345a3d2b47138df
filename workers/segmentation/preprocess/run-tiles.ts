import { throwIfAborted } from '../../../core/errors.ts';
import { giveBack } from '../give-back.ts';
import { TileAverage } from './tile-average.ts';
import { cutTile, planTiles, type Tile, type TileOptions, type TilePlan } from './tiles.ts';

/**
 * The network as a function of a batch of tiles. The output is the caller's, which frees its memory when it is used up, and
 * that of the tiles.
 * @param tiles Float32 [batch, 3, height, width], normalised
 * @returns Float32 [batch, 3, height, width] = dY, dX (5 × unit flow), cellprob logit
 */
export type TileNetwork = (
  tiles: Float32Array,
  batch: number,
  height: number,
  width: number,
) => Promise<Float32Array>;

export interface RunTilesOptions extends TileOptions {
  /** Tile side the network wants. */
  tile: number;
  /** Tiles per call. */
  batch: number;
  signal?: AbortSignal;
  /** Called after every tile with the number done in this plane. */
  onTile?: (done: number) => void;
}

/** What the network has to do. */
export interface NetworkWork {
  tiles: number;
  /** Pixels of all tiles, overlaps and padding included. */
  pixels: number;
}

/** What the network has to do for a plane of this size. */
export function planeWork(
  height: number,
  width: number,
  options: TileOptions & { tile: number },
): NetworkWork {
  const { tiles, tileHeight, tileWidth } = planTiles(height, width, options.tile, options);
  return { tiles: tiles.length, pixels: tiles.length * tileHeight * tileWidth };
}

function cutBatch(
  channels: readonly ArrayLike<number>[],
  plan: TilePlan,
  tiles: readonly Tile[],
): Float32Array {
  const area = plan.tileHeight * plan.tileWidth;
  const input = new Float32Array(tiles.length * 3 * area);
  tiles.forEach((tile, b) => {
    channels.forEach((channel, c) => {
      const start = (b * 3 + c) * area;
      cutTile(channel, plan.height, plan.width, plan, tile, input.subarray(start, start + area));
    });
  });
  return input;
}

/**
 * Runs the network over one plane: zero-pad, cut tiles, run, average with tapered weights, crop (spec §3).
 * While one batch is with the network the next is cut.
 *
 * @param channels up to three normalised channels, each [height, width]; missing ones are 0
 * @param out optional Float32 [3, height, width] to write to, zero-filled
 * @returns Float32 [3, height, width] = dY, dX, cellprob
 */
export async function runTiles(
  channels: readonly ArrayLike<number>[],
  height: number,
  width: number,
  network: TileNetwork,
  options: RunTilesOptions,
  out?: Float32Array,
): Promise<Float32Array> {
  const plan = planTiles(height, width, options.tile, options);
  const average = new TileAverage(plan, 3, out);
  const batches: Tile[][] = [];
  for (let k = 0; k < plan.tiles.length; k += options.batch)
    batches.push(plan.tiles.slice(k, k + options.batch));
  const size = 3 * plan.tileHeight * plan.tileWidth;
  let done = 0;
  let input = cutBatch(channels, plan, batches[0]);
  for (let k = 0; k < batches.length; k++) {
    throwIfAborted(options.signal);
    const sent = input;
    const running = network(sent, batches[k].length, plan.tileHeight, plan.tileWidth);
    if (k + 1 < batches.length) input = cutBatch(channels, plan, batches[k + 1]);
    const output = await running;
    batches[k].forEach((tile, b) => {
      average.add(output.subarray(b * size, (b + 1) * size), tile);
      options.onTile?.(++done);
    });
    giveBack(sent, output);
  }
  return average.finish();
}
