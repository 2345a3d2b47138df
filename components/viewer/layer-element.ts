import { css, LitElement, type PropertyValues } from 'lit';
import { property } from 'lit/decorators.js';
import { asCytoError, CytoError } from '../../core/errors.ts';
import type { Layer, LayerChanges } from '../../core/layer.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import type { Volume } from '../../core/volume.ts';
import { emit } from './events.ts';
import type { ReadImage } from './read-image.ts';

/** What a layer element asks of the viewer that holds it. */
export interface LayerHost {
  readonly model: ViewerModel;
  /** Reads a whole image, at the finest resolution that fits into memory. */
  readVolume(input: string, options?: TaskOptions): Promise<Volume>;
  /** Reads an image, of a large one a coarser resolution with the finer ones in parts. */
  readImage(input: string, options?: TaskOptions): Promise<ReadImage>;
  /** Where the element's layers belong in the model's order. */
  layerIndexOf(element: LayerElement): number;
  /** Looks again at which layer elements there are and in which order. */
  syncLayerElements(): void;
}

/** Sent by a layer element that appears somewhere below a viewer. */
export const LAYER_CONNECTED = 'cyto-layer-connected';

let count = 0;

/**
 * Base of `<cyto-image>` and `<cyto-labels>`: turns attributes into the initial settings of model layers.
 * The layers outlive removal from the page, so that re-adding the element brings back what the user had.
 */
export abstract class LayerElement extends LitElement {
  static override styles = css`:host { display: none; }`;
  static override get observedAttributes(): string[] {
    // biome-ignore lint/complexity/noThisInStatic: Lit finalises the class that asks, so it must be this one.
    return [...super.observedAttributes, 'hidden'];
  }

  /** Address of the file, relative to the page. */
  @property() accessor src: string | undefined;
  /** Name shown in the layer list. */
  @property() accessor name: string | undefined;
  /** Opacity, 0…1. */
  @property({ type: Number }) accessor opacity: number | undefined;

  #host: LayerHost | undefined;
  #layers: Layer[] = [];
  #loading: AbortController | undefined;
  #waiting: AbortController | undefined;
  readonly #fallbackId = `layer-${++count}`;
  #settled: Promise<void> = Promise.resolve();
  /** Whether the first update has asked for content. */
  #asked = false;

  /** The model's layers that this element stands for, bottom first; empty until loaded. */
  get layers(): readonly Layer[] {
    return this.#layers;
  }
  /** Id of the element's first layer: the element's own `id` where it has one. */
  get layerId(): string {
    return this.#layers.at(0)?.id ?? (this.id || this.#fallbackId);
  }
  /** Resolves when what was last asked for has been loaded (or has failed, see the `error` event). */
  get settled(): Promise<void> {
    return this.updateComplete.then(() => this.#settled);
  }

  /** Settings the host page stated. Absent ones are left to the defaults and the user. */
  protected abstract settings(): LayerChanges;
  /** Whether there is something to make layers of. */
  protected abstract hasContent(): boolean;
  /** Names of properties whose change means other samples. */
  protected abstract readonly contentProperties: readonly string[];
  /** Makes the layers; undefined while the scene lacks what is needed. */
  protected abstract makeLayers(
    host: LayerHost,
    id: string,
    signal: AbortSignal,
  ): Promise<Layer[] | undefined>;

  override connectedCallback(): void {
    super.connectedCallback();
    this.dispatchEvent(new CustomEvent(LAYER_CONNECTED, { bubbles: true, composed: true }));
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // The viewer compares once the page has finished moving things about.
    const host = this.#host;
    queueMicrotask(() => host?.syncLayerElements());
  }
  override attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    super.attributeChangedCallback(name, old, value);
    if (name === 'hidden') this.#applySettings({ visible: value === null });
  }

  protected override updated(changed: PropertyValues): void {
    if (!this.#asked || this.contentProperties.some((name) => changed.has(name))) {
      this.#asked = true;
      this.#drop();
      this.#load();
    } else if (this.#layers.length > 0) {
      this.#applySettings(this.settings());
    }
  }

  /** Called by the viewer. */
  attach(host: LayerHost): void {
    if (this.#host === host) return;
    if (this.#host) this.detach(this.#host);
    this.#host = host;
    if (this.#layers.length > 0) this.#addToModel(host);
    else if (this.hasUpdated) this.#load();
  }

  /** Called by the viewer; ignored if the element has gone to another one. */
  detach(host: LayerHost): void {
    if (this.#host !== host) return;
    this.#host = undefined;
    this.#loading?.abort();
    this.#waiting?.abort();
    for (const layer of this.#layers) host.model.remove(layer.id);
  }

  #drop(): void {
    this.#loading?.abort();
    this.#waiting?.abort();
    for (const layer of this.#layers) this.#host?.model.remove(layer.id);
    this.#layers = [];
  }

  #load(): void {
    if (!this.#host || !this.hasContent()) return;
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.#settled = this.#loadInto(this.#host, loading.signal);
  }

  async #loadInto(host: LayerHost, signal: AbortSignal): Promise<void> {
    try {
      const layers = await this.makeLayers(host, this.#freeId(host), signal);
      if (signal.aborted || host !== this.#host) return;
      if (layers === undefined) {
        this.#waitForScene(host);
        return;
      }
      this.#layers = layers;
      this.#addToModel(host);
      emit(this, 'load', { layerIds: layers.map((layer) => layer.id), source: 'api' });
    } catch (cause) {
      if (!signal.aborted) this.reportError(cause);
    }
  }

  #waitForScene(host: LayerHost): void {
    this.#waiting?.abort();
    this.#waiting = new AbortController();
    const options = { once: true, signal: this.#waiting.signal };
    host.model.on('layer-add', () => this.#load(), options);
  }

  #addToModel(host: LayerHost): void {
    let index = host.layerIndexOf(this);
    for (const layer of this.#layers) host.model.add(layer, { index: index++ });
  }

  #freeId(host: LayerHost): string {
    const wanted = this.id || this.#fallbackId;
    return host.model.get(wanted) ? `${wanted}-${this.#fallbackId}` : wanted;
  }

  #applySettings(settings: LayerChanges): void {
    for (const layer of this.#layers) {
      if (this.#host?.model.get(layer.id) === layer) this.#host.model.update(layer.id, settings);
      else Object.assign(layer, settings);
    }
  }

  /** Announces an error; it bubbles to the viewer, which shows it. */
  protected reportError(cause: unknown): void {
    const { kind, message } = asCytoError(cause);
    emit(this, 'error', { kind, message });
  }

  /** `value` if it is one of `allowed`; otherwise reports it and leaves the setting alone. */
  protected oneOf<T extends string>(
    name: string,
    value: string | undefined,
    allowed: readonly T[],
  ): T | undefined {
    if (value === undefined || allowed.includes(value as T)) return value as T | undefined;
    this.reportError(
      new CytoError('bad-input', `<${this.localName} ${name}="${value}">: use one of ${allowed.join(', ')}.`),
    );
    return undefined;
  }
}

/** The given settings without those that are undefined. */
export function stated<T extends object>(settings: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
