import { CytoError } from '../errors.ts';
import type { LabelVolume } from '../label-volume.ts';
import type { ChangeSource } from '../layer.ts';
import { applyChange, ChangeWriter, type LabelChange } from './label-change.ts';
import { LabelEdit } from './label-edit.ts';
import { LabelIndex } from './label-index.ts';

/** Bytes of changes kept by default. A stroke takes some hundred, a model run over 512³ voxels some million. */
export const HISTORY_BYTES = 256 * 2 ** 20;

/** One step that can be undone. */
export interface HistoryStep {
  /** Counts up within a history; never used twice. */
  readonly id: number;
  /** What it was, for people. */
  readonly name: string;
  readonly change: LabelChange;
}

/** Something has happened to the labels or to the history. */
export interface HistoryEvent {
  /** `commit`: a new step; `undo`, `redo`: its change was written; `clear`: all steps were forgotten. */
  kind: 'commit' | 'undo' | 'redo' | 'clear';
  /** The step concerned; absent for `clear`. */
  step?: HistoryStep;
  source: ChangeSource;
}

const histories = new WeakMap<LabelVolume, LabelHistory>();

/**
 * Everything that was done to one label volume, one step per operation, as changes only. All edits go through here:
 *
 * ```ts
 * const history = LabelHistory.of(layer.labels);
 * history.run('Merge cells', (edit) => mergeLabels(edit, history.index, [4, 9]));
 * history.replace('Cellpose run', result.labels);
 * history.undo();
 * ```
 *
 * Event `change` with {@link HistoryEvent}, after the labels have been written: `forEachRun(step.change, shape, …)`
 * tells every changed voxel with its label before and after (the other way round for `undo`), for tables that keep
 * their figures up to date. While an edit is under way only the label volume's own `change` event tells boxes.
 */
export class LabelHistory extends EventTarget {
  readonly labels: LabelVolume;
  readonly #byteBudget: number;
  #steps: HistoryStep[] = [];
  #position = 0;
  #bytes = 0;
  #nextId = 1;
  #edit: LabelEdit | undefined;
  #index: LabelIndex | undefined;
  #visited = 0;

  /** The history of a label volume; one for its whole life. */
  static of(labels: LabelVolume): LabelHistory {
    let history = histories.get(labels);
    if (!history) {
      history = new LabelHistory(labels);
      histories.set(labels, history);
    }
    return history;
  }

  /** For tests and labels outside a viewer; use {@link LabelHistory.of} elsewhere. */
  constructor(labels: LabelVolume, { byteBudget = HISTORY_BYTES }: { byteBudget?: number } = {}) {
    super();
    this.labels = labels;
    this.#byteBudget = byteBudget;
  }

  /** All kept steps, oldest first; those from {@link position} on have been undone. */
  get steps(): readonly HistoryStep[] {
    return this.#steps;
  }
  /** Number of steps that are in effect. */
  get position(): number {
    return this.#position;
  }
  get canUndo(): boolean {
    return this.#position > 0;
  }
  get canRedo(): boolean {
    return this.#position < this.#steps.length;
  }
  /** Bytes that the steps take. */
  get bytes(): number {
    return this.#bytes;
  }
  /** The edit under way, if any. */
  get openEdit(): LabelEdit | undefined {
    return this.#edit;
  }
  /** Voxels read or written so far by recording, undoing and redoing: a measure of cost. */
  get visited(): number {
    return this.#visited;
  }

  /** Size and whereabouts of every label, kept up to date by every step. Made by one pass when first asked for. */
  get index(): LabelIndex {
    this.#index ??= new LabelIndex(this.labels);
    return this.#index;
  }

