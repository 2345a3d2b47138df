import { CytoError } from '../../../core/errors.ts';
import { MAX_LABEL } from '../../../core/label-volume.ts';

/** Largest label of an image; 0 for an empty one. */
export function maxLabel(labels: Uint32Array): number {
  let max = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] > max) max = labels[i];
  return max;
}

/** Pixels per label, index = label; entry 0 counts the background. Labels should be nearly contiguous. */
export function labelCounts(labels: Uint32Array): Uint32Array {
  const max = maxLabel(labels);
  if (max > labels.length) {
    throw new CytoError(
      'bad-input',
      `Label ${max} is larger than the number of pixels: renumber the labels first.`,
    );
  }
  const counts = new Uint32Array(max + 1);
  for (let i = 0; i < labels.length; i++) counts[labels[i]]++;
  return counts;
}

/**
 * Renumbers labels 1…N in place in the order of their first appearance in a row-major scan.
 * @returns N
 */
export function renumber(labels: Uint32Array): number {
  let next = 0;
  const max = maxLabel(labels);
  if (max <= labels.length * 2) {
    const map = new Uint32Array(max + 1);
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
    if (label === 0) continue;
    let id = map.get(label);
    if (id === undefined) {
      id = ++next;
      map.set(label, id);
    }
    labels[i] = id;
  }
  if (next > MAX_LABEL) throw new CytoError('too-large', `${next} labels are more than 32 bits can number.`);
  return next;
}

/**
 * Sets the labels for which `keep` is false to 0, in place.
 * @param keep per label, indexed by label
 */
export function keepLabels(labels: Uint32Array, keep: ArrayLike<number | boolean>): void {
  for (let i = 0; i < labels.length; i++) if (labels[i] !== 0 && !keep[labels[i]]) labels[i] = 0;
}
