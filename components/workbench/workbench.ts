import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { asCytoError, isAbort } from '../../core/errors.ts';
import type { LabelsLayer } from '../../core/layer.ts';
import type { Layout } from '../../core/viewer-model.ts';
import { textsFor } from '../localization/texts.ts';
import type { CytoSegmenter } from '../segmenter/segmenter.ts';
import { settingsOf } from '../segmenter/settings.ts';
import { controlStyles } from '../styles.ts';
import type { CytoViewer } from '../viewer/viewer.ts';
import { droppedFiles } from './dropped-files.ts';

/**
 * Everything in one tag: viewer, views, layers, segmenter, plane and time sliders, status, opening by button or drop,
 * export. Attributes are those of the viewer.
 *
 * @tag cyto-workbench
 * @slot - `<cyto-image>` and `<cyto-labels>` elements, bottom first.
 * @slot header - More buttons, in the bar at the top.
 * @fires cyto-save - Before an export is downloaded, cancelable; `detail.name`, `detail.blob`.
 * @csspart header - The bar at the top.
 * @csspart side - The panel of model, corrections and training.
 * @csspart layers - The panel of layers: at the start side of a wide workbench, else below the other one.
 * @csspart alert - A message about something that went wrong.
 */
export class CytoWorkbench extends LitElement {
  static override styles = [
    controlStyles,
    css`
      :host { display: block; container-type: inline-size; block-size: 640px; background: var(--_surface); border: 1px solid var(--_line); border-radius: 10px; overflow: hidden; position: relative; }
      .frame { display: grid; grid: auto auto minmax(0, 1fr) auto auto auto / minmax(0, 1fr) 290px; block-size: 100%; }
      header { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 6px; align-items: center; padding: 8px 10px; border-block-end: 1px solid var(--_line); }
      header .grow { flex: 1; }
      cyto-viewer { block-size: auto; min-block-size: 0; }
      .panels { grid-row: 2 / -1; grid-column: 2; display: flex; flex-direction: column; min-block-size: 0; }
      aside { overflow: auto; padding: 10px 12px; border-inline-start: 1px solid var(--_line); }
      aside[part='side'] { flex: 1; min-block-size: 0; }
      aside[part='layers'] { flex: none; max-block-size: 45%; border-block-start: 1px solid var(--_line); }
      aside h2 { font-size: 12px; text-transform: uppercase; letter-spacing: 0.06em; color: var(--_quiet); margin-block: 0 8px; }
      aside section:has(> [hidden]) { display: none; }
      aside summary { font-size: 12px; text-transform: uppercase; letter-spacing: 0.06em; color: var(--_quiet); font-weight: 700; cursor: pointer; }
      aside section + section { margin-block-start: 18px; border-block-start: 1px solid var(--_line); padding-block-start: 12px; }
      cyto-label-table { block-size: clamp(180px, 34vh, 300px); }
      cyto-tools { grid-column: 1; border-block-end: 1px solid var(--_line); }
      cyto-label-table, cyto-dims, cyto-status { grid-column: 1; border-block-start: 1px solid var(--_line); }
      .empty { text-align: center; color: #cfd5dd; padding: 1.5em; max-inline-size: 30em; }
      .empty b { font-size: 16px; color: #fff; }
      .alert { position: absolute; inset-block-start: 56px; inset-inline: 16px 306px; z-index: 2; display: flex; gap: 10px; align-items: start; padding: 10px 12px; border-radius: 8px; background: light-dark(#fdecee, #4a1820); color: light-dark(#7c0d20, #ffd5da); border: 1px solid light-dark(#f0b7bf, #7d2f3b); }
      .alert span { flex: 1; overflow-wrap: anywhere; }
      .drop { position: absolute; inset: 0; z-index: 3; display: grid; place-content: center; font-size: 20px; background: rgb(0 60 120 / 0.6); color: #fff; border: 3px dashed #fff; border-radius: 10px; pointer-events: none; }
      .bar { block-size: 4px; inline-size: 100%; position: absolute; inset-block-start: 0; }
      input[type='file'] { display: none; }
      @container (width >= 1180px) {
        .frame { grid-template-columns: 260px minmax(0, 1fr) 290px; }
        .panels { display: contents; }
        aside { grid-row: 2 / -1; }
        aside[part='side'] { grid-column: 3; }
        aside[part='layers'] { grid-column: 1; max-block-size: none; border-inline: 0 1px solid var(--_line); border-block-start: 0; }
        cyto-tools, cyto-viewer, cyto-label-table, cyto-dims, cyto-status { grid-column: 2; }
      }
      @media (width < 760px) {
        :host { block-size: auto; min-block-size: 640px; overflow: auto; }
      }
      @container (width < 760px) {
        .frame { grid-template-columns: minmax(0, 1fr); grid-template-rows: auto auto minmax(max(240px, 45vh), 1fr) auto auto auto; block-size: auto; min-block-size: 640px; }
        .panels { grid-row: auto; grid-column: 1; }
        aside, aside[part='layers'] { max-block-size: none; overflow: visible; border-inline-start: 0; border-block-start: 1px solid var(--_line); }
        .alert { inset-inline: 16px; }
      }
    `,
  ];

