import type { Cursor, ViewerModel } from '../../core/viewer-model.ts';
import { emit, type Pick } from './events.ts';
import type { OrbitCamera } from './orbit-camera.ts';
import { Pane } from './pane.ts';
import { PaneCameras } from './pane-cameras.ts';
import { PaneDrawing } from './pane-drawing.ts';
import { listenToPane, type PaneHost, type PaneTool } from './pane-input.ts';
import { orthoTemplate, PANES } from './pane-layout.ts';
import { pickAt } from './pick.ts';
import type { Plane, Vec3 } from './plane.ts';
import type { PaneSize, PlaneCamera } from './plane-camera.ts';
import { watchScene } from './scene-watch.ts';
import type { Shortcuts } from './shortcuts.ts';

/** Milliseconds after leaving the page until GPU memory is let go. */
const RELEASE_DELAY = 250;
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

/** The views of a viewer: their arrangement, where they look and what lies under a point of them. */
export class PaneGrid implements PaneHost {
  readonly element = document.createElement('div');
  readonly #owner: GridOwner;
  readonly #cameras: PaneCameras;
  readonly #drawing: PaneDrawing;
  /** The editing tools, once they are wanted. */
  tool: PaneTool | undefined;
  readonly #announcement = document.createElement('div');
  #panes: Pane[] = [];
  #stopWatching: (() => void) | undefined;
  #releaseTimer: ReturnType<typeof setTimeout> | undefined;
  #announceTimer: ReturnType<typeof setTimeout> | undefined;
  #resizes: ResizeObserver | undefined;
  #sights: IntersectionObserver | undefined;
  #seenWaiters: Array<() => void> = [];
  #seen = false;
  #alt: string | undefined;

  constructor(owner: GridOwner) {
    this.#owner = owner;
    this.#cameras = new PaneCameras(owner.model);
    this.#drawing = new PaneDrawing(owner, this);
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
    this.#drawing.start();
    this.#resizes = new ResizeObserver(() => this.resize());
    this.#sights = new IntersectionObserver((entries) => this.#see(entries));
    this.#stopWatching = watchScene(this.model, {
      changed: () => this.invalidate(),
      hovered: () => this.#drawing.hovered(),
      edited: (labels, box) => this.#drawing.edited(labels, box),
      resized: () => {
        this.#cameras.reset();
        this.#arrange();
        this.invalidate();
      },
      arranged: () => this.#build(),
      moved: (cursor, source) => {
        this.#drawing.cursorMoved(cursor);
        if (source === 'user') this.#announce(cursor);
      },
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
    clearTimeout(this.#announceTimer);
    this.#drawing.stop();
    this.#panes = [];
    this.element.replaceChildren();
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
    this.#drawing.request();
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
    this.#drawing.turning();
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

  /** Marks panes as older than the scene and has those on screen drawn with the next frame. */
  invalidate(which?: (pane: Pane) => boolean): void {
    this.#drawing.invalidate(which);
  }

  /** Resolves when no pane on screen is stale. */
  drawn(): Promise<void> {
    return this.#drawing.drawn();
  }

  /** The panes as they lie on the page, as a PNG image. */
  toBlob(options: { scale?: number; overlays?: boolean }): Promise<Blob> {
    return this.#drawing.toBlob(options);
  }
}
