import { html, nothing, type ReactiveController, type TemplateResult } from 'lit';
import type { DoubtfulRegion } from '../../core/edit/least-sure.ts';
import type { ViewerPart } from '../controls/viewer-part.ts';
import type { Texts } from '../localization/en.ts';
import type { CytoRunMarks } from '../run-marks/run-marks.ts';
import { doubts } from './corrected-image.ts';

/** Side of the regions in pixels: what fits on a screen, and what the network sees at once. */
const SIDE = 256;

/** Shows, one after the other, the regions of the image where the model was least sure, most doubtful first. */
export class Suggestion implements ReactiveController {
  readonly #host: ViewerPart;
  #regions: readonly DoubtfulRegion[] = [];
  #at = 0;
  #marks: CytoRunMarks | undefined;
  /** The volume that the regions are of. */
  #of: unknown;

  constructor(host: ViewerPart) {
    this.#host = host;
    host.addController(this);
  }

  /** The region that is shown. */
  get region(): DoubtfulRegion | undefined {
    return this.#regions[this.#at];
  }

  /** Whether it is a part of its plane only. */
  get partial(): boolean {
    const shape = this.#volume?.shape;
    const { region } = this;
    return (
      region !== undefined && shape !== undefined && (region.height < shape[3] || region.width < shape[4])
    );
  }

  hostUpdate(): void {
    // Another image: its doubts are others.
    if (this.region && this.#of !== this.#volume) this.clear();
  }

  hostDisconnected(): void {
    this.clear();
  }

  /** Goes to the most doubtful region, or to the next. @returns whether there is one */
  next(): boolean {
    const { viewer } = this.#host;
    if (!viewer) return false;
    if (this.#of === this.#volume && this.#at + 1 < this.#regions.length) this.#at++;
    else {
      this.#regions = doubts(viewer.model, SIDE);
      this.#at = 0;
      this.#of = this.#volume;
    }
    const { region } = this;
    if (!region) return false;
    const { z, y, x, height, width } = region;
    viewer
      .reveal([z, y, x, z + 1, y + height, x + width], { zoom: this.partial, source: 'user' })
      .catch((error: unknown) => console.debug('cytopane:', error));
    this.#mark(region);
    this.#host.requestUpdate();
    return true;
  }

  clear(): void {
    this.#marks?.remove();
    this.#marks = undefined;
    this.#regions = [];
    this.#of = undefined;
    this.#host.requestUpdate();
  }

  /** @param add adds the region that is shown to the corrected images */
  render(texts: Texts['trainer'], disabled: boolean, add: () => void, none: () => void): TemplateResult {
    const { region } = this;
    return html`<button class="wide" part="suggest" ?disabled=${disabled} @click=${() => {
      if (!this.next()) none();
    }}>${region ? texts.suggestNext : texts.suggest}</button>
    ${
      region
        ? html`<p role="status">${texts.suggested(this.#at + 1, this.#regions.length, region.cells)}</p>
          ${this.partial ? html`<button class="wide" part="add-region" ?disabled=${disabled} @click=${add}>${texts.addRegion}</button>` : nothing}`
        : nothing
    }`;
  }

  get #volume() {
    return this.#host.viewer?.model.shownImage?.volume;
  }

  #mark({ z, y, x, height, width }: DoubtfulRegion): void {
    const { viewer } = this.#host;
    if (!viewer) return;
    this.#marks ??= document.createElement('cyto-run-marks');
    Object.assign(this.#marks, { viewer, box: { from: [z, y, x], to: [z + 1, y + height, x + width] } });
    if (this.#marks.parentElement !== viewer) viewer.append(this.#marks);
  }
}
