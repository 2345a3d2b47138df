import type { NpyArray } from '../../core/npy.ts';
import type { MaskKernels } from '../segmentation/kernels/kernels.ts';
import { MaskPipeline } from '../segmentation/masks/mask-pipeline.ts';
import { averagePrecision } from '../segmentation/masks/metrics.ts';
import { completeParameters, maskParameters } from '../segmentation/parameters.ts';
import type { TileNetwork } from '../segmentation/preprocess/run-tiles.ts';
import type { Crops } from './optimiser.ts';

/** Crops that are repeated beside each new one; each counts as much as it (docs/training.md). */
export const REPEATED = 1;

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
  /** Cells of each crop as the model found them before it learned, Uint32 [y, x]. */
  readonly #cells: readonly Uint32Array[];
  /** From a crop to the next: neighbours show the same kind of image. */
  readonly #stride: number;
  readonly #shape: readonly [height: number, width: number];
  /** Number of crops. */
  readonly count: number;

  private constructor(
    { shape }: NpyArray,
    images: Float32Array,
    targets: Float32Array,
    cells: readonly Uint32Array[],
  ) {
    this.count = shape[0];
    this.#shape = [shape[2], shape[3]];
    this.#stride = stride(this.count);
    this.#images = images;
    this.#targets = targets;
    this.#cells = cells;
  }

  /** @param network the model as it is before it learns */
  static async of(stored: NpyArray, network: TileNetwork, kernels: MaskKernels): Promise<Rehearsal> {
    const images = Float32Array.from(stored.data as Uint8Array, (value) => (value - ZERO) / GAIN);
    const targets = new Float32Array(images.length);
    const [count, , height, width] = stored.shape;
    const area = height * width;
    const cells: Uint32Array[] = [];
    for (let n = 0; n < count; n++) {
      const crop = images.slice(n * 3 * area, (n + 1) * 3 * area);
      const output = await network(crop, 1, height, width);
      cells.push(await cellsOf(output, [height, width], kernels));
      targets.set(output.subarray(0, 2 * area), n * 3 * area);
      for (let i = 0; i < area; i++)
        targets[(n * 3 + 2) * area + i] = 1 / (1 + Math.exp(-output[2 * area + i]));
    }
    return new Rehearsal(stored, images, targets, cells);
  }

  /**
   * How much of what the model knew a network still says: average precision at IoU 0.5 of the cells that it finds in the
   * crops, against those that the model found before it learned.
   * @returns 0…1; 1 if both find none
   */
  async remembered(network: TileNetwork, kernels: MaskKernels): Promise<number> {
    let [alike, all] = [0, 0];
    for (const [n, output] of (await this.through(network)).entries()) {
      const cells = await cellsOf(output, this.#shape, kernels);
      const { tp, fp, fn } = averagePrecision(this.#cells[n], cells, [0.5]);
      alike += tp[0];
      all += tp[0] + fp[0] + fn[0];
    }
    return all === 0 ? 1 : alike / all;
  }

  /** What a network that takes one image says of each crop. */
  async through(network: TileNetwork): Promise<Float32Array[]> {
    const [height, width] = this.#shape;
    const size = 3 * height * width;
    const outputs: Float32Array[] = [];
    for (let n = 0; n < this.count; n++) {
      const output = await network(this.#images.slice(n * size, (n + 1) * size), 1, height, width);
      outputs.push(output.slice());
    }
    return outputs;
  }

  /**
   * Puts a window of the crop whose turn it is into a place of a batch. What lies outside the crop does not count.
   * @param turn counted from 0; all crops come before one comes again
   */
  cut(turn: number, random: () => number, side: number, crops: Crops, place: number): void {
    const [height, width] = this.#shape;
    const area = height * width;
    const n = (turn * this.#stride) % this.count;
    const picture = crops.image.subarray(place * 3 * side ** 2, (place + 1) * 3 * side ** 2).fill(0);
    const target = crops.target.subarray(place * 3 * side ** 2, (place + 1) * 3 * side ** 2).fill(0);
    const valid = crops.valid.subarray(place * side ** 2, (place + 1) * side ** 2).fill(0);
    const [rows, columns] = [Math.min(side, height), Math.min(side, width)];
    const y0 = Math.floor(random() * (height - rows + 1));
    const x0 = Math.floor(random() * (width - columns + 1));
    for (let y = 0; y < rows; y++) {
      valid.fill(1, y * side, y * side + columns);
      for (let c = 0; c < 3; c++) {
        const from = (n * 3 + c) * area + (y0 + y) * width + x0;
        const to = (c * side + y) * side;
        picture.set(this.#images.subarray(from, from + columns), to);
        target.set(this.#targets.subarray(from, from + columns), to);
      }
    }
  }
}

/** The cells that a run with default parameters makes of a network's output [3, y, x]. */
function cellsOf(
  output: Float32Array,
  shape: readonly [height: number, width: number],
  kernels: MaskKernels,
): Promise<Uint32Array> {
  const area = shape[0] * shape[1];
  const [flows, cellprob] = [output.slice(0, 2 * area), output.slice(2 * area, 3 * area)];
  return new MaskPipeline(flows, cellprob, shape, kernels).labels(
    maskParameters(completeParameters({ mode: '2d' }, 3)),
  );
}

/** A number without a common divisor with `count`, near its golden section. */
function stride(count: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let found = Math.max(1, Math.round(count * 0.618));
  while (divisor(count, found) > 1) found++;
  return found;
}

/** Bytes that stored crops take as they come, as samples and as targets, and the cells in them. */
export const rehearsalBytes = ({ data }: NpyArray): number =>
  data.length * (1 + 2 * 4) + (data.length / 3) * 4;
