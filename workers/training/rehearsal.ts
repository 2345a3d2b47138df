import type { NpyArray } from '../../core/npy.ts';
import type { TileNetwork } from '../segmentation/preprocess/run-tiles.ts';
import type { Crops } from './optimiser.ts';

/** How samples are stored: `GAIN` × the normalised value + `ZERO` (models/training/rehearsal.py). */
const GAIN = 160;
const ZERO = 48;

/**
 * Crops of images that a model knows, with what it says of them. Learned again between the new images, they keep it from
 * forgetting (learning without forgetting, Li and Hoiem 2016).
 */
export class Rehearsal {
  readonly #images: Float32Array;
  readonly #targets: Float32Array;
  readonly #shape: readonly [height: number, width: number];
  /** Number of crops. */
  readonly count: number;

  private constructor({ shape }: NpyArray, images: Float32Array, targets: Float32Array) {
    this.count = shape[0];
    this.#shape = [shape[2], shape[3]];
    this.#images = images;
    this.#targets = targets;
  }

  /** @param network the model as it is before it learns */
  static async of(stored: NpyArray, network: TileNetwork): Promise<Rehearsal> {
    const images = Float32Array.from(stored.data as Uint8Array, (value) => (value - ZERO) / GAIN);
    const targets = new Float32Array(images.length);
    const [count, , height, width] = stored.shape;
    const area = height * width;
    for (let n = 0; n < count; n++) {
      const crop = images.slice(n * 3 * area, (n + 1) * 3 * area);
      const output = await network(crop, 1, height, width);
      targets.set(output.subarray(0, 2 * area), n * 3 * area);
      for (let i = 0; i < area; i++)
        targets[(n * 3 + 2) * area + i] = 1 / (1 + Math.exp(-output[2 * area + i]));
    }
    return new Rehearsal(stored, images, targets);
  }

  /** Puts a window of crop `n` into the only place of a batch. What lies outside the crop does not count. */
  cut(n: number, random: () => number, side: number, crops: Crops): void {
    const [height, width] = this.#shape;
    const area = height * width;
    const [rows, columns] = [Math.min(side, height), Math.min(side, width)];
    const y0 = Math.floor(random() * (height - rows + 1));
    const x0 = Math.floor(random() * (width - columns + 1));
    for (const values of [crops.image, crops.target, crops.valid]) values.fill(0);
    for (let y = 0; y < rows; y++) {
      crops.valid.fill(1, y * side, y * side + columns);
      for (let c = 0; c < 3; c++) {
        const from = (n * 3 + c) * area + (y0 + y) * width + x0;
        const to = (c * side + y) * side;
        crops.image.set(this.#images.subarray(from, from + columns), to);
        crops.target.set(this.#targets.subarray(from, from + columns), to);
      }
    }
  }
}
