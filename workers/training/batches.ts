import { cutCrop, emptyCrops, randomPlacement } from './augmentation.ts';
import type { FrozenEncoder } from './frozen-encoder.ts';
import type { Crops } from './optimiser.ts';
import { randomNumbers } from './random.ts';
import { REPEATED, type Rehearsal } from './rehearsal.ts';
import type { PreparedImage } from './training-set.ts';

/** Different crops of an image, where an encoder that stays as it is has to look at each of them once. */
const FROZEN_CROPS = 8;

interface BatchOptions {
  images: readonly PreparedImage[];
  /** Side of the crops in pixels. */
  side: number;
  seed: number;
  /** Computes what the part that learns takes. */
  frozen?: FrozenEncoder | undefined;
  /** What the model knows; not used behind a frozen encoder. */
  rehearsal?: Rehearsal | undefined;
}

/** What each step learns from: a crop of the new images and, if there are any, some of those that the model knows. */
export class Batches {
  /** Crops in a batch. */
  readonly size: number;
  readonly #options: BatchOptions;
  readonly #crops: Crops;

  constructor(options: BatchOptions) {
    this.size = options.rehearsal ? 1 + REPEATED : 1;
    this.#options = options;
    this.#crops = emptyCrops(this.size, options.side);
  }

  /** The batch of a step; it is overwritten by the next one. */
  async of(step: number): Promise<Crops> {
    const { images, side, seed, frozen, rehearsal } = this.#options;
    const crops = this.#crops;
    // Where an encoder has to look at each crop, the same ones come back.
    const number = frozen ? step % (FROZEN_CROPS * images.length) : step;
    const image = images[number % images.length];
    cutCrop(image, randomPlacement(image, randomNumbers(seed, number)), side, crops, 0);
    if (frozen) return { ...crops, image: (await frozen.features(crops.image)).data };
    if (!rehearsal) return crops;
    fill(crops, 0, side);
    for (let place = 1; place < this.size; place++) {
      const turn = step * REPEATED + place - 1;
      rehearsal.cut(turn, randomNumbers(seed, -1 - turn), side, crops, place);
      fill(crops, place, side);
    }
    return crops;
  }
}

/** Lets a crop count as a full one does, however many of its pixels count. */
function fill({ valid }: Crops, place: number, side: number): void {
  const own = valid.subarray(place * side ** 2, (place + 1) * side ** 2);
  const count = own.reduce((sum, value) => sum + value, 0);
  const factor = side ** 2 / Math.max(1, count);
  for (let i = 0; i < own.length; i++) own[i] *= factor;
}
