import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseShare, LEAST_REMEMBERED, SHARES } from '../../../workers/training/share.ts';

const start = Float32Array.of(1, 2);
const learned = Float32Array.of(2, 0);
const before = { ap: 0.3, ap50: 0.5 };

/** The share that weights have of the way. */
const shareOf = (weights: Float32Array) => weights[0] - 1;

const scores = (of: (share: number) => number) => async (weights: Float32Array) => {
  const ap = of(shareOf(weights));
  return { ap, ap50: ap + 0.2 };
};

describe('how far to go from the old weights to the new', () => {
  it('is all of it where nothing is forgotten', async () => {
    const score = scores((share) => 0.3 + 0.4 * share);
    const taken = await chooseShare({ start, learned, before, score, remembered: async () => 1 });
    assert.equal(taken?.share, 1);
    assert.equal(taken?.weights, learned);
    assert.equal(taken?.remembered, 1);
  });

  it('is the largest share that forgets no more than it may', async () => {
    const score = scores((share) => 0.3 + 0.4 * share);
    const forgotten = 1.5 * (1 - LEAST_REMEMBERED);
    const remembered = async (weights: Float32Array) => 1 - forgotten * shareOf(weights) ** 2;
    const taken = await chooseShare({ start, learned, before, score, remembered });
    const expected = SHARES.find((share) => 1 - forgotten * share ** 2 >= LEAST_REMEMBERED);
    assert.equal(taken?.share, expected);
    assert.ok(expected !== undefined && expected < 1);
    const at = taken?.weights ?? [];
    assert.ok(Math.abs(at[0] - (1 + expected)) < 1e-6 && Math.abs(at[1] - (2 - 2 * expected)) < 1e-6);
  });

  it('is the smallest share that is better than the start where all of them forget too much', async () => {
    const score = scores((share) => (share > 0.4 ? 0.5 : 0.3));
    const taken = await chooseShare({ start, learned, before, score, remembered: async () => 0 });
    assert.equal(taken?.share, Math.min(...SHARES.filter((share) => share > 0.4)));
    assert.equal(taken?.remembered, 0);
  });

  it('is none where no share is better than the start', async () => {
    const score = scores(() => 0.3);
    assert.equal(await chooseShare({ start, learned, before, score, remembered: async () => 1 }), undefined);
  });

  it('is the smallest share that does as well as all where nobody knows what is forgotten', async () => {
    const score = scores((share) => (share > 0.6 ? 0.5 + 0.01 * share : 0.4));
    const taken = await chooseShare({ start, learned, before, score });
    assert.equal(taken?.share, Math.min(...SHARES.filter((share) => share > 0.6)));
    assert.equal(taken?.remembered, undefined);
  });
});
