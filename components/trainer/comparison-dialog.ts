import { html, type TemplateResult } from 'lit';
import type { Comparison, TrainingImage } from '../../workers/training/client.ts';
import type { Texts } from '../localization/en.ts';
import { drawComparison, OUTLINES } from './comparison-picture.ts';

/** An image that was compared, as an image of its own, and how both models do on it. */
export interface Compared {
  image: TrainingImage;
  /** Absent while the models run. */
  labels?: Comparison;
}

export interface ComparisonOptions {
  texts: Texts['trainer'];
  dismiss: string;
  /** Images to choose from. */
  names: readonly string[];
  choose: (name: string) => void;
  close: () => void;
}

/** What the models before and after a training make of an image, side by side; a modal dialog's content. */
export function comparisonView(
  { image, labels }: Compared,
  { texts, dismiss, names, choose, close }: ComparisonOptions,
): TemplateResult {
  const figure = (side: 'before' | 'after') => {
    const ap = labels?.[side].ap50;
    const caption = ap === undefined ? '…' : Number.isFinite(ap) ? ap.toFixed(2) : '–';
    return html`<figure><canvas data-side=${side} role="img" aria-label=${texts.pictureOf(texts[side], caption)}></canvas>
      <figcaption>${texts[side]} <b>${caption}</b></figcaption></figure>`;
  };
  return html`<header><h2>${texts.compareTitle}</h2>
      <select aria-label=${texts.images} @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
        ${names.map((name) => html`<option .selected=${name === image.name}>${name}</option>`)}</select>
      <button aria-label=${dismiss} @click=${close}>✕</button></header>
    <div class="pair">${figure('before')}${figure('after')}</div>
    ${labels ? '' : html`<p role="status">${texts.comparing}</p>`}
    <ul class="legend">${(['right', 'wrong', 'missed'] as const).map(
      (kind) =>
        html`<li><svg viewBox="0 0 14 14" aria-hidden="true"><circle cx="7" cy="7" r="5" fill="none" stroke=${OUTLINES[kind]} stroke-width="3" /></svg>${texts.outlines[kind]}</li>`,
    )}</ul>`;
}

/** Draws the pictures of a dialog with {@link comparisonView}. */
export function drawPair(dialog: ParentNode, { image, labels }: Compared): void {
  if (!labels) return;
  for (const side of ['before', 'after'] as const) {
    const canvas = dialog.querySelector<HTMLCanvasElement>(`canvas[data-side=${side}]`);
    if (canvas) drawComparison(canvas, image, labels[side]);
  }
}
