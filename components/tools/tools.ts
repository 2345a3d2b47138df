import { css, html, nothing } from 'lit';
import { LabelTints } from '../../core/label-tints.ts';
import { EditorPart } from '../controls/editor-part.ts';
import { controlStyles } from '../styles.ts';
import type { RestoreOffer } from '../viewer/editing/autosave.ts';
import type { LabelEditor } from '../viewer/editing/label-editor.ts';
import { OVERWRITES, type OverwritePolicy, TOOLS, type Tool } from '../viewer/editing/tools.ts';
import { type ActionId, keysOf, keyText } from '../viewer/shortcuts.ts';
import { actionIcon, toolIcon } from './icons.ts';

/**
 * Tools to correct the labels of a viewer: brush, eraser, fill, pick, lasso, merge, split, delete; size, overwriting,
 * plane or space, label, undo and redo. Every button tells its key.
 *
 * @tag cyto-tools
 * @csspart tool - A tool's button.
 */
export class CytoTools extends EditorPart {
  static override styles = [
    controlStyles,
    css`
      :host { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; padding: 5px 10px; }
      [role='toolbar'], .group { display: flex; gap: 2px; align-items: center; }
      .group { gap: 6px; }
      .offer { flex: 1 0 100%; display: flex; gap: 8px; align-items: center; }
      .offer span { flex: 1; }
      .icon { display: grid; place-content: center; padding: 0; inline-size: 30px; min-block-size: 30px; }
      .icon:not([aria-pressed='true']) { background: none; border-color: transparent; }
      .icon:hover:not(:disabled) { border-color: var(--_accent); }
      input[type='range'] { inline-size: 64px; }
      output { font-variant-numeric: tabular-nums; color: var(--_quiet); min-inline-size: 2.2em; }
      .swatch { inline-size: 14px; block-size: 14px; border-radius: 4px; border: 1px solid var(--_line); }
      input.label { inline-size: 5em; }
      select { max-inline-size: 178px; }
      [role='status'] { flex: 1 1 0; min-inline-size: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      /* No wider than nothing, so that it does not begin a line of its own. */
      [role='status']:empty { margin-inline-start: -12px; }
    `,
  ];

  protected override updated(): void {
    // Nothing to edit, no bar.
    this.toggleAttribute('hidden', this.renderRoot.childElementCount === 0);
  }

  protected override render() {
    const { editor, model } = this;
    if (!editor || !model || model.layers.length === 0 || this.viewer?.readonly) return nothing;
    const texts = this.texts.editing;
    const { tool } = editor;
    const brushes = tool === 'paint' || tool === 'erase';
    return html`
      ${editor.offer ? this.#offer(editor, editor.offer) : nothing}
      <div role="toolbar" aria-label=${texts.tool} @keydown=${this.#onArrow}>
        ${TOOLS.map((name) => this.#button(editor, name, tool))}
      </div>
      ${brushes ? this.#brush(editor) : nothing}
      ${brushes || tool === 'lasso' ? this.#overwrite(editor) : nothing}
      ${model.dims.shape[0] > 1 && tool !== 'pan' && tool !== 'pick' ? this.#volume(editor) : nothing}
      ${this.#label(editor)}
      <div class="group">
        <button ?disabled=${!editor.history?.canUndo} class="icon" aria-label=${texts.undo} title=${this.#withKey(texts.undo, 'edit.undo')} @click=${() => editor.undo()}>${actionIcon('undo')}</button>
        <button ?disabled=${!editor.history?.canRedo} class="icon" aria-label=${texts.redo} title=${this.#withKey(texts.redo, 'edit.redo')} @click=${() => editor.redo()}>${actionIcon('redo')}</button>
      </div>
      <span role="status" class="quiet-text" title=${editor.message}>${editor.message}</span>`;
  }

