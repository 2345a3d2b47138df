import { LitElement, type PropertyValues } from 'lit';
import { property } from 'lit/decorators.js';
import type { ViewerModel, ViewerModelEvents } from '../../core/viewer-model.ts';
import type { Texts } from '../localization/en.ts';
import { textsFor } from '../localization/texts.ts';
import type { CytoViewer } from '../viewer/viewer.ts';

const EVENTS: ReadonlyArray<keyof ViewerModelEvents> = [
  'layer-add',
  'layer-remove',
  'layer-move',
  'layer-change',
  'dims-change',
  'cursor-change',
  'layout-change',
  'view-change',
];

/**
 * Base of the controls that belong to a viewer: finds it by the `for` attribute, or takes the nearest enclosing one,
 * or the only one of the document, and renders again when its model changes.
 */
export abstract class ViewerPart extends LitElement {
  /** Id of the viewer this control belongs to; by default the nearest enclosing one, or the first of the page. */
  @property({ attribute: 'for' }) accessor htmlFor: string | undefined;

  #viewer: CytoViewer | undefined;
  #release: Array<() => void> = [];

  /** The viewer this control belongs to, or undefined while there is none. */
  get viewer(): CytoViewer | undefined {
    return this.#viewer;
  }
  /** Sets the viewer directly; for hosts that do not use ids. */
  set viewer(viewer: CytoViewer | undefined) {
    if (viewer === this.#viewer) return;
    for (const release of this.#release.splice(0)) release();
    this.#viewer = viewer;
    if (viewer) {
      this.#release = EVENTS.map((type) => viewer.model.on(type, () => this.requestUpdate()));
      this.viewerChanged(viewer, this.#release);
    }
    this.requestUpdate();
  }

  protected get model(): ViewerModel | undefined {
    return this.#viewer?.model;
  }

  protected get texts(): Texts {
    return textsFor(this);
  }

  /** For subclasses: subscribe to more of the viewer; push what unsubscribes. */
  protected viewerChanged(_viewer: CytoViewer, _release: Array<() => void>): void {}

  override connectedCallback(): void {
    super.connectedCallback();
    this.#find();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.viewer = undefined;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('htmlFor')) this.#find();
  }

  #find(): void {
    if (!this.isConnected || (this.#viewer && !this.htmlFor)) return;
    const root = this.getRootNode() as Document | ShadowRoot;
    const named = this.htmlFor ? root.getElementById(this.htmlFor) : null;
    const found = named ?? this.closest('cyto-viewer') ?? root.querySelector('cyto-viewer');
    const take = (element: Element | null) => {
      if (!element || !this.isConnected) return;
      if (element.localName === 'cyto-viewer') this.viewer = element as CytoViewer;
      else if ('viewer' in element) {
        const holder = element as Element & { viewer?: CytoViewer; updateComplete?: Promise<unknown> };
        holder.updateComplete?.then(() => {
          if (this.isConnected && holder.viewer) this.viewer = holder.viewer;
        });
      }
    };
    if (found?.matches(':not(:defined)')) customElements.whenDefined(found.localName).then(() => take(found));
    else if (found) take(found);
    // The document may still be loading: look again when it is complete.
    else if (root === this.ownerDocument && this.ownerDocument.readyState === 'loading') {
      this.ownerDocument.addEventListener('DOMContentLoaded', () => this.#find(), { once: true });
    }
  }
}
