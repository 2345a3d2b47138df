import { css, html, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import { ViewerPart } from '../controls/viewer-part.ts';
import type { Texts } from '../localization/en.ts';
import { controlStyles } from '../styles.ts';
import { TOOLS } from '../viewer/editing/tools.ts';
import type { Pick } from '../viewer/events.ts';
import { type ActionId, keysOf, keyText } from '../viewer/shortcuts.ts';
import type { CytoViewer } from '../viewer/viewer.ts';

/**
 * One line about what is under the pointer: position in physical units, sample values, label id; the keys that work
 * now while the pointer is elsewhere.
 *
 * @tag cyto-status
 */
export class CytoStatus extends ViewerPart {
  static override styles = [
    controlStyles,
    css`
      :host { padding: 4px 10px; min-block-size: 27px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
      span + span { margin-inline-start: 1.2em; }
      .value { font-variant-numeric: tabular-nums; }
    `,
  ];

  @state() private accessor pick: Pick | undefined;
  @state() private accessor note = '';

  protected override viewerChanged(viewer: CytoViewer, release: Array<() => void>): void {
    const stop = new AbortController();
    release.push(() => stop.abort());
    const { signal } = stop;
    viewer.addEventListener(
      'cyto-hover',
      (event) => {
        const { detail } = event as CustomEvent<Partial<Pick>>;
        this.pick = detail?.voxel ? (detail as Pick) : undefined;
      },
      { signal },
    );
    viewer.addEventListener('cyto-tool-change', () => this.requestUpdate(), { signal });
    viewer.addEventListener(
      'cyto-note',
      (event) => {
        this.note = (event as CustomEvent<{ message: string }>).detail.message;
      },
      { signal },
    );
  }

  protected override render() {
    const { model, texts, pick } = this;
    if (!model || model.layers.length === 0) return nothing;
    const hint = this.#hint(model.dims.shape[0] > 1);
    if (!pick) {
      const line = this.note || hint;
      return html`<span class="quiet-text" title=${line}>${line}</span>`;
    }
    const { unit } = model.dims;
    const [z, y, x] = pick.world;
    const position = [
      `x ${short(x, texts)}`,
      `y ${short(y, texts)}`,
      ...(model.dims.shape[0] > 1 ? [`z ${short(z, texts)}`] : []),
    ];
    return html`
      <span class="value">${position.join('  ')} ${unit}</span>
      ${pick.values.map(({ layerId, value }) => html`<span class="value">${model.get(layerId)?.name}: ${value}</span>`)}
      ${pick.label ? html`<span class="value"><b>${texts.label} ${pick.label.id}</b></span>` : nothing}
      ${this.viewer?.tool === 'pan' ? nothing : html`<span class="quiet-text">${hint}</span>`}`;
  }

  /** What works now: the active tool's gestures, with the keys as the host has set them. */
  #hint(stack: boolean): string {
    const { texts, viewer } = this;
    const tool = TOOLS.find((name) => name === viewer?.tool) ?? 'pan';
    if (tool === 'pan') return stack ? texts.wheelHint : texts.wheelHint2d;
    const keys = (action: ActionId) => keyText(keysOf(action, viewer?.shortcuts)[0] ?? '', texts.keyNames);
    const { hints, undo, newLabel } = texts.editing;
    return `${hints[tool]} · ${keys('edit.undo')}: ${undo} · ${keys('edit.new-label')}: ${newLabel} · ${keys('tool.pan')}: ${texts.editing.tools.pan}`;
  }
}

const short = (value: number, texts: Texts) => texts.number(value, Math.abs(value) >= 100 ? 0 : 1);

declare global {
  interface HTMLElementTagNameMap {
    'cyto-status': CytoStatus;
  }
}
