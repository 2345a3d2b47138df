import { css, html, LitElement, nothing, type PropertyValues, svg } from 'lit';
import { property, state } from 'lit/decorators.js';
import type { VoxelBox } from '../../core/voxel-box.ts';
import { textsFor } from '../localization/texts.ts';
import { screenToWorld, worldToScreen } from '../viewer/plane-camera.ts';
import { withUnit } from '../viewer/scale-bar.ts';
import type { CytoViewer } from '../viewer/viewer.ts';

/** Diameters that can be set by the ring, pixels. */
const LEAST = 4;
const MOST = 1000;
/** Diameter of the ring while none is set: the network's own. */
const NETWORK_DIAMETER = 30;
/** Screen pixels that Shift and an arrow move the ring by. */
const STEP = 8;

type Point = [x: number, y: number];

/**
 * What a run will look for and where, drawn over the xy plane of a viewer: a ring of the cells' diameter and the box
 * that is segmented; part of `<cyto-segmenter>`, laid into the viewer's `overlay` slot.
 *
 * The ring is dragged by its line to change it and by its middle to move it. Keys: arrows, Page Up and Page Down change
 * it, Shift and arrows move it.
 *
 * @tag cyto-run-marks
 * @fires input - The ring or box was changed; `detail.diameter` (pixels) or `detail.box`.
 * @fires change - A drag has ended.
 * @csspart ring - The ring.
 * @csspart box - The box.
 */
export class CytoRunMarks extends LitElement {
  static override styles = css`
    :host { display: block; overflow: hidden; font: 600 12px system-ui, sans-serif; color: #fff; }
    svg, .catch { position: absolute; overflow: hidden; pointer-events: none; }
    .catch { pointer-events: auto; cursor: crosshair; touch-action: none; }
    .line { fill: none; stroke: #ffd75e; stroke-width: 2; }
    .under { fill: none; stroke: rgb(0 0 0 / 0.6); stroke-width: 4; }
    .grip { fill: none; stroke: transparent; stroke-width: 14; pointer-events: stroke; cursor: ew-resize; touch-action: none; outline: none; }
    .grip:focus-visible { stroke: rgb(76 194 255 / 0.55); }
    .middle { fill: #ffd75e; stroke: rgb(0 0 0 / 0.6); pointer-events: all; cursor: move; touch-action: none; }
    text { fill: #ffd75e; paint-order: stroke; stroke: rgb(0 0 0 / 0.7); stroke-width: 3px; }
    rect { fill: none; stroke: #ffd75e; stroke-width: 2; stroke-dasharray: 6 4; }
  `;

  /** The viewer that is drawn over. */
  @property({ attribute: false }) accessor viewer: CytoViewer | undefined;
  /** Whether the ring is shown. */
  @property({ type: Boolean }) accessor ring = false;
  /** Diameter of the ring in pixels of the image; absent: the network's 30. */
  @property({ type: Number }) accessor diameter: number | undefined;
  /** The box that is segmented, if not all. */
  @property({ attribute: false }) accessor box: VoxelBox | undefined;
  /** Whether the next drag draws the box. */
  @property({ type: Boolean }) accessor drawing = false;

