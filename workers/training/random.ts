/** Uniform numbers in [0, 1) that depend on the seeds alone (mulberry32; the seeds are mixed by its own steps). */
export function randomNumbers(...seeds: readonly number[]): () => number {
  let state = 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  for (const seed of seeds) {
    state = (state ^ Math.imul(seed | 0, 0x9e3779b1)) | 0;
    state = (next() * 2 ** 32) | 0;
  }
  return next;
}
