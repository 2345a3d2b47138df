import { html, type TemplateResult } from 'lit';
import type { Texts } from '../localization/en.ts';
import type { CorrectedImage } from './corrected-image.ts';

/** The corrected images with their cells and corrections. */
export function imageList(
  images: readonly CorrectedImage[],
  texts: Texts,
  disabled: boolean,
  remove: (name: string) => void,
): TemplateResult {
  return html`<ul part="list" aria-label=${texts.trainer.images}>
    ${images.map(
      ({ name, cells, corrections }) => html`<li><b title=${name}>${name}</b>
        <span class="quiet-text">${texts.cellsFound(cells)}${texts.trainer.corrections(corrections)}</span>
        <button class="quiet" aria-label=${texts.remove(name)} ?disabled=${disabled} @click=${() => remove(name)}>✕</button></li>`,
    )}
  </ul>`;
}
