import uPlot from 'uplot';
import styles from 'uplot/dist/uPlot.min.css';
import { histogram } from '../../core/measure/histogram.ts';
import { canvasColor } from '../controls/canvas-color.ts';

/** Style sheet of the plots. */
export const plotStyles: string = styles;

/** What is plotted: a histogram of `x`, or points x, y. */
export interface PlotContent {
  ids: ArrayLike<number>;
  x: { values: ArrayLike<number>; title: string };
  y?: { values: ArrayLike<number>; title: string };
  selected: ReadonlySet<number>;
  /** Title of the axis that counts cells. */
  countTitle: string;
}

const POINT = 5;
/** CSS pixels around a point within which a click finds it. */
const REACH = 10;

/** A histogram or scatter plot on which dragging selects cells. */
export class LabelPlot {
  /** Where the plot is drawn. */
  readonly place: HTMLElement;
  readonly #select: (ids: number[]) => void;
  readonly #resizes: ResizeObserver;
  #plot: uPlot | undefined;

  /** @param select receives the cells inside a dragged range or box, or the one clicked */
  constructor(place: HTMLElement, select: (ids: number[]) => void) {
    this.place = place;
    this.#select = select;
    this.#resizes = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = place;
      if (width > 0 && height > 0) this.#plot?.setSize({ width, height });
    });
    this.#resizes.observe(place);
  }

  show(content: PlotContent): void {
    this.#plot?.destroy();
    const rows = finiteRows(content);
    this.#plot =
      rows.length === 0
        ? undefined
        : content.y
          ? this.#scatter(content, rows)
          : this.#histogram(content, rows);
  }

  destroy(): void {
    this.#resizes.disconnect();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #scatter({ ids, x, y, selected }: PlotContent, rows: number[]): uPlot {
    const yValues = (y as NonNullable<typeof y>).values;
    rows.sort((a, b) => x.values[a] - x.values[b]);
    const xs = rows.map((row) => x.values[row]);
    const all = rows.map((row) => yValues[row]);
    const chosen = rows.map((row) => (selected.has(ids[row]) ? yValues[row] : null));
    const { accent, ink } = this.#colors();
    const points = (color: string, size: number): Partial<uPlot.Series> => ({
      paths: () => null,
      points: { show: true, size, fill: color, stroke: color, width: 0 },
    });
    const plot = this.#make(
      [x.title, y?.title ?? ''],
      [points(mixed(ink, 0.45), POINT), points(accent, POINT + 2)],
      [xs, all, chosen],
      (from, to) => {
        const inside = rows.filter((row) => {
          const [px, py] = [x.values[row], yValues[row]];
          return px >= from[0] && px <= to[0] && py >= from[1] && py <= to[1];
        });
        this.#select(inside.map((row) => ids[row]));
      },
      true,
    );
    plot.over.addEventListener('click', ({ offsetX, offsetY }) => {
      let nearest = -1;
      let distance = REACH;
      rows.forEach((row) => {
        const away = Math.hypot(
          plot.valToPos(x.values[row], 'x') - offsetX,
          plot.valToPos(yValues[row], 'y') - offsetY,
        );
        if (away < distance) [nearest, distance] = [row, away];
      });
      if (nearest >= 0) this.#select([ids[nearest]]);
    });
    return plot;
  }

  #histogram({ ids, x, selected, countTitle }: PlotContent, rows: number[]): uPlot {
    const { edges, counts } = histogram(rows.map((row) => x.values[row]));
    const chosen = histogram(
      rows.filter((row) => selected.has(ids[row])).map((row) => x.values[row]),
      edges,
    ).counts;
    const { accent, ink } = this.#colors();
    const bars = (color: string): Partial<uPlot.Series> => ({
      paths: uPlot.paths.bars?.({ size: [0.92], align: 1 }) as uPlot.Series.PathBuilder,
      points: { show: false },
      fill: color,
      stroke: color,
      width: 0,
    });
    // The last edge carries no bar, but the axis must reach it.
    return this.#make(
      [x.title, countTitle],
      [bars(mixed(ink, 0.4)), bars(accent)],
      [edges, [...counts, null], [...chosen, null]],
      ([from], [to]) => {
        const inside = rows.filter((row) => x.values[row] >= from && x.values[row] <= to);
        this.#select(inside.map((row) => ids[row]));
      },
      false,
    );
  }

  #make(
    [xTitle, yTitle]: readonly [string, string],
    series: Partial<uPlot.Series>[],
    data: Array<Array<number | null>>,
    dragged: (from: [number, number], to: [number, number]) => void,
    box: boolean,
  ): uPlot {
    const { ink, line } = this.#colors();
    const axis = (label: string): uPlot.Axis => ({
      label,
      labelSize: 18,
      labelFont: '12px system-ui, sans-serif',
      font: '11px system-ui, sans-serif',
      stroke: ink,
      grid: { stroke: line, width: 1 },
      ticks: { stroke: line, width: 1, size: 4 },
      size: label === yTitle ? 52 : 32,
      // Cells are counted in whole numbers.
      ...(label === yTitle && !box
        ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] }
        : {}),
    });
    return new uPlot(
      {
        width: this.place.clientWidth || 300,
        height: this.place.clientHeight || 200,
        legend: { show: false },
        scales: {
          x: { time: false, ...(box ? { range: padded } : {}) },
          y: { range: box ? padded : (_, _low, high) => [0, high * 1.05] },
        },
        axes: [axis(xTitle), axis(yTitle)],
        series: [{}, ...series],
        cursor: { drag: { x: true, y: box, setScale: false }, points: { show: false } },
        hooks: {
          setSelect: [
            (plot) => {
              const { left, top, width, height } = plot.select;
              if (width < 2) return;
              const from = [plot.posToVal(left, 'x'), box ? plot.posToVal(top + height, 'y') : 0];
              const to = [plot.posToVal(left + width, 'x'), box ? plot.posToVal(top, 'y') : 0];
              dragged(from as [number, number], to as [number, number]);
            },
          ],
        },
      },
      data as uPlot.AlignedData,
      this.place,
    );
  }

  /** Colours of the surroundings, as a canvas takes them. */
  #colors(): { ink: string; accent: string; line: string } {
    const resolved = (name: string) => canvasColor(this.place, name);
    return { ink: resolved('--_text'), accent: resolved('--_accent'), line: resolved('--_line') };
  }
}

function finiteRows({ ids, x, y }: PlotContent): number[] {
  const rows: number[] = [];
  for (let row = 0; row < ids.length; row++) {
    if (Number.isFinite(x.values[row]) && (!y || Number.isFinite(y.values[row]))) rows.push(row);
  }
  return rows;
}

function padded(_: uPlot, low: number, high: number): [number, number] {
  const space = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - space, high + space];
}

/** The colour with an opacity. */
function mixed(color: string, opacity: number): string {
  return color.replace(/^rgb\((.*)\)$/, `rgba($1, ${opacity})`);
}
