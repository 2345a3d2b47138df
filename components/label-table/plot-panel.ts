import { html, nothing, type TemplateResult } from 'lit';
import type { Measurements } from '../../core/measure/measurements.ts';
import { columnValues } from '../../core/measure/row-order.ts';
import type { Texts } from '../localization/en.ts';
import { titleWithUnit } from './column-title.ts';
import type { LabelPlot } from './plot.ts';

/** What is drawn. */
export interface PlotRows {
  measurements: Measurements;
  /** Row numbers. */
  rows: ArrayLike<number>;
  selected: ReadonlySet<number>;
}

/** Choice of the axes and the plot under it; the plotting library is loaded when the first plot is drawn. */
export class PlotPanel {
  readonly #on: { changed(): void; select(ids: number[]): void };
  #x = '';
  /** Empty for a histogram. */
  #y = '';
  #plot: LabelPlot | undefined;
  #texts: Texts | undefined;

  /** @param on told of another choice of axes, and of cells selected in the plot */
  constructor(on: { changed(): void; select(ids: number[]): void }) {
    this.#on = on;
  }

  close(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  /** Draws into a place inside a shadow root. @throws when the plotting library cannot be loaded */
  async draw(place: HTMLElement, { measurements, rows, selected }: PlotRows): Promise<void> {
    const { LabelPlot, plotStyles } = await import('./plot.ts');
    const texts = this.#texts;
    if (!place.isConnected || !texts) return;
    const root = place.getRootNode() as ShadowRoot;
    if (!root.querySelector('style.plot-styles')) {
      const sheet = document.createElement('style');
      sheet.className = 'plot-styles';
      sheet.textContent = plotStyles;
      root.append(sheet);
    }
    if (this.#plot?.place !== place) this.close();
    this.#plot ??= new LabelPlot(place, (ids) => this.#on.select(ids));
    const axis = (key: string) => {
      const values = columnValues(measurements, key);
      const column = measurements.columns.find((one) => one.key === key);
      return {
        values: Array.from(rows, (row) => values[row]),
        title: column ? titleWithUnit(column, texts) : key,
      };
    };
    this.#plot.show({
      ids: Array.from(rows, (row) => measurements.ids[row]),
      x: axis(this.#x),
      ...(this.#y ? { y: axis(this.#y) } : {}),
      selected,
      countTitle: texts.cells,
    });
  }

  render({ columns, values }: Measurements, texts: Texts): TemplateResult {
    this.#texts = texts;
    // The size is what is looked at first; columns may have gone with an image.
    if (!Object.hasOwn(values, this.#x)) this.#x = columns[1].key;
    if (!Object.hasOwn(values, this.#y)) this.#y = '';
    const choice = (id: string, chosen: string, change: (key: string) => void, none?: string) =>
      html`<select id=${id} @change=${(event: Event) => {
        change((event.target as HTMLSelectElement).value);
        this.#on.changed();
      }}>
        ${none === undefined ? nothing : html`<option value="" ?selected=${chosen === ''}>${none}</option>`}
        ${columns.map((column) => html`<option value=${column.key} ?selected=${chosen === column.key}>${titleWithUnit(column, texts)}</option>`)}
      </select>`;
    const title = (key: string) => {
      const column = columns.find((one) => one.key === key);
      return column ? titleWithUnit(column, texts) : '';
    };
    return html`<div class="plots" part="plots">
      <div class="axes">
        <label for="x-axis">x</label>${choice('x-axis', this.#x, (key) => {
          this.#x = key;
        })}
        <label for="y-axis">y</label>${choice(
          'y-axis',
          this.#y,
          (key) => {
            this.#y = key;
          },
          texts.countOfCells,
        )}
      </div>
      <div class="plot" role="img" aria-label=${texts.plotOf(title(this.#x), title(this.#y))}></div>
      <p class="quiet-text">${texts.plotHint}</p>
    </div>`;
  }
}
