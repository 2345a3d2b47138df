import { html, type TemplateResult } from 'lit';
import type { LabelsLayer, LabelsLayerSettings } from '../../core/layer.ts';
import type { Texts } from '../localization/en.ts';

const numberIn = (event: Event) => Number((event.target as HTMLInputElement).value);
const checkedIn = (event: Event) => (event.target as HTMLInputElement).checked;

/** Outlines, fill, colours and what is shown of a label layer. */
export function labelSettings(
  layer: LabelsLayer,
  { texts, change }: { texts: Texts; change(changes: Partial<LabelsLayerSettings>): void },
): TemplateResult {
  const { id, contour } = layer;
  return html`
    <label for="contour-${id}">${texts.contourWidth}</label>
    <div class="pair"><input id="contour-${id}" type="range" min="0" max="8" step="0.5" .value=${String(contour)}
      aria-valuetext=${contour === 0 ? texts.filled : `${contour} px`}
      @input=${(event: Event) => change({ contour: numberIn(event) })} /><output>${contour === 0 ? texts.filled : `${contour} px`}</output></div>
    <label for="fill-${id}">${texts.fillOpacity}</label>
    <input id="fill-${id}" type="range" min="0" max="1" step="0.01" ?disabled=${contour === 0} .value=${String(layer.fillOpacity)}
      @input=${(event: Event) => change({ fillOpacity: numberIn(event) })} />
    <label for="only-${id}">${texts.onlySelected}</label>
    <span class="pair"><input id="only-${id}" type="checkbox" .checked=${layer.onlySelected}
      @change=${(event: Event) => change({ onlySelected: checkedIn(event) })} />
      <span class="grow"></span>
      <button @click=${() => change({ seed: layer.seed + 1 })}>${texts.otherColors}</button></span>`;
}
