import type { Score } from './judge.ts';

/** Shares of what was learned that are tried, largest first. */
export const SHARES: readonly number[] = [1, 0.85, 0.7, 0.5, 0.35, 0.2];

/** Least of what a model knew that has to be left, see `Rehearsal.remembered` (docs/training.md). */
export const LEAST_REMEMBERED = 0.95;

/** Weights between those of the start and those that were learned. */
export interface ShareTrial {
  share: number;
  weights: Float32Array;
  score: Score;
  /** How much of what the model knew is left, 0…1; absent if it brings nothing to measure that by. */
  remembered?: number;
}

export interface ShareOptions {
  start: Float32Array;
  learned: Float32Array;
  /** Score on what was held back of the model that was started from. */
  before: Score;
  /** Score of weights on what was held back. */
  score(weights: Float32Array): Promise<Score>;
  /** How much of what the model knew is left with these weights; absent: not known. */
  remembered?: ((weights: Float32Array) => Promise<number>) | undefined;
}

/** Scores that differ by no more count as equal. */
const EQUAL = 0.02;

/**
 * How far to go from the weights of the start to those that were learned: weights between them have most of what was
 * learned and forget less (Wortsman et al. 2022). All that is taken is better than the start on what was held back.
 *
 * The largest share is taken that leaves as much of what the model knew as it must; if there is none, the smallest. Where
 * that is not known, the smallest share is taken that does as well as all of it.
 * @returns undefined if no share is better than the start
 */
export async function chooseShare(options: ShareOptions): Promise<ShareTrial | undefined> {
  const { start, learned, before } = options;
  let whole: Score | undefined;
  let taken: ShareTrial | undefined;
  for (const share of SHARES) {
    const weights = share === 1 ? learned : learned.map((value, i) => start[i] + share * (value - start[i]));
    const score = await options.score(weights);
    if (score.ap <= before.ap) continue;
    whole ??= score;
    if (options.remembered) {
      const remembered = await options.remembered(weights);
      taken = { share, weights, score, remembered };
      if (remembered >= LEAST_REMEMBERED) break;
    } else if (score.ap >= whole.ap - EQUAL && score.ap50 >= whole.ap50 - EQUAL) {
      taken = { share, weights, score };
    }
  }
  return taken;
}