  #offer(editor: LabelEditor, { title, started }: RestoreOffer) {
    const texts = this.texts.editing;
    const time = new Date(started).toLocaleString(this.texts.language, {
      dateStyle: 'short',
      timeStyle: 'short',
    });
    return html`<div class="offer" role="alert">
      <span>${texts.restore(title, time)}</span>
      <button class="primary" @click=${() => editor.restore()}>${texts.restoreYes}</button>
      <button @click=${() => editor.discardOffer()}>${texts.restoreNo}</button>
    </div>`;
  }

  #withKey(text: string, action: ActionId): string {
    const key = keysOf(action, this.viewer?.shortcuts).at(0);
    return key ? `${text} (${keyText(key, this.texts.keyNames)})` : text;
  }

  #button(editor: LabelEditor, name: Tool, active: Tool) {
    const text = this.texts.editing.tools[name];
    return html`<button class="icon" part="tool" data-tool=${name} aria-pressed=${name === active} aria-label=${text}
      tabindex=${name === active ? 0 : -1} title=${this.#withKey(text, `tool.${name}`)}
      @click=${() => {
        editor.tool = name;
      }}>${toolIcon(name)}</button>`;
  }

  /** Arrow keys go from tool to tool, as in every toolbar. */
  #onArrow = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const buttons = [...this.renderRoot.querySelectorAll<HTMLButtonElement>('[data-tool]')];
    const at = buttons.findIndex((button) => button.matches(':focus'));
    buttons[(at + step + buttons.length) % buttons.length]?.focus();
  };

  #brush(editor: LabelEditor) {
    const texts = this.texts.editing;
    const hint = `${texts.brush} (${keysOf('brush.smaller', this.viewer?.shortcuts)[0] ?? ''} ${keysOf('brush.larger', this.viewer?.shortcuts)[0] ?? ''})`;
    return html`<label class="group" title=${hint}>
      <input type="range" aria-label=${texts.brush} min="0" max="100" .value=${String(Math.round((100 * Math.log(editor.brush)) / Math.log(400)))}
        aria-valuetext=${`${editor.brush} px`}
        @input=${(event: Event) => {
          editor.brush = 400 ** (Number((event.target as HTMLInputElement).value) / 100);
        }} /><output>${editor.brush} px</output></label>`;
  }

  #overwrite(editor: LabelEditor) {
    const texts = this.texts.editing;
    return html`<select aria-label=${texts.overwrite} title=${this.#withKey(texts.overwrite, 'edit.protect')}
      @change=${(event: Event) => {
        editor.overwrite = (event.target as HTMLSelectElement).value as OverwritePolicy;
      }}>
      ${OVERWRITES.map((policy) => html`<option value=${policy} .selected=${policy === editor.overwrite}>${texts.overwrites[policy]}</option>`)}
    </select>`;
  }

  #volume(editor: LabelEditor) {
    const texts = this.texts.editing;
    return html`<button aria-pressed=${editor.volume} title=${this.#withKey(texts.volumeHint, 'edit.three-dimensions')}
      @click=${() => {
        editor.volume = !editor.volume;
      }}>${texts.volume}</button>`;
  }

  #label(editor: LabelEditor) {
    const texts = this.texts.editing;
    const { layer } = editor;
    const selected = layer?.selected ?? 0;
    const color = selected && layer ? LabelTints.of(layer.labels, layer.seed).css(selected) : 'transparent';
    return html`<div class="group">
      <span class="swatch" style="background:${color}"></span>
      <label class="group">${texts.cell}
        <input class="label" type="number" min="0" step="1" placeholder="–" .value=${selected ? String(selected) : ''}
          ?disabled=${!layer}
          @change=${(event: Event) => {
            const value = Number((event.target as HTMLInputElement).value);
            if (layer && Number.isInteger(value) && value >= 0)
              this.model?.update(layer.id, { selected: value }, 'user');
          }} /></label>
      <button title=${this.#withKey(texts.newLabel, 'edit.new-label')} @click=${() => editor.newLabel()}>${texts.newLabel}</button>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-tools': CytoTools;
  }
}
