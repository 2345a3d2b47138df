import { html, nothing } from 'lit';
import type { SegmentationMode } from '../../core/segmentation-parameters.ts';
import type { Texts } from '../localization/en.ts';
import { cellprobThresholdOf, type RunSettings } from './settings.ts';

type Slider = 'cellprobThreshold' | 'flowThreshold' | 'minSize' | 'stitchThreshold' | 'flowSmoothing';

/** Controls of the parameters that can change without a run of the network. */
export function thresholdSliders(settings: RunSettings, mode: SegmentationMode, busy: boolean, texts: Texts) {
  const row = (id: Slider, min: number, max: number, step: number) => {
    const value = id === 'cellprobThreshold' ? cellprobThresholdOf(settings, mode) : settings[id];
    return html`<div class="threshold"><label for=${id}>${texts[id]}</label><output>${texts.number(value)}</output>
      <input id=${id} type="range" min=${min} max=${max} step=${step} .value=${String(value)} ?disabled=${busy}
        @input=${(event: Event) => {
          settings[id] = Number((event.target as HTMLInputElement).value);
        }} /></div>`;
  };
  return html`<h3>${texts.thresholds}</h3>
    ${row('cellprobThreshold', -6, 6, 0.1)}
    ${mode === '3d' ? row('flowSmoothing', 0, 4, 0.5) : row('flowThreshold', 0, 3, 0.1)}
    ${row('minSize', 0, 500, 5)}
    ${
      mode === 'stitch'
        ? html`${row('stitchThreshold', 0, 1, 0.05)}
          <label class="check"><input id="skipPlane" type="checkbox" .checked=${settings.skipPlane} ?disabled=${busy}
            @change=${(event: Event) => {
              settings.skipPlane = (event.target as HTMLInputElement).checked;
            }} /> ${texts.skipPlane}</label>`
        : nothing
    }`;
}
