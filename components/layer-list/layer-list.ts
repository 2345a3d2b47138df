import { css, html, nothing } from 'lit';
import type { Layer, LayerChanges } from '../../core/layer.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { controlStyles } from '../styles.ts';
import { imageSettings } from './image-settings.ts';
import { labelSettings } from './label-settings.ts';

/**
 * The layers of a viewer, top first, with visibility, order, opacity and how they are drawn: colours, histogram with
 * contrast handles, gamma, blending, interpolation and 3D mode of images; outlines, fill and colours of labels.
 *
 * @tag cyto-layer-list
 * @csspart layer - One layer's box.
 * @csspart legend - What the colours of rated labels stand for.
 */
export class CytoLayerList extends ViewerPart {
  static override styles = [
    controlStyles,
    css`
      ul { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: minmax(0, 1fr); gap: 6px; }
      li { background: var(--_raised); border: 1px solid var(--_line); border-radius: 8px; padding: 6px 8px; }
      .head { display: flex; align-items: center; gap: 4px; }
      .name { flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 600; }
      .settings { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 8px; align-items: center; margin-block-start: 4px; }
      .wide { grid-column: 1 / -1; }
      .pair { display: flex; gap: 4px; min-inline-size: 0; align-items: center; }
      .pair input[type='number'] { inline-size: 3em; min-inline-size: 0; flex: 1; padding-inline: 4px; appearance: textfield; }
      .pair input::-webkit-inner-spin-button { display: none; }
      .pair button { white-space: nowrap; }
      .pair output { color: var(--_quiet); font-variant-numeric: tabular-nums; white-space: nowrap; }
      .grow { flex: 1; }
      .legend { display: flex; gap: 6px; align-items: center; font-size: 0.85em; color: var(--_quiet); white-space: nowrap; }
      .legend i { flex: 1; block-size: 8px; border-radius: 4px; }
      .sample { flex: 0 0 30px; block-size: 16px; border-radius: 4px; border: 1px solid var(--_line); }
      .tiny { padding: 0 5px; min-block-size: 22px; line-height: 1; }
      summary { cursor: pointer; color: var(--_quiet); }
      select { inline-size: 100%; min-inline-size: 0; }
    `,
  ];

  protected override render() {
    const { model, texts } = this;
    if (!model) return nothing;
    if (model.layers.length === 0) return html`<p class="quiet-text">${texts.noLayers}</p>`;
    return html`<ul aria-label=${texts.layers}>${model.current.map((layer, index, shown) => this.#layer(layer, index, shown)).reverse()}</ul>`;
  }

  #layer(layer: Layer, index: number, shown: readonly Layer[]) {
    const { texts, model } = this;
    const { name, id } = layer;
    const change = (changes: LayerChanges) => model?.update(id, changes, 'user');
    const move = (
      to: number,
      sign: string,
      text: string,
    ) => html`<button class="quiet tiny" aria-label=${text} title=${text}
      ?disabled=${to < 0 || to >= shown.length} @click=${() => model?.move(id, model.layers.indexOf(shown[to]), 'user')}>${sign}</button>`;
    const remove = () => {
      const series = layer.kind === 'labels' ? layer.series : undefined;
      const all =
        series === undefined ? [layer] : (model?.allLabels.filter((each) => each.series === series) ?? []);
      for (const each of all) model?.remove(each.id, 'user');
    };
    return html`<li part="layer">
      <div class="head">
        <input type="checkbox" .checked=${layer.visible} aria-label=${texts.visible(name)}
          @change=${(event: Event) => change({ visible: (event.target as HTMLInputElement).checked })} />
        <span class="name" title=${name}>${name}</span>
        ${shown.length > 1 ? [move(index + 1, '▲', texts.moveUp(name)), move(index - 1, '▼', texts.moveDown(name))] : nothing}
        <button class="quiet tiny" aria-label=${texts.remove(name)} title=${texts.remove(name)}
          @click=${remove}>✕</button>
      </div>
      <div class="settings">
        <label for="opacity-${id}">${texts.opacity}</label>
        <input id="opacity-${id}" type="range" min="0" max="1" step="0.01" .value=${String(layer.opacity)}
          @input=${(event: Event) => change({ opacity: Number((event.target as HTMLInputElement).value) })} />
        ${
          layer.kind === 'image'
            ? imageSettings(layer, { texts, change, stack: (model?.dims.shape[0] ?? 1) > 1 })
            : labelSettings(layer, { texts, change })
        }
      </div>
    </li>`;
  }

  /** The histograms inside belong to the same viewer, which they could not find by themselves. */
  protected override updated(): void {
    const { viewer } = this;
    for (const histogram of this.renderRoot.querySelectorAll('cyto-histogram')) histogram.viewer = viewer;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-layer-list': CytoLayerList;
  }
}
