import { css, html, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import { EditorPart } from '../controls/editor-part.ts';
import { controlStyles } from '../styles.ts';
import type { LabelEditor } from '../viewer/editing/label-editor.ts';
import { CELL_OPERATIONS, OPERATIONS, type Operation } from '../viewer/editing/tools.ts';

/** Where the amount of an operation starts; operations without one are not listed. */
const AMOUNTS: Partial<Record<Operation, { unit: 'radius' | 'voxels'; value: number; max: number }>> = {
  grow: { unit: 'radius', value: 1, max: 30 },
  shrink: { unit: 'radius', value: 1, max: 30 },
  smooth: { unit: 'radius', value: 2, max: 15 },
  'remove-small': { unit: 'voxels', value: 50, max: 2000 },
};

/** Steps listed at most; older ones can be undone one by one. */
const LISTED = 60;

/**
 * Operations on the chosen cell and on all cells of a viewer, shown before they are accepted, and the history of
 * edits, where a click goes back or forth.
 *
 * @tag cyto-edits
 * @csspart step - A step of the history.
 */
export class CytoEdits extends EditorPart {
  static override styles = [
    controlStyles,
    css`
      .operations { display: flex; flex-wrap: wrap; gap: 4px; }
      h3 { font-size: inherit; font-weight: 600; margin-block: 8px 4px; }
      h3:first-child { margin-block-start: 0; }
      .preview { margin-block: 8px; padding: 8px; border: 1px solid var(--_accent); border-radius: 8px; display: grid; gap: 6px; }
      .preview label { display: grid; grid-template-columns: 1fr max-content; gap: 0 8px; }
      .preview input { grid-column: 1 / -1; }
      .actions { display: flex; gap: 6px; }
      .actions button { flex: 1; }
      ol { list-style: none; margin: 0; padding: 0; max-block-size: 168px; overflow: auto; border: 1px solid var(--_line); border-radius: 6px; }
      li button { inline-size: 100%; text-align: start; border: 0; border-radius: 0; min-block-size: 24px; padding-block: 1px; background: none; }
      li button[aria-current='step'] { background: var(--_accent); color: var(--_on-accent); }
      li.undone button { color: var(--_quiet); font-style: italic; }
    `,
  ];

  @state() private accessor amounts: Partial<Record<Operation, number>> = {};

  protected override updated(): void {
    this.toggleAttribute('hidden', this.renderRoot.childElementCount === 0);
  }

  protected override render() {
    const { editor, texts } = this;
    if (!editor?.layer) return nothing;
    const { operations, cellOperations, allOperations } = texts.editing;
    const stack = editor.layer.labels.shape[0] > 1;
    const button = (operation: Operation) =>
      html`<button aria-pressed=${editor.preview?.operation === operation} data-operation=${operation}
        ?disabled=${CELL_OPERATIONS.includes(operation) && !editor.layer?.selected}
        @click=${() => editor.show(operation, this.#amount(operation))}>${operations[operation]}</button>`;
    return html`
      <h3>${cellOperations}</h3>
      <div class="operations">${CELL_OPERATIONS.filter((operation) => stack || operation !== 'interpolate').map(button)}</div>
      <h3>${allOperations}</h3>
      <div class="operations">${OPERATIONS.filter((operation) => !CELL_OPERATIONS.includes(operation)).map(button)}</div>
      ${editor.preview ? this.#preview(editor, editor.preview.operation) : nothing}
      ${this.#history(editor)}`;
  }

  #amount(operation: Operation): number {
    return this.amounts[operation] ?? AMOUNTS[operation]?.value ?? 0;
  }

  #preview(editor: LabelEditor, operation: Operation) {
    const texts = this.texts.editing;
    const range = AMOUNTS[operation];
    return html`<div class="preview" role="group" aria-label=${texts.operations[operation]}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === 'Enter' && !(event.target instanceof HTMLButtonElement)) editor.accept();
        else if (event.key === 'Escape') editor.cancelPreview();
      }}>
      <b>${texts.operations[operation]}</b>
      ${
        range
          ? html`<label>${texts.amount[range.unit]}<output>${this.#amount(operation)}</output>
              <input type="range" min="1" max=${range.max} step="1" .value=${String(this.#amount(operation))}
                @input=${(event: Event) => {
                  const amount = Number((event.target as HTMLInputElement).value);
                  this.amounts = { ...this.amounts, [operation]: amount };
                  editor.show(operation, amount);
                }} /></label>`
          : nothing
      }
      <div class="actions">
        <button class="primary" @click=${() => editor.accept()}>${texts.accept}</button>
        <button @click=${() => editor.cancelPreview()}>${texts.discard}</button>
      </div>
    </div>`;
  }

  #history(editor: LabelEditor) {
    const texts = this.texts.editing;
    const { history } = editor;
    if (!history || history.steps.length === 0) return nothing;
    const first = Math.max(0, history.steps.length - LISTED);
    const item = (
      name: string,
      position: number,
    ) => html`<li class=${position > history.position ? 'undone' : ''}>
      <button part="step" aria-current=${position === history.position ? 'step' : nothing}
        @click=${() => editor.goTo(position)}>${name}</button></li>`;
    const listed = history.steps.slice(first).map(({ name }, k) => item(name, first + k + 1));
    return html`<h3>${texts.history}</h3>
      <ol aria-label=${texts.history}>${listed.reverse()}${first === 0 ? item(texts.start, 0) : nothing}</ol>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-edits': CytoEdits;
  }
}
