import { throwIfAborted } from '../../core/errors.ts';
import { type TaskOptions, TimeLeft } from '../../core/progress.ts';
import type { TileNetwork } from './preprocess/run-tiles.ts';

/** The network with progress and pauses between its calls. */
export class TileCounter {
  #timing = new TimeLeft(0);
  #done = 0;
  #before = 0;
  #total = 0;
  readonly #options: TaskOptions & { pause?: () => Promise<void> };
  readonly #network: TileNetwork;

  constructor(network: TileNetwork, options: TaskOptions & { pause?: () => Promise<void> }) {
    this.#network = network;
    this.#options = options;
  }

  /** Says how many tiles are still to come. */
  expect(tiles: number): void {
    this.#before = this.#done;
    this.#total = this.#done + tiles;
    this.#timing = new TimeLeft(tiles);
    this.#report();
  }

  readonly network: TileNetwork = async (tiles, batch, height, width) => {
    await this.#options.pause?.();
    throwIfAborted(this.#options.signal);
    const output = await this.#network(tiles, batch, height, width);
    this.#done += batch;
    this.#report();
    return output;
  };

  #report(): void {
    const secondsLeft = this.#timing.after(this.#done - this.#before);
    this.#options.onProgress?.({
      phase: 'network',
      value: this.#done,
      total: this.#total,
      ...(secondsLeft === undefined ? {} : { secondsLeft }),
    });
  }
}
