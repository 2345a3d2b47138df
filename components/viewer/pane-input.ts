import type { ViewerModel } from '../../core/viewer-model.ts';
import type { Pick } from './events.ts';
import { type OrbitCamera, orbited } from './orbit-camera.ts';
import type { Pane } from './pane.ts';
import { AXIS_NAMES, PLANE_AXES, type Plane } from './plane.ts';
import { type PlaneCamera, panned, zoomedAt } from './plane-camera.ts';
import { type ActionId, actionOf, type Shortcuts } from './shortcuts.ts';

/** What has the pointer and keys of a pane before the camera has them. */
export interface PaneTool {
  /** Takes the pointer, if the tool acts in this pane, until it is lifted. */
  press(pane: Pane, event: PointerEvent): boolean;
  /** @param events places passed since the last call, oldest first */
  drag(pane: Pane, events: readonly PointerEvent[]): void;
  release(pane: Pane): void;
  /** A second finger, or the system, has taken the pointer away: as if nothing had been done. */
  cancel(pane: Pane): void;
  hover(pane: Pane, event: PointerEvent | undefined): void;
  /** True if the wheel was meant for the tool. */
  wheel(pane: Pane, event: WheelEvent): boolean;
  /** True if the action is one of the tool's. */
  perform(action: ActionId, pane: Pane): boolean;
  /** Whether a click or double click belongs to the tool. */
  readonly active: boolean;
}

/** What input on a pane acts upon. */
export interface PaneHost {
  readonly model: ViewerModel;
  readonly tool: PaneTool | undefined;
  readonly shortcuts: Shortcuts;
  camera(kind: Plane): PlaneCamera;
  setCamera(kind: Plane, camera: PlaneCamera): void;
  orbit(pane: Pane): OrbitCamera;
  setOrbit(camera: OrbitCamera): void;
  fit(): void;
  /** Lists the keys. */
  help(): void;
  /** The user has chosen a view; resizing must not undo it. */
  touch(): void;
  pick(pane: Pane, x: number, y: number): Pick | undefined;
  hover(pick: Pick | undefined): void;
}

const ZOOM_STEP = 1.25;
const PAN_STEP = 40;
/** Pixels that a finger or mouse may tremble within a click. */
const CLICK_SLOP = 4;
/** Wheel distance of one plane; a notch of a mouse wheel is 100 to 120, trackpads send small parts. */
const WHEEL_NOTCH = 60;