  /** Address of an image to show, relative to the page. */
  @property() accessor src: string | undefined;
  /** xy, xz, yz, ortho, 3d or quad. */
  @property() accessor layout: Layout = 'xy';
  /** dark, light, or auto as the system asks. */
  @property({ reflect: true }) accessor theme: 'auto' | 'dark' | 'light' = 'auto';
  /** Description of the picture for people who cannot see it. */
  @property() accessor alt: string | undefined;
  /** Id of the segmentation model. */
  @property({ attribute: 'model' }) accessor modelId: string | undefined;

  @query('cyto-viewer') private accessor viewerElement!: CytoViewer;
  @query('cyto-segmenter') private accessor segmenterElement!: CytoSegmenter;
  @state() private accessor alert = '';
  @state() private accessor dropping = false;
  @state() private accessor tableOpen = false;
  @state() private accessor reading: { value: number; total: number } | undefined;
  @state() private accessor empty = true;
  /** Whether the trainer was opened once, and so is loaded. */
  @state() private accessor training = false;
  /** The one channel of the last run; absent: the first three. */
  @state() private accessor runChannel: number | undefined;
  /** The model of the last run, unless it was trained here. */
  @state() private accessor baseModel: string | undefined;

  #opening: AbortController | undefined;

  /** The viewer inside. */
  get viewer(): CytoViewer {
    return this.viewerElement;
  }
  /** The segmenter inside. */
  get segmenter(): CytoSegmenter {
    return this.segmenterElement;
  }

  /**
   * Opens an image in place of the one shown. The old image and its labels stay if the new one cannot be read.
   * @throws CytoError as the reader does; the message is also shown
   */
  async open(
    input: File | readonly File[] | URL | string,
    options: { signal?: AbortSignal } = {},
  ): Promise<void> {
    await this.updateComplete;
    this.#opening?.abort();
    const opening = new AbortController();
    this.#opening = opening;
    const signal = options.signal ? AbortSignal.any([options.signal, opening.signal]) : opening.signal;
    this.alert = '';
    const { model } = this.viewer;
    const before = model.layers.map(({ id }) => id);
    try {
      await this.viewer.open(input, { signal });
      for (const id of before) model.remove(id);
      const { shape } = model.dims;
      model.setCursor({ t: 0, z: (shape[0] - 1) >> 1, y: (shape[1] - 1) >> 1, x: (shape[2] - 1) >> 1 });
      if (shape[0] === 1) model.setLayout('xy');
      await this.viewer.fit();
    } finally {
      this.reading = undefined;
    }
  }

