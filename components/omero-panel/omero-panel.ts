import { html, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import { asCytoError, CytoError, isAbort } from '../../core/errors.ts';
import { addImageProvider } from '../../core/image-provider.ts';
import type { LabelsLayer } from '../../core/layer.ts';
import { imagesOf, type ListedImage, type OmeroKind } from '../../core/omero/browse.ts';
import { OmeroConnection } from '../../core/omero/connection.ts';
import { imageDetails, type OmeroImage } from '../../core/omero/image-details.ts';
import { OmeroImages } from '../../core/omero/provider.ts';
import { listResults, type OmeroResult, removeResult } from '../../core/omero/result.ts';
import type { OmeroSaving } from '../../core/omero/save.ts';
import type { Progress, TaskOptions } from '../../core/progress.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { controlStyles } from '../styles.ts';
import { LoginForm } from './login-form.ts';
import { omeroPanelStyles } from './omero-panel-styles.ts';
import { dateOf, ResultList } from './result-list.ts';
import { ATTACHED, type Attached, roisLayer, savingOf } from './saved-labels.ts';

/** What holds the picture: a workbench or a viewer. */
type Opener = Element & { open(input: URL, options?: TaskOptions): Promise<unknown> };

/**
 * Images of an OMERO server beside a workbench or viewer: login, metadata, opening, cells saved as ROIs and files,
 * saved results shown again and removed. Also makes `src="omero:101"` work in every element of the page.
 *
 * @tag cyto-omero-panel
 * @fires load - An image is shown; `detail.imageId`.
 * @fires error - `detail.kind`, `detail.message`; also shown in the panel.
 * @fires cyto-omero-save - Cells were saved; `detail.imageId`, `detail.objects`, `detail.roiIds`.
 * @fires cyto-omero-remove - A result was removed; `detail.imageId`, `detail.annotationId`.
 * @csspart alert - A message about something that went wrong.
 */
export class CytoOmeroPanel extends ViewerPart {
  static override styles = [controlStyles, omeroPanelStyles];

  /** Address of OMERO.web with its prefix, relative to the page. */
  @property() accessor server: string = '/';
  /** Id of the image to open, or several with commas. */
  @property({ attribute: 'image' }) accessor imageIds: string | undefined;
  /** Datasets, wells and images whose images are offered: `[{kind: 'dataset', id: 11}]`. */
  @property({ attribute: false }) accessor objects: ReadonlyArray<{ kind: OmeroKind; id: number }> = [];

  @state() private accessor images: ListedImage[] = [];
  @state() private accessor image: OmeroImage | undefined;
  @state() private accessor results: OmeroResult[] = [];
  @state() private accessor progress: Progress | undefined;
  @state() private accessor message = '';
  @state() private accessor note = '';
  @state() private accessor loading = false;
  @state() private accessor rois = true;
  @state() private accessor formats: readonly Attached[] = ['tiff'];

  #connection: OmeroConnection | undefined;
  #saving: { saving: OmeroSaving; layer: LabelsLayer; revision: number } | undefined;
  #task: AbortController | undefined;
  #stopPings: (() => void) | undefined;
  readonly #login = new LoginForm(this);
  readonly #resultsShown = new ResultList(this);

  /** The connection to the server. */
  get connection(): OmeroConnection {
    this.#connection ??= this.#connect();
    return this.#connection;
  }

  #connect(): OmeroConnection {
    const connection = new OmeroConnection({
      root: this.server,
      onLoginNeeded: () => this.#login.ask(connection),
    });
    addImageProvider(new OmeroImages(connection));
    return connection;
  }

  /**
   * Opens an image.
   * @throws CytoError as the reader does; also shown
   */
  async openImage(id: number, options: TaskOptions = {}): Promise<void> {
    this.#saving = undefined;
    this.note = '';
    await this.#run(async (signal) => {
      this.image = undefined;
      this.results = [];
      const image = await imageDetails(this.connection, id, { signal });
      this.image = image;
      await this.#target().open(new URL(`omero:${id}`), { signal });
      const model = this.model;
      if (model && image.shape[2] > 1) model.setCursor({ z: image.defaultZ });
      this.#emit('load', { imageId: id, source: 'api' });
      await this.#refresh(signal);
    }, options);
  }

  /**
   * Saves the topmost label layer, or goes on with a save that broke off.
   * @throws CytoError `bad-input`, `forbidden`, `network`, …; also shown
   */
  async save(options: TaskOptions = {}): Promise<OmeroResult | undefined> {
    let saved: OmeroResult | undefined;
    await this.#run(async (signal) => {
      const { image, model } = this;
      const layer = model?.labels.at(-1);
      if (!image || !model || !layer) throw new CytoError('bad-input', this.texts.omero.noLabels);
      const task = { signal, onProgress: this.#onProgress };
      const known = this.#saving;
      const same = known?.layer === layer && known.revision === layer.labels.revision;
      const saving = same
        ? known.saving
        : await savingOf(this.connection, image, model, layer, {
            signal,
            rois: this.#roisFit() && this.rois,
            formats: this.formats,
          });
      this.#saving = { saving, layer, revision: layer.labels.revision };
      saved = await saving.run(task);
      this.#saving = undefined;
      this.note = this.texts.omero.saved(saved.objects);
      const { imageId, objects, roiIds } = saved;
      this.#emit('cyto-omero-save', { imageId, objects, roiIds });
      await this.#refresh(signal);
    }, options);
    return saved;
  }

  /** Removes a saved result: its ROIs, files and description. @throws CytoError `forbidden`, `network` */
  async removeResult(result: OmeroResult, options: TaskOptions = {}): Promise<void> {
    await this.#run(async (signal) => {
      await removeResult(this.connection, result, { signal, onProgress: this.#onProgress });
      this.note = this.texts.omero.removed;
      this.#emit('cyto-omero-remove', { imageId: result.imageId, annotationId: result.annotationId });
      await this.#refresh(signal);
    }, options);
  }

  /** Shows ROIs as a label layer: those of a result, or all. @throws CytoError as the server's answers demand */
  async showRois(result?: OmeroResult, options: TaskOptions = {}): Promise<void> {
    await this.#run(async (signal) => {
      const { image, model } = this;
      if (!image || !model) return;
      const texts = this.texts.omero;
      const name = result ? texts.result(result.objects, dateOf(result)) : texts.roisLayer;
      const wanted = result ? { ids: result.roiIds } : {};
      const task = { signal, onProgress: this.#onProgress, name, ...wanted };
      const { layer, skipped } = await roisLayer(this.connection, image, model, task);
      if (layer) model.add(layer);
      this.note = layer ? (skipped > 0 ? texts.skipped(skipped) : '') : texts.noAreas;
    }, options);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // An OMERO session ends after ten idle minutes, also while this page computes.
    this.#stopPings = this.connection.keepAlive();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopPings?.();
    this.#task?.abort();
    this.#login.cancel();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('server') && changed.get('server') !== undefined) {
      this.#stopPings?.();
      this.#connection = undefined;
      this.#stopPings = this.connection.keepAlive();
    }
    if (changed.has('imageIds') || changed.has('objects')) this.#list();
  }

  #list(): void {
    const named = (this.imageIds ?? '')
      .split(',')
      .map(Number)
      .filter((id) => id > 0)
      .map((id) => ({ kind: 'image' as const, id }));
    const objects = [...named, ...this.objects];
    if (objects.length === 0) return;
    this.#quietly(
      this.#run(async (signal) => {
        this.images = await imagesOf(this.connection, objects, { signal });
      }).then(() => {
        const first = this.images.at(0);
        return first && this.openImage(first.id);
      }),
    );
  }

  /** Shows progress and errors of one task; a second one takes the first one's place. */
  async #run(work: (signal: AbortSignal) => Promise<void>, options: TaskOptions = {}): Promise<void> {
    await this.updateComplete;
    this.#task?.abort();
    const task = new AbortController();
    this.#task = task;
    this.message = '';
    this.loading = true;
    try {
      await work(options.signal ? AbortSignal.any([options.signal, task.signal]) : task.signal);
    } catch (cause) {
      const { kind, message } = asCytoError(cause);
      if (this.#task === task && kind !== 'aborted') {
        this.message = message;
        this.#emit('error', { kind, message });
      }
      throw cause;
    } finally {
      if (this.#task === task) {
        this.loading = false;
        this.progress = undefined;
      }
    }
  }

  /** For tasks that the user started: what goes wrong is shown by {@link #run}. */
  #quietly(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!isAbort(error)) console.debug('cytopane:', error);
    });
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { image } = this;
    if (image) this.results = await listResults(this.connection, image.id, { signal });
  }

  #target(): Opener {
    const root = this.getRootNode() as Document | ShadowRoot;
    const named = this.htmlFor ? root.getElementById(this.htmlFor) : root.querySelector('cyto-workbench');
    const target = (named && 'open' in named ? named : this.viewer) as Opener | undefined;
    if (!target) throw new CytoError('bad-input', 'There is no viewer on this page to open the image in.');
    return target;
  }

  /** Whether what is shown has OMERO's own pixel grid. */
  #roisFit(): boolean {
    const shown = this.model?.images.at(0)?.volume.shape;
    return shown?.join() === this.image?.shape.join();
  }

  readonly #onProgress = (progress: Progress): void => {
    this.progress = progress;
  };

  #emit(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  protected override render() {
    const texts = this.texts.omero;
    if (this.#login.open)
      return html`<section>${this.#login.render(texts, this.image !== undefined)}</section>`;
    return html`
      <section>
        <h2>${texts.title}</h2>
        ${this.images.length > 1 ? this.#chooser() : nothing}
        ${this.image ? this.#description(this.image) : html`<p class="quiet-text">${this.loading ? texts.loading : texts.noImage}</p>`}
      </section>
      ${this.image ? html`<section>${this.#saveForm(this.image)}</section><section>${this.#resultList()}</section>` : nothing}
      ${this.progress ? this.#bar(this.progress) : nothing}
      <div aria-live="polite">${this.note ? html`<p class="note">${this.note}</p>` : nothing}</div>
      ${this.message ? html`<p class="alert" part="alert" role="alert">${this.message}</p>` : nothing}`;
  }

  #chooser() {
    return html`<select class="wide" aria-label=${this.texts.omero.image} @change=${(event: Event) => {
      this.#quietly(this.openImage(Number((event.target as HTMLSelectElement).value)));
    }}>
      ${this.images.map(({ id, name }) => html`<option value=${id} ?selected=${id === this.image?.id}>${name}</option>`)}
    </select>`;
  }

  #description(image: OmeroImage) {
    const texts = this.texts.omero;
    const [t, c, z, y, x] = image.shape;
    const { spacing, unit, calibrated } = image.calibration;
    const size = [`${x} × ${y}`, z > 1 ? `${z} z` : '', c > 1 ? `${c} c` : '', t > 1 ? `${t} t` : '']
      .filter(Boolean)
      .join(' · ');
    const pixel = (z > 1 ? [spacing[2], spacing[1], spacing[0]] : [spacing[2], spacing[1]])
      .map((value) => Number(value.toPrecision(4)))
      .join(' × ');
    const from = this.model?.images.at(0)?.volume.provenance;
    const route = from?.omero_image === image.id ? String(from.pixels) : undefined;
    const lossy = route !== undefined && from?.pixel_quality !== undefined;
    return html`<h3>${image.name}</h3>
      <dl>
        ${image.dataset ? html`<dt>${texts.dataset}</dt><dd>${image.project ? `${image.project} / ` : ''}${image.dataset}</dd>` : nothing}
        ${image.owner ? html`<dt>${texts.owner}</dt><dd>${image.owner}</dd>` : nothing}
        <dt>${texts.size}</dt><dd>${size} · ${image.pixelsType}</dd>
        ${calibrated ? html`<dt>${texts.pixelSize}</dt><dd>${pixel} ${unit}</dd>` : nothing}
        ${
          route
            ? html`<dt>${texts.pixelsFrom}</dt>
              <dd>${route} <span class=${lossy ? 'badge lossy' : 'badge'}>${lossy ? texts.lossy : texts.raw}</span></dd>`
            : nothing
        }
      </dl>
      ${lossy ? html`<p class="note">${texts.lossyHint}</p>` : nothing}`;
  }

  #saveForm(image: OmeroImage) {
    const texts = this.texts.omero;
    const head = html`<h2>${texts.save}</h2>`;
    if (!image.permissions.canAnnotate) return html`${head}<p class="quiet-text">${texts.notAllowed}</p>`;
    const labels = this.model?.labels.length ?? 0;
    const fit = this.#roisFit();
    const check = (
      name: 'rois' | Attached,
      checked: boolean,
      change: (on: boolean) => void,
      disabled = false,
    ) =>
      html`<label><input type="checkbox" name=${name} .checked=${checked} ?disabled=${disabled}
        @change=${(event: Event) => change((event.target as HTMLInputElement).checked)} />${texts.what[name]}</label>`;
    return html`${head}
      <div class="checks">
        ${check(
          'rois',
          this.rois && fit,
          (on) => {
            this.rois = on;
          },
          !fit,
        )}
        ${ATTACHED.map((format) =>
          check(format, this.formats.includes(format), (on) => {
            this.formats = ATTACHED.filter((other) => (other === format ? on : this.formats.includes(other)));
          }),
        )}
      </div>
      ${labels > 0 && !fit ? html`<p class="quiet-text">${texts.coarse}</p>` : nothing}
      <button class="primary wide" ?disabled=${labels === 0 || this.loading} @click=${() => this.#quietly(this.save())}>
        ${this.#saving && !this.loading ? texts.goOn : texts.saveButton}</button>
      ${labels === 0 ? html`<p class="note">${texts.noLabels}</p>` : nothing}`;
  }

  #resultList() {
    const texts = this.texts.omero;
    return html`${this.#resultsShown.render(this.results, texts, {
      show: (result) => this.#quietly(this.showRois(result)),
      remove: (result) => this.#quietly(this.removeResult(result)),
    })}
      <button @click=${() => this.#quietly(this.showRois())} ?disabled=${this.loading}>${texts.otherRois}</button>`;
  }

  #bar({ phase, value, total }: Progress) {
    const { phases } = this.texts.omero;
    const name = phases[phase as keyof typeof phases] ?? phase;
    return html`<progress max=${total} .value=${value} aria-label=${name}></progress>
      <span class="row"><span class="quiet-text">${name} ${value} / ${total}</span>
        <button class="quiet" @click=${() => this.#task?.abort()}>${this.texts.omero.cancel}</button></span>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-omero-panel': CytoOmeroPanel;
  }
}