/** Turns pointer, wheel and key events of a pane into changes of cameras, cursor and selection. */
export function listenToPane(host: PaneHost, pane: Pane): void {
  const { element } = pane;
  const pointers = new Map<number, { x: number; y: number }>();
  let travelled = 0;
  let wheelRest = 0;
  let hovering = false;
  /** The pointer that the tool has. */
  let tooling: { id: number; type: string } | undefined;
  /** While the space bar is held the picture is moved, whatever the tool. */
  let moving = false;

  const local = (event: MouseEvent): [number, number] => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  element.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'mouse' && event.button > 1) return;
    // The hand that rests on the screen beside a pen.
    if (tooling?.type === 'pen' && event.pointerType === 'touch') return;
    element.focus({ preventScroll: true });
    element.setPointerCapture(event.pointerId);
    const [x, y] = local(event);
    if (pointers.size === 0) travelled = 0;
    pointers.set(event.pointerId, { x, y });
    if (tooling) {
      // Two fingers zoom and move.
      host.tool?.cancel(pane);
      tooling = undefined;
    } else if (pointers.size === 1 && !moving && event.button !== 1 && host.tool?.press(pane, event)) {
      tooling = { id: event.pointerId, type: event.pointerType };
      host.touch();
    }
  });

  element.addEventListener('pointermove', (event) => {
    const [x, y] = local(event);
    const before = pointers.get(event.pointerId);
    if (tooling?.id === event.pointerId) {
      const passed = event.getCoalescedEvents?.() ?? [];
      host.tool?.drag(pane, passed.length > 0 ? passed : [event]);
      return;
    }
    if (!before) {
      hovering = true;
      host.hover(host.pick(pane, x, y));
      host.tool?.hover(pane, event);
      return;
    }
    const dx = x - before.x;
    const dy = y - before.y;
    travelled += Math.hypot(dx, dy);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, { x, y });
    if (travelled < CLICK_SLOP) return;
    element.dataset.dragging = '';
    host.touch();
    if (other) pinch(host, pane, before, { x, y }, other);
    else drag(host, pane, dx, dy, event.shiftKey || event.buttons === 4);
  });

  const end = (event: PointerEvent) => {
    if (!pointers.delete(event.pointerId)) return;
    if (tooling?.id === event.pointerId) {
      tooling = undefined;
      if (event.type === 'pointerup') host.tool?.release(pane);
      else host.tool?.cancel(pane);
      travelled = CLICK_SLOP;
    }
    if (pointers.size > 0) return;
    delete element.dataset.dragging;
    if (event.type === 'pointerup' && travelled < CLICK_SLOP && event.button === 0) {
      const [x, y] = local(event);
      click(host, pane, x, y);
    }
  };
  element.addEventListener('pointerup', end);
  element.addEventListener('pointercancel', end);
  element.addEventListener('pointerleave', () => {
    if (hovering) host.hover(undefined);
    host.tool?.hover(pane, undefined);
    hovering = false;
  });
  element.addEventListener('dblclick', () => {
    if (!host.tool?.active || moving) host.fit();
  });

  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      if (host.tool?.wheel(pane, event)) return;
      const pixels = event.deltaY * (event.deltaMode === 1 ? 20 : event.deltaMode === 2 ? 300 : 1);
      const zooms = event.ctrlKey || event.metaKey || pane.kind === '3d' || planes(host, pane.kind) < 2;
      if (zooms) {
        host.touch();
        // A pinch on a trackpad arrives as a wheel with ctrl and small steps.
        const factor = Math.exp(-pixels * (event.ctrlKey && Math.abs(pixels) < 20 ? 0.01 : 0.0022));
        zoom(host, pane, local(event), factor);
        return;
      }
      wheelRest += pixels;
      const steps = Math.trunc(wheelRest / WHEEL_NOTCH);
      wheelRest -= steps * WHEEL_NOTCH;
      if (steps !== 0) step(host, pane, Math.sign(steps));
    },
    { passive: false },
  );

  element.addEventListener('keydown', (event) => {
    if (event.defaultPrevented) return;
    if (event.key === ' ') {
      event.preventDefault();
      moving = true;
      element.dataset.moving = '';
      return;
    }
    const action = actionOf(event, host.shortcuts);
    if (!action) return;
    const view = (ACTIONS as Partial<Record<ActionId, Action>>)[action];
    if (!host.tool?.perform(action, pane)) {
      if (!view) return;
      view(host, pane);
    }
    event.preventDefault();
  });
  const still = () => {
    moving = false;
    delete element.dataset.moving;
  };
  element.addEventListener('keyup', (event) => {
    if (event.key === ' ') still();
  });
  element.addEventListener('blur', still);
}

type Action = (host: PaneHost, pane: Pane) => void;

/** What the viewer itself does for an action. */
const ACTIONS = {
  'view.pan-left': (host, pane) => nudge(host, pane, PAN_STEP, 0),
  'view.pan-right': (host, pane) => nudge(host, pane, -PAN_STEP, 0),
  'view.pan-up': (host, pane) => nudge(host, pane, 0, PAN_STEP),
  'view.pan-down': (host, pane) => nudge(host, pane, 0, -PAN_STEP),
  'view.zoom-in': (host, pane) => zoomMiddle(host, pane, ZOOM_STEP),
  'view.zoom-out': (host, pane) => zoomMiddle(host, pane, 1 / ZOOM_STEP),
  'view.previous-plane': (host, pane) => step(host, pane, -1),
  'view.next-plane': (host, pane) => step(host, pane, 1),
  'view.planes-back': (host, pane) => step(host, pane, -10),
  'view.planes-on': (host, pane) => step(host, pane, 10),
  'view.previous-time': ({ model }) => model.setCursor({ t: model.cursor.t - 1 }, 'user'),
  'view.next-time': ({ model }) => model.setCursor({ t: model.cursor.t + 1 }, 'user'),
  'view.fit': (host) => host.fit(),
  'view.help': (host) => host.help(),
  'cursor.left': (host, pane) => moveCursor(host, pane, -1, 0),
  'cursor.right': (host, pane) => moveCursor(host, pane, 1, 0),
  'cursor.up': (host, pane) => moveCursor(host, pane, 0, -1),
  'cursor.down': (host, pane) => moveCursor(host, pane, 0, 1),
  'labels.outlines': ({ model }) => {
    const outlined = model.labels.some((layer) => layer.contour > 0);
    for (const { id } of model.labels) model.update(id, { contour: outlined ? 0 : 2 }, 'user');
  },
  'labels.only-selected': ({ model }) => {
    const only = model.labels.some((layer) => layer.onlySelected);
    for (const { id } of model.labels) model.update(id, { onlySelected: !only }, 'user');
  },
  'labels.hide': ({ model }) => {
    const shown = model.labels.some((layer) => layer.visible);
    for (const { id } of model.labels) model.update(id, { visible: !shown }, 'user');
  },
} satisfies Partial<Record<ActionId, Action>>;

