import { CytoError } from '../../../core/errors.ts';
import { zeros } from './shape.ts';

/** Largest label of an image; 0 for an empty one. */
export function maxLabel(labels: Uint32Array): number {
  const { length } = labels;
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  // Four at once, which do not wait for one another.
  for (; i + 3 < length; i += 4) {
    a = Math.max(a, labels[i]);
    b = Math.max(b, labels[i + 1]);
    c = Math.max(c, labels[i + 2]);
    d = Math.max(d, labels[i + 3]);
  }
  for (; i < length; i++) if (labels[i] > a) a = labels[i];
  return Math.max(a, b, c, d);
}

/** Ids up to here are taken in images of any size. */
export const ALWAYS_DENSE = 65535;

/**
 * Largest label of an image, of which arrays indexed by label can be made.
 * @param pixels most labels there can be; by default the length of `labels`
 * @throws CytoError `bad-input` if it is above both the number of pixels and 65535: one stray id of 4 · 10^9 must not
 * cost 32 GB
 */
export function denseMaxLabel(labels: Uint32Array, pixels: number = labels.length): number {
  const max = maxLabel(labels);
  if (max <= Math.max(pixels, ALWAYS_DENSE)) return max;
  throw new CytoError(
    'bad-input',
    `Label ${max} is larger than the number of pixels (${pixels}): renumber the labels first.`,
  );
}

/**
 * Pixels per label, index = label; entry 0 counts the background. Labels should be nearly contiguous.
 * @throws CytoError `bad-input` if the largest label is above both the number of pixels and 65535 (see renumber)
 */
export function labelCounts(labels: Uint32Array): Uint32Array {
  const counts = zeros(Uint32Array, denseMaxLabel(labels) + 1);
  const { length } = labels;
  for (let i = 0; i < length; ) {
    const label = labels[i];
    const first = i;
    do i++;
    while (i < length && labels[i] === label);
    counts[label] += i - first;
  }
  return counts;
}

/** Most entries of a Map. */
const MOST_SCATTERED = 2 ** 24 - 1;

/**
 * Renumbers labels 1…N in place in the order of their first appearance in a row-major scan.
 * @param labels Uint32 of any shape, any ids
 * @returns N
 * @throws CytoError `too-large` for more than 2^24 − 1 labels with ids above twice the number of pixels; `labels` is
 * then as it was
 */
export function renumber(labels: Uint32Array): number {
  let next = 0;
  const max = maxLabel(labels);
  if (max <= labels.length * 2) {
    const map = zeros(Uint32Array, max + 1);
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i];
      if (label === 0) continue;
      if (map[label] === 0) map[label] = ++next;
      labels[i] = map[label];
    }
    return next;
  }
  const map = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (label === 0 || map.has(label)) continue;
    if (next === MOST_SCATTERED)
      throw new CytoError(
        'too-large',
        `More than ${MOST_SCATTERED} labels with ids up to ${max}. Work on a region, or use ids near the number of labels.`,
      );
    map.set(label, ++next);
  }
  for (let i = 0; i < labels.length; i++) if (labels[i] !== 0) labels[i] = map.get(labels[i])!;
  return next;
}

/**
 * Sets the labels for which `keep` is false to 0, in place.
 * @param keep per label, indexed by label
 */
export function keepLabels(labels: Uint32Array, keep: ArrayLike<number | boolean>): void {
  for (let i = 0; i < labels.length; i++) if (labels[i] !== 0 && !keep[labels[i]]) labels[i] = 0;
}
