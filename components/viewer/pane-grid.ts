import { asCytoError } from '../../core/errors.ts';
import type { Box, LabelVolume } from '../../core/label-volume.ts';
import type { Cursor, ViewerModel } from '../../core/viewer-model.ts';
import { textsFor } from '../localization/texts.ts';
import { emit, type Pick } from './events.ts';
import type { OrbitCamera } from './orbit-camera.ts';
import { Pane } from './pane.ts';
import { PaneCameras } from './pane-cameras.ts';
import { listenToPane, type PaneHost, type PaneTool } from './pane-input.ts';
import { orthoTemplate, PANES } from './pane-layout.ts';
import { orbitOverlay, planeOverlay } from './pane-overlay.ts';
import { pickAt } from './pick.ts';
import type { Plane, Vec3 } from './plane.ts';
import { PLANE_AXES, planeIndex } from './plane.ts';
import type { PaneSize, PlaneCamera } from './plane-camera.ts';
import { reducedIn3D } from './reduced-3d.ts';
import type { Painter } from './rendering/painter.ts';
import { watchScene } from './scene-watch.ts';
import type { Shortcuts } from './shortcuts.ts';

/** Milliseconds after leaving the page until GPU memory is let go. */
const RELEASE_DELAY = 250;
/** Milliseconds of rest after which the 3D picture is drawn in full. */
const REFINE_DELAY = 180;
/** Milliseconds after an edit, or a move of the pointer, until the 3D picture follows: planes come first. */
const EDIT_DELAY = 30;
const HOVER_DELAY = 80;
/** Milliseconds of rest after which the plane is spoken, so that not every plane passed is. */
const ANNOUNCE_DELAY = 400;

/** What the grid needs of its viewer. */
export interface GridOwner extends EventTarget {
  readonly model: ViewerModel;
  readonly shortcuts: Shortcuts;
  showHelp(): void;
}

/** Where a plane is drawn. */
export interface PlaneView {
  /** CSS pixels from the corner of the viewer. */
  left: number;
  top: number;
  size: PaneSize;
  camera: PlaneCamera;
}

/** The views of a viewer: their arrangement and the drawing of those that are stale and on screen. */
export class PaneGrid implements PaneHost {
  readonly element = document.createElement('div');
  readonly #owner: GridOwner;
  readonly #cameras: PaneCameras;
  /** The editing tools, once they are wanted. */
  tool: PaneTool | undefined;
  readonly #announcement = document.createElement('div');
  #panes: Pane[] = [];
  #stopWatching: (() => void) | undefined;
  #painterLoading: Promise<Painter> | undefined;
  #painter: Painter | undefined;
  #orbiting = false;
  #frame: number | undefined;
  #releaseTimer: ReturnType<typeof setTimeout> | undefined;
  #refineTimer: ReturnType<typeof setTimeout> | undefined;
  #editTimer: ReturnType<typeof setTimeout> | undefined;
  #announceTimer: ReturnType<typeof setTimeout> | undefined;
  #resizes: ResizeObserver | undefined;
  #sights: IntersectionObserver | undefined;
  #drawnWaiters: Array<() => void> = [];
  #seenWaiters: Array<() => void> = [];
  #seen = false;
  #alt: string | undefined;

  constructor(owner: GridOwner) {
    this.#owner = owner;
    this.#cameras = new PaneCameras(owner.model);
    this.element.className = 'grid';
    this.#announcement.className = 'announcement';
    this.#announcement.setAttribute('aria-live', 'polite');
  }

  get model(): ViewerModel {
    return this.#owner.model;
  }
  get shortcuts(): Shortcuts {
    return this.#owner.shortcuts;
  }
  get panes(): readonly Pane[] {
    return this.#panes;
  }

  // —— Life in the page ——

  connect(): void {
    clearTimeout(this.#releaseTimer);
    if (this.#stopWatching) return;
    this.#resizes = new ResizeObserver(() => this.resize());
    this.#sights = new IntersectionObserver((entries) => this.#see(entries));
    this.#stopWatching = watchScene(this.model, {
      changed: () => this.invalidate(),
      hovered: () => this.#hovered(),
      edited: (labels, box) => this.#edited(labels, box),
      resized: () => {
        this.#cameras.reset();
        this.#arrange();
        this.invalidate();
      },
      arranged: () => this.#build(),
      moved: (cursor) => this.#announce(cursor),
    });
    this.#build();
  }

