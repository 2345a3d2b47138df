import { asCytoError } from '../../core/errors.ts';
import type { Box, LabelVolume } from '../../core/label-volume.ts';
import type { Cursor, ViewerModel } from '../../core/viewer-model.ts';
import { textsFor } from '../localization/texts.ts';
import { emit } from './events.ts';
import type { OrbitCamera } from './orbit-camera.ts';
import type { Pane } from './pane.ts';
import { orbitOverlay, planeOverlay } from './pane-overlay.ts';
import { PLANE_AXES, type Plane, planeIndex } from './plane.ts';
import type { PlaneCamera } from './plane-camera.ts';
import { reducedIn3D } from './reduced-3d.ts';
import type { Painter } from './rendering/painter.ts';

/** Milliseconds of rest after which the 3D picture is drawn in full. */
const REFINE_DELAY = 180;
/** Milliseconds after an edit, or a move of the pointer, until the 3D picture follows: planes come first. */
const EDIT_DELAY = 30;
const HOVER_DELAY = 80;

/** The panes to be drawn and where they look. */
export interface DrawnPanes {
  readonly element: HTMLElement;
  readonly panes: readonly Pane[];
  camera(kind: Plane): PlaneCamera;
  orbit(pane: Pane): OrbitCamera;
}

/** Draws panes that are stale and on screen, once per frame of the screen at most. */
export class PaneDrawing {
  readonly #owner: EventTarget & { readonly model: ViewerModel };
  readonly #grid: DrawnPanes;
  #going = false;
  #painterLoading: Promise<Painter> | undefined;
  #painter: Painter | undefined;
  #orbiting = false;
  #cursor: Readonly<Cursor>;
  #frame: number | undefined;
  #refineTimer: ReturnType<typeof setTimeout> | undefined;
  #editTimer: ReturnType<typeof setTimeout> | undefined;
  #drawnWaiters: Array<() => void> = [];

  constructor(owner: EventTarget & { readonly model: ViewerModel }, grid: DrawnPanes) {
    this.#owner = owner;
    this.#grid = grid;
    this.#cursor = owner.model.cursor;
  }

