import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { asCytoError, type CytoError, isAbort } from '../../core/errors.ts';
import type { Box } from '../../core/label-volume.ts';
import type { ChangeSource, ImageLayer, Layer } from '../../core/layer.ts';
import type { Progress, TaskOptions } from '../../core/progress.ts';
import { LAYOUTS, type Layout, ViewerModel } from '../../core/viewer-model.ts';
import type { Volume } from '../../core/volume.ts';
import { textsFor } from '../localization/texts.ts';
import type { LabelEditor } from './editing/label-editor.ts';
import { announceModel, emit, type Pick, type ViewerEvents } from './events.ts';
import { helpList, helpStyles } from './help.ts';
import { LAYER_CONNECTED, type LayerElement, type LayerHost } from './layer-element.ts';
import { LayerElements } from './layer-elements.ts';
import { layersOfVolume } from './layers-of-volume.ts';
import { PaneGrid, type PlaneView } from './pane-grid.ts';
import { pickAt } from './pick.ts';
import type { Plane, Vec3 } from './plane.ts';
import { type ImageInput, type ReadImage, readImage, readVolume } from './read-image.ts';
import type { Shortcuts } from './shortcuts.ts';
import { viewerStyles } from './styles.ts';

export type { ImageInput, Pick };

let count = 0;

/**
 * Shows images and labels in 2D planes, linked orthogonal planes and 3D. Its layers are its `<cyto-image>` and
 * `<cyto-labels>` children, what `src` names, and what is added by script.
 *
 * @tag cyto-viewer
 * @slot - `<cyto-image>` and `<cyto-labels>` elements, bottom first.
 * @slot overlay - Content laid over the picture.
 * @slot empty - Shown while there is no layer.
 * @fires load - A file is shown; `detail.layerIds`.
 * @fires error - A file or setting could not be used; `detail.kind`, `detail.message`. Cancelable: the viewer then shows no message.
 * @fires progress - Reading proceeds; `detail.phase`, `detail.value`, `detail.total`.
 * @fires cyto-note - Something the user should know of the image; `detail.message`.
 * @fires cyto-hover - The pointer moved; `detail.voxel`, `detail.world`, `detail.values`, `detail.label`. Empty when it left.
 * @fires cyto-select - A label was selected; `detail.layerId`, `detail.ids`.
 * @fires cyto-layer-change - A layer was added, removed, moved or changed.
 * @fires cyto-dims-change - Extent, cursor or layout changed; `detail.dims`, `detail.cursor`, `detail.layout`.
 * @fires cyto-tool-change - Another tool is active; `detail.tool`.
 * @fires cyto-edit - Labels were edited, or an edit was undone or redone; `detail.layerId`, `detail.kind`, `detail.name`, `detail.box`, `detail.voxels`.
 * @fires cyto-restore - Edits of this image were left by a page that was closed or has crashed; `detail.title`, `detail.started` (milliseconds since 1970), `detail.steps`. `(await viewer.editing()).restore()` brings them back.
 * @fires cyto-history - What can be undone or redone is different; `detail.layerId`, `detail.canUndo`, `detail.canRedo`.
 * @fires cyto-view - A plane was drawn, perhaps with another camera; does not bubble.
 * @csspart pane - A view: box of one canvas with its overlays.
 * @csspart canvas - The picture of a pane.
 * @csspart scale-bar - The scale bar.
 * @csspart crosshair - The lines of the shared cursor.
 * @csspart label - Names of axes and planes.
 * @csspart message - An error shown over the picture.
 * @csspart help - The list of keys.
 * @csspart progress - The bar shown while a file is read.
 * @cssprop [--cyto-canvas=#000] - Background of the picture.
 * @cssprop [--cyto-ink=#fff] - Scale bar and names.
 * @cssprop [--cyto-accent=#4cc2ff] - Focus ring and crosshair.
 * @cssprop [--cyto-gap=2px] - Space between panes.
 * @cssprop [--cyto-gap-color=#3a3f46] - Colour between panes.
 * @cssstate loading - A file is being read.
 * @cssstate error - The last file could not be shown.
 */
export class CytoViewer extends LitElement implements LayerHost {
  static override styles = [viewerStyles, helpStyles];

  /** The viewer's state; one object for the element's whole life. */
  readonly model = new ViewerModel();

