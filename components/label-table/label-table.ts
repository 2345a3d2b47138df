import { html, nothing, type PropertyValues } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { asCytoError, CytoError } from '../../core/errors.ts';
import { tableCsv } from '../../core/exports/table-csv.ts';
import type { ChangeSource, LabelsLayer } from '../../core/layer.ts';
import type { MeasurementColumn } from '../../core/measure/columns.ts';
import { parseFilter } from '../../core/measure/filter.ts';
import { boxOfRow, type Measurements, rowOf } from '../../core/measure/measurements.ts';
import { orderedRows, type SortOrder } from '../../core/measure/row-order.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { provenanceOf } from '../export-menu/label-export.ts';
import { pickDestination, saveFile } from '../export-menu/save-file.ts';
import { controlStyles } from '../styles.ts';
import type { CytoViewer } from '../viewer/viewer.ts';
import { titleWithUnit } from './column-title.ts';
import { movedCell } from './grid-moves.ts';
import { gridHeader, gridRow, ratingFirst, swatchesOf } from './grid-rows.ts';
import { MeasuredLabels } from './measured-labels.ts';
import { PlotPanel } from './plot-panel.ts';
import { ROW_HEIGHT, tableStyles } from './table-styles.ts';

/** Rows drawn beyond the visible ones at either end. */
const OVERSCAN = 6;
/** Columns shown until others are chosen; those that do not exist are left out. */
const DEFAULT_COLUMNS =
  'area volume equivalent_diameter circularity sphericity solidity neighbours mean_1 mean_2 mean_3 flow_error cellprob';

const LABEL_COLUMN: MeasurementColumn = { key: 'label', quantity: 'count', unit: '' };

/**
 * The cells of a label layer and their measurements as a table: sorted, filtered, linked with the viewer both ways, with
 * a histogram or scatter plot on which dragging selects cells. It follows edits of the labels.
 *
 * Keys: arrows, Home, End, Page Up and Page Down move; Space selects, Enter zooms to the cell, in the header it sorts;
 * Ctrl+A selects all that pass the filter, Escape none.
 *
 * @tag cyto-label-table
 * @fires cyto-select - Cells were selected here; `detail.layerId`, `detail.ids`, `detail.source`.
 * @fires cyto-measure - New measurements; `detail.layerId`, `detail.count`.
 * @fires cyto-save - Before the CSV file is saved, cancelable; `detail.name`, `detail.blob`.
 * @fires error - Measuring failed; `detail.kind`, `detail.message`.
 * @csspart bar - Filter, count and buttons.
 * @csspart grid - The table.
 * @csspart plots - The plot.
 */
export class CytoLabelTable extends ViewerPart {
  static override styles = [controlStyles, tableStyles];

  /** Id of the label layer; by default the topmost. */
  @property() accessor layer: string | undefined;
  /** Keys of the columns shown, separated by spaces; by default a choice of them. */
  @property() accessor columns: string | undefined;
  /** Only cells that pass, for example `area > 100 and solidity < 0.9`, or label numbers. */
  @property() accessor filter = '';

  @state() private accessor sort: SortOrder = { key: 'label', descending: false };
  @state() private accessor problem = '';
  @state() private accessor choosing = false;
  @state() private accessor plotting = false;
  @state() private accessor first = 0;
  @state() private accessor visible = 20;
  @state() private accessor active = { row: 0, column: 0 };

  @query('.grid') private accessor grid!: HTMLElement | null;
  @query('.plot') private accessor plotPlace!: HTMLElement | null;

