import type { LabelVolume } from '../label-volume.ts';
import type { PlaneJoin } from '../segmentation-parameters.ts';

/** Joins with less confidence are worth a look. */
export const DOUBTFUL = 0.6;

/** How a join stands: as the run made it, looked at and kept, cut, or without its cell. */
export type JoinState = 'open' | 'accepted' | 'split' | 'gone';

/** The joins of a run that are worth a look, worst first, and which of them were looked at. */
export class DoubtfulJoins {
  readonly #joins: readonly PlaneJoin[];
  readonly #labels: LabelVolume;
  readonly #accepted: Set<string>;

  /**
   * @param labels those that the run has made, as they are now
   * @param before the joins of an earlier result, whose accepted ones stay accepted
   */
  constructor(joins: readonly PlaneJoin[], labels: LabelVolume, before?: DoubtfulJoins) {
    this.#joins = joins
      .filter(({ confidence }) => confidence < DOUBTFUL)
      .sort((a, b) => a.confidence - b.confidence);
    this.#labels = labels;
    this.#accepted = new Set(before?.labels === labels ? before.#accepted : []);
  }

  get labels(): LabelVolume {
    return this.#labels;
  }
  get length(): number {
    return this.#joins.length;
  }

  at(position: number): PlaneJoin | undefined {
    return this.#joins[position];
  }

  /** Labels of a join's cell in its upper and lower plane, after all edits. */
  labelsOf({ upper, lower, y, x }: PlaneJoin): [upper: number, lower: number] {
    return [this.#labels.at(upper, y, x), this.#labels.at(lower, y, x)];
  }

  stateOf(join: PlaneJoin): JoinState {
    const [upper, lower] = this.labelsOf(join);
    if (upper === 0 || lower === 0) return 'gone';
    if (upper !== lower) return 'split';
    return this.#accepted.has(keyOf(join)) ? 'accepted' : 'open';
  }

  /** Marks a join as looked at, or takes that back. */
  accept(join: PlaneJoin, accepted = true): void {
    if (accepted) this.#accepted.add(keyOf(join));
    else this.#accepted.delete(keyOf(join));
  }

  /** Position of the next join that nobody has looked at, from the worst again after the last; -1 if there is none. */
  nextAfter(position: number): number {
    const count = this.#joins.length;
    for (let k = 1; k <= count; k++) {
      const next = (position + k + count) % count;
      if (this.stateOf(this.#joins[next]) === 'open') return next;
    }
    return -1;
  }

  /** Number of joins that nobody has looked at. */
  get open(): number {
    return this.#joins.filter((join) => this.stateOf(join) === 'open').length;
  }
}

const keyOf = ({ upper, lower, y, x }: PlaneJoin) => [upper, lower, y, x].join();