  /** Address of an image to show, relative to the page. */
  @property() accessor src: string | undefined;
  /** Panes: xy, xz, yz, 3d, ortho (linked planes and 3D) or quad (the same, each for itself). */
  @property() accessor layout: Layout = 'xy';
  /** Plane shown first, counted from 0. */
  @property({ type: Number }) accessor z: number | undefined;
  /** Time point shown first, counted from 0. */
  @property({ type: Number }) accessor t: number | undefined;
  /** Whether labels cannot be edited. */
  @property({ type: Boolean, reflect: true }) accessor readonly = false;
  /** Colours of the surroundings: dark, light, or auto as the system asks. */
  @property({ reflect: true }) accessor theme: 'auto' | 'dark' | 'light' = 'auto';
  /** Description of the picture for people who cannot see it. */
  @property() accessor alt: string | undefined;
  /** What the pointer does: pan, paint, erase, fill, pick, lasso, merge, split or delete. */
  @property({ reflect: true }) accessor tool = 'pan';
  /** Whether edits are recorded in the browser's private storage, to be restored after a crash: on or off. */
  @property() accessor autosave: 'on' | 'off' = 'on';
  /** Keys of actions other than the default ones: action id → list of keys, e.g. `{'edit.undo': ['Mod+Z']}`. */
  @property({ attribute: false }) accessor shortcuts: Shortcuts = {};
  /** When `src` is read: auto and lazy as soon as the viewer comes into view, eager at once. */
  @property() accessor loading: 'auto' | 'lazy' | 'eager' = 'auto';

  @query('slot:not([name])') private accessor layerSlot!: HTMLSlotElement;
  @query('dialog.help') private accessor helpDialog!: HTMLDialogElement | null;
  @state() private accessor message = '';
  @state() private accessor helping = false;
  @state() private accessor reading: Progress | undefined;

  readonly #internals = this.attachInternals();
  readonly #panes = new PaneGrid(this);
  readonly #tasks = new Set<AbortController>();
  readonly #elements = new LayerElements(this);
  #editing: Promise<LabelEditor> | undefined;
  #sourceLayers: string[] = [];
  #sourceLoading: AbortController | undefined;
  #syncQueued = false;

