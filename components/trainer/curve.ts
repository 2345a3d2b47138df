import uPlot from 'uplot';
import styles from 'uplot/dist/uPlot.min.css';
import type { CurvePoint } from '../../core/progress.ts';
import { canvasColor } from '../controls/canvas-color.ts';

/** Style sheet of the curve. */
export const curveStyles: string = styles;

/** The learning curve: loss, and average precision on what was held back. */
export class LearningCurve {
  /** Where it is drawn. */
  readonly place: HTMLElement;
  #plot: uPlot | undefined;
  #shown = 0;

  constructor(place: HTMLElement) {
    this.place = place;
  }

  /** @param titles of the two curves */
  show(curve: readonly CurvePoint[], titles: { loss: string; ap: string }): void {
    if (curve.length === this.#shown) return;
    this.#shown = curve.length;
    const data: uPlot.AlignedData = [
      curve.map(({ step }) => step),
      curve.map(({ loss }) => (Number.isFinite(loss) ? loss : null)),
      curve.map(({ ap50 }) => ap50 ?? null),
    ];
    if (this.#plot) return void this.#plot.setData(data);
    const axis = {
      stroke: canvasColor(this.place, '--_text'),
      size: 34,
      grid: { show: false },
      ticks: { show: false },
      font: '11px system-ui',
    };
    this.#plot = new uPlot(
      {
        width: Math.max(120, this.place.clientWidth),
        height: 130,
        cursor: { show: false },
        scales: { x: { time: false }, ap: { range: [0, 1] } },
        axes: [{ ...axis, size: 22 }, axis, { ...axis, scale: 'ap', side: 1 }],
        series: [
          {},
          { label: titles.loss, stroke: '#d1690e', width: 2, spanGaps: true },
          {
            label: titles.ap,
            scale: 'ap',
            stroke: canvasColor(this.place, '--_accent'),
            width: 2,
            spanGaps: true,
          },
        ],
        legend: { live: false },
      },
      data,
      this.place,
    );
  }

  destroy(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    this.#shown = 0;
  }
}
