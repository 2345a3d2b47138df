import { CytoError } from '../../core/errors.ts';
import { TRAINED_PARTS, type TrainedPart } from './graph/trainable-weights.ts';
import { REPEATED } from './rehearsal.ts';
import type { PreparedImage } from './training-set.ts';

/** What a user may choose. */
export interface TrainingSettings {
  /** Rounds over the images. */
  epochs: number;
  /** Highest rate of AdamW. */
  rate: number;
  /** Which weights are trained. */
  trains: TrainedPart;
  /** AdamW's weight decay. */
  weightDecay: number;
  seed: number;
}

/** The decoder alone learned more of yeast and unlearned less of other cells than all weights did (docs/training.md). */
export const DEFAULT_SETTINGS: TrainingSettings = {
  epochs: 12,
  rate: 5e-4,
  trains: 'decoder',
  weightDecay: 0.02,
  seed: 1,
};

/** Crops in a round: as many as cover the images, within limits that keep rounds short. */
const ROUND = { least: 6, most: 12 } as const;

/** Sides of crops in pixels. */
const SIDE = { step: 32, least: 64, most: 160 } as const;

/** Settings with defaults filled in. @throws CytoError `bad-input` naming the one that is out of range */
export function completeSettings(settings: Partial<TrainingSettings> = {}): TrainingSettings {
  const full = { ...DEFAULT_SETTINGS, ...settings };
  if (!TRAINED_PARTS.includes(full.trains)) {
    throw new CytoError(
      'bad-input',
      `The setting "trains" is "${full.trains}"; it must be one of ${TRAINED_PARTS.join(', ')}.`,
    );
  }
  const ranges: Record<Exclude<keyof TrainingSettings, 'trains'>, [low: number, high: number]> = {
    epochs: [1, 2000],
    rate: [1e-7, 1e-1],
    weightDecay: [0, 1],
    seed: [0, 2 ** 31],
  };
  for (const [name, [low, high]] of Object.entries(ranges) as [keyof typeof ranges, [number, number]][]) {
    if (full[name] >= low && full[name] <= high) continue;
    throw new CytoError(
      'bad-input',
      `The setting "${name}" is ${full[name]}; it must lie from ${low} to ${high}.`,
    );
  }
  return full;
}

/** How a training goes on a set of images. */
export interface Plan {
  /** Side of the crops in pixels, a multiple of 32. */
  side: number;
  /** Crops, and so steps, in a round. */
  round: number;
  steps: number;
}

/**
 * @param options.fixed side of the crops where the network takes no other
 */
export function planOf(
  images: readonly Pick<PreparedImage, 'shape' | 'scale'>[],
  { epochs }: TrainingSettings,
  { fixed }: { fixed?: number | undefined } = {},
): Plan {
  // As long as most images: where a few are larger, more crops are cut from them.
  const lengths = images.map(({ shape, scale }) => Math.max(...shape) * scale).sort((a, b) => a - b);
  const usual = lengths[lengths.length >> 1];
  const fitting = Math.min(SIDE.most, Math.max(SIDE.least, Math.ceil(usual / SIDE.step) * SIDE.step));
  const side = fixed ?? fitting;
  const cover = images.reduce(
    (sum, { shape, scale }) => sum + Math.max(1, (shape[0] * shape[1] * scale ** 2) / side ** 2),
    0,
  );
  const round = Math.round(Math.min(ROUND.most, Math.max(ROUND.least, cover)));
  return { side, round, steps: round * Math.round(epochs) };
}

/** Raised with every change of what a step learns from, or how: a training that was begun otherwise cannot go on. */
const VERSION = 3;

/**
 * How a training goes, in words that are compared: one that was interrupted goes on only as it was begun.
 * @param crops in a step
 */
export const schemeOf = ({ side, round, steps }: Plan, crops: number): string =>
  `version ${VERSION}: ${steps} steps in rounds of ${round}, ${crops} crops of ${side}`;

/** The rate rises over the first tenth, stays, and falls to almost nothing over the last two fifths. */
export function rateAt(step: number, { steps }: Plan, { rate }: TrainingSettings): number {
  const rise = Math.min(1, (step + 1) / Math.max(1, steps * 0.1));
  const fall = Math.min(1, (steps - step) / Math.max(1, steps * 0.4));
  return rate * rise * Math.max(fall, 0.01);
}

/** Seconds of a step for one pixel of a crop on one thread of WASM: what was measured on a loaded machine, rounded down. */
const SECONDS_PER_PIXEL = 3e-5;

/** About how long a training takes at most; it may end earlier. */
export function estimateSeconds(
  images: readonly Pick<PreparedImage, 'shape'>[],
  settings: Partial<TrainingSettings>,
): number {
  const scaled = images.map(({ shape }) => ({ shape, scale: 1 }));
  const { side, steps } = planOf(scaled, completeSettings(settings));
  return steps * (1 + REPEATED) * side ** 2 * SECONDS_PER_PIXEL;
}