  readonly #measured = new MeasuredLabels((error) => this.#onMeasured(error));
  #order: Uint32Array = new Uint32Array(0);
  #selected: ReadonlySet<number> = new Set();
  #anchor: number | undefined;
  #selecting = false;
  readonly #panel = new PlotPanel({
    changed: () => {
      this.#plotStale = true;
      this.requestUpdate();
    },
    select: (ids) => {
      this.#choose(ids, 'user');
      if (ids.length > 0) this.#scrollToId(ids[0]);
    },
  });
  #plotStale = true;
  #resizes: ResizeObserver | undefined;

  /** The latest measurements of the layer shown, or undefined while there are none. */
  get measurements(): Measurements | undefined {
    return this.#measured.measurements;
  }
  /** Ids of the selected cells. */
  get selected(): number[] {
    return [...this.#selected];
  }
  /** Ids of the cells that pass the filter, in the order shown. */
  get shown(): number[] {
    const ids = this.measurements?.ids;
    return ids ? Array.from(this.#order, (row) => ids[row]) : [];
  }
  /** Whether measurements are about to change. */
  get busy(): boolean {
    return this.#measured.busy;
  }

  /** Selects cells, shows the first in the viewer and tells the page. */
  async select(ids: readonly number[], options: { source?: ChangeSource } = {}): Promise<void> {
    await this.updateComplete;
    this.#choose(ids, options.source ?? 'api');
  }

  /** The rows and columns shown as CSV: provenance in lines with #, a header, the rows. */
  csv(): string {
    const { measurements, model } = this;
    const layer = this.#measured.layer;
    if (!measurements || !model || !layer) return '';
    const provenance = provenanceOf(model, layer);
    return tableCsv(measurements, { columns: this.#shownColumns(), rows: this.#order, provenance });
  }

  // —— Life ——

  override connectedCallback(): void {
    super.connectedCallback();
    this.#resizes = new ResizeObserver(() => this.#measureView());
    if (this.grid) this.#resizes.observe(this.grid);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resizes?.disconnect();
    this.#measured.follow(undefined, undefined);
    this.#panel.close();
  }

  protected override viewerChanged(viewer: CytoViewer, release: Array<() => void>): void {
    const onSelect = (event: Event) => {
      const { layerId, ids } = (event as CustomEvent<{ layerId: string; ids: number[] }>).detail;
      if (this.#selecting || layerId !== this.#measured.layer?.id) return;
      this.#selected = new Set(ids);
      this.#plotStale = true;
      if (ids.length > 0) this.#scrollToId(ids[0]);
      this.requestUpdate();
    };
    viewer.addEventListener('cyto-select', onSelect);
    release.push(() => viewer.removeEventListener('cyto-select', onSelect));
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const before = this.#measured.layer;
    this.#measured.follow(this.model, this.#layer());
    if (before !== this.#measured.layer) {
      const selected = this.#measured.layer?.selected ?? 0;
      this.#selected = new Set(selected ? [selected] : []);
      this.#reorder();
    } else if (changed.has('filter') || changed.has('sort')) this.#reorder();
  }

  protected override updated(changed: PropertyValues): void {
    if (this.grid) this.#resizes?.observe(this.grid);
    if (changed.has('plotting')) this.#plotStale = true;
    if (this.#plotStale) this.#drawPlot();
  }

  #layer(): LabelsLayer | undefined {
    const labels = this.model?.labels ?? [];
    return this.layer === undefined ? labels.at(-1) : labels.find(({ id }) => id === this.layer);
  }

  #onMeasured(error?: CytoError): void {
    if (error) {
      this.problem = error.message;
      this.#emit('error', { kind: error.kind, message: error.message });
      return;
    }
    this.#reorder();
    this.#plotStale = true;
    this.requestUpdate();
    this.#emit('cyto-measure', {
      layerId: this.#measured.layer?.id,
      count: this.measurements?.ids.length ?? 0,
    });
  }

  #emit(type: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  /** Filters and sorts; a filter that cannot be used leaves the rows as they were. */
  #reorder(): void {
    const { measurements } = this;
    this.problem = '';
    if (!measurements) {
      this.#order = new Uint32Array(0);
      return;
    }
    try {
      const known = this.sort.key === 'label' || Object.hasOwn(measurements.values, this.sort.key);
      const sort = known ? this.sort : { key: 'label', descending: false };
      this.#order = orderedRows(measurements, sort, parseFilter(this.filter, measurements));
    } catch (cause) {
      this.problem = asCytoError(cause).message;
      this.#order = this.#order.filter((row) => row < measurements.ids.length);
    }
    const row = Math.min(this.active.row, this.#order.length - 1);
    if (row !== this.active.row) this.active = { ...this.active, row };
  }

  #shownColumns(): MeasurementColumn[] {
    const all = this.measurements?.columns ?? [];
    const wanted = (this.columns ?? DEFAULT_COLUMNS).split(/[\s,]+/);
    const columns = wanted.flatMap((key) => all.find((column) => column.key === key) ?? []);
    return ratingFirst(columns, this.#measured.layer?.colorBy);
  }

  // —— Selection ——

  #choose(ids: readonly number[], source: ChangeSource, options: { zoom?: boolean; at?: number } = {}): void {
    const layer = this.#measured.layer;
    const { measurements } = this;
    if (!layer || !measurements || !this.model) return;
    this.#selected = new Set(ids);
    this.#plotStale = true;
    const main = options.at ?? ids[0] ?? 0;
    this.#selecting = true;
    const alsoSelected = ids.filter((id) => id !== main);
    this.model.update(layer.id, { selected: main, alsoSelected }, source);
    this.#selecting = false;
    const row = main ? rowOf(measurements, main) : -1;
    if (row >= 0 && this.viewer) {
      void this.viewer.reveal(boxOfRow(measurements, row, layer.labels.shape), {
        zoom: options.zoom ?? false,
        source,
      });
    }
    this.requestUpdate();
    this.#emit('cyto-select', { layerId: layer.id, ids: [...ids], source });
  }

  #hover(id: number): void {
    const layer = this.#measured.layer;
    if (layer && this.model) this.model.update(layer.id, { hovered: id }, 'user');
  }

  /** A click or key on a row: alone, added (Ctrl) or up to here (Shift). */
  #pick(position: number, { add = false, extend = false, zoom = false } = {}): void {
    const ids = this.measurements?.ids;
    if (!ids || position < 0 || position >= this.#order.length) return;
    const id = ids[this.#order[position]];
    if (extend && this.#anchor !== undefined) {
      const [from, to] = [Math.min(this.#anchor, position), Math.max(this.#anchor, position)];
      this.#choose(
        Array.from(this.#order.subarray(from, to + 1), (row) => ids[row]),
        'user',
        { at: id },
      );
      return;
    }
    this.#anchor = position;
    if (!add) {
      this.#choose([id], 'user', { zoom });
      return;
    }
    const next = new Set(this.#selected);
    if (next.has(id)) next.delete(id);
    else next.add(id);
    this.#choose([...next], 'user', next.has(id) ? { at: id } : {});
  }

  // —— Scrolling and keys ——

  #measureView = (): void => {
    const { grid } = this;
    if (!grid) return;
    this.first = Math.max(0, Math.floor(grid.scrollTop / ROW_HEIGHT) - OVERSCAN);
    this.visible = Math.ceil(grid.clientHeight / ROW_HEIGHT) + 2 * OVERSCAN;
  };

  #scrollTo(position: number): void {
    const { grid } = this;
    if (!grid || position < 0) return;
    const head = (this.renderRoot.querySelector('.head') as HTMLElement | null)?.offsetHeight ?? 0;
    const top = position * ROW_HEIGHT;
    const room = grid.clientHeight - head;
    if (top < grid.scrollTop) grid.scrollTop = top;
    else if (top + ROW_HEIGHT > grid.scrollTop + room) grid.scrollTop = top + ROW_HEIGHT - room;
    this.#measureView();
  }

  #scrollToId(id: number): void {
    const { measurements } = this;
    const row = measurements ? rowOf(measurements, id) : -1;
    const position = this.#order.indexOf(row);
    if (row < 0 || position < 0) return;
    this.active = { ...this.active, row: position };
    this.#anchor = position;
    this.#scrollTo(position);
  }

  #onKey = (event: KeyboardEvent): void => {
    const last = this.#order.length - 1;
    const columns = this.#shownColumns().length;
    const page = Math.max(1, Math.floor((this.grid?.clientHeight ?? 0) / ROW_HEIGHT) - 2);
    const control = event.ctrlKey || event.metaKey;
    const { row, column } = this.active;
    if (control && event.key.toLowerCase() === 'a') {
      event.preventDefault();
      this.#choose(this.shown, 'user');
      return;
    }
    switch (event.key) {
      case 'Escape':
        this.#choose([], 'user');
        break;
      case ' ':
      case 'Enter':
        if (row < 0) this.#sortBy(['label', ...this.#shownColumns().map(({ key }) => key)][column]);
        else this.#pick(row, { add: event.key === ' ', zoom: event.key === 'Enter' });
        break;
      default: {
        const next = movedCell(event.key, control, this.active, { row: last, column: columns, page });
        if (!next) return;
        this.active = next;
        if (event.shiftKey && next.row >= 0 && next.row !== this.#anchor)
          this.#pick(next.row, { extend: true });
        this.#scrollTo(next.row);
        void this.updateComplete.then(() =>
          this.renderRoot.querySelector('.active')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }),
        );
      }
    }
    event.preventDefault();
  };

  #sortBy(key: string): void {
    this.sort = { key, descending: this.sort.key === key ? !this.sort.descending : key !== 'label' };
  }

  // —— Plot ——

  #drawPlot(): void {
    this.#plotStale = false;
    const { measurements } = this;
    if (!measurements || !this.plotPlace) {
      this.#panel.close();
      return;
    }
    const content = { measurements, rows: this.#order, selected: this.#selected };
    this.#panel.draw(this.plotPlace, content).catch((cause: unknown) => {
      this.problem = new CytoError('network', this.texts.plotMissing, { cause }).message;
    });
  }

  // —— Rendering ——

  protected override render() {
    const { texts, measurements } = this;
    const total = measurements?.ids.length ?? 0;
    const shown = this.#order.length;
    return html`
      <div class="bar" part="bar">
        <input type="search" aria-label=${texts.filter} placeholder=${texts.filterHint(measurements?.columns[1].key ?? 'area')} .value=${this.filter}
          aria-invalid=${this.problem !== ''} aria-describedby="problem"
          @input=${(event: Event) => {
            this.filter = (event.target as HTMLInputElement).value;
          }} />
        <span class="count" role="status">${shown === total ? texts.cellsFound(total) : texts.cellsOf(shown, total)}${
          this.#selected.size > 1 ? ` · ${texts.selectedCount(this.#selected.size)}` : ''
        }</span>
        <button aria-pressed=${this.plotting} ?disabled=${total === 0} @click=${() => {
          this.plotting = !this.plotting;
        }}>${texts.plot}</button>
        <div class="menu" @keydown=${(event: KeyboardEvent) => {
          if (event.key === 'Escape') this.choosing = false;
        }}>
          <button aria-expanded=${this.choosing} ?disabled=${!measurements} @click=${() => {
            this.choosing = !this.choosing;
          }}>${texts.chooseColumns} ▾</button>
          ${this.choosing && measurements ? this.#columnChoice(measurements) : nothing}
        </div>
        <button ?disabled=${total === 0} @click=${this.#saveCsv}>CSV</button>
      </div>
      ${this.problem ? html`<p class="problem" id="problem" role="alert">${this.problem}</p>` : nothing}
      <div class="parts">
        ${total === 0 ? html`<p class="empty">${this.busy ? texts.measuring : texts.noCellsYet}</p>` : this.#table()}
        ${this.plotting && measurements ? this.#panel.render(measurements, texts) : nothing}
      </div>`;
  }

  #columnChoice({ columns }: Measurements) {
    const shown = new Set(this.#shownColumns().map(({ key }) => key));
    return html`<div role="group" aria-label=${this.texts.chooseColumns}>${columns.map(
      (column) =>
        html`<label><input type="checkbox" .checked=${shown.has(column.key)} @change=${() => {
          const next = new Set(shown);
          if (!next.delete(column.key)) next.add(column.key);
          this.columns = columns.flatMap(({ key }) => (next.has(key) ? [key] : [])).join(' ');
        }} />${titleWithUnit(column, this.texts)}</label>`,
    )}</div>`;
  }

  #table() {
    const { texts } = this;
    const columns = [LABEL_COLUMN, ...this.#shownColumns()];
    const widths = columns.map((_, k) => (k === 0 ? '92px' : 'minmax(116px, 1fr)')).join(' ');
    const { row, column } = this.active;
    const from = Math.min(this.first, Math.max(0, this.#order.length - this.visible));
    const rows = [...this.#order.subarray(from, from + this.visible)];
    const head = { active: this.active, sort: this.sort, texts, sortBy: (key: string) => this.#sortBy(key) };
    const layer = this.#measured.layer as LabelsLayer;
    const swatch = swatchesOf(layer);
    const title = texts.layerCells(this.#measured.layer?.name ?? '');
    return html`<div class="grid" part="grid" role="grid" tabindex="0" aria-label=${title} aria-multiselectable="true"
        aria-rowcount=${this.#order.length + 1} aria-colcount=${columns.length} aria-activedescendant="cell-${row}-${column}"
        style="--_widths: ${widths}; --_least: ${92 + 116 * (columns.length - 1)}px" @keydown=${this.#onKey} @scroll=${this.#measureView} @pointerleave=${() => this.#hover(0)}>
      <div class="head" role="rowgroup"><div role="row" aria-rowindex="1">${columns.map((column, k) => gridHeader(column, k, head))}</div></div>
      <div class="body" role="rowgroup" style="block-size: ${this.#order.length * ROW_HEIGHT}px">
        ${rows.map((measured, k) =>
          gridRow(this.measurements as Measurements, measured, from + k, columns, {
            active: this.active,
            hovered: layer.hovered,
            swatch,
            selected: this.#selected,
            texts,
            hover: (id) => this.#hover(id),
            pick: (position, how) => {
              this.active = { ...this.active, row: position };
              this.#pick(position, how);
            },
          }),
        )}
      </div>
    </div>`;
  }

  #saveCsv = async (): Promise<void> => {
    const name = `${this.#measured.layer?.name ?? 'cells'}.csv`;
    const destination = await pickDestination(name);
    if (!destination) return;
    try {
      await saveFile(this, name, new Blob([this.csv()], { type: 'text/csv' }), destination);
    } catch (cause) {
      this.problem = asCytoError(cause).message;
    }
  };
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-label-table': CytoLabelTable;
  }
}
