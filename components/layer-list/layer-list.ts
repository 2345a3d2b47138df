import { css, html, nothing } from 'lit';
import {
  COLORMAPS,
  type ImageLayer,
  type LabelsLayer,
  type Layer,
  type LayerChanges,
} from '../../core/layer.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { controlStyles } from '../styles.ts';

/**
 * The layers of a viewer, top first, with visibility, opacity, colours and contrast.
 *
 * @tag cyto-layer-list
 * @csspart layer - One layer's box.
 */
export class CytoLayerList extends ViewerPart {
  static override styles = [
    controlStyles,
    css`
      ul { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: minmax(0, 1fr); gap: 6px; }
      li { background: var(--_raised); border: 1px solid var(--_line); border-radius: 8px; padding: 6px 8px; }
      .head { display: flex; align-items: center; gap: 6px; }
      .name { flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 600; }
      .settings { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 8px; align-items: center; margin-block-start: 4px; }
      .pair { display: flex; gap: 4px; min-inline-size: 0; }
      .pair input { inline-size: 3em; min-inline-size: 0; flex: 1; padding-inline: 4px; }
      .remove { padding: 0 6px; min-block-size: 22px; line-height: 1; }
      select { inline-size: 100%; min-inline-size: 0; }
    `,
  ];

  protected override render() {
    const { model, texts } = this;
    if (!model) return nothing;
    if (model.layers.length === 0) return html`<p class="quiet-text">${texts.noLayers}</p>`;
    return html`<ul aria-label=${texts.layers}>${model.layers.toReversed().map((layer) => this.#layer(layer))}</ul>`;
  }

  #change(layer: Layer, changes: LayerChanges): void {
    this.model?.update(layer.id, changes, 'user');
  }

  #layer(layer: Layer) {
    const { texts } = this;
    const { name } = layer;
    return html`<li part="layer">
      <div class="head">
        <input type="checkbox" .checked=${layer.visible} aria-label=${texts.visible(name)}
          @change=${(event: Event) => this.#change(layer, { visible: (event.target as HTMLInputElement).checked })} />
        <span class="name" title=${name}>${name}</span>
        <button class="quiet remove" aria-label=${texts.remove(name)} title=${texts.remove(name)}
          @click=${() => this.model?.remove(layer.id, 'user')}>✕</button>
      </div>
      <div class="settings">
        <label for="opacity-${layer.id}">${texts.opacity}</label>
        <input id="opacity-${layer.id}" type="range" min="0" max="1" step="0.01" .value=${String(layer.opacity)}
          @input=${(event: Event) => this.#change(layer, { opacity: numberOf(event) })} />
        ${layer.kind === 'image' ? this.#image(layer) : this.#labels(layer)}
      </div>
    </li>`;
  }

  #image(layer: ImageLayer) {
    const { texts } = this;
    const [low, high] = layer.contrast === 'auto' ? ['', ''] : layer.contrast.map(String);
    const contrast = (end: 0 | 1) => (event: Event) => {
      const text = (event.target as HTMLInputElement).value;
      const window = layer.contrast === 'auto' ? undefined : ([...layer.contrast] as [number, number]);
      const other = end === 0 ? this.#field(layer, 'high') : this.#field(layer, 'low');
      const values = window ?? [Number(other), Number(other)];
      if (text === '' || (!window && other === '')) return;
      values[end] = Number(text);
      if (values[0] < values[1]) this.#change(layer, { contrast: values as [number, number] });
    };
    return html`
      ${
        layer.volume.rgb
          ? nothing
          : html`<label for="colormap-${layer.id}">${texts.colormap}</label>
            <select id="colormap-${layer.id}"
              @change=${(event: Event) => this.#change(layer, { colormap: (event.target as HTMLSelectElement).value as ImageLayer['colormap'] })}>
              ${COLORMAPS.map((colormap) => html`<option value=${colormap} ?selected=${colormap === layer.colormap}>${colormap}</option>`)}
            </select>`
      }
      <span>${texts.contrast}</span>
      <div class="pair">
        <input type="number" data-end="low" data-layer=${layer.id} aria-label=${texts.contrastLow} placeholder=${texts.auto} .value=${low} @change=${contrast(0)} />
        <input type="number" data-end="high" data-layer=${layer.id} aria-label=${texts.contrastHigh} placeholder=${texts.auto} .value=${high} @change=${contrast(1)} />
        <button aria-pressed=${layer.contrast === 'auto'} @click=${() => this.#change(layer, { contrast: 'auto' })}>${texts.auto}</button>
      </div>`;
  }

  #field(layer: Layer, end: 'low' | 'high'): string {
    const fields = [...this.renderRoot.querySelectorAll<HTMLInputElement>(`input[data-end=${end}]`)];
    return fields.find((field) => field.dataset.layer === layer.id)?.value ?? '';
  }

  #labels(layer: LabelsLayer) {
    const { texts } = this;
    return html`<label for="contour-${layer.id}">${texts.contour}</label>
      <span><input id="contour-${layer.id}" type="checkbox" .checked=${layer.contour > 0}
        @change=${(event: Event) => this.#change(layer, { contour: (event.target as HTMLInputElement).checked ? 2 : 0 })} /></span>`;
  }
}

const numberOf = (event: Event) => Number((event.target as HTMLInputElement).value);

declare global {
  interface HTMLElementTagNameMap {
    'cyto-layer-list': CytoLayerList;
  }
}
