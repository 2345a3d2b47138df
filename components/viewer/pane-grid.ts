import { CytoError } from '../../core/errors.ts';
import type { LabelVolume } from '../../core/label-volume.ts';
import type { Layout, ViewerModel } from '../../core/viewer-model.ts';
import { emit, type Pick } from './events.ts';
import { fittedOrbit, type OrbitCamera } from './orbit-camera.ts';
import { Pane } from './pane.ts';
import { listenToPane, type PaneHost } from './pane-input.ts';
import { orbitOverlay, planeOverlay } from './pane-overlay.ts';
import { pickAt } from './pick.ts';
import { type PaneKind, PLANE_AXES, type Plane, sceneExtent, type Vec3, voxelMiddle } from './plane.ts';
import { fitted, type PlaneCamera, screenToWorld } from './plane-camera.ts';
import type { Painter } from './rendering/painter.ts';

const PANES: Record<Layout, readonly PaneKind[]> = {
  xy: ['xy'],
  xz: ['xz'],
  yz: ['yz'],
  '3d': ['3d'],
  ortho: ['xy', 'yz', 'xz', '3d'],
  quad: ['xy', 'yz', 'xz', '3d'],
};

/** Share of the width (or height) that a side plane of the ortho layout gets at least and at most. */
const SIDE_SHARE = [0.28, 0.5] as const;

/** Milliseconds after leaving the page until GPU memory is let go. */
const RELEASE_DELAY = 250;

/** What the grid needs of its viewer. */
export interface GridOwner extends EventTarget {
  readonly model: ViewerModel;
  readonly isConnected: boolean;
}

