import { css, html, nothing } from 'lit';
import { property, state } from 'lit/decorators.js';
import { asCytoError, CytoError, isAbort } from '../../core/errors.ts';
import {
  EXPORT_FILES,
  EXPORT_FORMATS,
  type ExportFormat,
  exportName,
} from '../../core/exports/export-labels.ts';
import type { LabelsLayer } from '../../core/layer.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type { ExportClient } from '../../workers/exports/client.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { controlStyles } from '../styles.ts';
import { labelExport, provenanceOf, sourceName } from './label-export.ts';
import { blobOf, canPickFolder, pickDestination, pickFolder, saveFile, saveFolder } from './save-file.ts';

/** Everything the menu can save. */
export type SaveFormat = ExportFormat | 'png' | 'project';

/** Entries for labels, in order; the table of measurements has its own. */
const LABEL_FORMATS = EXPORT_FORMATS.filter((format) => format !== 'csv');
const SCALES = [1, 2, 4, 8] as const;

/**
 * Saves what a viewer shows: labels (TIFF, OME-TIFF, OME-Zarr as zip or folder, ImageJ ROIs, GeoJSON, Cellpose), all
 * measurements as CSV, the view as PNG, and the whole project. Files carry where they come from. They go where the user
 * picks, or to the downloads.
 *
 * @tag cyto-export-menu
 * @fires cyto-save - Before a file is saved, cancelable; `detail.name`, `detail.blob`.
 * @fires error - A file could not be made; `detail.kind`, `detail.message`.
 * @csspart button - The button that opens the menu.
 * @csspart menu - The menu.
 */
export class CytoExportMenu extends ViewerPart {
  static override styles = [
    controlStyles,
    css`
      :host { position: relative; }
      .menu { position: absolute; inset-inline-end: 0; inset-block-start: calc(100% + 4px); z-index: 6; padding: 8px; background: var(--_raised); border: 1px solid var(--_line); border-radius: 8px; inline-size: 19em; max-block-size: min(70vh, 36em); overflow: auto; box-shadow: 0 6px 24px rgb(0 0 0 / 0.25); }
      h2 { font-size: 11px; text-transform: uppercase; letter-spacing: 0.06em; color: var(--_quiet); margin: 8px 8px 4px; }
      h2:first-child { margin-block-start: 2px; }
      .menu button { display: flex; inline-size: 100%; gap: 8px; align-items: baseline; text-align: start; border-color: transparent; background: none; }
      .menu button:hover:not(:disabled) { background: color-mix(in srgb, var(--_accent) 14%, transparent); }
      .menu button span { flex: 1; }
      .menu small { color: var(--_quiet); }
      .picture { display: flex; gap: 10px; align-items: center; padding: 2px 8px 4px; }
      .picture label { display: flex; gap: 6px; align-items: center; }
      .working { display: flex; gap: 8px; align-items: center; padding: 2px 8px; }
      .working progress { flex: 1; min-inline-size: 0; }
      .working button { inline-size: auto; border-color: var(--_line); }
      .problem { color: light-dark(#a3122a, #ff9aa8); margin: 4px 8px; }
    `,
  ];

  /** Settings of other controls that a project keeps; set by the host. */
  @property({ attribute: false }) accessor controls: () => Record<string, unknown> = () => ({});

  @state() private accessor open = false;
  @state() private accessor busy = false;
  @state() private accessor problem = '';
  @state() private accessor scale = 2;
  @state() private accessor overlays = true;

  #client: ExportClient | undefined;
  #task: AbortController | undefined;

  /**
   * Makes a file without saving it.
   * @param options.layer id of a label layer; by default the topmost
   * @param options.scale,options.overlays of PNG, as `toBlob` of the viewer
   * @throws CytoError `bad-input` without labels or viewer, `too-large`, `worker-crashed`, `aborted`
   */
  async make(
    format: SaveFormat,
    options: TaskOptions & { layer?: string; scale?: number; overlays?: boolean } = {},
  ): Promise<File> {
    await this.updateComplete;
    const { viewer, model } = this;
    if (!viewer || !model) throw new CytoError('bad-input', this.texts.exportNothing);
    const stem = exportName(sourceName(model), 'csv').replace(EXPORT_FILES.csv.suffix, '');
    if (format === 'png') {
      const { scale = this.scale, overlays = this.overlays } = options;
      const blob = await viewer.toBlob({ scale, overlays });
      return new File([blob], `${stem}.png`, { type: 'image/png' });
    }
    if (format === 'project') {
      const { projectEntries } = await import('../../core/project/project-file.ts');
      const entries = projectEntries(model, this.controls(), provenanceOf(model));
      const bytes = await (await this.#worker()).zipProject(entries, options);
      const type = 'application/zip';
      return new File([blobOf({ bytes, type })], `${stem}.cytopane.zip`, { type });
    }
    const request = labelExport(model, this.#labels(options.layer));
    const client = await this.#worker();
    const file = await client.export(format, request, options);
    return new File([blobOf(file)], file.name, { type: file.type });
  }

  #labels(id?: string): LabelsLayer {
    const labels = this.model?.labels ?? [];
    const layer = id === undefined ? labels.at(-1) : labels.find((one) => one.id === id);
    if (!layer) throw new CytoError('bad-input', this.texts.exportNothing);
    return layer;
  }

  async #worker(): Promise<ExportClient> {
    if (!this.#client) {
      const { ExportClient } = await import('../../workers/exports/client.ts');
      this.#client ??= new ExportClient();
    }
    return this.#client;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#task?.abort();
    this.#client?.dispose();
    this.#client = undefined;
  }

