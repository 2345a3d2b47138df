import { html, type LitElement, nothing } from 'lit';
import type { OmeroResult } from '../../core/omero/result.ts';
import type { Texts } from '../localization/en.ts';

/** What the buttons of the list do. */
interface ResultActions {
  show(result: OmeroResult): void;
  remove(result: OmeroResult): void;
}

/** Results that were saved with an image: shown again, and removed after a question. */
export class ResultList {
  readonly #host: LitElement;
  #asking: number | undefined;

  constructor(host: LitElement) {
    this.#host = host;
  }

  render(results: readonly OmeroResult[], texts: Texts['omero'], actions: ResultActions) {
    return html`<h2 id="results" tabindex="-1">${texts.results}</h2>
      ${
        results.length > 0
          ? html`<ul aria-labelledby="results">${results.map(
              (result) => html`<li>
          <span><b>${texts.result(result.objects, dateOf(result))}</b>
            ${result.state === 'saving' ? html`<span class="badge lossy">${texts.incomplete}</span>` : nothing}</span>
          <span class="quiet-text">${result.provenance.model ?? result.provenance.layer ?? ''}</span>
          <span class="row">
            ${result.roiIds.length > 0 ? html`<button @click=${() => actions.show(result)}>${texts.show}</button>` : nothing}
            ${result.canDelete ? this.#removal(result, texts, actions) : nothing}
          </span>
        </li>`,
            )}</ul>`
          : nothing
      }`;
  }

  #removal(result: OmeroResult, texts: Texts['omero'], actions: ResultActions) {
    const id = result.annotationId;
    if (this.#asking !== id) {
      return html`<button data-remove=${id} @click=${() => this.#ask(id, '[data-confirm]')}>${texts.remove}</button>`;
    }
    return html`<button class="primary" data-confirm @click=${() => {
      this.#ask(undefined, '#results');
      actions.remove(result);
    }}>${texts.removeAsk}</button><button
      @click=${() => this.#ask(undefined, `[data-remove="${id}"]`)}>${texts.keep}</button>`;
  }

  /** The focus goes on to what takes the place of the button that was used. */
  #ask(id: number | undefined, focus: string): void {
    this.#asking = id;
    this.#host.requestUpdate();
    this.#host.updateComplete.then(() => this.#host.renderRoot.querySelector<HTMLElement>(focus)?.focus());
  }
}

/** Day and time at which a result was saved, in the language of the browser. */
export function dateOf({ provenance, date }: OmeroResult): string {
  const time = Date.parse(provenance.exported ?? date);
  return Number.isNaN(time)
    ? ''
    : new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
