import type { PaneKind } from './plane.ts';
import type { PaneSize } from './plane-camera.ts';

/** Device pixels per CSS pixel are rounded up to this many at most: more is not seen, but paid for. */
const MAX_PIXEL_RATIO = 3;

/** One view's box in the page: canvas, overlay and size; what is drawn comes from the pane grid. */
export class Pane {
  readonly kind: PaneKind;
  readonly element: HTMLDivElement;
  readonly canvas: HTMLCanvasElement;
  readonly overlay: SVGSVGElement;
  /** What the active tool draws: brush outline, lines. Apart, so that it follows the pointer without a new picture. */
  readonly toolOverlay: SVGSVGElement;
  readonly context: CanvasRenderingContext2D;
  size: PaneSize = { width: 0, height: 0 };
  /** Whether any of it is on screen; undefined until the browser has said so. */
  visible: boolean | undefined;
  /** What is older than the scene: the picture with what lies over it, or only that. */
  stale: 'picture' | 'overlay' | undefined = 'picture';
  #markup = '';

  constructor(kind: PaneKind) {
    this.kind = kind;
    this.element = document.createElement('div');
    this.element.className = 'pane';
    this.element.part.add('pane', `pane-${kind}`);
    this.element.tabIndex = 0;
    this.element.setAttribute('role', 'application');
    this.element.dataset.kind = kind;
    this.canvas = document.createElement('canvas');
    this.canvas.part.add('canvas');
    this.canvas.setAttribute('aria-hidden', 'true');
    this.context = this.canvas.getContext('2d') as CanvasRenderingContext2D;
    this.overlay = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    this.overlay.setAttribute('aria-hidden', 'true');
    this.toolOverlay = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    this.toolOverlay.setAttribute('aria-hidden', 'true');
    this.toolOverlay.classList.add('tool');
    this.element.append(this.canvas, this.overlay, this.toolOverlay);
  }

  get pixelRatio(): number {
    return Math.min(globalThis.devicePixelRatio || 1, MAX_PIXEL_RATIO);
  }

  /** Takes the box's present size; true if it has changed. */
  measure(): boolean {
    const { clientWidth: width, clientHeight: height } = this.element;
    const changed = width !== this.size.width || height !== this.size.height;
    if (changed) this.size = { width, height };
    return changed;
  }

  /** Lays scale bar, crosshair and names over the picture, as SVG markup. */
  setOverlay(markup: string): void {
    if (markup === this.#markup) return;
    this.#markup = markup;
    this.overlay.innerHTML = markup;
  }

  /** Gives the canvas the resolution of the screen; setting it clears the picture, so only when it differs. */
  fitCanvas(): void {
    const width = Math.max(1, Math.round(this.size.width * this.pixelRatio));
    const height = Math.max(1, Math.round(this.size.height * this.pixelRatio));
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }
}