  constructor() {
    super();
    announceModel(this, this.model);
    this.model.on('layer-add', ({ layer }) => {
      this.requestUpdate();
      if (layer.kind === 'labels' && layer.editable) this.#wantEditing();
    });
    this.model.on('layer-remove', ({ layer }) => {
      this.requestUpdate();
      const detail = layer.kind === 'image' ? layer.detail : undefined;
      if (detail && !this.model.images.some((other) => other.detail === detail)) detail.close();
    });
    // The model goes to the middle of a new scene right after this event; what the page asked for comes last.
    this.model.on('dims-change', () => queueMicrotask(() => this.#applyCursor()));
    this.model.on('layout-change', ({ layout }) => {
      this.layout = layout;
    });
    this.addEventListener('error', (event) => this.#showLater(event));
    this.addEventListener(LAYER_CONNECTED, (event) => {
      event.stopPropagation();
      this.syncLayerElements();
    });
  }

  // —— Public methods ——

  /**
   * Opens a file, several files that belong together, or an address, and adds its layers on top: one per channel,
   * or one for RGB. Of an image too large for memory a coarser resolution is held, with a note; planes read what they
   * show of the finer ones.
   * @returns the added layers
   * @throws CytoError as the reader does; also announced by an `error` event
   */
  async open(input: ImageInput, options: TaskOptions = {}): Promise<ImageLayer[]> {
    return this.#run(options.signal, async (signal) => {
      const { volume, detail } = await this.readImage(input, { ...options, signal });
      const layers = layersOfVolume(volume, this.#freeId('image'), { detail });
      for (const layer of layers) this.model.add(layer);
      await this.updateComplete;
      emit(this, 'load', { layerIds: layers.map(({ id }) => id), source: 'api' });
      return layers;
    });
  }

  /** Adds a layer on top or at `index`, counted from the bottom. @throws CytoError `bad-input` for an id in use */
  async add(layer: Layer, options: { index?: number; source?: ChangeSource } = {}): Promise<void> {
    this.model.add(layer, options);
    await this.updateComplete;
  }

  /** Removes a layer; unknown ids are ignored. */
  async removeLayer(id: string): Promise<void> {
    this.model.remove(id);
    await this.updateComplete;
  }

  /** Fits the whole scene into every pane. */
  async fit(): Promise<void> {
    await this.updateComplete;
    this.#panes.fit();
  }

  /**
   * Brings voxels of the reference grid into view: the cursor goes to their middle, and the planes move there unless
   * they show the box already.
   * @param box half-open [z0, y0, x0, z1, y1, x1]
   * @param options.zoom whether to come close to the box in any case
   */
  async reveal(box: Box, options: { zoom?: boolean; source?: ChangeSource } = {}): Promise<void> {
    await this.updateComplete;
    const { spacing } = this.model.dims;
    const [z, y, x] = [0, 1, 2].map((axis) => Math.floor((box[axis] + box[axis + 3] - 1) / 2));
    this.model.setCursor({ z, y, x }, options.source ?? 'api');
    const corner = (from: 0 | 3): Vec3 => [
      box[from] * spacing[0],
      box[from + 1] * spacing[1],
      box[from + 2] * spacing[2],
    ];
    this.#panes.reveal([corner(0), corner(3)], options.zoom ?? false);
  }

  /**
   * What lies under a point of the page, or undefined outside the planes and the scene.
   * @param clientX,clientY CSS pixels of the viewport, as in pointer events
   */
  async pick(clientX: number, clientY: number): Promise<Pick | undefined> {
    await this.updateComplete;
    const point = this.#panes.worldAt(clientX, clientY);
    return point && pickAt(this.model, point);
  }

  /** Where a plane is drawn now, for content of the `overlay` slot; undefined while the layout has no such pane. */
  planeView(plane: Plane): PlaneView | undefined {
    return this.#panes.planeView(plane);
  }

  /** The label editor of this viewer; its code is loaded when first asked for. */
  editing(): Promise<LabelEditor> {
    this.#editing ??= import('./editing/label-editor.ts').then(({ LabelEditor }) => {
      const editor = new LabelEditor(this, this.#panes);
      this.#panes.tool = editor;
      return editor;
    });
    return this.#editing;
  }

  /** Lists the keys that work in a pane, as they are set now. */
  async showHelp(): Promise<void> {
    this.helping = true;
    await this.updateComplete;
    if (!this.helpDialog?.open) this.helpDialog?.showModal();
  }

  /** Takes the last edit of the labels back. */
  async undo(): Promise<void> {
    (await this.editing()).undo();
  }

  /** Does the edit that was undone last again. */
  async redo(): Promise<void> {
    (await this.editing()).redo();
  }

  #wantEditing(): void {
    this.editing().catch((cause: unknown) => this.#fail(asCytoError(cause)));
  }

  /**
   * The view as a PNG image.
   * @param options.scale image pixels per screen pixel, more than 1 for print
   * @param options.overlays whether scale bar, crosshair and names are drawn
   */
  async toBlob(options: { scale?: number; overlays?: boolean } = {}): Promise<Blob> {
    await this.updateComplete;
    return this.#panes.toBlob(options);
  }

  /** Resolves when everything asked for so far is loaded and drawn. */
  async settled(): Promise<void> {
    await this.updateComplete;
    await Promise.all(this.#elements.attached.map((element) => element.settled));
    const pause = () => new Promise((resolve) => setTimeout(resolve, 10));
    while (this.#tasks.size > 0) await pause();
    await this.#panes.drawn();
    while (this.model.images.some(({ detail }) => detail && detail.missing > 0)) await pause();
    await this.#panes.drawn();
  }

  // —— What layer elements ask for ——

  /** Reads an image whole, at the finest resolution that fits; announces progress and notes. */
  async readVolume(input: ImageInput, options: TaskOptions = {}): Promise<Volume> {
    const volume = await readVolume(this.#address(input), this.#announced(options));
    this.#haveRead(volume);
    return volume;
  }

  /** Reads an image, of a large one a coarser resolution with the finer ones in parts; announces progress and notes. */
  async readImage(input: ImageInput, options: TaskOptions = {}): Promise<ReadImage> {
    const image = await readImage(this.#address(input), this.#announced(options));
    this.#haveRead(image.volume);
    const tell = (event: Event) => {
      emit(this, 'cyto-note', { message: (event as CustomEvent<CytoError>).detail.message });
    };
    image.detail?.addEventListener('problem', tell, { once: true });
    return image;
  }

  #address(input: ImageInput): ImageInput {
    return typeof input === 'string' ? new URL(input, this.ownerDocument.baseURI) : input;
  }

  #announced(options: TaskOptions): TaskOptions {
    return {
      ...options,
      onProgress: (progress) => {
        this.reading = progress;
        emit(this, 'progress', progress);
        options.onProgress?.(progress);
      },
    };
  }

  #haveRead({ notes }: Volume): void {
    this.reading = undefined;
    for (const message of notes) emit(this, 'cyto-note', { message });
  }

  layerIndexOf(element: LayerElement): number {
    return this.#elements.indexOf(element);
  }

  syncLayerElements(): void {
    if (this.#syncQueued) return;
    this.#syncQueued = true;
    queueMicrotask(() => {
      this.#syncQueued = false;
      // Children of a viewer that has left the page keep their layers until it comes back or is collected.
      if (this.isConnected && this.hasUpdated) this.#elements.sync(this.layerSlot);
    });
  }

  // —— Lifecycle ——

  override connectedCallback(): void {
    super.connectedCallback();
    this.#panes.connect();
    this.syncLayerElements();
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#panes.disconnect();
    this.#editing?.then((editor) => {
      // A moved viewer goes on.
      if (!this.isConnected) editor.rest();
    });
  }
  /** Present so that `moveBefore()` moves the viewer without tearing it down. */
  connectedMoveCallback(): void {
    this.#panes.resize();
  }

  protected override render() {
    return html`
      <div class="frame" part="frame">${this.#panes.element}</div>
      <slot @slotchange=${() => this.syncLayerElements()}></slot>
      <slot name="empty" ?hidden=${this.model.layers.length > 0}></slot>
      <slot name="overlay"></slot>
      ${
        this.helping
          ? html`<dialog class="help" part="help" aria-label=${textsFor(this).shortcuts} @close=${() => {
              this.helping = false;
            }}>${helpList(textsFor(this), this.shortcuts)}</dialog>`
          : nothing
      }
      ${this.reading ? html`<progress part="progress" max=${this.reading.total} .value=${this.reading.value}></progress>` : nothing}
      ${
        this.message
          ? html`<div class="message" part="message" role="alert">
              <span>${this.message}</span><button aria-label="×" @click=${() => {
                this.message = '';
              }}>×</button>
            </div>`
          : nothing
      }`;
  }

  protected override firstUpdated(): void {
    this.syncLayerElements();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('layout')) this.#applyLayout();
    if (changed.has('alt')) this.#panes.describe(this.alt);
    if (changed.has('tool')) {
      this.#panes.element.dataset.tool = this.tool;
      if (this.tool !== 'pan') this.#wantEditing();
      if (changed.get('tool') !== undefined) emit(this, 'cyto-tool-change', { tool: this.tool });
    }
    if (changed.has('z') || changed.has('t')) this.#applyCursor();
    if (changed.has('src')) this.#openSource();
  }

