import type { VolumeOptions } from 'cytopane/core.js';
import type { LabelSamples } from 'cytopane/labels.js';
import type { CytoViewer } from 'cytopane/viewer.js';
import 'cytopane/define/image.js';
import 'cytopane/define/labels.js';
import 'cytopane/define/viewer.js';

/** What a test does to a viewer and sees of it, in a user's terms. */
export class ViewerHarness {
  readonly element: CytoViewer;

  constructor(element: CytoViewer) {
    this.element = element;
  }

  get panes(): HTMLElement[] {
    return [...this.root.querySelectorAll<HTMLElement>('[part~="pane"]')];
  }

  get root(): ShadowRoot {
    return this.element.shadowRoot as ShadowRoot;
  }

  pane(kind = 'xy'): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(`[part~="pane-${kind}"]`);
    if (!found) throw new Error(`There is no ${kind} pane.`);
    return found;
  }

  canvas(kind = 'xy'): HTMLCanvasElement {
    return this.pane(kind).querySelector('canvas') as HTMLCanvasElement;
  }

  /** Colour [r, g, b, a] at a place of a pane, in parts of its width and height. */
  color(right: number, down: number, kind = 'xy'): number[] {
    const canvas = this.canvas(kind);
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    const x = Math.min(canvas.width - 1, Math.floor(right * canvas.width));
    const y = Math.min(canvas.height - 1, Math.floor(down * canvas.height));
    return [...context.getImageData(x, y, 1, 1).data];
  }

  /** Share of the canvas that is not transparent or black. */
  litShare(kind = 'xy'): number {
    const canvas = this.canvas(kind);
    const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(
      0,
      0,
      canvas.width,
      canvas.height,
    );
    let lit = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i] + data[i + 1] + data[i + 2] > 24) lit++;
    return lit / (data.length / 4);
  }

  /** Client coordinates of a place of a pane, in parts of its width and height. */
  at(right: number, down: number, kind = 'xy'): { clientX: number; clientY: number } {
    const box = this.pane(kind).getBoundingClientRect();
    return { clientX: box.left + right * box.width, clientY: box.top + down * box.height };
  }

  wheel(deltaY: number, init: WheelEventInit = {}, kind = 'xy'): Promise<void> {
    const event = new WheelEvent('wheel', {
      deltaY,
      bubbles: true,
      cancelable: true,
      ...this.at(0.5, 0.5, kind),
      ...init,
    });
    this.pane(kind).dispatchEvent(event);
    return this.element.settled();
  }

  key(key: string, kind = 'xy'): Promise<void> {
    this.pane(kind).dispatchEvent(
      new KeyboardEvent('keydown', { key, bubbles: true, composed: true, cancelable: true }),
    );
    return this.element.settled();
  }

  pointer(type: string, right: number, down: number, kind = 'xy', init: PointerEventInit = {}): void {
    const event = new PointerEvent(type, {
      pointerId: 1,
      pointerType: 'mouse',
      isPrimary: true,
      bubbles: true,
      composed: true,
      cancelable: true,
      buttons: type === 'pointermove' ? 1 : 0,
      ...this.at(right, down, kind),
      ...init,
    });
    this.pane(kind).dispatchEvent(event);
  }

  async click(right: number, down: number, kind = 'xy'): Promise<void> {
    this.pointer('pointerdown', right, down, kind);
    this.pointer('pointerup', right, down, kind);
    await this.element.settled();
  }

  async drag(from: [number, number], to: [number, number], kind = 'xy', init: PointerEventInit = {}) {
    this.pointer('pointerdown', ...from, kind, init);
    for (const part of [0.5, 1]) {
      const x = from[0] + (to[0] - from[0]) * part;
      const y = from[1] + (to[1] - from[1]) * part;
      this.pointer('pointermove', x, y, kind, init);
    }
    this.pointer('pointerup', ...to, kind, init);
    await this.element.settled();
  }
}

export interface SceneOptions {
  images?: Array<VolumeOptions & { attributes?: Record<string, string> }>;
  labels?: Array<LabelSamples & { attributes?: Record<string, string> }>;
  attributes?: Record<string, string>;
  /** CSS pixels. */
  size?: [width: number, height: number];
}

/** A viewer with layers in the page, drawn. */
export async function scene(
  options: SceneOptions,
  parent: ParentNode = document.body,
): Promise<ViewerHarness> {
  const viewer = document.createElement('cyto-viewer') as unknown as CytoViewer;
  const [width, height] = options.size ?? [200, 200];
  viewer.style.width = `${width}px`;
  viewer.style.height = `${height}px`;
  const set = (element: Element, attributes: Record<string, string> = {}) => {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  };
  set(viewer, options.attributes);
  for (const { attributes, ...data } of options.images ?? []) {
    const image = document.createElement('cyto-image');
    image.data = data;
    set(image, attributes);
    viewer.append(image);
  }
  for (const { attributes, ...data } of options.labels ?? []) {
    const labels = document.createElement('cyto-labels');
    labels.data = data;
    set(labels, attributes);
    viewer.append(labels);
  }
  parent.append(viewer);
  await viewer.settled();
  return new ViewerHarness(viewer);
}

export const nextEvent = <T>(target: EventTarget, type: string): Promise<T> =>
  new Promise((resolve) => {
    target.addEventListener(type, (event) => resolve((event as CustomEvent<T>).detail), { once: true });
  });

export const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Five planes of 8 × 8, from dark to bright. */
export const stack = () => ({
  data: Uint8Array.from({ length: 5 * 8 * 8 }, (_, i) => (i >> 6) * 50),
  shape: [5, 8, 8],
  calibration: { spacing: [2, 1, 1] as const, unit: 'µm', calibrated: true },
  attributes: { contrast: '0 255' },
});
/** A label of 3 × 3 in every plane of {@link stack}. */
export const cells = () => {
  const data = new Uint32Array(5 * 64);
  for (let z = 0; z < 5; z++) {
    for (let y = 1; y < 4; y++) for (let x = 1; x < 4; x++) data[z * 64 + y * 8 + x] = 70_000;
  }
  return { data, shape: [5, 8, 8] };
};
