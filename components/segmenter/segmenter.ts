import { html, nothing, type PropertyValues } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { asCytoError, CytoError, isAbort } from '../../core/errors.ts';
import type { TaskOptions } from '../../core/progress.ts';
import {
  DEFAULT_PARAMETERS,
  type SegmentationMode,
  type SegmentationParameters,
} from '../../core/segmentation-parameters.ts';
import type { Volume } from '../../core/volume.ts';
import type { VoxelBox } from '../../core/voxel-box.ts';
import type { BackendChoice } from '../../workers/segmentation/client.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import type { CytoModelChooser } from '../model-chooser/model-chooser.ts';
import { controlStyles } from '../styles.ts';
import { OutputLayers } from './output-layers.ts';
import type { FrameResult } from './run-client.ts';
import { type RunForm, runFields } from './run-fields.ts';
import { RunOverlay } from './run-overlay.ts';
import { progressLine, runSummary } from './run-report.ts';
import { costOf, rememberSpeed, timeTile } from './run-speed.ts';
import { type RunTask, SegmentationRun } from './segmentation-run.ts';
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
import { type RunDetail, ShownResult } from './shown-result.ts';
import { thresholdSliders } from './threshold-sliders.ts';

export type { RunDetail };

/** For what is started by a button: why it fails is shown and announced already. */
const SHOWN = (error: unknown) => console.debug('cytopane:', error);

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
  /** z step over xy step; by default from the image's metadata, or where they do not tell it, as its cells look. */
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
  @state() private accessor message = '';

  @query('cyto-model-chooser') private accessor chooser!: CytoModelChooser | null;

  readonly #run = new SegmentationRun(this, this.attachInternals().states, (backend) =>
    this.#emit('cyto-backend', backend),
  );
  readonly #result = new ShownResult();
  readonly #outputs = new OutputLayers(this, this.#result, this.#run.client);
  /** The image that the box is of. */
  #measured: Volume | undefined;
  readonly #overlay = new RunOverlay(
    ({ diameter, box }) => {
      if (diameter) this.diameter = diameter;
      if (box) this.box = box;
    },
    () => {
      this.drawing = false;
    },
  );

  /** Whether a run is under way. */
  get busy(): boolean {
    return this.#run.busy;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#overlay.remove();
  }

  /**
   * Segments the topmost visible image and shows the labels.
   * @returns what the `cyto-run` event says
   * @throws CytoError of any kind the pipeline has; also announced by an `error` event. `aborted` within 100 ms.
   */
  async run(options: TaskOptions = {}): Promise<RunDetail> {
    await this.updateComplete;
    return this.#start(
      async (task) => {
        this.#run.dropThresholds();
        const volume = this.#neededImage();
        const { z, t } = this.viewer!.model.cursor;
        const box = boxFor(this, volume, z);
        const shape = shapeFor(this, volume);
        const times = timesOf(this, volume);
        const cost = this.#form(volume).cost(modeFor(this, volume));
        const { client } = this.#run;
        const frames = await client.run(volume, parametersFor(this, volume), {
          ...this.#network(task),
          ...(options.signal ? { signal: AbortSignal.any([options.signal, task.signal]) } : {}),
          ...(this.memory ? { memory: this.memory } : {}),
          t: times > 1 ? undefined : t,
          z,
          scope: scopeFor(this, volume, z),
          linkThreshold: this.linkThreshold,
          blocks: !cost.fits && inBlocks(this, volume),
        });
        const { parameters } = frames[0].result;
        const network = this.chooser?.chosen?.network;
        if (times === 1) rememberSpeed(this.#speedKey, shape, parameters, client.networkSeconds, network);
        return this.#show(frames, volume, box, false);
      },
      (progress) => {
        options.onProgress?.(progress);
        this.#emit('progress', progress);
      },
    );
  }

  /** Makes `work` the run under way; shows and announces why it fails, unless something else runs by then. */
  async #start<Outcome>(
    work: (task: RunTask) => Promise<Outcome>,
    onProgress?: RunTask['onProgress'],
  ): Promise<Outcome> {
    this.message = '';
    try {
      return await this.#run.start(work, onProgress);
    } catch (cause) {
      const error = asCytoError(cause);
      if (!this.busy) {
        if (isAbort(error)) this.message = this.texts.cancelled;
        else this.#announceError(error);
      }
      throw error;
    }
  }

  /** Which network runs and where. */
  #network(task: RunTask) {
    return {
      ...task,
      backend: this.backend,
      ...(this.server ? { server: this.server } : {}),
      ...(this.modelId ? { model: this.modelId } : {}),
    };
  }

  /** Stops a run; the labels stay as they were. */
  cancel(): void {
    this.#run.cancel();
  }

  /** The image that is segmented. */
  get #image(): Volume | undefined {
    return this.model?.shownImage?.volume;
  }

  #neededImage(): Volume {
    if (!this.#image) throw new CytoError('bad-input', this.texts.needImage);
    return this.#image;
  }

  /** Shows labels and tells the page. */
  #show(
    frames: readonly FrameResult[],
    volume: Volume,
    box: VoxelBox | undefined,
    again: boolean,
  ): RunDetail {
    const detail = this.#result.show(this.viewer!.model, volume, frames, { again, box, texts: this.texts });
    this.requestUpdate();
    // Thresholds change nothing of what the network gave.
    if (!again) this.#showOutputs(true);
    this.#emit('cyto-run', detail);
    return detail;
  }

  /** @param anew whether the network has given other flows and cell probability */
  #showOutputs(anew: boolean): void {
    this.#outputs.bring(anew, this.texts).catch((cause: unknown) => this.#announceError(cause));
  }

  /** Shows and announces what went wrong. */
  #announceError(cause: unknown): void {
    if (isAbort(cause)) return;
    const { kind, message } = asCytoError(cause);
    this.message = message;
    this.#emit('error', { kind, message });
  }

  /** Applies thresholds to the kept flows; the latest change wins. */
  async #rethreshold(): Promise<void> {
    const { client } = this.#run;
    try {
      await this.#run.rethreshold(async (signal) => {
        const { summary, image, box } = this.#result;
        if (!summary || !image || this.#image !== image) return;
        const thresholds = thresholdsOf(this, summary.parameters.mode);
        const frames = await client.rethreshold(thresholds, { signal });
        if (!signal.aborted && this.#image === image) this.#show(frames, image, box, true);
      });
    } catch (cause) {
      this.#announceError(cause);
    }
  }

  #emit(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const image = this.#image;
    if (image !== this.#measured) {
      // A box of another image means nothing here; one that comes with the image, as of a project, does.
      if (this.#measured && !changed.has('box')) this.box = undefined;
      this.#measured = image;
    }
    if (this.#result.image && image !== this.#result.image) {
      this.#result.forget();
      this.#showOutputs(false);
      this.message = '';
    }
  }

  protected override updated(changed: PropertyValues): void {
    const { ring, diameter, box, drawing, viewer } = this;
    this.#overlay.show(viewer && this.#image ? { ring, diameter, box, drawing, viewer } : undefined);
    if (changed.has('showFlows') || changed.has('showCellprob')) this.#showOutputs(false);
    const thresholds = Object.keys(thresholdsOf(this, '2d'));
    if (thresholds.some((name) => changed.has(name))) void this.#rethreshold();
  }

  protected override render() {
    const { texts } = this;
    const { progress, client } = this.#run;
    const { summary, joins } = this.#result;
    const image = this.#image;
    return html`
      <cyto-model-chooser .value=${this.modelId} .offers=${this.models} ?disabled=${this.busy}
        @change=${(event: CustomEvent<{ id: string }>) => {
          this.modelId = event.detail.id;
        }} @models=${() => this.requestUpdate()}></cyto-model-chooser>
      ${image ? runFields(this.#form(image)) : html`<p class="quiet-text">${texts.needImage}</p>`}
      <div class="actions">
        <button class="primary" part="run" ?disabled=${!image || this.busy} @click=${this.#onRun}>${texts.run}</button>
        ${this.busy ? html`<button part="cancel" @click=${() => this.cancel()}>${texts.cancel}</button>` : nothing}
      </div>
      <div aria-live="polite">${progress ? progressLine(progress, texts) : summary ? runSummary(summary, texts) : nothing}</div>
      ${this.message ? html`<p role="alert">${this.message}</p>` : nothing}
      ${summary && image && client.kept ? thresholdSliders(this, summary.parameters.mode, this.busy, texts) : nothing}
      ${summary && image && !this.busy && client.hasOutput ? this.#outputs.choices(texts) : nothing}
      ${joins && !this.busy ? html`<cyto-join-review .viewer=${this.viewer} .joins=${joins}></cyto-join-review>` : nothing}`;
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
      anisotropyUsed:
        this.#result.summary?.parameters.mode === '3d' && this.#result.image === image
          ? this.#result.summary.parameters.anisotropy
          : undefined,
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
  #onTimeTile = (): void => {
    const timed = this.#start(async (task) => {
      const volume = this.#neededImage();
      const { z, t } = this.viewer!.model.cursor;
      const network = this.chooser?.chosen?.network;
      const options = { ...this.#network(task), t, z };
      await timeTile(this.#speedKey, volume, parametersFor(this, volume), network, options);
    });
    timed.catch(SHOWN);
  };

  #onRun = (): void => {
    this.run().catch(SHOWN);
  };
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-segmenter': CytoSegmenter;
  }
}