  /**
   * Starts an edit that takes time, such as a stroke or a preview; end it with `commit()` or `abort()`.
   * @param name what it is, for the list of steps
   * @throws CytoError `bad-input` while another edit is under way
   */
  begin(name: string, source: ChangeSource = 'user'): LabelEdit {
    if (this.#edit) {
      throw new CytoError('bad-input', `Finish or cancel "${this.#edit.name}" before starting "${name}".`);
    }
    this.#edit = new LabelEdit(this.labels, name, (edit, change) => {
      this.#edit = undefined;
      this.#visited += edit.visited;
      if (change) this.#push(name, change, source);
    });
    return this.#edit;
  }

  /**
   * An edit in one go: everything `work` writes becomes one step; if it throws, nothing has happened.
   * @returns the step, or undefined if no label has changed
   * @throws CytoError `bad-input` while another edit is under way; what `work` throws
   */
  run(name: string, work: (edit: LabelEdit) => void, source: ChangeSource = 'user'): HistoryStep | undefined {
    const edit = this.begin(name, source);
    try {
      work(edit);
    } catch (error) {
      edit.abort();
      throw error;
    }
    return edit.commit() && this.#steps[this.#position - 1];
  }

  /**
   * Other labels for all voxels or for whole planes, such as a model's result, as one step.
   * @param labels in C order; as many as the volume has from plane `z` on, or fewer
   * @param options.z first plane that they stand for
   * @param options.blank whether planes outside become background (default) or stay
   * @returns the step, or undefined if no label has changed
   * @throws CytoError `bad-input` if they do not fit, or while another edit is under way
   */
  replace(
    name: string,
    labels: ArrayLike<number>,
    options: { z?: number; blank?: boolean; source?: ChangeSource } = {},
  ): HistoryStep | undefined {
    const { z = 0, blank = true, source = 'api' } = options;
    const { data, shape } = this.labels;
    const plane = shape[1] * shape[2];
    const start = z * plane;
    if (labels.length % plane !== 0 || start + labels.length > data.length) {
      throw new CytoError('bad-input', `${labels.length} labels do not fit into ${shape.join('×')} voxels.`);
    }
    if (this.#edit) {
      throw new CytoError('bad-input', `Finish or cancel "${this.#edit.name}" before "${name}".`);
    }
    const writer = new ChangeWriter(shape);
    const [from, to] = blank ? [0, data.length] : [start, start + labels.length];
    const end = start + labels.length;
    for (let i = from; i < to; i++) {
      const label = i >= start && i < end ? labels[i - start] : 0;
      const old = data[i];
      if (old === label) continue;
      writer.add(i, old, label);
      data[i] = label;
    }
    this.#visited += to - from;
    const change = writer.finish();
    if (!change) return undefined;
    this.labels.touch(change.box);
    return this.#push(name, change, source);
  }

  /** Takes the last step back. An edit under way is taken back instead. @returns the step undone, if any */
  undo(source: ChangeSource = 'user'): HistoryStep | undefined {
    if (this.#edit) {
      this.#edit.abort();
      return undefined;
    }
    if (!this.canUndo) return undefined;
    const step = this.#steps[--this.#position];
    this.#write(step, 'undo', source);
    return step;
  }

  /** Does the step that was undone last again. @returns the step, if any */
  redo(source: ChangeSource = 'user'): HistoryStep | undefined {
    if (this.#edit || !this.canRedo) return undefined;
    const step = this.#steps[this.#position++];
    this.#write(step, 'redo', source);
    return step;
  }

  /** Undoes or redoes until `position` steps are in effect. */
  goTo(position: number, source: ChangeSource = 'user'): void {
    const wanted = Math.min(Math.max(0, position), this.#steps.length);
    while (this.#position > wanted) if (!this.undo(source)) return;
    while (this.#position < wanted) if (!this.redo(source)) return;
  }

  /** Forgets all steps, e.g. after labels were written past the history. */
  clear(): void {
    this.#edit?.abort();
    this.#steps = [];
    this.#position = 0;
    this.#bytes = 0;
    this.#index = undefined;
    this.#emit({ kind: 'clear', source: 'api' });
  }

  /** A recorded step, done again on labels that are as they were before it; for {@link replayJournal}. */
  apply(name: string, change: LabelChange, source: ChangeSource = 'restore'): HistoryStep {
    applyChange(this.labels.data, this.labels.shape, change, 'redo');
    this.#visited += change.voxels;
    this.labels.touch(change.box);
    return this.#push(name, change, source);
  }

  #push(name: string, change: LabelChange, source: ChangeSource): HistoryStep {
    for (const { change: undone } of this.#steps.splice(this.#position)) this.#bytes -= undone.bytes.length;
    const step = { id: this.#nextId++, name, change };
    this.#steps.push(step);
    this.#bytes += change.bytes.length;
    // The newest step is kept whatever its size: an edit that cannot be undone would be worse.
    while (this.#bytes > this.#byteBudget && this.#steps.length > 1) {
      this.#bytes -= this.#steps.shift()?.change.bytes.length ?? 0;
    }
    this.#position = this.#steps.length;
    this.#index?.follow(change, 'redo');
    this.#emit({ kind: 'commit', step, source });
    return step;
  }

  #write(step: HistoryStep, direction: 'undo' | 'redo', source: ChangeSource): void {
    applyChange(this.labels.data, this.labels.shape, step.change, direction);
    this.#visited += step.change.voxels;
    this.#index?.follow(step.change, direction);
    this.labels.touch(step.change.box);
    this.#emit({ kind: direction, step, source });
  }

  #emit(detail: HistoryEvent): void {
    this.dispatchEvent(new CustomEvent<HistoryEvent>('change', { detail }));
  }
}
