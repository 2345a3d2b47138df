import type { ViewerModel } from '../../core/viewer-model.ts';
import { fittedOrbit, type OrbitCamera } from './orbit-camera.ts';
import type { Pane } from './pane.ts';
import { PLANE_AXES, type Plane, sceneExtent, type Vec3, voxelMiddle } from './plane.ts';
import { fitted, type PlaneCamera, screenToWorld, worldToScreen } from './plane-camera.ts';
import { surfaceUnder } from './surface-under.ts';

/** The scene is never smaller than so many CSS pixels, a voxel never larger. */
const SMALLEST_SCENE = 20;
const LARGEST_VOXEL = 400;

/** Where the panes of a viewer look. Cameras are made when asked for, as a fit of the whole scene. */
export class PaneCameras {
  readonly #model: ViewerModel;
  readonly #planes = new Map<Plane, PlaneCamera>();
  #orbit: OrbitCamera | undefined;
  /** Whether the user has chosen a view, which resizing must not undo. */
  chosen = false;

  constructor(model: ViewerModel) {
    this.#model = model;
  }

  /** Forgets all cameras, so that they fit the scene anew. */
  reset(): void {
    this.#planes.clear();
    this.#orbit = undefined;
    this.chosen = false;
  }

  /** Whether the planes move and zoom together. */
  get #linked(): boolean {
    return this.#model.layout === 'ortho';
  }

  #key(kind: Plane): Plane {
    return this.#linked ? 'xy' : kind;
  }

  /** @param panes all panes: linked ones are fitted together */
  plane(kind: Plane, panes: readonly Pane[]): PlaneCamera {
    const known = this.#planes.get(this.#key(kind));
    if (known) return known;
    const planes = panes.flatMap((pane) =>
      pane.kind !== '3d' && (this.#linked || pane.kind === kind)
        ? [{ plane: pane.kind, size: pane.size }]
        : [],
    );
    const camera = fitted(sceneExtent(this.#model.dims), planes);
    this.#planes.set(this.#key(kind), camera);
    return camera;
  }

  /** Sets a camera within the limits of magnification, its middle within the scene. */
  setPlane(kind: Plane, camera: PlaneCamera): void {
    const extent = sceneExtent(this.#model.dims);
    const least = SMALLEST_SCENE / Math.max(...extent);
    const most = LARGEST_VOXEL / Math.min(...this.#model.dims.spacing);
    // Beyond the limit a zoom at the pointer would become a shift.
    if (camera.scale < least || camera.scale > most) return;
    const clip = (axis: 0 | 1 | 2) => Math.min(Math.max(camera.center[axis], 0), extent[axis]);
    this.#planes.set(this.#key(kind), { center: [clip(0), clip(1), clip(2)], scale: camera.scale });
  }

  /** Shows a physical box in a pane of a plane. @returns whether the camera has changed */
  reveal(
    pane: Pane,
    panes: readonly Pane[],
    [from, to]: readonly [from: Vec3, to: Vec3],
    zoom: boolean,
  ): boolean {
    if (pane.kind === '3d') return false;
    const camera = this.plane(pane.kind, panes);
    const [left, top] = worldToScreen(camera, pane.kind, pane.size, from);
    const [end, bottom] = worldToScreen(camera, pane.kind, pane.size, to);
    const seen = left >= 0 && top >= 0 && end <= pane.size.width && bottom <= pane.size.height;
    if (seen && !zoom) return false;
    const middle = from.map((value, axis) => (value + to[axis]) / 2) as unknown as Vec3;
    const extent = from.map((value, axis) => to[axis] - value) as unknown as Vec3;
    const together = panes.flatMap(({ kind, size }) =>
      kind !== '3d' && (this.#linked || kind === pane.kind) ? [{ plane: kind, size }] : [],
    );
    const most = LARGEST_VOXEL / 8 / Math.min(...this.#model.dims.spacing);
    // An object fills a quarter of the pane, so that its surroundings are seen.
    const scale = zoom ? Math.min(fitted(extent, together, 3 / 4).scale, most) : camera.scale;
    this.setPlane(pane.kind, { center: middle, scale });
    return true;
  }

  orbit(pane: Pane): OrbitCamera {
    const [z, y, x] = sceneExtent(this.#model.dims);
    this.#orbit ??= fittedOrbit([x, y, z], pane.size.width, pane.size.height);
    return this.#orbit;
  }

  setOrbit(camera: OrbitCamera): void {
    this.#orbit = camera;
  }

  /** Physical position under a CSS pixel of a pane: in the cursor's plane, or in 3D on the label seen there, if any. */
  worldIn(pane: Pane, panes: readonly Pane[], x: number, y: number): Vec3 | undefined {
    if (pane.kind === '3d') return surfaceUnder(this.#model, this.orbit(pane), pane.size, [x, y]);
    const { cursor, dims } = this.#model;
    const middle = voxelMiddle([cursor.z, cursor.y, cursor.x], dims.spacing);
    const depth = middle[PLANE_AXES[pane.kind].across];
    return screenToWorld(this.plane(pane.kind, panes), pane.kind, pane.size, [x, y], depth);
  }
}