/** Moves the shared cursor within the plane of a pane. */
function moveCursor({ model }: PaneHost, pane: Pane, right: number, down: number): void {
  if (pane.kind === '3d') return;
  const axes = PLANE_AXES[pane.kind];
  const [u, v] = [AXIS_NAMES[axes.right], AXIS_NAMES[axes.down]];
  model.setCursor({ [u]: model.cursor[u] + right, [v]: model.cursor[v] + down }, 'user');
}

function planes(host: PaneHost, plane: Plane): number {
  return host.model.dims.shape[PLANE_AXES[plane].across];
}

function step(host: PaneHost, pane: Pane, by: number): void {
  const axis = AXIS_NAMES[pane.kind === '3d' ? 0 : PLANE_AXES[pane.kind].across];
  host.model.setCursor({ [axis]: host.model.cursor[axis] + by }, 'user');
}

function drag(host: PaneHost, pane: Pane, dx: number, dy: number, shift: boolean): void {
  if (pane.kind !== '3d') {
    host.setCamera(pane.kind, panned(host.camera(pane.kind), pane.kind, dx, dy));
    return;
  }
  const orbit = host.orbit(pane);
  if (shift) host.setOrbit({ ...orbit, offset: [orbit.offset[0] + dx, orbit.offset[1] + dy] });
  else host.setOrbit(orbited(orbit, dx, dy, Math.min(pane.size.width, pane.size.height) / 2));
}

function nudge(host: PaneHost, pane: Pane, dx: number, dy: number): void {
  host.touch();
  drag(host, pane, pane.kind === '3d' ? -dx : dx, pane.kind === '3d' ? -dy : dy, false);
}

function zoom(host: PaneHost, pane: Pane, [x, y]: readonly [number, number], factor: number): void {
  if (pane.kind !== '3d') {
    host.setCamera(pane.kind, zoomedAt(host.camera(pane.kind), pane.kind, pane.size, [x, y], factor));
    return;
  }
  const orbit = host.orbit(pane);
  const px = x - pane.size.width / 2;
  const py = y - pane.size.height / 2;
  const offset = [px - (px - orbit.offset[0]) * factor, py - (py - orbit.offset[1]) * factor] as const;
  host.setOrbit({ ...orbit, scale: orbit.scale * factor, offset });
}

function zoomMiddle(host: PaneHost, pane: Pane, factor: number): void {
  host.touch();
  zoom(host, pane, [pane.size.width / 2, pane.size.height / 2], factor);
}

interface Point {
  x: number;
  y: number;
}

/** One of two fingers has moved: the picture follows both. */
function pinch(host: PaneHost, pane: Pane, from: Point, to: Point, other: Point): void {
  const before = Math.hypot(from.x - other.x, from.y - other.y);
  const after = Math.hypot(to.x - other.x, to.y - other.y);
  if (before > 0 && after > 0) {
    zoom(host, pane, [(to.x + other.x) / 2, (to.y + other.y) / 2], after / before);
  }
  drag(host, pane, (to.x - from.x) / 2, (to.y - from.y) / 2, true);
}

/** A click moves the cursor there and selects the label under it, or nothing. */
function click(host: PaneHost, pane: Pane, x: number, y: number): void {
  const pick = host.pick(pane, x, y);
  if (!pick) return;
  const { model } = host;
  const [z, row, column] = pick.voxel;
  model.setCursor({ z, y: row, x: column }, 'user');
  for (const layer of model.labels) {
    const selected = layer.id === pick.label?.layerId ? pick.label.id : 0;
    model.update(layer.id, { selected }, 'user');
  }
}