  /** Lets everything go a moment later, unless the viewer comes back. */
  disconnect(): void {
    clearTimeout(this.#releaseTimer);
    this.#releaseTimer = setTimeout(() => this.#dispose(), RELEASE_DELAY);
  }

  #dispose(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#resizes?.disconnect();
    this.#sights?.disconnect();
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    clearTimeout(this.#announceTimer);
    clearTimeout(this.#refineTimer);
    clearTimeout(this.#editTimer);
    this.#editTimer = undefined;
    this.#painter?.dispose();
    this.#painter = undefined;
    // One that is still loading disposes of itself when it sees that it is no longer wanted.
    this.#painterLoading = undefined;
    this.#panes = [];
    this.element.replaceChildren();
    this.#settle();
  }

  #build(): void {
    const { layout } = this.model;
    for (const { element } of this.#panes) {
      this.#resizes?.unobserve(element);
      this.#sights?.unobserve(element);
    }
    this.#panes = PANES[layout].map((kind) => new Pane(kind));
    this.element.dataset.layout = layout;
    for (const pane of this.#panes) listenToPane(this, pane);
    this.element.replaceChildren(...this.#panes.map(({ element }) => element), this.#announcement);
    this.#cameras.reset();
    this.#arrange();
    this.describe(this.#alt);
    for (const { element } of this.#panes) {
      this.#resizes?.observe(element);
      this.#sights?.observe(element);
    }
    this.invalidate();
  }

  /** Gives the planes of the ortho layout boxes of about the shape of the scene. */
  #arrange(): void {
    const { style } = this.element;
    if (this.model.layout !== 'ortho') {
      style.removeProperty('grid-template');
      return;
    }
    style.gridTemplate = orthoTemplate(this.model.dims);
  }

  /** The text that stands for the picture. */
  describe(alt: string | undefined): void {
    this.#alt = alt;
    for (const { element, kind } of this.#panes) {
      const view = kind === '3d' ? '3D' : kind;
      element.setAttribute('aria-label', alt ? `${alt}, ${view}` : view);
    }
  }

  #announce({ z, t }: Readonly<Cursor>): void {
    const { shape, sizeT } = this.model.dims;
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(() => {
      const parts = [
        shape[0] > 1 ? `z ${z + 1} / ${shape[0]}` : '',
        sizeT > 1 ? `t ${t + 1} / ${sizeT}` : '',
      ];
      this.#announcement.textContent = parts.filter(Boolean).join(', ');
    }, ANNOUNCE_DELAY);
  }

  resize(): void {
    let changed = false;
    for (const pane of this.#panes) changed = pane.measure() || changed;
    if (!changed) return;
    if (!this.#cameras.chosen) this.#cameras.reset();
    this.invalidate();
  }

  #see(entries: IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const pane = this.#panes.find(({ element }) => element === target);
      if (!pane) continue;
      pane.visible = isIntersecting;
      if (isIntersecting) this.#seen = true;
    }
    if (this.#seen) for (const resolve of this.#seenWaiters.splice(0)) resolve();
    this.#request();
  }

  /** Resolves once any part has been on screen. */
  async seen(signal: AbortSignal): Promise<void> {
    if (this.#seen || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#seenWaiters.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  // —— Cameras and picking ——

  camera(kind: Plane): PlaneCamera {
    return this.#cameras.plane(kind, this.#panes);
  }

  setCamera(kind: Plane, camera: PlaneCamera): void {
    this.#cameras.setPlane(kind, camera);
    this.invalidate((pane) => pane.kind !== '3d');
  }

  orbit(pane: Pane): OrbitCamera {
    return this.#cameras.orbit(pane);
  }

  setOrbit(camera: OrbitCamera): void {
    this.#cameras.setOrbit(camera);
    this.#orbiting = true;
    this.invalidate((pane) => pane.kind === '3d');
  }

  /** Where a plane is drawn, in CSS pixels from the corner of the grid; undefined while it is not. */
  planeView(kind: Plane): PlaneView | undefined {
    const pane = this.#panes.find((candidate) => candidate.kind === kind);
    if (!pane || pane.size.width === 0) return undefined;
    const { offsetLeft: left, offsetTop: top } = pane.element;
    return { left, top, size: pane.size, camera: this.camera(kind) };
  }

  fit(): void {
    this.#cameras.reset();
    this.invalidate();
  }

  help(): void {
    this.#owner.showHelp();
  }

  touch(): void {
    this.#cameras.chosen = true;
  }

  /** Brings a box of the scene into view: moves there if it is not seen whole, with `zoom` in any case and close. */
  reveal(box: readonly [from: Vec3, to: Vec3], zoom: boolean): void {
    const planes = this.#panes.filter((pane) => pane.kind !== '3d');
    const moved = planes.filter((pane) => this.#cameras.reveal(pane, this.#panes, box, zoom));
    if (moved.length > 0) {
      this.touch();
      this.invalidate((pane) => pane.kind !== '3d');
    }
  }

  pick(pane: Pane, x: number, y: number): Pick | undefined {
    const world = this.#cameras.worldIn(pane, this.#panes, x, y);
    return world && pickAt(this.model, world);
  }

  worldAt(clientX: number, clientY: number): Vec3 | undefined {
    for (const pane of this.#panes) {
      const box = pane.element.getBoundingClientRect();
      const [x, y] = [clientX - box.left, clientY - box.top];
      if (x < 0 || y < 0 || x >= box.width || y >= box.height) continue;
      return this.#cameras.worldIn(pane, this.#panes, x, y);
    }
    return undefined;
  }

  /** Physical position of a point of a pane in CSS pixels; in 3D that of the label seen there, if any. */
  worldIn(pane: Pane, x: number, y: number): Vec3 | undefined {
    return this.#cameras.worldIn(pane, this.#panes, x, y);
  }

  hover(pick: Pick | undefined): void {
    for (const layer of this.model.labels) {
      const hovered = pick?.label?.layerId === layer.id ? pick.label.id : 0;
      this.model.update(layer.id, { hovered }, 'user');
    }
    emit(this.#owner, 'cyto-hover', pick ?? {});
  }

  // —— Drawing ——

  /** Resolves when no pane on screen is stale. */
  async drawn(): Promise<void> {
    if (this.#editTimer !== undefined) this.#drawEditsIn3D();
    if (!this.#anythingToDraw || !this.#stopWatching) return;
    this.#request();
    await new Promise<void>((resolve) => this.#drawnWaiters.push(resolve));
  }

  get #anythingToDraw(): boolean {
    return this.#panes.some((pane) => pane.visible !== false && pane.stale);
  }

  #settle(): void {
    for (const resolve of this.#drawnWaiters.splice(0)) resolve();
  }

  /** Marks panes as older than the scene and has those on screen drawn with the next frame. */
  invalidate(which: (pane: Pane) => boolean = () => true): void {
    for (const pane of this.#panes) if (which(pane)) pane.stale = true;
    this.#request();
  }

  /** Planes show the label under the pointer at once; the 3D picture, which costs more, when the pointer rests. */
  #hovered(): void {
    this.invalidate((pane) => pane.kind !== '3d');
    this.#follow3D(HOVER_DELAY);
  }

  /** Planes that show the edited box are drawn with the next frame, the 3D picture a little later. */
  #edited(labels: LabelVolume, box: Box): void {
    const layer = this.model.labels.find((candidate) => candidate.labels === labels);
    if (!layer) return;
    this.invalidate((pane) => {
      if (pane.kind === '3d') return false;
      const index = planeIndex(this.model, layer, pane.kind);
      const { across } = PLANE_AXES[pane.kind];
      if (index === undefined) return false;
      const reach = this.model.view.slab > 1 ? this.model.view.slab : 0;
      return index + reach >= box[across] && index - reach < box[across + 3];
    });
    this.#follow3D(EDIT_DELAY);
  }

  /** Draws the 3D picture after so many milliseconds, coarsely, and in full when nothing more happens. */
  #follow3D(delay: number): void {
    if (!this.#panes.some((pane) => pane.kind === '3d')) return;
    this.#editTimer ??= setTimeout(() => {
      this.#orbiting = true;
      this.#drawEditsIn3D();
    }, delay);
  }

  #drawEditsIn3D(): void {
    clearTimeout(this.#editTimer);
    this.#editTimer = undefined;
    this.invalidate((pane) => pane.kind === '3d');
  }

  #request(): void {
    if (this.#frame !== undefined || !this.#stopWatching) return;
    if (!this.#anythingToDraw) {
      this.#settle();
      return;
    }
    this.#frame = requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#draw();
    });
  }

  #draw(): void {
    if (this.model.layers.length > 0 && !this.#painter) {
      this.#loadPainter();
      return;
    }
    for (const pane of this.#panes) {
      if (!pane.visible || !pane.stale || pane.size.width === 0 || pane.size.height === 0) continue;
      pane.stale = false;
      pane.fitCanvas();
      this.#paint(pane);
    }
    // Panes that nothing is known of yet are drawn when the browser has said whether they are seen.
    if (this.#panes.every((pane) => pane.visible !== undefined)) this.#settle();
  }

  #paint(pane: Pane): void {
    const { context, canvas, kind, pixelRatio, size } = pane;
    const several = this.#panes.length > 1;
    const scene = { dims: this.model.dims, cursor: this.model.cursor, size, named: several };
    if (!this.#painter || this.model.layers.length === 0) {
      context.clearRect(0, 0, canvas.width, canvas.height);
      pane.overlay.replaceChildren();
      return;
    }
    const frame = { width: canvas.width, height: canvas.height, pixelRatio };
    if (kind === '3d') {
      const orbit = this.orbit(pane);
      const finer = this.#painter.paintVolume(context, {
        ...frame,
        orbit,
        quality: this.#orbiting ? 'moving' : 'still',
      });
      const reduced = reducedIn3D(this.model);
      pane.overlay.innerHTML = orbitOverlay(
        scene,
        orbit,
        reduced && textsFor(this.element).reduced3D(reduced.join(' × ')),
      );
      if (finer) this.#refineLater(pane);
    } else {
      const camera = this.camera(kind);
      this.#painter.paintPlane(context, { ...frame, plane: kind, camera });
      pane.overlay.innerHTML = planeOverlay(scene, kind, camera, several);
      this.#owner.dispatchEvent(new Event('cyto-view'));
    }
  }

  #refineLater(pane: Pane): void {
    clearTimeout(this.#refineTimer);
    this.#refineTimer = setTimeout(() => {
      this.#orbiting = false;
      pane.stale = true;
      this.#request();
    }, REFINE_DELAY);
  }

