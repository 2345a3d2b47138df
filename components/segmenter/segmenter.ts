import { css, html, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import { type HistoryStep, LabelHistory } from '../../core/edit/label-history.ts';
import { asCytoError, CytoError, isAbort } from '../../core/errors.ts';
import { LabelVolume, MANUAL } from '../../core/label-volume.ts';
import { type ImageLayer, type LabelsLayer, labelsLayer } from '../../core/layer.ts';
import type { Progress, TaskOptions } from '../../core/progress.ts';
import {
  type BackendReport,
  DEFAULT_PARAMETERS,
  SEGMENTATION_MODES,
  type SegmentationMode,
  type SegmentationParameters,
  type SegmentationResult,
} from '../../core/segmentation-parameters.ts';
import { anisotropyOf, type Volume } from '../../core/volume.ts';
import { type BackendChoice, SegmentationClient } from '../../workers/segmentation/client.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { controlStyles } from '../styles.ts';

/** Waits for the thumb to rest before thresholds are applied. */
const RETHRESHOLD_DELAY_MS = 120;

/** What `cyto-run` says. */
export interface RunDetail {
  count: number;
  milliseconds: number;
  backend: SegmentationResult['backend'];
  layerId: string;
  parameters: SegmentationParameters;
}

/**
 * Segments the image of a viewer: method, channel and diameter, Run and Cancel, then live thresholds. The result is a
 * label layer over the image; a failed or cancelled run leaves the labels as they were.
 *
 * @tag cyto-segmenter
 * @fires progress - `detail.phase`, `detail.value`, `detail.total`, `detail.secondsLeft`.
 * @fires error - `detail.kind`, `detail.message`.
 * @fires cyto-backend - Where the network runs was decided or has changed, also in the middle of a run; `detail` is the report: `detail.kind`, `detail.threads`, `detail.verified`, `detail.refusals`, `detail.adapter`.
 * @fires cyto-run - Labels were made; `detail.count`, `detail.milliseconds`, `detail.backend`, `detail.layerId`, `detail.parameters`.
 * @csspart run - The Run button.
 * @csspart cancel - The Cancel button.
 * @csspart progress - The progress bar.
 * @csspart summary - Number of cells, time and backend.
 */
export class CytoSegmenter extends ViewerPart {
  static override styles = [
    controlStyles,
    css`
      .fields { display: grid; grid-template-columns: max-content 1fr; gap: 6px 8px; align-items: center; }
      .fields > :is(select, input[type='number'], .with-unit) { min-inline-size: 0; inline-size: 100%; }
      .with-unit { display: flex; gap: 4px; align-items: center; }
      .with-unit input { flex: 1; min-inline-size: 0; }
      .actions { display: flex; gap: 6px; margin-block: 10px; }
      .actions button { flex: 1; min-block-size: 34px; }
      progress { inline-size: 100%; block-size: 8px; }
      .summary { margin-block: 6px; }
      .summary b { font-size: 18px; display: block; }
      .threshold { display: grid; grid-template-columns: 1fr max-content; gap: 0 8px; margin-block: 6px; }
      .threshold input { grid-column: 1 / -1; }
      .threshold output { font-variant-numeric: tabular-nums; color: var(--_quiet); }
      details { margin-block-start: 8px; }
      summary { cursor: pointer; color: var(--_quiet); border-radius: 4px; }
      h3 { font-size: inherit; margin-block: 12px 2px; }
      [role='alert'] { color: light-dark(#a3122a, #ff9aa8); margin-block: 6px; }
    `,
  ];

  /** Id of the model; the default one ships with the package. */
  @property({ attribute: 'model' }) accessor modelId: string | undefined;
  /** Addresses of models that are offered for download, separated by spaces. */
  @property() accessor models = '';
  /** 2d (the shown plane), stitch (all planes, joined by overlap) or 3d; by default 2d for an image, stitch for a stack. */
  @property() accessor mode: SegmentationMode | undefined;
  /** Cell diameter in pixels; if absent, planes are scaled by the size that their cells seem to have, stacks not. */
  @property({ type: Number }) accessor diameter: number | undefined;
  /** Pixels above this logit belong to cells. */
  @property({ type: Number, attribute: 'cellprob-threshold' }) accessor cellprobThreshold =
    DEFAULT_PARAMETERS.cellprobThreshold;
  /** Largest flow error of a cell, 0 for no check; 2D and stitch. */
  @property({ type: Number, attribute: 'flow-threshold' }) accessor flowThreshold =
    DEFAULT_PARAMETERS.flowThreshold;
  /** Least pixels of a cell (voxels in a stack). */
  @property({ type: Number, attribute: 'min-size' }) accessor minSize = DEFAULT_PARAMETERS.minSize;
  /** Least overlap (IoU) of cells in neighbouring planes that are joined. */
  @property({ type: Number, attribute: 'stitch-threshold' }) accessor stitchThreshold =
    DEFAULT_PARAMETERS.stitchThreshold;
  /** z step over xy step; by default from the image's metadata. */
  @property({ type: Number }) accessor anisotropy: number | undefined;
  /**
   * Address of the model on a server that speaks the Open Inference Protocol (KServe v2), `https://host/v2/models/NAME`.
   * Tiles are sent there only if the backend is `remote`.
   */
  @property() accessor server: string | undefined;
  /** Where the network runs: auto, webgpu, wasm, or remote (the `server`). */
  @property() accessor backend: BackendChoice = 'auto';
  /** Index of the one channel that is segmented, counted from 0; absent takes the first three together. */
  @property({ type: Number }) accessor channel: number | undefined;

  @state() private accessor progress: Progress | undefined;
  @state() private accessor message = '';
  @state() private accessor result: Omit<SegmentationResult, 'labels'> | undefined;

  readonly #internals = this.attachInternals();
  #client: SegmentationClient | undefined;
  #announced: string | undefined;
  #running: AbortController | undefined;
  #threshold: AbortController | undefined;
  #resultLayer: { id: string; labels: LabelVolume; z: number; shape: readonly number[] } | undefined;
  /** The step that the last change of thresholds made. */
  #thresholdStep: HistoryStep | undefined;
  /** The image that the kept flows and the result belong to. */
  #segmented: Volume | undefined;
  #disposal: ReturnType<typeof setTimeout> | undefined;

  /** Whether a run is under way. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    clearTimeout(this.#disposal);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // A moved element is connected again at once and keeps its flows.
    this.#disposal = setTimeout(() => {
      this.cancel();
      this.#threshold?.abort();
      this.#client?.dispose();
      this.#client = undefined;
    }, 0);
  }

  /**
   * Segments the topmost visible image and shows the labels.
   * @returns what the `cyto-run` event says
   * @throws CytoError of any kind the pipeline has; also announced by an `error` event. `aborted` within 100 ms.
   */
  async run(options: TaskOptions = {}): Promise<RunDetail> {
    await this.updateComplete;
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    const signal = options.signal ? AbortSignal.any([options.signal, running.signal]) : running.signal;
    this.message = '';
    this.progress = { phase: 'waiting', value: 0, total: 1 };
    this.#internals.states.add('busy');
    try {
      const image = this.#image();
      const mode = this.#mode(image);
      const { z, t } = this.viewer!.model.cursor;
      this.#client ??= new SegmentationClient();
      const result = await this.#client.run(image.volume, this.#parameters(image, mode), {
        signal,
        backend: this.backend,
        ...(this.server ? { server: this.server } : {}),
        t,
        z,
        ...(this.modelId ? { model: this.modelId } : {}),
        onProgress: (progress) => {
          if (this.#running !== running) return;
          if (progress.backend) this.#announce(progress.backend);
          this.progress = progress;
          options.onProgress?.(progress);
          this.#emit('progress', progress);
        },
      });
      return this.#show(result, image, mode === '2d' ? z : 0);
    } catch (cause) {
      const error = asCytoError(cause);
      if (this.#running === running) {
        this.message = error.kind === 'aborted' ? this.texts.cancelled : error.message;
        if (error.kind !== 'aborted') this.#emit('error', { kind: error.kind, message: error.message });
      }
      throw error;
    } finally {
      if (this.#running === running) {
        this.#running = undefined;
        this.progress = undefined;
        this.#internals.states.delete('busy');
      }
    }
  }

  /** Says where the network runs, when that is news. */
  #announce(backend: BackendReport): void {
    const news = JSON.stringify(backend);
    if (news === this.#announced) return;
    this.#announced = news;
    this.#emit('cyto-backend', backend);
  }

  /** Stops a run; the labels stay as they were. */
  cancel(): void {
    this.#running?.abort();
  }

  /** The topmost visible image layer. */
  #shownImage(): ImageLayer | undefined {
    const images = this.model?.images ?? [];
    return images.findLast((layer) => layer.visible) ?? images.at(-1);
  }

  #image(): ImageLayer {
    const image = this.#shownImage();
    if (!image) throw new CytoError('bad-input', this.texts.needImage);
    return image;
  }

  #mode(image: ImageLayer): SegmentationMode {
    const stack = image.volume.shape[2] > 1;
    const wanted = this.mode ?? (stack ? 'stitch' : '2d');
    return stack ? wanted : '2d';
  }

  #parameters(image: ImageLayer, mode: SegmentationMode): Partial<SegmentationParameters> {
    return {
      mode,
      ...(this.channel === undefined
        ? {}
        : { channels: [Math.min(this.channel, image.volume.shape[1] - 1)] }),
      ...(this.diameter ? { diameter: this.diameter } : {}),
      cellprobThreshold: this.cellprobThreshold,
      flowThreshold: this.flowThreshold,
      minSize: this.minSize,
      stitchThreshold: this.stitchThreshold,
      anisotropy: this.anisotropy ?? anisotropyOf(image.volume),
    };
  }

  /** Puts new labels into the result layer, which is made at the first run. */
  #show(result: SegmentationResult, image: ImageLayer, z: number): RunDetail {
    const { model } = this.viewer!;
    const [, , nz, ny, nx] = image.volume.shape;
    const shape = [nz, ny, nx] as const;
    const known =
      this.#resultLayer && model.get(this.#resultLayer.id) ? this.#resultLayer : this.#drawnLayer(shape);
    this.#resultLayer = known;
    const reusable = known && known.shape.join() === shape.join() ? known : undefined;
    if (known && !reusable) model.remove(known.id);
    const labels = reusable?.labels ?? new LabelVolume(shape, image.volume.calibration);
    this.#record(labels, result.labels, z);
    for (const key of Object.keys(labels.origin)) delete labels.origin[key];
    Object.assign(labels.origin, {
      model: result.model.id,
      model_sha256: result.model.sha256,
      backend: result.backend.kind,
      parameters: JSON.stringify(result.parameters),
    });
    const { labels: _, ...rest } = result;
    this.result = rest;
    this.#segmented = image.volume;
    if (!reusable) {
      let id = 'cells';
      for (let k = 2; model.get(id); k++) id = `cells-${k}`;
      const layer: LabelsLayer = labelsLayer(id, labels, { name: this.texts.cells, editable: true });
      model.add(layer);
      this.#resultLayer = { id, labels, z, shape };
    }
    this.#resultLayer!.z = z;
    const detail: RunDetail = {
      count: result.count,
      milliseconds: result.milliseconds,
      backend: result.backend,
      layerId: this.#resultLayer!.id,
      parameters: result.parameters,
    };
    this.#emit('cyto-run', detail);
    return detail;
  }

  /** Labels of the image that were begun by hand: the result goes there, and can be undone. */
  #drawnLayer(shape: readonly number[]) {
    const layer = this.model?.labels.findLast(
      ({ labels }) => labels.origin.method === MANUAL && labels.shape.join() === shape.join(),
    );
    return layer && { id: layer.id, labels: layer.labels, z: 0, shape };
  }

  /** Puts a result into the labels as one step that can be undone; thresholds tried in a row are one step together. */
  #record(labels: LabelVolume, result: Uint32Array, z: number): void {
    const history = LabelHistory.of(labels);
    // A stroke or preview under way is kept: the user sees it, and can undo it.
    history.openEdit?.commit();
    const last = history.steps[history.position - 1];
    if (!this.busy && last && last === this.#thresholdStep) history.undo('api');
    const name = this.busy ? this.texts.editing.names.run : this.texts.editing.names.thresholds;
    const step = history.replace(name, result, { z });
    this.#thresholdStep = this.busy ? undefined : step;
  }

  /** Applies thresholds to the kept flows; the latest change wins. */
  async #rethreshold(): Promise<void> {
    if (!this.result || !this.#client || this.busy) return;
    this.#threshold?.abort();
    const own = new AbortController();
    this.#threshold = own;
    await new Promise((resolve) => setTimeout(resolve, RETHRESHOLD_DELAY_MS));
    const image = this.#shownImage();
    if (own.signal.aborted || !this.#client || !image || image.volume !== this.#segmented) return;
    try {
      const { cellprobThreshold, flowThreshold, minSize, stitchThreshold } = this;
      const result = await this.#client.rethreshold(
        { cellprobThreshold, flowThreshold, minSize, stitchThreshold },
        { signal: own.signal },
      );
      if (!own.signal.aborted && this.viewer) this.#show(result, image, this.#resultLayer?.z ?? 0);
    } catch (cause) {
      if (isAbort(cause)) return;
      const { kind, message } = asCytoError(cause);
      this.message = message;
      this.#emit('error', { kind, message });
    }
  }

  #emit(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    // Another image: its cells have yet to be found.
    if (this.#segmented && this.#shownImage()?.volume !== this.#segmented) {
      this.#segmented = undefined;
      this.result = undefined;
      this.message = '';
    }
  }

  protected override updated(changed: PropertyValues): void {
    const thresholds = ['cellprobThreshold', 'flowThreshold', 'minSize', 'stitchThreshold'];
    if (thresholds.some((name) => changed.has(name) && changed.get(name) !== undefined))
      void this.#rethreshold();
  }

  protected override render() {
    const { texts } = this;
    const image = this.#shownImage();
    return html`
      <cyto-model-chooser .value=${this.modelId} .offers=${this.models} ?disabled=${this.busy}
        @change=${(event: CustomEvent<{ id: string }>) => {
          this.modelId = event.detail.id;
        }}></cyto-model-chooser>
      ${image ? this.#fields(image) : html`<p class="quiet-text">${texts.needImage}</p>`}
      <div class="actions">
        <button class="primary" part="run" ?disabled=${!image || this.busy} @click=${this.#onRun}>${texts.run}</button>
        ${this.busy ? html`<button part="cancel" @click=${() => this.cancel()}>${texts.cancel}</button>` : nothing}
      </div>
      <div aria-live="polite">${this.#progressLine()}${this.#summary()}</div>
      ${this.message ? html`<p role="alert">${this.message}</p>` : nothing}
      ${this.result && image ? this.#thresholds() : nothing}`;
  }

  #onRun = (): void => {
    // The outcome is shown and announced by `run` itself.
    this.run().catch((error: unknown) => console.debug('cytopane:', error));
  };

  #fields(image: ImageLayer) {
    const { texts } = this;
    const stack = image.volume.shape[2] > 1;
    const mode = this.#mode(image);
    const proposed = anisotropyOf(image.volume);
    const several = image.volume.shape[1] > 1 && !image.volume.rgb;
    return html`<div class="fields">
      ${
        stack
          ? html`<label for="mode">${texts.mode}</label>
            <select id="mode" @change=${(event: Event) => {
              this.mode = textOf(event) as SegmentationMode;
            }}>
              ${SEGMENTATION_MODES.map((value) => html`<option value=${value} ?selected=${value === mode}>${texts.modes[value]}</option>`)}
            </select>`
          : nothing
      }
      ${
        several
          ? html`<label for="channel">${texts.channel}</label>
            <select id="channel" @change=${(event: Event) => {
              const chosen = textOf(event);
              this.channel = chosen === '' ? undefined : Number(chosen);
            }}>
              <option value="" ?selected=${this.channel === undefined}>${texts.allChannels}</option>
              ${image.volume.channels.map(({ name }, c) => html`<option value=${c} ?selected=${c === this.channel}>${name}</option>`)}
            </select>`
          : nothing
      }
      <label for="diameter">${texts.diameter}</label>
      <span class="with-unit"><input id="diameter" type="number" min="4" step="1" placeholder=${texts.diameterAuto}
        .value=${this.diameter ? String(this.diameter) : ''}
        @change=${(event: Event) => {
          this.diameter = Number(textOf(event)) || undefined;
        }} />${texts.pixels}</span>
      ${
        mode === '3d'
          ? html`<label for="anisotropy">${texts.anisotropy}</label>
            <input id="anisotropy" type="number" min="0.1" step="0.1" .value=${(this.anisotropy ?? proposed).toFixed(2)}
              @change=${(event: Event) => {
                this.anisotropy = Number(textOf(event)) || undefined;
              }} />`
          : nothing
      }
      </div>
      <details><summary>${texts.moreOptions}</summary>
        <div class="fields"><label for="backend">${texts.backend}</label>
        <select id="backend" @change=${(event: Event) => {
          this.backend = textOf(event) as BackendChoice;
        }}>
          ${(['auto', 'webgpu', 'wasm', ...(this.server ? (['remote'] as const) : [])] as const).map((value) => html`<option value=${value} ?selected=${value === this.backend}>${texts.backends[value]}</option>`)}
        </select></div>
      </details>`;
  }

  #progressLine() {
    const { progress, texts } = this;
    if (!progress) return nothing;
    if (progress.phase === 'waiting')
      return html`<progress part="progress"></progress><span class="quiet-text">${texts.waiting}</span>`;
    const name = texts.phases[progress.phase as keyof typeof texts.phases] ?? progress.phase;
    const count =
      progress.phase === 'load-model'
        ? `${(progress.value / 2 ** 20).toFixed(1)} MB`
        : progress.total > 1
          ? `${progress.value} / ${progress.total}`
          : '';
    const left =
      progress.secondsLeft === undefined ? '' : ` · ${texts.left(texts.seconds(progress.secondsLeft))}`;
    return html`<progress part="progress" max=${progress.total} .value=${progress.value} aria-label=${name}></progress>
      <span class="quiet-text">${name} ${count}${left}</span>`;
  }

  #summary() {
    const { result, texts } = this;
    if (!result || this.progress) return nothing;
    const { kind, threads, refusals } = result.backend;
    const gpu = refusals.find((refusal) => refusal.kind === 'webgpu');
    const server = refusals.find((refusal) => refusal.kind === 'remote');
    const threadless = refusals.some((refusal) => refusal.kind === 'wasm' && refusal.threads > 1);
    return html`<div class="summary" part="summary" title=${refusals.map(({ detail }) => detail).join(' ')}>
      <b>${texts.cellsFound(result.count)}</b>
      <span class="quiet-text">${texts.took(texts.seconds(result.milliseconds / 1000), texts.backendName(kind, threads))}</span>
      ${gpu ? html`<div class="quiet-text">${texts.backendChanged(texts.refusals[gpu.reason])}</div>` : nothing}
      ${server ? html`<div class="quiet-text">${texts.serverRefused(texts.refusals[server.reason])}</div>` : nothing}
      ${threadless ? html`<div class="quiet-text">${texts.threadsRefused}</div>` : nothing}
      ${result.count === 0 ? html`<p>${texts.noCells}</p>` : nothing}
    </div>`;
  }

  #thresholds() {
    const { texts } = this;
    const row = (
      id: 'cellprobThreshold' | 'flowThreshold' | 'minSize' | 'stitchThreshold',
      min: number,
      max: number,
      step: number,
    ) =>
      html`<div class="threshold"><label for=${id}>${texts[id]}</label><output>${this[id]}</output>
        <input id=${id} type="range" min=${min} max=${max} step=${step} .value=${String(this[id])} ?disabled=${this.busy}
          @input=${(event: Event) => {
            this[id] = Number(textOf(event));
          }} /></div>`;
    const mode = this.result?.parameters.mode;
    return html`<h3>${texts.thresholds}</h3>
      ${row('cellprobThreshold', -6, 6, 0.1)}
      ${mode === '3d' ? nothing : row('flowThreshold', 0, 3, 0.1)}
      ${row('minSize', 0, 500, 5)}
      ${mode === 'stitch' ? row('stitchThreshold', 0, 1, 0.05) : nothing}`;
  }
}

const textOf = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;

declare global {
  interface HTMLElementTagNameMap {
    'cyto-segmenter': CytoSegmenter;
  }
}
