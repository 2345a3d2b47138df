import { html, type LitElement, type ReactiveController, type TemplateResult } from 'lit';
import type { CurvePoint } from '../../core/progress.ts';
import type { LearningCurve } from './curve.ts';

/** The learning curve in its host; the plotting library is loaded with the first curve. */
export class CurveView implements ReactiveController {
  readonly #host: LitElement;
  #curve: LearningCurve | undefined;

  constructor(host: LitElement) {
    this.#host = host;
    host.addController(this);
  }

  render(name: string): TemplateResult {
    return html`<div class="curve" role="img" aria-label=${name}></div>`;
  }

  /** Draws a curve where {@link render} has made room. @param titles of its two lines */
  async draw(points: readonly CurvePoint[], titles: { loss: string; ap: string }): Promise<void> {
    const { LearningCurve, curveStyles } = await import('./curve.ts');
    const place = this.#host.renderRoot.querySelector<HTMLElement>('.curve');
    if (!place) return;
    if (!this.#host.renderRoot.querySelector('.curve-styles')) {
      const sheet = document.createElement('style');
      sheet.className = 'curve-styles';
      sheet.textContent = curveStyles;
      this.#host.renderRoot.append(sheet);
    }
    if (this.#curve?.place !== place) {
      this.clear();
      this.#curve = new LearningCurve(place);
    }
    this.#curve.show(points, titles);
  }

  clear(): void {
    this.#curve?.destroy();
    this.#curve = undefined;
  }

  hostDisconnected(): void {
    // A moved element keeps its drawing.
    setTimeout(() => this.#host.isConnected || this.clear(), 0);
  }
}