  /** Middle of the ring in voxels. */
  @state() private accessor middle: readonly [y: number, x: number] | undefined;
  #drag: { kind: 'size' | 'move' | 'box'; from: Point } | undefined;
  #following: AbortController | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.style.cssText = 'position: absolute; inset: 0; pointer-events: none;';
    this.slot = 'overlay';
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#following?.abort();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('viewer')) {
      this.#following?.abort();
      this.#following = new AbortController();
      const { signal } = this.#following;
      for (const type of ['cyto-view', 'cyto-dims-change'])
        this.viewer?.addEventListener(type, () => this.requestUpdate(), { signal });
    }
    if (changed.has('ring')) this.middle = undefined;
    if (this.ring && !this.middle) this.middle = this.#paneMiddle();
  }

  /** Voxel in the middle of the pane. */
  #paneMiddle(): readonly [y: number, x: number] | undefined {
    const view = this.viewer?.planeView('xy');
    if (!view) return undefined;
    const [, sy, sx] = this.viewer!.model.dims.spacing;
    const { width, height } = view.size;
    const [, y, x] = screenToWorld(view.camera, 'xy', view.size, [width / 2, height / 2], 0);
    return [y / sy, x / sx];
  }

  get #shown(): number {
    return this.diameter ?? NETWORK_DIAMETER;
  }

  #emit(detail: { diameter: number } | { box: VoxelBox }): void {
    this.dispatchEvent(new CustomEvent('input', { detail, bubbles: true, composed: true }));
  }

  #resize(diameter: number): void {
    this.#emit({ diameter: Math.min(MOST, Math.max(LEAST, Math.round(diameter))) });
  }

  /** Place in the pane and voxel [y, x] under a pointer. */
  #under(event: PointerEvent): { at: Point; voxel: [y: number, x: number] } | undefined {
    const view = this.viewer?.planeView('xy');
    if (!view) return undefined;
    const origin = this.getBoundingClientRect();
    const at: Point = [event.clientX - origin.left - view.left, event.clientY - origin.top - view.top];
    const [, sy, sx] = this.viewer!.model.dims.spacing;
    const [, y, x] = screenToWorld(view.camera, 'xy', view.size, at, 0);
    return { at, voxel: [y / sy, x / sx] };
  }

  #press(event: PointerEvent, kind: 'size' | 'move' | 'box'): void {
    const under = this.#under(event);
    if (!under || event.button !== 0) return;
    event.preventDefault();
    const target = event.currentTarget as Element;
    target.setPointerCapture(event.pointerId);
    if (target instanceof SVGElement) target.focus();
    this.#drag = { kind, from: kind === 'box' ? under.voxel : under.at };
  }

  #move(event: PointerEvent): void {
    const under = this.#drag && this.#under(event);
    if (!under || !this.#drag || !this.viewer) return;
    const { kind, from } = this.#drag;
    if (kind === 'box') {
      this.#emit({ box: this.#boxBetween(from, under.voxel) });
    } else if (kind === 'move') {
      this.middle = under.voxel;
    } else if (this.middle) {
      const [, sy, sx] = this.viewer.model.dims.spacing;
      const [y, x] = under.voxel;
      this.#resize(
        (2 * Math.hypot((y - this.middle[0]) * sy, (x - this.middle[1]) * sx)) / Math.sqrt(sy * sx),
      );
    }
  }

  #release = (): void => {
    if (!this.#drag) return;
    this.#drag = undefined;
    this.dispatchEvent(new Event('change', { bubbles: true, composed: true }));
  };

  /** Whole voxels between two places of the plane, within the image, through the planes of the present box. */
  #boxBetween(a: readonly number[], b: readonly number[]): VoxelBox {
    const [nz, ny, nx] = this.viewer!.model.dims.shape;
    const span = (k: 0 | 1, n: number): [number, number] => {
      const from = Math.min(n - 1, Math.max(0, Math.floor(Math.min(a[k], b[k]))));
      return [from, Math.min(n, Math.max(from + 1, Math.ceil(Math.max(a[k], b[k]))))];
    };
    const [[y0, y1], [x0, x1]] = [span(0, ny), span(1, nx)];
    return { from: [this.box?.from[0] ?? 0, y0, x0], to: [this.box?.to[0] ?? nz, y1, x1] };
  }

  #onKey = (event: KeyboardEvent): void => {
    const sign = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
    const page = { PageUp: 10, PageDown: -10 }[event.key];
    const view = this.viewer?.planeView('xy');
    if ((!sign && !page) || !view || !this.middle) return;
    event.preventDefault();
    if (page || !event.shiftKey) {
      this.#resize(this.#shown + (page ?? sign ?? 0));
      return;
    }
    const [, sy, sx] = this.viewer!.model.dims.spacing;
    const [y, x] = this.middle;
    const step = STEP / view.camera.scale;
    if (event.key === 'ArrowUp' || event.key === 'ArrowDown')
      this.middle = [y - ((sign ?? 0) * step) / sy, x];
    else this.middle = [y, x + ((sign ?? 0) * step) / sx];
  };

  protected override render() {
    const view = this.viewer?.planeView('xy');
    if (!view || !this.viewer) return nothing;
    const { left, top, size } = view;
    const place = `left: ${left}px; top: ${top}px; width: ${size.width}px; height: ${size.height}px`;
    return html`<svg style=${place} @pointermove=${this.#move} @pointerup=${this.#release} @pointercancel=${this.#release}>
        ${this.box ? this.#rectangle(this.box) : nothing}${this.ring && this.middle ? this.#circle(this.middle) : nothing}</svg>
      ${
        this.drawing
          ? html`<div class="catch" style=${place} @pointerdown=${(event: PointerEvent) => this.#press(event, 'box')}
              @pointermove=${this.#move} @pointerup=${this.#release} @pointercancel=${this.#release}></div>`
          : nothing
      }`;
  }

  #screen(y: number, x: number): Point {
    const view = this.viewer!.planeView('xy')!;
    const [, sy, sx] = this.viewer!.model.dims.spacing;
    return worldToScreen(view.camera, 'xy', view.size, [0, y * sy, x * sx]);
  }

  #rectangle({ from, to }: VoxelBox) {
    const [x0, y0] = this.#screen(from[1], from[2]);
    const [x1, y1] = this.#screen(to[1], to[2]);
    return svg`<rect part="box" x=${x0} y=${y0} width=${x1 - x0} height=${y1 - y0} />`;
  }

  #circle(middle: readonly [y: number, x: number]) {
    const { model } = this.viewer!;
    const { spacing, unit } = model.dims;
    const view = this.viewer!.planeView('xy')!;
    const [cx, cy] = this.#screen(...middle);
    const length = this.#shown * Math.sqrt(spacing[1] * spacing[2]);
    const radius = (length / 2) * view.camera.scale;
    const pixels = `${Math.round(this.#shown)} ${textsFor(this).pixels}`;
    const text = unit === 'px' ? pixels : `${pixels} · ${withUnit(Number(length.toPrecision(3)), unit)}`;
    return svg`<circle class="under" cx=${cx} cy=${cy} r=${radius} />
      <circle class="line" part="ring" cx=${cx} cy=${cy} r=${radius} />
      <circle class="grip" cx=${cx} cy=${cy} r=${radius} tabindex="0" role="slider" aria-label=${textsFor(this).diameter}
        aria-valuemin=${LEAST} aria-valuemax=${MOST} aria-valuenow=${Math.round(this.#shown)} aria-valuetext=${text}
        @keydown=${this.#onKey} @pointerdown=${(event: PointerEvent) => this.#press(event, 'size')} />
      <circle class="middle" cx=${cx} cy=${cy} r="4" @pointerdown=${(event: PointerEvent) => this.#press(event, 'move')} />
      <text x=${cx + 6} y=${cy - radius - 8}>${text}</text>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-run-marks': CytoRunMarks;
  }
}
