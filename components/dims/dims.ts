import { css, html, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import { PROJECTIONS, type Projection } from '../../core/viewer-model.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { controlStyles } from '../styles.ts';

const FRAMES_PER_SECOND = 5;

/**
 * Sliders for the plane and the time point of a viewer; empty for a single plane.
 *
 * @tag cyto-dims
 * @csspart slider - A row of name, slider and position.
 */
export class CytoDims extends ViewerPart {
  static override styles = [
    controlStyles,
    css`
      :host(:empty) { display: contents; }
      .row { display: flex; flex-wrap: wrap; gap: 2px 8px; align-items: center; padding: 4px 10px; }
      .row > label { flex: 0 0 4.5em; }
      .row > input { flex: 1 1 150px; inline-size: 0; }
      output { font-variant-numeric: tabular-nums; color: var(--_quiet); }
      button { padding: 0 8px; }
      .slab { display: flex; gap: 6px; align-items: center; margin-inline-start: auto; }
      .slab input { inline-size: 4em; }
    `,
  ];

  @state() private accessor playing = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#play(false);
  }

  protected override render() {
    const { model, texts } = this;
    if (!model) return nothing;
    const { sizeT, shape, spacing, unit } = model.dims;
    const { z, t } = model.cursor;
    const depth = unit === 'px' ? '' : ` · ${texts.number(z * spacing[0], 1)} ${unit}`;
    return html`
      ${
        shape[0] > 1
          ? html`<div class="row" part="slider"><label for="z">${texts.plane}</label>
              <input id="z" type="range" min="0" max=${shape[0] - 1} .value=${String(z)}
                aria-valuetext=${texts.planeOf(z + 1, shape[0]) + depth}
                @input=${(event: Event) => model.setCursor({ z: numberOf(event) }, 'user')} />
              <output>${z + 1} / ${shape[0]}${depth}</output>${this.#slab()}</div>`
          : nothing
      }
      ${
        sizeT > 1
          ? html`<div class="row" part="slider"><label for="t">${texts.time}</label>
              <input id="t" type="range" min="0" max=${sizeT - 1} .value=${String(t)}
                aria-valuetext=${texts.planeOf(t + 1, sizeT)}
                @input=${(event: Event) => model.setCursor({ t: numberOf(event) }, 'user')} />
              <output>${t + 1} / ${sizeT}</output>
              <button aria-label=${this.playing ? texts.pause : texts.play} @click=${() => this.#play(!this.playing)}>
                ${this.playing ? '❚❚' : '▶'}</button></div>`
          : nothing
      }`;
  }

  /** How many planes a 2D view shows at once, and how. */
  #slab() {
    const { model, texts } = this;
    if (!model || model.layout === '3d') return nothing;
    const { slab, projection } = model.view;
    return html`<span class="slab" title=${texts.slabHint}>
      <label for="slab">${texts.slab}</label>
      <input id="slab" type="number" min="1" max=${Math.max(...model.dims.shape)} .value=${String(slab)}
        @change=${(event: Event) => model.setView({ slab: numberOf(event) || 1 }, 'user')} />
      ${
        slab > 1
          ? html`<select aria-label=${texts.projection}
              @change=${(event: Event) => model.setView({ projection: (event.target as HTMLSelectElement).value as Projection }, 'user')}>
              ${PROJECTIONS.map((name) => html`<option value=${name} .selected=${name === projection}>${texts.projections[name]}</option>`)}
            </select>`
          : nothing
      }</span>`;
  }

  #play(on: boolean): void {
    clearInterval(this.#timer);
    this.playing = on;
    if (!on) return;
    this.#timer = setInterval(() => {
      const { model } = this;
      if (model) model.setCursor({ t: (model.cursor.t + 1) % model.dims.sizeT }, 'user');
    }, 1000 / FRAMES_PER_SECOND);
  }
}

const numberOf = (event: Event) => Number((event.target as HTMLInputElement).value);

declare global {
  interface HTMLElementTagNameMap {
    'cyto-dims': CytoDims;
  }
}
