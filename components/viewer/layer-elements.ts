import type { Layer } from '../../core/layer.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import { LayerElement, type LayerHost } from './layer-element.ts';

const UNKNOWN_YET = 'cyto-image:not(:defined), cyto-labels:not(:defined)';

/** Keeps the layers of a viewer in step with the layer elements in its slot. */
export class LayerElements {
  readonly #host: LayerHost;
  readonly #model: ViewerModel;
  #attached: LayerElement[] = [];

  constructor(host: LayerHost) {
    this.#host = host;
    this.#model = host.model;
  }

  /** The attached elements, bottom first. */
  get attached(): readonly LayerElement[] {
    return this.#attached;
  }

  /** Attaches and detaches elements so that those in the slot, at any depth, are attached. */
  sync(slot: HTMLSlotElement): void {
    const wanted = this.#find(slot);
    const before = this.#attached;
    this.#attached = wanted;
    for (const element of before) if (!wanted.includes(element)) element.detach(this.#host);
    for (const element of wanted) element.attach(this.#host);
    this.#order();
  }

  #find(slot: HTMLSlotElement): LayerElement[] {
    const found: LayerElement[] = [];
    const pending = new Set<string>();
    for (const assigned of slot.assignedElements({ flatten: true })) {
      for (const element of [assigned, ...assigned.querySelectorAll('*')]) {
        if (element instanceof LayerElement) found.push(element);
        else if (element.matches(UNKNOWN_YET)) pending.add(element.localName);
      }
    }
    for (const tag of pending) customElements.whenDefined(tag).then(() => this.#host.syncLayerElements());
    return found;
  }

  /** Puts layers of elements into document order, each at one of the places that such layers have now. */
  #order(): void {
    const layers = this.#attached.flatMap((element) =>
      element.layers.filter((layer) => this.#model.layers.includes(layer)),
    );
    const places = this.#model.layers.flatMap((layer, index) =>
      layers.includes(layer as Layer) ? [index] : [],
    );
    layers.forEach((layer, position) => {
      if (this.#model.layers[places[position]] !== layer) this.#model.move(layer.id, places[position]);
    });
  }

  /** Where an element's layers belong in the model: above those of the elements before it. */
  indexOf(element: LayerElement): number {
    const at = this.#attached.indexOf(element);
    for (const other of this.#attached.slice(0, at).reverse()) {
      const top = other.layers.at(-1);
      const index = top ? this.#model.layers.indexOf(top) : -1;
      if (index >= 0) return index + 1;
    }
    for (const other of this.#attached.slice(at + 1)) {
      const bottom = other.layers.at(0);
      const index = bottom ? this.#model.layers.indexOf(bottom) : -1;
      if (index >= 0) return index;
    }
    return this.#model.layers.length;
  }
}
