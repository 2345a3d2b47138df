import type { LabelEdit } from '../../../core/edit/label-edit.ts';
import { LabelHistory } from '../../../core/edit/label-history.ts';
import type { LabelsLayer } from '../../../core/layer.ts';
import { type OperationSettings, operate } from './operations.ts';
import type { Operation } from './tools.ts';

/** An operation that is shown and not yet accepted. */
export interface Preview {
  operation: Operation;
  amount: number;
}

/** Carries an operation out in an edit that stays open until it is accepted or cancelled. */
export class OperationPreview {
  #shown: (Preview & { edit: LabelEdit; layer: LabelsLayer }) | undefined;

  /** What is shown now, if anything. */
  get shown(): Preview | undefined {
    return this.#shown;
  }

  /**
   * Shows what an operation does to a layer, in place of what is shown.
   * @param settings.name of the step in the history
   * @throws CytoError as the operation does; nothing is shown then
   */
  show(layer: LabelsLayer, operation: Operation, settings: OperationSettings & { name: string }): void {
    const history = LabelHistory.of(layer.labels);
    const open = this.#shown;
    // Another's edit may have ended it, such as a model's result.
    if (open && (open.operation !== operation || open.layer !== layer || !open.edit.isOpen)) {
      this.end('cancel');
    }
    const edit = this.#shown?.edit ?? history.begin(settings.name);
    this.#shown = { operation, amount: settings.amount, edit, layer };
    try {
      edit.revert();
      operate(operation, edit, history.index, settings);
      edit.flush();
    } catch (error) {
      this.end('cancel');
      throw error;
    }
  }

  /** Keeps what is shown as one step, or takes it back. */
  end(how: 'accept' | 'cancel'): void {
    const shown = this.#shown;
    this.#shown = undefined;
    if (how === 'accept') shown?.edit.commit();
    else shown?.edit.abort();
  }
}
