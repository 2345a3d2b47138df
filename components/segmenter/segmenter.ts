import { html, nothing, type PropertyValues } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { DoubtfulJoins } from '../../core/edit/doubtful-joins.ts';
import { asCytoError, CytoError, isAbort } from '../../core/errors.ts';
import type { ImageLayer } from '../../core/layer.ts';
import type { Progress, TaskOptions } from '../../core/progress.ts';
import {
  type BackendReport,
  DEFAULT_PARAMETERS,
  OUTPUT_KINDS,
  type OutputKind,
  type SegmentationMode,
  type SegmentationParameters,
  type SegmentationResult,
} from '../../core/segmentation-parameters.ts';
import type { Volume } from '../../core/volume.ts';
import type { VoxelBox } from '../../core/voxel-box.ts';
import type { BackendChoice } from '../../workers/segmentation/client.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import type { CytoModelChooser } from '../model-chooser/model-chooser.ts';
import { controlStyles } from '../styles.ts';
import { OutputLayers, outputChoices } from './output-layers.ts';
import { ResultLayers } from './result-layer.ts';
import { type FrameResult, joinsInImage, RunClient } from './run-client.ts';
import { type RunForm, runFields } from './run-fields.ts';
import { RunOverlay } from './run-overlay.ts';
import { progressLine, runSummary, summaryOf } from './run-report.ts';
import { costOf, rememberSpeed, timeTile } from './run-speed.ts';
import { segmenterStyles } from './segmenter-styles.ts';
import {
  boxFor,
  inBlocks,
  modeFor,
  parametersFor,
  type RunSettings,
  scopeFor,
  settingsOf,
  shapeFor,
  thresholdsOf,
  timesOf,
} from './settings.ts';
import { thresholdSliders } from './threshold-sliders.ts';

/** Waits for the thumb to rest before thresholds are applied. */
const RETHRESHOLD_DELAY_MS = 120;

/** What `cyto-run` says. */
export interface RunDetail {
  count: number;
  milliseconds: number;
  backend: SegmentationResult['backend'];
  layerId: string;
  parameters: SegmentationParameters;
  /** Time points that were segmented. */
  times: number;
}

/**
 * Segments the image of a viewer: method, channel and diameter, Run and Cancel, then live thresholds. The result is a
 * label layer over the image; a failed or cancelled run leaves the labels as they were.
 *
 * @tag cyto-segmenter
 * @fires progress - `detail.phase`, `detail.value`, `detail.total`, `detail.secondsLeft`.
 * @fires error - `detail.kind`, `detail.message`.
 * @fires cyto-backend - Where the network runs was decided or has changed, also in the middle of a run; `detail` is the report: `detail.kind`, `detail.threads`, `detail.verified`, `detail.refusals`, `detail.adapter`.
 * @fires cyto-run - Labels were made; `detail.count`, `detail.milliseconds`, `detail.backend`, `detail.layerId`, `detail.parameters`, `detail.times` (number of time points).
 * @csspart run - The Run button.
 * @csspart cancel - The Cancel button.
 * @csspart blocks - Says that the stack is read part by part because it is larger than the memory of a run.
 * @csspart progress - The progress bar.
 * @csspart summary - Number of cells, time and backend.
 */
export class CytoSegmenter extends ViewerPart implements RunSettings {
  static override styles = [controlStyles, segmenterStyles];

