import { css, html, nothing, svg } from 'lit';
import { property } from 'lit/decorators.js';
import { colormapGradient } from '../../core/colormaps.ts';
import { layerWindow, sampleHistogram } from '../../core/contrast.ts';
import type { ImageLayer } from '../../core/layer.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { controlStyles } from '../styles.ts';

const BINS = 128;
/** Height of the drawing in its own units; the width is one unit per bin. */
const HEIGHT = 48;
/** Part of the axis that an arrow key moves a handle by, and with shift. */
const KEY_STEP = 0.005;
const LARGE_KEY_STEP = 0.05;

type End = 0 | 1;

/**
 * Histogram of an image layer with the display window as two handles: drag them, or what lies between them, or move
 * the focused one by arrow keys (Shift: faster; Home, End: to the ends). A double click makes the window automatic.
 *
 * @tag cyto-histogram
 * @csspart bars - The histogram.
 * @csspart handle - One end of the display window.
 */
export class CytoHistogram extends ViewerPart {
  static override styles = [
    controlStyles,
    css`
      :host { block-size: 46px; position: relative; direction: ltr; }
      .plot { position: absolute; inset: 0 5px; touch-action: none; cursor: grab; background: light-dark(#eceff3, #16181c); border-radius: 3px; }
      svg { position: absolute; inset: 0; inline-size: 100%; block-size: calc(100% - 5px); overflow: hidden; }
      .bars { fill: var(--_quiet); }
      .outside { fill: light-dark(#fff, #1d2025); fill-opacity: 0.65; }
      .curve { fill: none; stroke: var(--_accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
      .colors { position: absolute; inset-block-end: 0; block-size: 5px; border-radius: 2px; }
      .handle { position: absolute; inset-block: 0; inline-size: 11px; margin-inline-start: -5.5px; cursor: ew-resize; touch-action: none; }
      .handle::before { content: ''; position: absolute; inset-block: 0; inset-inline-start: 4.5px; inline-size: 2px; background: var(--_accent); }
      .handle::after { content: ''; position: absolute; inset-block-start: 12px; inset-inline-start: 1.5px; inline-size: 8px; block-size: 16px; border-radius: 4px; background: var(--_accent); border: 1px solid var(--_raised); }
      .handle:focus-visible { outline: 2px solid var(--_accent); border-radius: 4px; }
      @media (forced-colors: active) {
        .handle::before, .handle::after { background: Highlight; forced-color-adjust: none; }
        .bars { fill: CanvasText; }
      }
    `,
  ];

  /** Id of the image layer; by default the topmost. */
  @property() accessor layer: string | undefined;

  /** What the pointer has hold of, and where the window was then. */
  #held: { what: End | 'both'; from: number; window: readonly [number, number] } | undefined;