/** The views of a viewer: their arrangement, cameras and the drawing of those that are stale and on screen. */
export class PaneGrid implements PaneHost {
  readonly element: HTMLDivElement;
  readonly #owner: GridOwner;
  #panes: Pane[] = [];
  readonly #cameras = new Map<PaneKind, PlaneCamera>();
  #orbit: OrbitCamera | undefined;
  #orbiting = false;
  #painter: Promise<Painter> | undefined;
  #readyPainter: Painter | undefined;
  #frame: number | undefined;
  #release: ReturnType<typeof setTimeout> | undefined;
  #connection: AbortController | undefined;
  #resizes: ResizeObserver | undefined;
  #sights: IntersectionObserver | undefined;
  readonly #labelWatches = new Map<LabelVolume, () => void>();
  #drawnWaiters: Array<() => void> = [];
  #seenWaiters: Array<() => void> = [];
  #seen = false;
  #alt: string | undefined;
  readonly #announcement: HTMLDivElement;
  #announceTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(owner: GridOwner) {
    this.#owner = owner;
    this.element = document.createElement('div');
    this.element.className = 'grid';
    this.#announcement = document.createElement('div');
    this.#announcement.className = 'announcement';
    this.#announcement.setAttribute('aria-live', 'polite');
  }

  get model(): ViewerModel {
    return this.#owner.model;
  }

  // —— Lifecycle ——

  connect(): void {
    clearTimeout(this.#release);
    if (this.#connection) return;
    const connection = new AbortController();
    this.#connection = connection;
    const { signal } = connection;
    this.#resizes = new ResizeObserver(() => this.resize());
    this.#sights = new IntersectionObserver((entries) => this.#see(entries));
    // Not all of the element need be on screen, and observers of panes come with the layout.
    const on: ViewerModel['on'] = (type, listener) => this.model.on(type, listener, { signal });
    on('layer-add', () => this.#layersChanged());
    on('layer-remove', () => this.#layersChanged());
    on('layer-move', () => this.invalidate());
    on('layer-change', () => this.invalidate());
    on('dims-change', () => {
      this.#cameras.clear();
      this.#orbit = undefined;
      this.#arrange();
      this.invalidate();
    });
    on('cursor-change', ({ cursor, source }) => {
      this.invalidate();
      if (source === 'user') this.#announce(cursor);
    });
    on('layout-change', () => this.#build());
    this.#build();
    this.#layersChanged();
  }

  /** Lets everything go a moment later, unless the viewer comes back. */
  disconnect(): void {
    clearTimeout(this.#release);
    this.#release = setTimeout(() => this.#dispose(), RELEASE_DELAY);
  }

  #dispose(): void {
    this.#connection?.abort();
    this.#connection = undefined;
    this.#resizes?.disconnect();
    this.#sights?.disconnect();
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    clearTimeout(this.#announceTimer);
    for (const stop of this.#labelWatches.values()) stop();
    this.#labelWatches.clear();
    this.#readyPainter?.dispose();
    const loading = this.#painter;
    if (loading && !this.#readyPainter) loading.then((painter) => painter.dispose(), reportLater);
    this.#painter = undefined;
    this.#readyPainter = undefined;
    this.#panes = [];
    this.element.replaceChildren();
  }

  #build(): void {
    const { layout } = this.model;
    for (const pane of this.#panes) {
      this.#resizes?.unobserve(pane.element);
      this.#sights?.unobserve(pane.element);
    }
    this.#panes = PANES[layout].map((kind) => new Pane(kind));
    this.element.dataset.layout = layout;
    for (const pane of this.#panes) listenToPane(this, pane);
    this.element.replaceChildren(...this.#panes.map(({ element }) => element), this.#announcement);
    this.#cameras.clear();
    this.#orbit = undefined;
    this.#arrange();
    this.describe(this.#alt);
    for (const pane of this.#panes) {
      this.#resizes?.observe(pane.element);
      this.#sights?.observe(pane.element);
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
    const [z, y, x] = sceneExtent(this.model.dims);
    const share = (side: number, main: number) =>
      Math.min(Math.max(side / (side + main), SIDE_SHARE[0]), SIDE_SHARE[1]);
    const right = share(z, x);
    const below = share(z, y);
    style.gridTemplate = `minmax(0, ${1 - below}fr) minmax(0, ${below}fr) / minmax(0, ${1 - right}fr) minmax(0, ${right}fr)`;
  }

  /** The text that stands for the picture. */
  describe(alt: string | undefined): void {
    this.#alt = alt;
    for (const { element, kind } of this.#panes) {
      const view = kind === '3d' ? '3D view' : `${kind} plane`;
      element.setAttribute('aria-label', alt ? `${alt}, ${view}` : view);
    }
  }

  #announce({ z, t }: { z: number; t: number }): void {
    const { shape, sizeT } = this.model.dims;
    clearTimeout(this.#announceTimer);
    // Spoken once the user has stopped, not for every plane passed.
    this.#announceTimer = setTimeout(() => {
      const parts = [
        shape[0] > 1 ? `plane ${z + 1} of ${shape[0]}` : '',
        sizeT > 1 ? `time ${t + 1} of ${sizeT}` : '',
      ];
      this.#announcement.textContent = parts.filter(Boolean).join(', ');
    }, 400);
  }

  // —— Cameras ——

  /** Whether the planes move and zoom together. */
  get #linked(): boolean {
    return this.model.layout === 'ortho';
  }

  camera(kind: Plane): PlaneCamera {
    const key = this.#linked ? 'xy' : kind;
    const known = this.#cameras.get(key);
    if (known) return known;
    const panes = this.#panes.filter((pane) => pane.kind !== '3d' && (this.#linked || pane.kind === kind));
    const camera = fitted(
      sceneExtent(this.model.dims),
      panes.map((pane) => ({ plane: pane.kind as Plane, size: pane.size })),
    );
    this.#cameras.set(key, camera);
    return camera;
  }

  setCamera(kind: Plane, camera: PlaneCamera): void {
    const [z, y, x] = sceneExtent(this.model.dims);
    const longest = Math.max(z, y, x);
    const finest = Math.min(...this.model.dims.spacing);
    // From the scene as a speck of 20 pixels to one voxel over 400.
    const scale = Math.min(Math.max(camera.scale, 20 / longest), 400 / finest);
    if (scale !== camera.scale && scale === this.camera(kind).scale) return;
    const clip = (value: number, length: number) => Math.min(Math.max(value, 0), length);
    const center: Vec3 = [clip(camera.center[0], z), clip(camera.center[1], y), clip(camera.center[2], x)];
    this.#cameras.set(this.#linked ? 'xy' : kind, { center, scale });
    this.invalidate((pane) => pane.kind !== '3d');
  }

  orbit(pane: Pane): OrbitCamera {
    const [z, y, x] = sceneExtent(this.model.dims);
    this.#orbit ??= fittedOrbit([x, y, z], pane.size.width, pane.size.height);
    return this.#orbit;
  }

  /** @param moving whether more changes follow at once, so that a coarser picture will do */
  setOrbit(camera: OrbitCamera, moving: boolean): void {
    this.#orbit = camera;
    this.#orbiting = moving;
    this.invalidate((pane) => pane.kind === '3d');
  }

  fit(): void {
    this.#cameras.clear();
    this.#orbit = undefined;
    this.invalidate();
  }

  /** Physical position in the scene under a pixel of a plane. */
  worldIn(pane: Pane, x: number, y: number): Vec3 | undefined {
    if (pane.kind === '3d') return undefined;
    const { spacing } = this.model.dims;
    const { z, y: row, x: column } = this.model.cursor;
    const depth = voxelMiddle([z, row, column], spacing)[PLANE_AXES[pane.kind].across];
    return screenToWorld(this.camera(pane.kind), pane.kind, pane.size, [x, y], depth);
  }

  worldAt(clientX: number, clientY: number): Vec3 | undefined {
    for (const pane of this.#panes) {
      const box = pane.element.getBoundingClientRect();
      const [x, y] = [clientX - box.left, clientY - box.top];
      if (x >= 0 && y >= 0 && x < box.width && y < box.height) return this.worldIn(pane, x, y);
    }
    return undefined;
  }

  pick(pane: Pane, x: number, y: number): Pick | undefined {
    const world = this.worldIn(pane, x, y);
    return world && pickAt(this.model, world);
  }

  hover(pick: Pick | undefined): void {
    emit(this.#owner, 'cyto-hover', pick ?? {});
  }

  // —— Drawing ——

  resize(): void {
    let changed = false;
    for (const pane of this.#panes) changed = pane.measure() || changed;
    if (!changed) return;
    // A fit that the user has not touched is made anew; a chosen view keeps its magnification.
    if (!this.#touched) {
      this.#cameras.clear();
      this.#orbit = undefined;
    }
    this.invalidate();
  }
  #touched = false;
  touch(): void {
    this.#touched = true;
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

  /** Resolves when no visible pane is stale. */
  async drawn(): Promise<void> {
    if (!this.#anythingToDraw || !this.#connection) return;
    this.#request();
    await new Promise<void>((resolve) => this.#drawnWaiters.push(resolve));
  }

  get #anythingToDraw(): boolean {
    return this.#panes.some((pane) => pane.visible !== false && pane.stale);
  }

  #layersChanged(): void {
    const present = new Set(this.model.labels.map((layer) => layer.labels));
    for (const [labels, stop] of this.#labelWatches) {
      if (present.has(labels)) continue;
      stop();
      this.#labelWatches.delete(labels);
    }
    for (const labels of present) {
      if (this.#labelWatches.has(labels)) continue;
      const listener = () => this.invalidate();
      labels.addEventListener('change', listener);
      this.#labelWatches.set(labels, () => labels.removeEventListener('change', listener));
    }
    this.invalidate();
  }

  /** Marks panes as older than the scene and has those on screen drawn with the next frame. */
  invalidate(which: (pane: Pane) => boolean = () => true): void {
    for (const pane of this.#panes) if (which(pane)) pane.stale = true;
    this.#request();
  }

  #request(): void {
    if (this.#frame !== undefined || !this.#connection) return;
    if (!this.#anythingToDraw) {
      for (const resolve of this.#drawnWaiters.splice(0)) resolve();
      return;
    }
    this.#frame = requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#draw();
    });
  }

  #draw(): void {
    const needsPainter = this.model.layers.length > 0;
    if (needsPainter && !this.#readyPainter) {
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
    if (this.#panes.some((pane) => pane.visible === undefined)) return;
    for (const resolve of this.#drawnWaiters.splice(0)) resolve();
  }

  #paint(pane: Pane): void {
    const { context, canvas, kind, pixelRatio, size } = pane;
    const scene = { dims: this.model.dims, cursor: this.model.cursor, size, named: this.#panes.length > 1 };
    if (!this.#readyPainter || this.model.layers.length === 0) {
      context.clearRect(0, 0, canvas.width, canvas.height);
      pane.overlay.innerHTML = '';
      return;
    }
    if (kind === '3d') {
      const orbit = this.orbit(pane);
      const finer = this.#readyPainter.paintVolume(context, {
        width: canvas.width,
        height: canvas.height,
        pixelRatio,
        orbit,
        moving: this.#orbiting,
      });
      pane.overlay.innerHTML = orbitOverlay(scene, orbit);
      if (finer) this.#refineLater(pane);
    } else {
      const camera = this.camera(kind);
      this.#readyPainter.paintPlane(context, {
        plane: kind,
        width: canvas.width,
        height: canvas.height,
        pixelRatio,
        camera,
      });
      pane.overlay.innerHTML = planeOverlay(scene, kind, camera, this.#panes.length > 1);
    }
  }

  #refineTimer: ReturnType<typeof setTimeout> | undefined;
  #refineLater(pane: Pane): void {
    clearTimeout(this.#refineTimer);
    this.#refineTimer = setTimeout(() => {
      this.#orbiting = false;
      pane.stale = true;
      this.#request();
    }, 180);
  }

  #loadPainter(): void {
    if (this.#painter) return;
    const connection = this.#connection;
    const loading = import('./rendering/painter.ts').then(({ createPainter }) =>
      createPainter(this.model, () => this.invalidate()),
    );
    this.#painter = loading;
    loading.then(
      (painter) => {
        if (connection !== this.#connection || loading !== this.#painter) return;
        this.#readyPainter = painter;
        this.#request();
      },
      (cause: unknown) => {
        this.#painter = undefined;
        const message = cause instanceof Error ? cause.message : String(cause);
        for (const resolve of this.#drawnWaiters.splice(0)) resolve();
        emit(this.#owner, 'error', { kind: 'unsupported', message });
      },
    );
  }

  // —— Pictures ——

  async toBlob({ scale = 1, overlays = true }: { scale?: number; overlays?: boolean }): Promise<Blob> {
    const box = this.element.getBoundingClientRect();
    const ratio = (this.#panes.at(0)?.pixelRatio ?? 1) * scale;
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(box.width * ratio));
    canvas.height = Math.max(1, Math.round(box.height * ratio));
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    const { drawPicture } = await import('./picture.ts');
    await drawPicture(context, this.#panes, {
      ratio,
      overlays,
      styles: getComputedStyle(this.element),
      paint: async (pane, target) => {
        const painter = this.#readyPainter ?? (await this.#painter);
        if (!painter) return;
        const frame = { width: target.canvas.width, height: target.canvas.height, pixelRatio: ratio };
        if (pane.kind === '3d')
          painter.paintVolume(target, { ...frame, orbit: this.orbit(pane), moving: false });
        else painter.paintPlane(target, { ...frame, plane: pane.kind, camera: this.camera(pane.kind) });
      },
    });
    return new Promise((resolve, reject) => {
      canvas.toBlob((blob) => {
        if (blob) resolve(blob);
        else
          reject(
            new CytoError('too-large', `A picture of ${canvas.width}×${canvas.height} pixels is too large.`),
          );
      }, 'image/png');
    });
  }
}

function reportLater(error: unknown): void {
  console.warn('cytopane: the renderer could not be loaded.', error);
}
