import { html, nothing } from 'lit';
import { SEGMENTATION_MODES, type SegmentationMode } from '../../core/segmentation-parameters.ts';
import { anisotropyOf, type Volume } from '../../core/volume.ts';
import type { BackendChoice } from '../../workers/segmentation/client.ts';
import type { Texts } from '../localization/en.ts';
import { modeFor, type RunSettings } from './settings.ts';

/** What a run needs to know, asked from the user; answers go into the settings. */
export function runFields(settings: RunSettings, image: Volume, texts: Texts) {
  const stack = image.shape[2] > 1;
  const mode = modeFor(settings, image);
  const several = image.shape[1] > 1 && !image.rgb;
  return html`<div class="fields">
    ${stack ? modeField(settings, mode, texts) : nothing}
    ${several ? channelField(settings, image, texts) : nothing}
    <label for="diameter">${texts.diameter}</label>
    <span class="with-unit"><input id="diameter" type="number" min="4" step="1" placeholder=${texts.diameterAuto}
      .value=${settings.diameter ? String(settings.diameter) : ''}
      @change=${(event: Event) => {
        settings.diameter = Number(textOf(event)) || undefined;
      }} />${texts.pixels}</span>
    ${
      mode === '3d'
        ? html`<label for="anisotropy">${texts.anisotropy}</label>
          <input id="anisotropy" type="number" min="0.1" step="0.1" .value=${(settings.anisotropy ?? anisotropyOf(image)).toFixed(2)}
            @change=${(event: Event) => {
              settings.anisotropy = Number(textOf(event)) || undefined;
            }} />`
        : nothing
    }
    </div>
    <details><summary>${texts.moreOptions}</summary>
      <div class="fields">${backendField(settings, texts)}</div>
    </details>`;
}

function modeField(settings: RunSettings, mode: SegmentationMode, texts: Texts) {
  return html`<label for="mode">${texts.mode}</label>
    <select id="mode" @change=${(event: Event) => {
      settings.mode = textOf(event) as SegmentationMode;
    }}>
      ${SEGMENTATION_MODES.map((value) => html`<option value=${value} ?selected=${value === mode}>${texts.modes[value]}</option>`)}
    </select>`;
}

function channelField(settings: RunSettings, image: Volume, texts: Texts) {
  return html`<label for="channel">${texts.channel}</label>
    <select id="channel" @change=${(event: Event) => {
      const chosen = textOf(event);
      settings.channel = chosen === '' ? undefined : Number(chosen);
    }}>
      <option value="" ?selected=${settings.channel === undefined}>${texts.allChannels}</option>
      ${image.channels.map(({ name }, c) => html`<option value=${c} ?selected=${c === settings.channel}>${name}</option>`)}
    </select>`;
}

function backendField(settings: RunSettings, texts: Texts) {
  const choices = ['auto', 'webgpu', 'wasm', ...(settings.server ? (['remote'] as const) : [])] as const;
  return html`<label for="backend">${texts.backend}</label>
    <select id="backend" @change=${(event: Event) => {
      settings.backend = textOf(event) as BackendChoice;
    }}>
      ${choices.map((value) => html`<option value=${value} ?selected=${value === settings.backend}>${texts.backends[value]}</option>`)}
    </select>`;
}

const textOf = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;
