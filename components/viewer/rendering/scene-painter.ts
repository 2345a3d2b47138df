import type { ViewerModel } from '../../../core/viewer-model.ts';
import type { Plane } from '../plane.ts';
import type { Painter, PlaneFrame, Stale, VolumeFrame } from './painter.ts';
import { PlanePainter } from './plane-painter.ts';
import { RenderHub } from './render-hub.ts';
import { VolumePainter } from './volume-painter.ts';

/** Milliseconds that a picture may take. */
const BUDGET = { moving: 60, still: 600, picture: 10_000 } as const;
/** Reduction of both sides of a 3D picture while nothing is known of the device's speed, and at most. */
const FIRST_REDUCTION = 3;
const MOST_REDUCTION = 5;

/** Draws a viewer's layers through the page's shared context. */
export class ScenePainter implements Painter {
  readonly #model: ViewerModel;
  readonly #changed: (what: Stale) => void;
  readonly #hub = RenderHub.lease();
  readonly #planes = new Map<Plane, PlanePainter>();
  readonly #stopRepairs: () => void;
  #volume: { painter: VolumePainter; leave: () => void } | undefined;
  /** Measured cost of the volume picture in milliseconds per device pixel. */
  #pixelCost = 0;
  #disposed = false;

  constructor(model: ViewerModel, changed: (what: Stale) => void) {
    this.#model = model;
    this.#changed = changed;
    this.#stopRepairs = this.#hub.whenRepaired(() => changed('everything'));
  }

  paintPlane(target: CanvasRenderingContext2D, frame: PlaneFrame): void {
    let painter = this.#planes.get(frame.plane);
    if (!painter) {
      painter = new PlanePainter(this.#model, () => this.#changed('planes'));
      this.#planes.set(frame.plane, painter);
    }
    const its = painter;
    this.#hub.paintDirectly(target, frame.width, frame.height, (gl) => its.draw(gl, frame));
  }

  paintVolume(target: CanvasRenderingContext2D, frame: VolumeFrame): boolean {
    if (!this.#volume) {
      const painter = new VolumePainter(this.#model, () => this.#changed('everything'));
      this.#volume = { painter, leave: this.#hub.add(painter.renderer) };
    }
    // Where drawing is slow (software GL) fewer pixels are drawn and enlarged.
    const pixels = frame.width * frame.height;
    const known = this.#pixelCost > 0;
    const wanted = known ? Math.sqrt((pixels * this.#pixelCost) / BUDGET[frame.quality]) : FIRST_REDUCTION;
    const reduction = Math.min(MOST_REDUCTION, Math.max(1, wanted));
    const width = Math.max(1, Math.round(frame.width / reduction));
    const height = Math.max(1, Math.round(frame.height / reduction));
    const prepared = this.#volume.painter.prepare(frame, width, height, reduction > 1.5);
    const started = performance.now();
    this.#hub.paint(this.#volume.painter.renderer, target, width, height);
    this.#hub.finish();
    // The first picture pays for uploads and shaders and says nothing of the next.
    if (!prepared) this.#pixelCost = (performance.now() - started) / (width * height);
    return (frame.quality === 'moving' || !known) && reduction > 1;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#stopRepairs();
    for (const painter of this.#planes.values()) painter.dispose();
    this.#planes.clear();
    this.#volume?.leave();
    this.#volume?.painter.dispose();
    this.#volume = undefined;
    RenderHub.giveBack();
  }
}