  get #image(): ImageLayer | undefined {
    if (this.layer === undefined) return this.model?.images.at(-1);
    const layer = this.model?.get(this.layer);
    return layer?.kind === 'image' ? layer : undefined;
  }

  protected override render() {
    const image = this.#image;
    if (!image) return nothing;
    const { texts } = this;
    const { counts } = sampleHistogram(image.volume, image.channel, BINS);
    const window = layerWindow(image);
    const [from, to] = this.#axis(image);
    const place = (value: number) => Math.min(Math.max((value - from) / (to - from), 0), 1);
    const [low, high] = [place(window[0]), place(window[1])];
    const handle = (
      end: End,
      label: string,
    ) => html`<div class="handle" part="handle" role="slider" tabindex="0"
        aria-label=${label} aria-orientation="horizontal" aria-valuemin=${from} aria-valuemax=${to}
        aria-valuenow=${window[end]} style="inset-inline-start: ${100 * place(window[end])}%"
        @pointerdown=${(event: PointerEvent) => this.#grab(event, end)} @keydown=${(event: KeyboardEvent) => this.#key(event, end)}></div>`;
    return html`<div class="plot" @pointerdown=${(event: PointerEvent) => this.#grab(event, 'both')}
        @pointermove=${this.#move} @pointerup=${this.#drop} @pointercancel=${this.#drop}
        @dblclick=${() => this.model?.update(image.id, { contrast: 'auto' }, 'user')}>
      <svg viewBox="0 0 1 ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
        <path class="bars" part="bars" d=${this.#bars(image, counts, place)} />
        ${svg`<rect class="outside" x="0" y="0" width=${low} height=${HEIGHT} />
          <rect class="outside" x=${high} y="0" width=${1 - high} height=${HEIGHT} />
          <path class="curve" d=${displayCurve(low, high, image.gamma)} />`}
      </svg>
      <div class="colors" style="inset-inline: ${100 * low}% ${100 * (1 - high)}%; background: ${image.volume.rgb ? 'currentColor' : colormapGradient(image.colormap)}"></div>
      ${handle(0, texts.contrastLow)}${handle(1, texts.contrastHigh)}
    </div>`;
  }

  /** The values at both ends of the drawing: all samples, and the window where it reaches beyond. */
  #axis(image: ImageLayer): readonly [number, number] {
    const { range } = sampleHistogram(image.volume, image.channel, BINS);
    // While a handle is held the axis stands still, or it would run away under the pointer.
    const window = this.#held?.window ?? layerWindow(image);
    const from = Math.min(range[0], window[0]);
    const to = Math.max(range[1], window[1]);
    return [from, to > from ? to : from + 1];
  }

  #bars(image: ImageLayer, counts: Uint32Array, place: (value: number) => number): string {
    const [low, high] = sampleHistogram(image.volume, image.channel, BINS).range;
    const most = Math.log1p(Math.max(...counts));
    const parts = [`M${place(low)} ${HEIGHT}`];
    counts.forEach((count, bin) => {
      // Logarithmic: signal is rare beside the ground in most micrographs.
      const top = HEIGHT * (1 - (0.94 * Math.log1p(count)) / (most || 1));
      const end = place(low + ((high - low) * (bin + 1)) / counts.length);
      parts.push(`V${top.toFixed(1)}H${end.toFixed(4)}`);
    });
    return `${parts.join('')}V${HEIGHT}Z`;
  }

  #grab(event: PointerEvent, what: End | 'both'): void {
    const image = this.#image;
    if (!image || event.button > 0) return;
    event.stopPropagation();
    event.preventDefault();
    const plot = this.renderRoot.querySelector<HTMLElement>('.plot');
    plot?.setPointerCapture(event.pointerId);
    (event.currentTarget as HTMLElement).focus();
    this.#held = { what, from: event.clientX, window: layerWindow(image) };
  }

  #move = (event: PointerEvent): void => {
    const image = this.#image;
    const held = this.#held;
    const width = this.renderRoot.querySelector('.plot')?.clientWidth ?? 0;
    if (!held || !image || width === 0) return;
    const [from, to] = this.#axis(image);
    const by = ((event.clientX - held.from) / width) * (to - from);
    const [low, high] = held.window;
    if (held.what === 'both') this.#set(image, [low + by, high + by]);
    else this.#set(image, held.what === 0 ? [low + by, high] : [low, high + by], held.what);
  };

  #drop = (): void => {
    this.#held = undefined;
    this.requestUpdate();
  };

  #key(event: KeyboardEvent, end: End): void {
    const image = this.#image;
    if (!image) return;
    const [from, to] = this.#axis(image);
    const window = [...layerWindow(image)] as [number, number];
    const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key] ?? 0;
    if (direction !== 0) {
      const step = (to - from) * (event.shiftKey ? LARGE_KEY_STEP : KEY_STEP);
      window[end] += direction * (isWhole(image) ? Math.max(1, Math.round(step)) : step);
    } else if (event.key === 'Home') window[end] = end === 0 ? from : window[0];
    else if (event.key === 'End') window[end] = end === 1 ? to : window[1];
    else return;
    event.preventDefault();
    this.#set(image, window, end);
  }

  /** @param end the end that gives way where both would meet */
  #set(image: ImageLayer, wanted: [number, number], end?: End): void {
    const whole = isWhole(image);
    const [low, high] = whole ? (wanted.map(Math.round) as [number, number]) : wanted;
    const least = whole ? 1 : (wanted[1] - wanted[0] || 1) * 1e-6;
    const contrast: [number, number] =
      high > low ? [low, high] : end === 0 ? [high - Math.abs(least), high] : [low, low + Math.abs(least)];
    this.model?.update(image.id, { contrast }, 'user');
  }
}

/** Whether samples are whole numbers over a range in which parts of them do not matter. */
function isWhole({ volume, channel }: ImageLayer): boolean {
  const [low, high] = sampleHistogram(volume, channel, BINS).range;
  return !volume.dtype.startsWith('float') && high - low > 20;
}

/** Brightness over sample value, in the drawing's units. */
function displayCurve(low: number, high: number, gamma: number): string {
  const steps = gamma === 1 ? 1 : 24;
  const points = Array.from({ length: steps + 1 }, (_, i) => {
    const part = i / steps;
    return `${(low + (high - low) * part).toFixed(4)} ${(HEIGHT * (1 - part ** gamma)).toFixed(1)}`;
  });
  return `M${points.join('L')}`;
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-histogram': CytoHistogram;
  }
}
