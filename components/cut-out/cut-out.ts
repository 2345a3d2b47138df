import { css, html, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import { cutBox, readCut } from '../../core/cut-out.ts';
import { asCytoError, isAbort } from '../../core/errors.ts';
import { type ImageLayer, imageLayer, type Layer } from '../../core/layer.ts';
import type { ImageDetail } from '../../core/tiled-image.ts';
import { ViewerPart } from '../controls/viewer-part.ts';
import { controlStyles } from '../styles.ts';
import { layerSpacing, PLANE_AXES, type Plane, sceneExtent } from '../viewer/plane.ts';

const PLANES: readonly Plane[] = ['xy', 'xz', 'yz'];

/**
 * Cuts out what a plane shows of an image that is too large to hold, at full resolution, to be segmented, corrected
 * and measured there; and brings the whole image back. Hidden while the image is held at full resolution.
 *
 * @tag cyto-cut-out
 * @fires load - The part is shown in place of the image; `detail.layerIds`. Bubbles.
 */
export class CytoCutOut extends ViewerPart {
  static override styles = [
    controlStyles,
    css`
      :host { display: block; margin-block-end: 12px; }
      :host([hidden]) { display: none; }
      p { margin-block: 0 6px; color: var(--_quiet); }
      p[role='alert'] { color: inherit; margin-block: 6px 0; }
    `,
  ];

  /** Layers that were put aside, and those of the part that they were put aside for. */
  #whole: readonly Layer[] = [];
  #parts: readonly ImageLayer[] = [];
  #reading: AbortController | undefined;
  @state() private accessor message = '';
  @state() private accessor busy = false;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#reading?.abort();
  }

  protected override updated(): void {
    this.toggleAttribute('hidden', this.renderRoot.childElementCount === 0);
  }

  protected override render() {
    const { texts } = this;
    const problem = this.message ? html`<p role="alert">${this.message}</p>` : nothing;
    if (this.#large()) {
      return html`<p>${texts.cutOutHint}</p>
        <button ?disabled=${this.busy} @click=${() => this.#do(this.cut())}>${this.busy ? texts.cuttingOut : texts.cutOut}</button>${problem}`;
    }
    const part = this.model?.images.find((layer) => this.#parts.includes(layer));
    if (!part) {
      // Another image was opened.
      this.#whole = [];
      return nothing;
    }
    return html`<p>${part.volume.name}</p>
      <button @click=${() => this.#do(this.restore())}>${texts.wholeImage}</button>${problem}`;
  }

  /**
   * Shows what the first plane shows of the image now, at full resolution, in place of all layers.
   * @throws CytoError `too-large` where too much is in view, and as the reader does
   */
  async cut(): Promise<void> {
    const { viewer, model } = this;
    const large = this.#large();
    const plane = PLANES.find((candidate) => viewer?.planeView(candidate));
    const view = plane && viewer?.planeView(plane);
    if (!viewer || !model || !large || !plane || !view) return;
    const { layer, detail } = large;
    this.#reading?.abort();
    this.#reading = new AbortController();
    const { right, down } = PLANE_AXES[plane];
    const from = [0, 0, 0] as [number, number, number];
    const to = [...sceneExtent(model.dims)] as [number, number, number];
    for (const [axis, pixels] of [
      [right, view.size.width],
      [down, view.size.height],
    ] as const) {
      from[axis] = view.camera.center[axis] - pixels / 2 / view.camera.scale;
      to[axis] = view.camera.center[axis] + pixels / 2 / view.camera.scale;
    }
    const spacing = layerSpacing(layer, model.dims);
    const box = cutBox(detail, spacing, from, to);
    const t = Math.min(model.cursor.t, layer.volume.shape[0] - 1);
    const volume = await readCut(layer, detail, { spacing, box, t }, { signal: this.#reading.signal });
    const whole = [...model.layers];
    const parts = model.images
      .filter((image) => image.detail === detail)
      .map(({ id, kind, detail: _, ...settings }) => imageLayer(`${id}-part`, volume, settings));
    for (const [k, part] of parts.entries()) {
      part.name = parts.length > 1 ? `${volume.name} · ${volume.channels.at(k)?.name ?? k + 1}` : volume.name;
    }
    this.#whole = whole;
    this.#parts = parts;
    this.#replace(whole, parts);
    await viewer.fit();
    const layerIds = parts.map(({ id }) => id);
    this.dispatchEvent(new CustomEvent('load', { bubbles: true, composed: true, detail: { layerIds } }));
  }

  /** Shows the whole image and its labels again, in place of the part. */
  async restore(): Promise<void> {
    const { viewer, model } = this;
    const whole = this.#whole;
    if (!viewer || !model || whole.length === 0) return;
    this.#replace([...model.layers], whole);
    await viewer.fit();
  }

  #replace(old: readonly Layer[], layers: readonly Layer[]): void {
    const { model } = this;
    if (!model) return;
    for (const layer of layers) model.add(layer, { source: 'user' });
    for (const { id } of old) model.remove(id, 'user');
    const { shape } = model.dims;
    model.setCursor({ t: 0, z: (shape[0] - 1) >> 1, y: (shape[1] - 1) >> 1, x: (shape[2] - 1) >> 1 });
  }

  #large(): { layer: ImageLayer; detail: ImageDetail } | undefined {
    for (const layer of this.model?.images ?? []) {
      if (layer.detail) return { layer, detail: layer.detail };
    }
    return undefined;
  }

  #do(work: Promise<void>): void {
    this.message = '';
    this.busy = true;
    work
      .catch((cause: unknown) => {
        if (!isAbort(cause)) this.message = asCytoError(cause).message;
      })
      .finally(() => {
        this.busy = false;
      });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-cut-out': CytoCutOut;
  }
}