  /** Adds the labels of a file over the image: a label image, ImageJ ROIs, GeoJSON or `_seg.npy`. @throws CytoError as the readers do */
  async openLabels(file: File, options: { signal?: AbortSignal } = {}): Promise<LabelsLayer> {
    await this.updateComplete;
    this.alert = '';
    const { openLabels } = await import('./label-files.ts');
    try {
      return await openLabels(this.viewer, file, options);
    } finally {
      this.reading = undefined;
    }
  }

  /** Opens a saved project in place of what is shown. @throws CytoError as the reader does; nothing changes then */
  async openProject(file: Blob): Promise<void> {
    await this.updateComplete;
    this.alert = '';
    const { readProjectFile } = await import('./label-files.ts');
    const project = await readProjectFile(file);
    const { model } = this.viewer;
    for (const { id } of [...model.layers]) model.remove(id, 'restore');
    for (const layer of project.layers) model.add(layer, { source: 'restore' });
    model.restore(project.state);
    Object.assign(this.segmenter, project.controls.segmenter);
  }

  /** Settings that a project keeps. */
  readonly #controls = (): Record<string, unknown> => {
    const { server: _, ...settings } = settingsOf(this.segmenter);
    return { segmenter: { modelId: this.segmenter.modelId, ...settings } };
  };

  protected override firstUpdated(): void {
    const { model } = this.viewer;
    const refresh = () => {
      this.empty = model.layers.length === 0;
      this.requestUpdate();
    };
    model.on('layer-add', refresh);
    model.on('layer-remove', refresh);
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('src') && this.src) this.#open(this.src);
  }

  #open(input: File | readonly File[] | string): void {
    const show = async () => {
      const [file, ...others] = input instanceof File ? [input] : typeof input === 'string' ? [] : input;
      if (!file || others.length > 0) return this.open(input);
      const { specialFile } = await import('./label-files.ts');
      const kind = await specialFile(file);
      if (!kind) return this.open(file);
      if (kind === 'ome-zarr-labels') {
        await this.open(file);
        return void (await this.openLabels(file));
      }
      await (kind === 'project' ? this.openProject(file) : this.openLabels(file));
    };
    this.#try(show());
  }

  /** Shows what goes wrong, unless an `error` event of the viewer has done so. */
  #try(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!isAbort(error) && !this.alert) this.alert = asCytoError(error).message;
    });
  }

  #onLabels = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = '';
    if (file) this.#try(this.openLabels(file));
  };

  protected override render() {
    const texts = textsFor(this);
    return html`<div class="frame">
      <header part="header" role="group" aria-label=${texts.file}>
        <button @click=${() => this.#pickFiles(false)}>${texts.open}</button>
        <button @click=${() => this.#pickFiles(true)}>${texts.openFolder}</button>
        <button ?disabled=${this.empty} @click=${() => this.renderRoot.querySelector<HTMLInputElement>('#labels')?.click()}>${texts.openLabels}</button>
        <cyto-toolbar></cyto-toolbar>
        <span class="grow"></span>
        <slot name="header"></slot>
        <button aria-pressed=${this.tableOpen} @click=${() => {
          this.tableOpen = !this.tableOpen;
        }}>${texts.table}</button>
        <cyto-export-menu .controls=${this.#controls}></cyto-export-menu>
      </header>
      <cyto-tools></cyto-tools>
      <cyto-viewer part="viewer" layout=${this.layout} theme=${this.theme} alt=${this.alt ?? nothing}
        @error=${this.#onError} @progress=${this.#onProgress} @load=${this.#onLoad}>
        <slot></slot>
        ${this.empty ? html`<div slot="empty" class="empty"><b>${texts.emptyTitle}</b><p>${texts.emptyHint}</p></div>` : nothing}
      </cyto-viewer>
      ${this.tableOpen ? html`<cyto-label-table part="table"></cyto-label-table>` : nothing}
      <cyto-dims></cyto-dims>
      <cyto-status></cyto-status>
      <div class="panels">
      <aside part="side" aria-label=${texts.segment}>
        <section><h2>${texts.segment}</h2>
          <div><cyto-cut-out></cyto-cut-out></div>
          <cyto-segmenter model=${this.modelId ?? nothing} @cyto-run=${() => {
            this.runChannel = this.segmenter.channel;
            // Trainings start from a model that was not trained here: all corrections are learned anew.
            if (!this.#trained.has(this.segmenter.modelId ?? '')) this.baseModel = this.segmenter.modelId;
          }}></cyto-segmenter></section>
        <section><cyto-edits></cyto-edits></section>
        <section><details @toggle=${this.#onTrainer}><summary>${texts.trainer.title}</summary>
          ${this.training ? html`<cyto-trainer base-model=${this.baseModel ?? this.modelId ?? nothing} .channel=${this.runChannel} @cyto-model=${this.#onModel}></cyto-trainer>` : nothing}</details></section>
      </aside>
      <aside part="layers" aria-label=${texts.layers}>
        <section><h2>${texts.layers}</h2><cyto-layer-list></cyto-layer-list></section>
        <section><cyto-crop></cyto-crop></section>
      </aside>
      </div></div>
      ${
        this.reading
          ? html`<progress class="bar" max=${this.reading.total} .value=${this.reading.value} aria-label=${texts.phases.read}></progress>`
          : nothing
      }
      ${
        this.alert
          ? html`<div class="alert" part="alert" role="alert"><span>${this.alert}</span>
              <button class="quiet" aria-label=${texts.dismiss} @click=${() => {
                this.alert = '';
              }}>✕</button></div>`
          : nothing
      }
      ${this.dropping ? html`<div class="drop">${texts.dropHere}</div>` : nothing}
      <input id="files" type="file" multiple @change=${this.#onFiles} tabindex="-1" aria-hidden="true" />
      <input id="labels" type="file" @change=${this.#onLabels} tabindex="-1" aria-hidden="true" />
      <input id="folder" type="file" webkitdirectory @change=${this.#onFiles} tabindex="-1" aria-hidden="true" />`;
  }

  /** Models that were kept since the page was opened. */
  readonly #trained = new Set<string>();

  constructor() {
    super();
    this.addEventListener('dragover', (event) => {
      event.preventDefault();
      this.dropping = true;
    });
    this.addEventListener('dragleave', (event) => {
      if (event.target === this) this.dropping = false;
    });
    this.addEventListener('drop', (event) => {
      event.preventDefault();
      this.dropping = false;
      const transfer = event.dataTransfer;
      if (!transfer) return;
      droppedFiles(transfer).then(
        (files) => {
          if (files.length > 0) this.#open(files);
        },
        (error: unknown) => {
          this.alert = error instanceof Error ? error.message : String(error);
        },
      );
    });
  }

  #pickFiles(folder: boolean): void {
    this.renderRoot.querySelector<HTMLInputElement>(folder ? '#folder' : '#files')?.click();
  }

  #onFiles = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    input.value = '';
    if (files.length > 0) this.#open(files);
  };

  #onError = (event: Event): void => {
    this.alert = (event as CustomEvent<{ message: string }>).detail.message;
    this.reading = undefined;
  };

  #onProgress = (event: Event): void => {
    const { value, total } = (event as CustomEvent<{ value: number; total: number }>).detail;
    this.reading = value < total ? { value, total } : undefined;
  };

  #onTrainer = (event: Event): void => {
    if (!(event.target as HTMLDetailsElement).open || this.training) return;
    const load = async () => {
      await import('../define/trainer.ts');
      this.training = true;
    };
    this.#try(load());
  };

  /** A new model is used from now on. */
  #onModel = (event: CustomEvent<{ id: string; run: boolean }>): void => {
    this.#trained.add(event.detail.id);
    this.segmenter.modelId = event.detail.id;
    // The outcome is shown and announced by the segmenter itself.
    if (event.detail.run) this.segmenter.run().catch((error: unknown) => console.debug('cytopane:', error));
  };

  #onLoad = (): void => {
    this.reading = undefined;
  };
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-workbench': CytoWorkbench;
  }
}