  /** Id of the model; the default one ships with the package. */
  @property({ attribute: 'model' }) accessor modelId: string | undefined;
  /** Addresses of models that are offered for download, separated by spaces. */
  @property() accessor models = '';
  /** 2d (the shown plane), stitch (all planes, joined by overlap) or 3d; by default 2d for an image, stitch for a stack. */
  @property() accessor mode: SegmentationMode | undefined;
  /** Cell diameter in pixels; if absent, the image is scaled by the size that its cells seem to have. */
  @property({ type: Number }) accessor diameter: number | undefined;
  /** Pixels above this logit belong to cells; absent, it is 0, and -0.5 in 3D with averaged views. */
  @property({ type: Number, attribute: 'cellprob-threshold' }) accessor cellprobThreshold: number | undefined;
  /** Largest flow error of a cell, 0 for no check; 2D and stitch. */
  @property({ type: Number, attribute: 'flow-threshold' }) accessor flowThreshold =
    DEFAULT_PARAMETERS.flowThreshold;
  /** Least pixels of a cell (voxels in a stack). */
  @property({ type: Number, attribute: 'min-size' }) accessor minSize = DEFAULT_PARAMETERS.minSize;
  /** Least overlap (IoU) of cells in neighbouring planes that are joined. */
  @property({ type: Number, attribute: 'stitch-threshold' }) accessor stitchThreshold =
    DEFAULT_PARAMETERS.stitchThreshold;
  /** Whether a cell that is missing in one plane is joined again across it; stitch. */
  @property({ type: Boolean, attribute: 'skip-plane' }) accessor skipPlane = DEFAULT_PARAMETERS.skipPlane;
  /** Standard deviation by which flows are smoothed, in pixels that the network sees (30 to a cell); 3d. */
  @property({ type: Number, attribute: 'flow-smoothing' }) accessor flowSmoothing =
    DEFAULT_PARAMETERS.flowSmoothing as number;
  /** How the three views are put together: mean, or sum as Cellpose does; 3d. */
  @property({ attribute: 'combine-views' }) accessor combineViews: SegmentationParameters['combineViews'] =
    DEFAULT_PARAMETERS.combineViews;
  /** Half-open box of voxels that is segmented, outside which labels stay as they are; absent for all. */
  @property({ attribute: false }) accessor box: VoxelBox | undefined;
  /** Whether all time points are segmented, instead of the one that is looked at. */
  @property({ type: Boolean, attribute: 'all-times' }) accessor allTimes = false;
  /** Least overlap (IoU) of a cell with itself at the next time point; 0 leaves the time points unlinked. */
  @property({ type: Number, attribute: 'link-threshold' }) accessor linkThreshold = 0.25;
  /** z step over xy step; by default from the image's metadata. */
  @property({ type: Number }) accessor anisotropy: number | undefined;
  /**
   * Address of the model on a server that speaks the Open Inference Protocol (KServe v2), `https://host/v2/models/NAME`.
   * Tiles are sent there only if the backend is `remote`.
   */
  @property() accessor server: string | undefined;
  /** Bytes that a run may take; by default half of what the browser says that there is. Flows of larger stacks are kept on disk. */
  @property({ type: Number }) accessor memory: number | undefined;
  /** Where the network runs: auto, webgpu, wasm, or remote (the `server`). */
  @property() accessor backend: BackendChoice = 'auto';
  /** Index of the one channel that is segmented, counted from 0; absent takes the first three together. */
  @property({ type: Number }) accessor channel: number | undefined;

  /** Whether the flows of the last run are shown as a layer: direction as hue, length as brightness. */
  @property({ type: Boolean, attribute: 'show-flows' }) accessor showFlows = false;
  /** Whether the cell probability of the last run is shown as a layer, in logits. */
  @property({ type: Boolean, attribute: 'show-cellprob' }) accessor showCellprob = false;

  @state() private accessor ring = false;
  @state() private accessor drawing = false;
  @state() private accessor progress: Progress | undefined;
  @state() private accessor message = '';
  @state() private accessor joins: DoubtfulJoins | undefined;
  @state() private accessor result: Omit<SegmentationResult, 'labels'> | undefined;

  @query('cyto-model-chooser') private accessor chooser!: CytoModelChooser | null;

