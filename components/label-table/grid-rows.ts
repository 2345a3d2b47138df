import { html, nothing, type TemplateResult } from 'lit';
import { labelRatings } from '../../core/label-ratings.ts';
import { LabelTints } from '../../core/label-tints.ts';
import type { LabelsLayer } from '../../core/layer.ts';
import type { MeasurementColumn } from '../../core/measure/columns.ts';
import type { Measurements } from '../../core/measure/measurements.ts';
import type { SortOrder } from '../../core/measure/row-order.ts';
import type { Texts } from '../localization/en.ts';
import { columnTitle } from './column-title.ts';
import type { GridCell } from './grid-moves.ts';
import { ROW_HEIGHT } from './table-styles.ts';

/** How a click on a row selects. */
export interface PickManner {
  add?: boolean;
  extend?: boolean;
  zoom?: boolean;
}

/** What the cells are coloured by comes first, beside their colour. */
export function ratingFirst(
  columns: readonly MeasurementColumn[],
  colorBy: LabelsLayer['colorBy'] | undefined,
): MeasurementColumn[] {
  const rating = (column: MeasurementColumn) => column.key === colorBy;
  return [...columns.filter(rating), ...columns.filter((column) => !rating(column))];
}

/** Css colours of labels as they are drawn: by their rating where the layer is coloured so, grey where it is not known. */
export function swatchesOf({
  labels,
  seed,
  colorBy,
}: Pick<LabelsLayer, 'labels' | 'seed' | 'colorBy'>): (id: number) => string {
  const ratings = colorBy === 'id' ? undefined : labelRatings(labels, colorBy);
  if (!ratings) return (id) => LabelTints.of(labels, seed).css(id);
  return (id) => {
    const [red, green, blue, known] = ratings.colors.subarray(4 * id, 4 * id + 4);
    return known ? `rgb(${red} ${green} ${blue})` : 'rgb(128 128 128)';
  };
}

const activeClass = (active: GridCell, row: number, column: number) =>
  active.row === row && active.column === column ? 'active' : '';

/** Header of column number `k`; a click sorts. */
export function gridHeader(
  column: MeasurementColumn,
  k: number,
  context: { active: GridCell; sort: SortOrder; texts: Texts; sortBy(key: string): void },
): TemplateResult {
  const { active, sort, texts, sortBy } = context;
  const sorted = sort.key === column.key ? (sort.descending ? 'descending' : 'ascending') : 'none';
  const arrow = sorted === 'ascending' ? '▲' : '▼';
  return html`<div role="columnheader" id="cell--1-${k}" class=${activeClass(active, -1, k)}
    aria-colindex=${k + 1} aria-sort=${sorted} title=${column.key} @click=${() => sortBy(column.key)}>
    ${sorted === 'none' ? nothing : html`<span class="arrow" aria-hidden="true">${arrow}</span>`}
    <span>${columnTitle(column, texts)} ${column.unit ? html`<small>${column.unit}</small>` : nothing}</span></div>`;
}

/**
 * One row of the table.
 * @param row of the measurements
 * @param position among the rows shown
 */
export function gridRow(
  { ids, values }: Measurements,
  row: number,
  position: number,
  columns: readonly MeasurementColumn[],
  context: {
    active: GridCell;
    hovered: number;
    /** Colour of a label as it is drawn. */
    swatch(id: number): string;
    selected: ReadonlySet<number>;
    texts: Texts;
    hover(id: number): void;
    pick(position: number, how: PickManner): void;
  },
): TemplateResult {
  const { active, hovered, swatch, selected, texts, hover, pick } = context;
  const id = ids[row];
  return html`<div role="row" aria-rowindex=${position + 2} aria-selected=${selected.has(id)}
      class=${hovered === id ? 'hovered' : ''} style="inset-block-start: ${position * ROW_HEIGHT}px"
      @pointerenter=${() => hover(id)}
      @click=${(event: MouseEvent) =>
        pick(position, { add: event.ctrlKey || event.metaKey, extend: event.shiftKey })}
      @dblclick=${() => pick(position, { zoom: true })}>
    ${columns.map(
      (column, k) =>
        html`<div role="gridcell" id="cell-${position}-${k}" aria-colindex=${k + 1} class=${activeClass(active, position, k)}>${
          k === 0
            ? html`<span class="swatch" style="background: ${swatch(id)}"></span>${id}`
            : shownValue(values[column.key][row], column, texts)
        }</div>`,
    )}
  </div>`;
}

const formats = new Map<string, Intl.NumberFormat>();

function shownValue(value: number, { quantity }: MeasurementColumn, texts: Texts): string {
  if (Number.isNaN(value)) return '–';
  if (quantity === 'flag') return value ? texts.yes : texts.no;
  const digits = quantity === 'count' ? {} : { maximumSignificantDigits: 4 };
  const key = `${texts.language} ${quantity}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(texts.language, { useGrouping: false, ...digits });
    formats.set(key, format);
  }
  return format.format(value);
}
