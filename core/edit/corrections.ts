import { forEachRun } from './label-change.ts';
import type { HistoryStep, LabelHistory } from './label-history.ts';

/** What was corrected by hand, in cells. */
export interface Corrections {
  added: number;
  removed: number;
  /** Of another shape than before. */
  changed: number;
}

/**
 * Cells that were added, removed or changed since the last step that a model made, or since the beginning. What was
 * undone does not count, nor does a change that was taken back by another.
 * @param byModel whether a step was made by a model
 */
export function correctionsSince(
  history: LabelHistory,
  byModel: (step: HistoryStep) => boolean,
): Corrections {
  const steps = history.steps.slice(0, history.position);
  const since = steps.findLastIndex(byModel) + 1;
  /** Voxels that a cell has gained, and all that were touched. */
  const gained = new Map<number, number>();
  for (const { change } of steps.slice(since)) {
    forEachRun(change, history.labels.shape, (_, length, before, after) => {
      gained.set(before, (gained.get(before) ?? 0) - length);
      gained.set(after, (gained.get(after) ?? 0) + length);
    });
  }
  gained.delete(0);
  const counts: Corrections = { added: 0, removed: 0, changed: 0 };
  for (const [label, gain] of gained) {
    const now = history.index.count(label);
    const before = now - gain;
    if (before > 0 && now > 0) counts.changed++;
    else if (now > 0) counts.added++;
    else if (before > 0) counts.removed++;
  }
  return counts;
}
