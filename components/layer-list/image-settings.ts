import { html, nothing, type TemplateResult } from 'lit';
import { colormapGradient } from '../../core/colormaps.ts';
import { layerWindow } from '../../core/contrast.ts';
import {
  BLENDINGS,
  COLORMAPS,
  type ImageLayer,
  type ImageLayerSettings,
  RENDERINGS,
} from '../../core/layer.ts';
import type { Texts } from '../localization/en.ts';

/** Percents that automatic contrast may leave out at either end. */
const CLIPPED = [0, 0.1, 0.5, 1, 2, 5];

export interface ImageSettingsContext {
  texts: Texts;
  /** Whether there is a third dimension to be rendered. */
  stack: boolean;
  change(changes: Partial<ImageLayerSettings>): void;
}

const chosen = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;

/** Colours and contrast of an image layer; what is changed less often lies behind a fold. */
export function imageSettings(layer: ImageLayer, context: ImageSettingsContext): TemplateResult {
  const { texts, change } = context;
  const { id } = layer;
  return html`
    ${
      layer.volume.rgb
        ? nothing
        : html`<label for="colormap-${id}">${texts.colormap}</label>
          <div class="pair"><span class="sample" style="background: ${colormapGradient(layer.colormap)}"></span>
          <select id="colormap-${id}" @change=${(event: Event) => change({ colormap: chosen(event) as ImageLayer['colormap'] })}>
            ${COLORMAPS.map((name) => html`<option value=${name} .selected=${name === layer.colormap}>${texts.colormaps[name] ?? name}</option>`)}
          </select></div>`
    }
    <cyto-histogram class="wide" .layer=${id}></cyto-histogram>
    <span id="contrast-${id}">${texts.contrast}</span>
    ${contrastFields(layer, context)}
    <details class="wide">
      <summary>${texts.moreSettings}</summary>
      <div class="settings">${drawingSettings(layer, context)}</div>
    </details>`;
}

function contrastFields(layer: ImageLayer, { texts, change }: ImageSettingsContext): TemplateResult {
  const window = layerWindow(layer);
  const auto = layer.contrast === 'auto';
  const set = (end: 0 | 1) => (event: Event) => {
    const input = event.target as HTMLInputElement;
    const values: [number, number] = [...window];
    values[end] = Number(input.value);
    if (input.value !== '' && values[0] < values[1]) change({ contrast: values });
    else input.value = String(window[end]);
  };
  const field = (end: 0 | 1, label: string) =>
    html`<input type="number" step="any" aria-label=${label} .value=${shortNumber(window[end])} @change=${set(end)} />`;
  return html`<div class="pair" role="group" aria-labelledby="contrast-${layer.id}">
    ${field(0, texts.contrastLow)}${field(1, texts.contrastHigh)}
    <button aria-pressed=${auto} title=${texts.autoHint(layer.clipped)} @click=${() => change({ contrast: auto ? window : 'auto' })}>${texts.auto}</button>
  </div>`;
}

function drawingSettings(layer: ImageLayer, { texts, stack, change }: ImageSettingsContext): TemplateResult {
  const { id } = layer;
  const choice = <T extends string>(
    name: string,
    label: string,
    value: T,
    values: readonly T[],
    titles: Record<T, string>,
    set: (value: T) => void,
  ) => html`<label for="${name}-${id}">${label}</label>
    <select id="${name}-${id}" @change=${(event: Event) => set(chosen(event) as T)}>
      ${values.map((entry) => html`<option value=${entry} .selected=${entry === value}>${titles[entry]}</option>`)}
    </select>`;
  return html`
    <label for="gamma-${id}">${texts.gamma}</label>
    <div class="pair"><input id="gamma-${id}" type="range" min="-1" max="1" step="0.01" .value=${String(Math.log(layer.gamma) / Math.log(5))}
      aria-valuetext=${texts.number(layer.gamma, 2)}
      @input=${(event: Event) => change({ gamma: Number((5 ** Number(chosen(event))).toFixed(2)) })}
      @dblclick=${() => change({ gamma: 1 })} /><output>${texts.number(layer.gamma, 2)}</output></div>
    <label for="clipped-${id}">${texts.clipped}</label>
    <select id="clipped-${id}" @change=${(event: Event) => change({ clipped: Number(chosen(event)), contrast: 'auto' })}>
      ${CLIPPED.map((percent) => html`<option value=${percent} .selected=${percent === layer.clipped}>${texts.number(percent)} %</option>`)}
    </select>
    ${choice('blending', texts.blending, layer.blending, BLENDINGS, texts.blendings, (blending) => change({ blending }))}
    <label for="smooth-${id}">${texts.interpolation}</label>
    <span><input id="smooth-${id}" type="checkbox" .checked=${layer.interpolation === 'linear'}
      @change=${(event: Event) => change({ interpolation: (event.target as HTMLInputElement).checked ? 'linear' : 'nearest' })} /></span>
    ${
      stack
        ? html`${choice('rendering', texts.rendering, layer.rendering, RENDERINGS, texts.renderings, (rendering) => change({ rendering }))}
          ${
            layer.rendering === 'iso'
              ? html`<label for="iso-${id}">${texts.isoLevel}</label>
                <input id="iso-${id}" type="range" min="0" max="1" step="0.01" .value=${String(layer.isoLevel)}
                  @input=${(event: Event) => change({ isoLevel: Number(chosen(event)) })} />`
              : nothing
          }`
        : nothing
    }`;
}

/** As many digits as tell sample values apart. */
function shortNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}
