import { css, html, nothing } from 'lit';
import { state } from 'lit/decorators.js';
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
      label { display: grid; grid-template-columns: 4.5em 1fr max-content auto; gap: 8px; align-items: center; padding: 4px 10px; }
      output { font-variant-numeric: tabular-nums; color: var(--_quiet); }
      button { padding: 0 8px; }
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
    const depth = unit === 'px' ? '' : ` · ${(z * spacing[0]).toFixed(1)} ${unit}`;
    return html`
      ${
        shape[0] > 1
          ? html`<label part="slider">${texts.plane}
              <input type="range" min="0" max=${shape[0] - 1} .value=${String(z)}
                aria-valuetext=${texts.planeOf(z + 1, shape[0]) + depth}
                @input=${(event: Event) => model.setCursor({ z: numberOf(event) }, 'user')} />
              <output>${z + 1} / ${shape[0]}${depth}</output></label>`
          : nothing
      }
      ${
        sizeT > 1
          ? html`<label part="slider">${texts.time}
              <input type="range" min="0" max=${sizeT - 1} .value=${String(t)}
                aria-valuetext=${texts.planeOf(t + 1, sizeT)}
                @input=${(event: Event) => model.setCursor({ t: numberOf(event) }, 'user')} />
              <output>${t + 1} / ${sizeT}</output>
              <button aria-label=${this.playing ? texts.pause : texts.play} @click=${() => this.#play(!this.playing)}>
                ${this.playing ? '❚❚' : '▶'}</button></label>`
          : nothing
      }`;
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