  readonly #internals = this.attachInternals();
  #client: RunClient | undefined;
  #announced: string | undefined;
  #running: AbortController | undefined;
  #threshold: AbortController | undefined;
  /** The image that the box is of. */
  #measured: Volume | undefined;
  readonly #resultLayers = new ResultLayers();
  readonly #outputLayers = new OutputLayers();
  /** The box that the last result stands for, if not for all. */
  #shownBox: VoxelBox | undefined;
  readonly #overlay = new RunOverlay(
    ({ diameter, box }) => {
      if (diameter) this.diameter = diameter;
      if (box) this.box = box;
    },
    () => {
      this.drawing = false;
    },
  );
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
    this.#overlay.remove();
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
    const running = this.#began();
    const signal = options.signal ? AbortSignal.any([options.signal, running.signal]) : running.signal;
    try {
      const image = this.#image();
      const { z, t } = this.viewer!.model.cursor;
      this.#client ??= new RunClient();
      const box = boxFor(this, image.volume, z);
      const shape = shapeFor(this, image.volume);
      let networkSince: number | undefined;
      let networkSeconds = 0;
      const times = timesOf(this, image.volume);
      const cost = this.#form(image.volume).cost(modeFor(this, image.volume));
      const frames = await this.#client.run(image.volume, parametersFor(this, image.volume), {
        signal,
        backend: this.backend,
        ...(this.server ? { server: this.server } : {}),
        t: times > 1 ? undefined : t,
        linkThreshold: this.linkThreshold,
        blocks: !cost.fits && inBlocks(this, image.volume),
        ...(this.memory ? { memory: this.memory } : {}),
        z,
        scope: scopeFor(this, image.volume, z),
        ...(this.modelId ? { model: this.modelId } : {}),
        onProgress: (progress) => {
          if (this.#running !== running) return;
          if (progress.backend) this.#announce(progress.backend);
          if (progress.phase === 'network') {
            networkSince ??= performance.now();
            networkSeconds = (performance.now() - networkSince) / 1000;
          }
          this.progress = progress;
          options.onProgress?.(progress);
          this.#emit('progress', progress);
        },
      });
      const { parameters } = frames[0].result;
      const network = this.chooser?.chosen?.network;
      if (times === 1) rememberSpeed(this.#speedKey, shape, parameters, networkSeconds, network);
      return this.#show(frames, image, box, false);
    } catch (cause) {
      throw this.#failed(running, cause);
    } finally {
      this.#ended(running);
    }
  }

  #began(): AbortController {
    const running = new AbortController();
    this.#running = running;
    this.message = '';
    this.progress = { phase: 'waiting', value: 0, total: 1 };
    this.#internals.states.add('busy');
    return running;
  }

  /** Shows and announces why what was running ended, unless something else runs by now. */
  #failed(running: AbortController, cause: unknown): CytoError {
    const error = asCytoError(cause);
    if (this.#running === running) {
      if (error.kind === 'aborted') this.message = this.texts.cancelled;
      else this.#announceError(error);
    }
    return error;
  }

  #ended(running: AbortController): void {
    if (this.#running !== running) return;
    this.#running = undefined;
    this.progress = undefined;
    this.#internals.states.delete('busy');
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

  /** Puts labels into the result layer and tells the page. */
  #show(
    frames: readonly FrameResult[],
    { volume }: ImageLayer,
    box: VoxelBox | undefined,
    again: boolean,
  ): RunDetail {
    const layerId = this.#resultLayers.show(this.viewer!.model, volume, frames, {
      again,
      box,
      texts: this.texts,
    });
    this.#shownBox = box;
    const layer = this.viewer!.model.allLabels.find(({ id }) => id === layerId);
    const { result } = frames.find(({ t }) => layer?.t === t) ?? frames[0];
    this.joins =
      result.joins && layer ? new DoubtfulJoins(joinsInImage(result), layer.labels, this.joins) : undefined;
    this.result = summaryOf(frames);
    this.#segmented = volume;
    // Thresholds change nothing of what the network gave.
    if (!again) this.#showOutputs(true);
    const { count, milliseconds, backend, parameters } = this.result;
    const detail: RunDetail = { count, milliseconds, backend, layerId, parameters, times: frames.length };
    this.#emit('cyto-run', detail);
    return detail;
  }

  /** Brings the layers of flows and cell probability in line with what is asked for, with `anew` also those there are. */
  #showOutputs(anew: boolean): void {
    const { model } = this;
    if (!model) return;
    const image = this.#segmented;
    const client = this.#client?.hasOutput ? this.#client : undefined;
    this.#outputLayers
      .bring(model, image, client, {
        anew,
        texts: this.texts,
        wants: (kind) => this.#segmented === image && this.model === model && this.#wants(kind),
      })
      .catch((cause: unknown) => this.#announceError(cause));
  }

  /** Shows and announces what went wrong. */
  #announceError(cause: unknown): void {
    if (isAbort(cause)) return;
    const { kind, message } = asCytoError(cause);
    this.message = message;
    this.#emit('error', { kind, message });
  }

  #wants(kind: OutputKind): boolean {
    return kind === 'flows' ? this.showFlows : this.showCellprob;
  }

  readonly #chooseOutput = (kind: OutputKind, on: boolean): void => {
    if (kind === 'flows') this.showFlows = on;
    else this.showCellprob = on;
  };

  /** Applies thresholds to the kept flows; the latest change wins. */
  async #rethreshold(): Promise<void> {
    if (!this.result || !this.#client?.kept || this.busy) return;
    this.#threshold?.abort();
    const own = new AbortController();
    this.#threshold = own;
    await new Promise((resolve) => setTimeout(resolve, RETHRESHOLD_DELAY_MS));
    const image = this.#shownImage();
    if (own.signal.aborted || !this.#client || !image || image.volume !== this.#segmented) return;
    try {
      const frames = await this.#client.rethreshold(thresholdsOf(this, this.result.parameters.mode), {
        signal: own.signal,
      });
      if (!own.signal.aborted && this.viewer) this.#show(frames, image, this.#shownBox, true);
    } catch (cause) {
      this.#announceError(cause);
    }
  }

  #emit(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const image = this.#shownImage()?.volume;
    if (image !== this.#measured) {
      // A box of another image means nothing here; one that comes with the image, as of a project, does.
      if (this.#measured && !changed.has('box')) this.box = undefined;
      this.#measured = image;
    }
    for (const kind of OUTPUT_KINDS) {
      if (!this.model || !this.#outputLayers.removed(this.model, kind)) continue;
      this.#outputLayers.hide(this.model, kind);
      // With its image, or by the user.
      if (this.#segmented && image === this.#segmented) this.#chooseOutput(kind, false);
    }
    // Another image: its cells have yet to be found.
    if (this.#segmented && this.#shownImage()?.volume !== this.#segmented) {
      this.#segmented = undefined;
      this.#showOutputs(false);
      this.result = undefined;
      this.joins = undefined;
      this.message = '';
    }
  }

  protected override updated(changed: PropertyValues): void {
    const { ring, diameter, box, drawing, viewer } = this;
    this.#overlay.show(viewer && this.#shownImage() ? { ring, diameter, box, drawing, viewer } : undefined);
    if (changed.has('showFlows') || changed.has('showCellprob')) this.#showOutputs(false);
    const thresholds = Object.keys(thresholdsOf(this, '2d'));
    if (thresholds.some((name) => changed.has(name))) void this.#rethreshold();
  }

  protected override render() {
    const { progress, result, texts } = this;
    const image = this.#shownImage();
    return html`
      <cyto-model-chooser .value=${this.modelId} .offers=${this.models} ?disabled=${this.busy}
        @change=${(event: CustomEvent<{ id: string }>) => {
          this.modelId = event.detail.id;
        }} @models=${() => this.requestUpdate()}></cyto-model-chooser>
      ${image ? runFields(this.#form(image.volume)) : html`<p class="quiet-text">${texts.needImage}</p>`}
      <div class="actions">
        <button class="primary" part="run" ?disabled=${!image || this.busy} @click=${this.#onRun}>${texts.run}</button>
        ${this.busy ? html`<button part="cancel" @click=${() => this.cancel()}>${texts.cancel}</button>` : nothing}
      </div>
      <div aria-live="polite">${progress ? progressLine(progress, texts) : result ? runSummary(result, texts) : nothing}</div>
      ${this.message ? html`<p role="alert">${this.message}</p>` : nothing}
      ${result && image && this.#client?.kept ? thresholdSliders(this, result.parameters.mode, this.busy, texts) : nothing}
      ${result && image && !this.busy && this.#client?.hasOutput ? outputChoices((kind) => this.#wants(kind), this.#chooseOutput, texts) : nothing}
      ${this.joins && !this.busy ? html`<cyto-join-review .viewer=${this.viewer} .joins=${this.joins}></cyto-join-review>` : nothing}`;
  }

  /** Speeds are remembered for each model and place to run. */
  get #speedKey(): string {
    return `${this.modelId ?? 'default'} ${this.backend}`;
  }

  #form(image: Volume): RunForm {
    return {
      settings: this,
      image,
      texts: this.texts,
      cost: (mode) => {
        const settings = { ...settingsOf(this), mode };
        const times = timesOf(settings, image);
        const network = this.chooser?.chosen?.network;
        const parameters = parametersFor(settings, image);
        return costOf(this.#speedKey, shapeFor(settings, image), image, parameters, {
          times,
          network,
          memory: this.memory,
        });
      },
      timeTile: this.busy ? undefined : this.#onTimeTile,
      ring: this.ring,
      toggleRing: () => {
        this.ring = !this.ring;
      },
      drawing: this.drawing,
      toggleDrawing: () => {
        this.drawing = !this.drawing;
      },
    };
  }

  /** Runs a tile of the plane that is looked at, so that times of runs can be told before the first. */
  #onTimeTile = async (): Promise<void> => {
    const running = this.#began();
    try {
      const { volume } = this.#image();
      const { z, t } = this.viewer!.model.cursor;
      await timeTile(this.#speedKey, volume, parametersFor(this, volume), this.chooser?.chosen?.network, {
        signal: running.signal,
        backend: this.backend,
        ...(this.server ? { server: this.server } : {}),
        ...(this.modelId ? { model: this.modelId } : {}),
        t,
        z,
        onProgress: (progress) => {
          if (this.#running !== running) return;
          if (progress.backend) this.#announce(progress.backend);
          this.progress = progress;
        },
      });
    } catch (cause) {
      this.#failed(running, cause);
    } finally {
      this.#ended(running);
    }
  };

  #onRun = (): void => {
    // The outcome is shown and announced by `run` itself.
    this.run().catch((error: unknown) => console.debug('cytopane:', error));
  };
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-segmenter': CytoSegmenter;
  }
}