  constructor() {
    super();
    this.addEventListener('focusout', (event) => {
      const to = event.relatedTarget as Node | null;
      if (to && !this.contains(to) && !this.renderRoot.contains(to)) this.open = false;
    });
    this.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.open) return;
      this.open = false;
      this.renderRoot.querySelector<HTMLElement>('[part=button]')?.focus();
    });
  }

  /** Runs one entry of the menu; what goes wrong is shown and announced. */
  async #do(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.problem = '';
    this.busy = true;
    const task = new AbortController();
    this.#task = task;
    try {
      await work(task.signal);
      this.open = false;
    } catch (cause) {
      if (isAbort(cause)) return;
      const { kind, message } = asCytoError(cause);
      this.problem = message;
      const detail = { kind, message };
      this.dispatchEvent(
        new CustomEvent('error', { detail, bubbles: true, composed: true, cancelable: true }),
      );
    } finally {
      this.busy = false;
    }
  }

  #save(format: SaveFormat): Promise<void> {
    return this.#do(async (signal) => {
      if (!this.model) return;
      if (format !== 'png' && format !== 'project') this.#labels();
      const stem = sourceName(this.model);
      const name =
        format === 'png' || format === 'project'
          ? exportName(stem, 'csv').replace(
              EXPORT_FILES.csv.suffix,
              format === 'png' ? '.png' : '.cytopane.zip',
            )
          : exportName(stem, format);
      const destination = await pickDestination(name);
      if (!destination) return;
      const file = await this.make(format, { signal });
      await saveFile(this, file.name, file, destination);
    });
  }

  #saveFolder(): Promise<void> {
    return this.#do(async (signal) => {
      if (!this.model) return;
      const layer = this.#labels();
      const parent = await pickFolder();
      if (!parent) return;
      const client = await this.#worker();
      const files = await client.folder('ome-zarr-0.5', labelExport(this.model, layer), { signal });
      const name = exportName(sourceName(this.model), 'ome-zarr-0.5').replace(/\.zip$/, '');
      await saveFolder(parent, name, files);
    });
  }

  protected override render() {
    const { texts } = this;
    return html`<button part="button" aria-expanded=${this.open} aria-controls="menu" @click=${() => {
      this.open = !this.open;
      this.problem = '';
    }}>${texts.export} ▾</button>${this.open ? this.#menu() : nothing}`;
  }

  #menu() {
    const { texts, model, busy } = this;
    const noLabels = (model?.labels.length ?? 0) === 0;
    const nothingThere = (model?.layers.length ?? 0) === 0;
    const entry = (format: SaveFormat, disabled: boolean) =>
      html`<button data-format=${format} ?disabled=${disabled || busy} @click=${() => void this.#save(format)}>
        <span>${texts.exports[format].title}</span><small>${texts.exports[format].use}</small></button>`;
    return html`<div class="menu" id="menu" part="menu" role="group" aria-label=${texts.export} aria-busy=${busy}>
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      ${noLabels ? html`<p class="quiet-text" style="margin: 4px 8px">${texts.exportNothing}</p>` : nothing}
      ${
        busy
          ? html`<div class="working"><progress aria-label=${texts.exporting}></progress>
              <button @click=${() => this.#task?.abort()}>${texts.cancel}</button></div>`
          : nothing
      }
      <h2>${texts.exportLabels}</h2>
      ${LABEL_FORMATS.map((format) => entry(format, noLabels))}
      ${
        canPickFolder()
          ? html`<button data-format="folder" ?disabled=${noLabels || busy} @click=${() => void this.#saveFolder()}>
              <span>${texts.exportFolder}</span><small>0.5</small></button>`
          : nothing
      }
      <h2>${texts.exportTable}</h2>${entry('csv', noLabels)}
      <h2>${texts.exportPicture}</h2>
      <div class="picture">
        <label>${texts.pictureScale}<select @change=${(event: Event) => {
          this.scale = Number((event.target as HTMLSelectElement).value);
        }}>${SCALES.map((scale) => html`<option value=${scale} ?selected=${scale === this.scale}>${scale}×</option>`)}</select></label>
        <label><input type="checkbox" .checked=${this.overlays} @change=${(event: Event) => {
          this.overlays = (event.target as HTMLInputElement).checked;
        }} />${texts.pictureOverlays}</label>
      </div>
      ${entry('png', nothingThere)}
      <h2>${texts.exportProject}</h2>${entry('project', nothingThere)}
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-export-menu': CytoExportMenu;
  }
}
