import { css, html, nothing } from 'lit';
import type { Layout } from '../../core/viewer-model.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { controlStyles } from '../styles.ts';

const FLAT: readonly Layout[] = ['xy'];
const STACK: readonly Layout[] = ['xy', 'xz', 'yz', 'ortho', '3d'];

/**
 * Buttons for the views of a viewer.
 *
 * @tag cyto-toolbar
 * @slot - More buttons, at the end.
 */
export class CytoToolbar extends ViewerPart {
  static override styles = [
    controlStyles,
    css`
      :host { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; }
      [role='group'] { display: flex; }
      [role='group'] button { border-radius: 0; margin-inline-start: -1px; }
      [role='group'] button:first-child { border-start-start-radius: 6px; border-end-start-radius: 6px; }
      [role='group'] button:last-child { border-start-end-radius: 6px; border-end-end-radius: 6px; }
    `,
  ];

  protected override render() {
    const { model, texts, viewer } = this;
    if (!model || !viewer) return nothing;
    const layouts = model.dims.shape[0] > 1 ? STACK : FLAT;
    return html`
      ${
        layouts.length > 1
          ? html`<div role="group" aria-label=${texts.layouts}>
              ${layouts.map(
                (layout) => html`<button aria-pressed=${model.layout === layout}
                  @click=${() => model.setLayout(layout, 'user')}>${texts.layout[layout]}</button>`,
              )}</div>`
          : nothing
      }
      <button @click=${() => viewer.fit()} ?disabled=${model.layers.length === 0}>${texts.fit}</button>
      <button aria-label=${texts.shortcuts} title=${`${texts.shortcuts} (?)`} @click=${() => viewer.showHelp()}>?</button>
      <slot></slot>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-toolbar': CytoToolbar;
  }
}
