import { html, nothing, type TemplateResult } from 'lit';
import { COLORMAP_SIZE, colormapTable } from '../../core/colormaps.ts';
import { labelRatings, RATING_COLORMAP, RATINGS } from '../../core/label-ratings.ts';
import type { LabelsLayer, LabelsLayerSettings } from '../../core/layer.ts';
import type { Texts } from '../localization/en.ts';

const numberIn = (event: Event) => Number((event.target as HTMLInputElement).value);
const checkedIn = (event: Event) => (event.target as HTMLInputElement).checked;

/** What colours stand for, where labels came with ratings, and a legend of them. */
function colorField(
  layer: LabelsLayer,
  texts: Texts,
  change: (changes: Partial<LabelsLayerSettings>) => void,
): TemplateResult | typeof nothing {
  const { id, labels, colorBy } = layer;
  const known = RATINGS.filter((rating) => labels.supplied.get(rating)?.size);
  if (known.length === 0 && colorBy === 'id') return nothing;
  const ratings = colorBy === 'id' ? undefined : labelRatings(labels, colorBy);
  return html`<label for="color-by-${id}">${texts.colorBy}</label>
    <select id="color-by-${id}" @change=${(event: Event) =>
      change({ colorBy: (event.target as HTMLSelectElement).value as LabelsLayer['colorBy'] })}>
      ${(['id', ...known] as const).map((value) => html`<option value=${value} ?selected=${value === colorBy}>${texts.colorsBy[value]}</option>`)}
    </select>
    ${
      ratings
        ? html`<div class="wide legend" part="legend" role="img"
            aria-label=${texts.ratingLegend(texts.number(ratings.sure, 2), texts.number(ratings.doubtful, 2))}>
            <span>${texts.sure} ${texts.number(ratings.sure, 2)}</span>
            <i style="background: linear-gradient(to right, ${GRADIENT})"></i>
            <span>${texts.number(ratings.doubtful, 2)} ${texts.doubtful}</span></div>`
        : nothing
    }`;
}

/** The colour table as stops of a CSS gradient. */
const GRADIENT = (() => {
  const table = colormapTable(RATING_COLORMAP);
  return Array.from({ length: 9 }, (_, k) => {
    const at = 4 * Math.round((k * (COLORMAP_SIZE - 1)) / 8);
    return `rgb(${table[at]} ${table[at + 1]} ${table[at + 2]})`;
  }).join(', ');
})();

/** Outlines, fill, colours and what is shown of a label layer. */
export function labelSettings(
  layer: LabelsLayer,
  { texts, change }: { texts: Texts; change(changes: Partial<LabelsLayerSettings>): void },
): TemplateResult {
  const { id, contour } = layer;
  return html`
    ${colorField(layer, texts, change)}
    <label for="contour-${id}">${texts.contourWidth}</label>
    <div class="pair"><input id="contour-${id}" type="range" min="0" max="8" step="0.5" .value=${String(contour)}
      aria-valuetext=${contour === 0 ? texts.filled : `${texts.number(contour)} px`}
      @input=${(event: Event) => change({ contour: numberIn(event) })} /><output>${contour === 0 ? texts.filled : `${texts.number(contour)} px`}</output></div>
    <label for="fill-${id}">${texts.fillOpacity}</label>
    <input id="fill-${id}" type="range" min="0" max="1" step="0.01" ?disabled=${contour === 0} .value=${String(layer.fillOpacity)}
      @input=${(event: Event) => change({ fillOpacity: numberIn(event) })} />
    <label for="only-${id}">${texts.onlySelected}</label>
    <span class="pair"><input id="only-${id}" type="checkbox" .checked=${layer.onlySelected}
      @change=${(event: Event) => change({ onlySelected: checkedIn(event) })} />
      <span class="grow"></span>
      <button title=${texts.otherColorsHint} @click=${() => change({ seed: layer.seed + 1 })}>${texts.otherColors}</button></span>`;
}