  #loadPainter(): void {
    if (this.#painterLoading) return;
    const loading = import('./rendering/painter.ts').then(({ createPainter }) =>
      createPainter(this.model, (what) =>
        this.invalidate((pane) => what === 'everything' || pane.kind !== '3d'),
      ),
    );
    this.#painterLoading = loading;
    loading.then(
      (painter) => {
        if (loading !== this.#painterLoading) {
          painter.dispose();
          return;
        }
        this.#painter = painter;
        this.#request();
      },
      (cause: unknown) => {
        const { kind, message } = asCytoError(cause, 'unsupported');
        this.#settle();
        emit(this.#owner, 'error', { kind, message });
      },
    );
  }

  /** The panes as they lie on the page, as a PNG image. */
  async toBlob({ scale = 1, overlays = true }: { scale?: number; overlays?: boolean }): Promise<Blob> {
    await this.drawn();
    const box = this.element.getBoundingClientRect();
    const ratio = (this.#panes.at(0)?.pixelRatio ?? 1) * scale;
    const { pictureBlob } = await import('./picture.ts');
    return pictureBlob(box, this.#panes, {
      ratio,
      overlays,
      styles: getComputedStyle(this.element),
      paint: (pane, target) => {
        const frame = { width: target.canvas.width, height: target.canvas.height, pixelRatio: ratio };
        if (pane.kind === '3d')
          this.#painter?.paintVolume(target, { ...frame, orbit: this.orbit(pane), quality: 'picture' });
        else
          this.#painter?.paintPlane(target, { ...frame, plane: pane.kind, camera: this.camera(pane.kind) });
      },
    });
  }
}
