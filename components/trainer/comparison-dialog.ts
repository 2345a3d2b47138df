import { html, type LitElement, nothing, type ReactiveController, type TemplateResult } from 'lit';
import { type Comparison, partOf, type TrainingImage } from '../../workers/training/client.ts';
import type { Texts } from '../localization/en.ts';
import { drawComparison, OUTLINES } from './comparison-picture.ts';

/** An image that was compared, as an image of its own, and how both models do on it. */
interface Compared {
  image: TrainingImage;
  /** Absent while the models run. */
  labels?: Comparison;
}

interface ComparisonOptions {
  texts: Texts;
  /** Images to choose from. */
  names: readonly string[];
  choose: (name: string) => void;
  close: () => void;
}

/** What the models before and after a training make of an image, side by side; a modal dialog's content. */
function comparisonView(
  { image, labels }: Compared,
  { texts: { trainer: texts, number, dismiss }, names, choose, close }: ComparisonOptions,
): TemplateResult {
  const figure = (side: 'before' | 'after') => {
    const ap = labels?.[side].ap50;
    const caption = ap === undefined ? '…' : Number.isFinite(ap) ? number(ap, 2) : '–';
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

/** A modal dialog of its host with the pictures of both models on one image. */
export class ComparisonDialog implements ReactiveController {
  readonly #host: LitElement;
  #compared: Compared | undefined;
  #drawn: Compared | undefined;
  #comparing: AbortController | undefined;

  constructor(host: LitElement) {
    this.#host = host;
    host.addController(this);
  }

  get #dialog(): HTMLDialogElement | null {
    return this.#host.renderRoot.querySelector('dialog');
  }

  /**
   * Shows an image, and the pictures when both models have seen it.
   * @param compare runs both models
   */
  async show(
    image: TrainingImage,
    compare: (image: TrainingImage, signal: AbortSignal) => Promise<Comparison>,
  ): Promise<void> {
    this.#comparing?.abort();
    const comparing = new AbortController();
    this.#comparing = comparing;
    const part = image.region ? partOf(image, image.region) : image;
    this.#set({ image: part });
    await this.#host.updateComplete;
    if (!this.#dialog?.open) this.#dialog?.showModal();
    const labels = await compare(part, comparing.signal);
    if (this.#comparing === comparing) this.#set({ image: part, labels });
  }

  hostUpdated(): void {
    const compared = this.#compared;
    const dialog = this.#dialog;
    if (!compared?.labels || compared === this.#drawn || !dialog) return;
    this.#drawn = compared;
    for (const side of ['before', 'after'] as const) {
      const canvas = dialog.querySelector<HTMLCanvasElement>(`canvas[data-side=${side}]`);
      if (canvas) drawComparison(canvas, compared.image, compared.labels[side]);
    }
  }

  render(texts: Texts, names: () => readonly string[], choose: (name: string) => void) {
    if (!this.#compared) return nothing;
    return html`<dialog part="comparison" aria-label=${texts.trainer.compareTitle} @close=${() => {
      this.#comparing?.abort();
      this.#set(undefined);
    }}>${comparisonView(this.#compared, {
      texts,
      names: names(),
      choose,
      close: () => this.#dialog?.close(),
    })}</dialog>`;
  }

  #set(compared: Compared | undefined): void {
    this.#compared = compared;
    this.#host.requestUpdate();
  }
}