  #applyLayout(): void {
    if (LAYOUTS.includes(this.layout)) this.model.setLayout(this.layout);
    else {
      const message = `<cyto-viewer layout="${this.layout}">: use one of ${LAYOUTS.join(', ')}.`;
      emit(this, 'error', { kind: 'bad-input', message });
    }
  }

  #applyCursor(): void {
    const { z, t } = this;
    this.model.setCursor({
      ...(Number.isFinite(z) ? { z: z as number } : {}),
      ...(Number.isFinite(t) ? { t: t as number } : {}),
    });
  }

  #openSource(): void {
    this.#sourceLoading?.abort();
    for (const id of this.#sourceLayers) this.model.remove(id);
    this.#sourceLayers = [];
    const { src } = this;
    if (!src) return;
    const loading = new AbortController();
    this.#sourceLoading = loading;
    const start = async () => {
      if (this.loading !== 'eager') await this.#panes.seen(loading.signal);
      if (loading.signal.aborted) return;
      const layers = await this.open(src, { signal: loading.signal });
      if (loading.signal.aborted) for (const layer of layers) this.model.remove(layer.id);
      else this.#sourceLayers = layers.map((layer) => layer.id);
    };
    start().catch((error: unknown) => {
      // `open` has announced it by an event; nobody awaits this call.
      if (!isAbort(error)) this.#setState('error', true);
    });
  }

  /** Runs a task that the element's end, or the caller, may cancel. */
  async #run<T>(outer: AbortSignal | undefined, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const own = new AbortController();
    const signal = outer ? AbortSignal.any([outer, own.signal]) : own.signal;
    this.#tasks.add(own);
    this.#setState('loading', true);
    this.#setState('error', false);
    this.message = '';
    try {
      return await task(signal);
    } catch (cause) {
      const error = asCytoError(cause);
      if (error.kind !== 'aborted') this.#fail(error);
      throw error;
    } finally {
      this.#tasks.delete(own);
      if (this.#tasks.size === 0) {
        this.#setState('loading', false);
        this.reading = undefined;
      }
    }
  }

  #fail({ kind, message }: CytoError): void {
    this.#setState('error', true);
    emit(this, 'error', { kind, message });
  }

  /** Shows an error of the viewer or of a layer in it, unless a listener has prevented that. */
  #showLater(event: Event): void {
    const { detail } = event as CustomEvent<ViewerEvents['error'] | undefined>;
    if (!detail?.message) return;
    queueMicrotask(() => {
      if (!event.defaultPrevented) this.message = detail.message;
    });
  }

  #setState(state: 'loading' | 'error', on: boolean): void {
    if (on) this.#internals.states.add(state);
    else this.#internals.states.delete(state);
  }

  #freeId(base: string): string {
    let id = `${base}-${++count}`;
    while (this.model.get(id)) id = `${base}-${++count}`;
    return id;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-viewer': CytoViewer;
  }
}