  get #model(): ViewerModel {
    return this.#owner.model;
  }
  get #panes(): readonly Pane[] {
    return this.#grid.panes;
  }

  start(): void {
    this.#going = true;
    this.#cursor = this.#model.cursor;
  }

  /** Draws no longer and lets GPU memory go. */
  stop(): void {
    this.#going = false;
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    clearTimeout(this.#refineTimer);
    clearTimeout(this.#editTimer);
    this.#editTimer = undefined;
    this.#painter?.dispose();
    this.#painter = undefined;
    // One that is still loading disposes of itself when it sees that it is no longer wanted.
    this.#painterLoading = undefined;
    this.#settle();
  }

  /** Resolves when no pane on screen is stale. */
  async drawn(): Promise<void> {
    if (this.#editTimer !== undefined) this.#drawEditsIn3D();
    if (!this.#anythingToDraw || !this.#going) return;
    this.request();
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
    for (const pane of this.#panes) if (which(pane)) pane.stale = 'picture';
    this.request();
  }

  /** Only panes across whose plane the cursor has moved show another picture; others have their crosshair moved. */
  cursorMoved(cursor: Readonly<Cursor>): void {
    const old = this.#cursor;
    this.#cursor = cursor;
    const moved = [cursor.z !== old.z, cursor.y !== old.y, cursor.x !== old.x];
    const otherTime = cursor.t !== old.t;
    for (const pane of this.#panes) {
      if (otherTime || (pane.kind !== '3d' && moved[PLANE_AXES[pane.kind].across])) pane.stale = 'picture';
      else if (pane.kind !== '3d') pane.stale ??= 'overlay';
    }
    this.request();
  }

  /** The 3D picture is turned: it is drawn coarsely until it rests. */
  turning(): void {
    this.#orbiting = true;
    this.invalidate((pane) => pane.kind === '3d');
  }

  /** Planes show the label under the pointer at once; the 3D picture, which costs more, when the pointer rests. */
  hovered(): void {
    this.invalidate((pane) => pane.kind !== '3d');
    this.#follow3D(HOVER_DELAY);
  }

  /** Planes that show the edited box are drawn with the next frame, the 3D picture a little later. */
  edited(labels: LabelVolume, box: Box): void {
    const layer = this.#model.labels.find((candidate) => candidate.labels === labels);
    if (!layer) return;
    this.invalidate((pane) => {
      if (pane.kind === '3d') return false;
      const index = planeIndex(this.#model, layer, pane.kind);
      const { across } = PLANE_AXES[pane.kind];
      if (index === undefined) return false;
      const reach = this.#model.view.slab > 1 ? this.#model.view.slab : 0;
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

  /** Has what is stale and on screen drawn with the next frame. */
  request(): void {
    if (this.#frame !== undefined || !this.#going) return;
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
    if (this.#model.layers.length > 0 && !this.#painter) {
      this.#loadPainter();
      return;
    }
    for (const pane of this.#panes) {
      if (!pane.visible || !pane.stale || pane.size.width === 0 || pane.size.height === 0) continue;
      const what = pane.stale;
      pane.stale = undefined;
      if (what === 'picture') {
        pane.fitCanvas();
        this.#paint(pane);
      }
      this.#overlay(pane);
    }
    // Panes that nothing is known of yet are drawn when the browser has said whether they are seen.
    if (this.#panes.every((pane) => pane.visible !== undefined)) this.#settle();
  }

  #paint(pane: Pane): void {
    const { context, canvas, kind, pixelRatio } = pane;
    if (!this.#painter || this.#model.layers.length === 0) {
      context.clearRect(0, 0, canvas.width, canvas.height);
      return;
    }
    const frame = { width: canvas.width, height: canvas.height, pixelRatio };
    if (kind === '3d') {
      const quality = this.#orbiting ? 'moving' : 'still';
      const finer = this.#painter.paintVolume(context, { ...frame, orbit: this.#grid.orbit(pane), quality });
      if (finer) this.#refineLater(pane);
    } else {
      this.#painter.paintPlane(context, { ...frame, plane: kind, camera: this.#grid.camera(kind) });
      this.#owner.dispatchEvent(new Event('cyto-view'));
    }
  }

  #overlay(pane: Pane): void {
    const { dims, cursor, layers } = this.#model;
    const { kind, size } = pane;
    if (!this.#painter || layers.length === 0) {
      pane.setOverlay('');
      return;
    }
    const several = this.#panes.length > 1;
    const scene = { dims, cursor, size, named: several };
    if (kind === '3d') {
      const reduced = reducedIn3D(this.#model);
      const note = reduced && textsFor(this.#grid.element).reduced3D(reduced.join(' × '));
      pane.setOverlay(orbitOverlay(scene, this.#grid.orbit(pane), note));
    } else {
      pane.setOverlay(planeOverlay(scene, kind, this.#grid.camera(kind), several));
    }
  }

  #refineLater(pane: Pane): void {
    clearTimeout(this.#refineTimer);
    this.#refineTimer = setTimeout(() => {
      this.#orbiting = false;
      pane.stale = 'picture';
      this.request();
    }, REFINE_DELAY);
  }

  #loadPainter(): void {
    if (this.#painterLoading) return;
    const loading = import('./rendering/painter.ts').then(({ createPainter }) =>
      createPainter(this.#model, (what) =>
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
        this.request();
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
    const box = this.#grid.element.getBoundingClientRect();
    const ratio = (this.#panes.at(0)?.pixelRatio ?? 1) * scale;
    const { pictureBlob } = await import('./picture.ts');
    return pictureBlob(box, this.#panes, {
      ratio,
      overlays,
      styles: getComputedStyle(this.#grid.element),
      paint: (pane, target) => {
        const frame = { width: target.canvas.width, height: target.canvas.height, pixelRatio: ratio };
        if (pane.kind === '3d')
          this.#painter?.paintVolume(target, { ...frame, orbit: this.#grid.orbit(pane), quality: 'picture' });
        else
          this.#painter?.paintPlane(target, {
            ...frame,
            plane: pane.kind,
            camera: this.#grid.camera(pane.kind),
          });
      },
    });
  }
}
