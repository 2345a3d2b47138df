import { brushRadii, brushRows } from '../../../core/edit/brush.ts';
import { changeLabel, deleteLabels, labelsInBox, mergeLabels } from '../../../core/edit/cells.ts';
import { floodFill } from '../../../core/edit/flood.ts';
import type { LabelEdit, Overwrite } from '../../../core/edit/label-edit.ts';
import { type HistoryEvent, LabelHistory } from '../../../core/edit/label-history.ts';
import { type PlanePoint, polygonRows } from '../../../core/edit/polygon.ts';
import { splitLabel } from '../../../core/edit/split.ts';
import { asCytoError } from '../../../core/errors.ts';
import { labelCssColor } from '../../../core/label-colors.ts';
import { type Box, LabelVolume, MANUAL } from '../../../core/label-volume.ts';
import { type LabelsLayer, labelsLayer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import { textsFor } from '../../localization/texts.ts';
import { emit } from '../events.ts';
import type { Pane } from '../pane.ts';
import type { PaneTool } from '../pane-input.ts';
import { type Axis, layerSpacing, PLANE_AXES, type Plane, type Vec3, voxelMiddle } from '../plane.ts';
import type { PlaneCamera } from '../plane-camera.ts';
import type { ActionId } from '../shortcuts.ts';
import { Autosave, type RestoreOffer } from './autosave.ts';
import { operate } from './operations.ts';
import { type Place, placeOf } from './place.ts';
import { brushOutline, dragBox, drawnLine } from './tool-overlay.ts';
import {
  CELL_OPERATIONS,
  type Operation,
  OVERWRITES,
  type OverwritePolicy,
  TOOLS,
  type Tool,
} from './tools.ts';

/** The viewer whose labels are edited. */
export interface EditorHost extends Element {
  readonly autosave: 'on' | 'off';
  readonly model: ViewerModel;
  readonly readonly: boolean;
  tool: string;
}

/** Its panes. */
export interface EditorPanes {
  readonly panes: readonly Pane[];
  worldIn(pane: Pane, x: number, y: number): Vec3 | undefined;
  camera(kind: Plane): PlaneCamera;
}

type Point = readonly [x: number, y: number];

/** A pointer that is down. */
interface Gesture {
  pane: Pane;
  tool: Tool;
  layer: LabelsLayer;
  start: Place;
  last: Place;
  points: PlanePoint[];
  screen: Point[];
  edit?: LabelEdit;
  label: number;
  overwrite: Overwrite;
}

/** An operation that is shown and not yet accepted. */
export interface Preview {
  operation: Operation;
  amount: number;
}

const LARGEST_BRUSH = 400;
/** CSS pixels below which a drag is a click. */
const CLICK = 4;

/**
 * Edits the labels of a viewer by pointer, pen, touch and keys: what the tools do, with every stroke and operation one
 * step of the layer's {@link LabelHistory}. Event `change`: something that a panel of tools shows is different.
 */
export class LabelEditor extends EventTarget implements PaneTool {
  readonly #host: EditorHost;
  readonly #panes: EditorPanes;
  readonly #stop = new AbortController();
  readonly #followed = new Map<string, AbortController>();
  /** Diameter of the brush in voxels of the finest axis, 1 to 400. */
  #brush = 12;
  #overwrite: OverwritePolicy = 'all';
  #volume = false;
  #message = '';
  #gesture: Gesture | undefined;
  #keyPoints: PlanePoint[] = [];
  #preview: (Preview & { edit: LabelEdit; layer: LabelsLayer }) | undefined;
  #lastPane: Pane | undefined;
  readonly #autosave: Autosave;

  constructor(host: EditorHost, panes: EditorPanes) {
    super();
    this.#host = host;
    this.#panes = panes;
    const { model } = host;
    this.#autosave = new Autosave(
      model,
      () => this.#changed(),
      (message) => emit(host, 'cyto-note', { message: this.#texts.notSaved(message) }),
    );
    const { signal } = this.#stop;
    const follow = () => {
      this.#follow();
      this.#lookForEdits();
    };
    model.on('layer-add', follow, { signal });
    model.on('layer-remove', follow, { signal });
    model.on('layer-change', () => this.#changed(), { signal });
    follow();
  }

  /** Lets go of what a viewer that has left the page does not need. */
  rest(): void {
    this.#autosave.rest().catch((error: unknown) => console.debug('cytopane:', error));
  }

  // —— Edits that an earlier page has left ——

  /** What can be restored, if anything. */
  get offer(): RestoreOffer | undefined {
    return this.#autosave.offer;
  }

  /** Does the edits that are offered again; they can then be undone. */
  restore(): void {
    if (this.#preview) this.cancelPreview();
    try {
      this.#autosave.restore();
    } catch (error) {
      this.#say(asCytoError(error).message);
    }
  }

  /** Deletes the edits that are offered. */
  discardOffer(): void {
    this.#autosave.discard();
  }

  #lookForEdits(): void {
    if (this.#host.autosave === 'off' || this.#host.readonly) return;
    // Shows and reports by itself.
    void this.#autosave.look().then(() => {
      const { offer } = this;
      if (offer) emit(this.#host, 'cyto-restore', offer);
    });
  }

  // —— What panels show and set ——

  get tool(): Tool {
    return TOOLS.find((tool) => tool === this.#host.tool) ?? 'pan';
  }
  set tool(tool: Tool) {
    this.#keyPoints = [];
    this.#host.tool = tool;
    this.#message = '';
    for (const pane of this.#panes.panes) pane.toolOverlay.innerHTML = '';
    this.#changed();
  }
  get brush(): number {
    return this.#brush;
  }
  set brush(diameter: number) {
    this.#brush = Math.min(Math.max(1, Math.round(diameter)), LARGEST_BRUSH);
    this.#changed();
  }
  get overwrite(): OverwritePolicy {
    return this.#overwrite;
  }
  set overwrite(policy: OverwritePolicy) {
    this.#overwrite = policy;
    this.#changed();
  }
  /** Whether tools act in space (balls, whole cells) instead of in the plane they are used in. */
  get volume(): boolean {
    return this.#volume;
  }
  set volume(on: boolean) {
    this.#volume = on;
    this.#changed();
  }
  get preview(): Preview | undefined {
    return this.#preview;
  }
  /** What the last action had to say, if anything. */
  get message(): string {
    return this.#message;
  }
  /** The layer that is edited: the topmost visible one that may be; undefined while there is none. */
  get layer(): LabelsLayer | undefined {
    if (this.#host.readonly) return undefined;
    return this.#host.model.labels.findLast((layer) => layer.visible && layer.editable);
  }
  get history(): LabelHistory | undefined {
    return this.layer && LabelHistory.of(this.layer.labels);
  }
  get active(): boolean {
    return this.tool !== 'pan';
  }

  // —— Actions ——

  undo(): void {
    this.#dropGesture();
    if (this.#preview) this.cancelPreview();
    else this.history?.undo();
  }
  redo(): void {
    if (!this.#gesture && !this.#preview) this.history?.redo();
  }

  /** Undoes or redoes until `position` steps of the history are in effect. */
  goTo(position: number): void {
    this.#dropGesture();
    if (this.#preview) this.cancelPreview();
    this.history?.goTo(position);
  }

  /** Chooses a label that no cell has, for the next cell to be painted. */
  newLabel(): number {
    const layer = this.#editable();
    if (!layer) return 0;
    const selected = LabelHistory.of(layer.labels).index.free;
    this.#host.model.update(layer.id, { selected }, 'user');
    return selected;
  }

  /** Deletes the chosen cell. */
  deleteSelected(): void {
    const layer = this.#withSelection();
    if (!layer) return;
    this.#run(layer, this.#texts.names.delete, (edit, history) =>
      deleteLabels(edit, history.index, [layer.selected]),
    );
    this.#host.model.update(layer.id, { selected: 0 }, 'user');
  }

  /** Gives the chosen cell another label; of a label in use both become one cell. */
  changeSelected(label: number): void {
    const layer = this.#withSelection();
    if (!layer || label === layer.selected) return;
    this.#run(layer, this.#texts.names.relabelOne, (edit, history) =>
      changeLabel(edit, history.index, layer.selected, label),
    );
    this.#host.model.update(layer.id, { selected: label }, 'user');
  }

  /**
   * Shows what an operation would do; `accept` or `cancelPreview` ends it. Called again it shows the new amount.
   * @param amount radius in voxels of the finest axis; for `remove-small` voxels
   */
  show(operation: Operation, amount: number): void {
    const layer = CELL_OPERATIONS.includes(operation) ? this.#withSelection() : this.#editable();
    if (!layer) return;
    const history = LabelHistory.of(layer.labels);
    const open = this.#preview;
    // Another's edit may have ended it, such as a model's result.
    if (open && (open.operation !== operation || open.layer !== layer || !open.edit.isOpen))
      this.cancelPreview();
    const edit = this.#preview?.edit ?? history.begin(this.#texts.operations[operation]);
    this.#preview = { operation, amount, edit, layer };
    try {
      edit.revert();
      const kind = this.#lastPane?.kind ?? 'xy';
      operate(operation, edit, history.index, {
        label: layer.selected,
        amount,
        spacing: layerSpacing(layer, this.#host.model.dims),
        across: PLANE_AXES[kind === '3d' ? 'xy' : kind].across,
        volume: this.#volume,
      });
      edit.flush();
      this.#say(this.#texts.previewHint);
    } catch (error) {
      this.cancelPreview();
      this.#say(asCytoError(error).message);
    }
  }

  accept(): void {
    const preview = this.#preview;
    this.#preview = undefined;
    preview?.edit.commit();
    this.#say('');
  }
  cancelPreview(): void {
    const preview = this.#preview;
    this.#preview = undefined;
    preview?.edit.abort();
    this.#say('');
  }

  // —— Pointer ——

  press(pane: Pane, event: PointerEvent): boolean {
    if (pane.kind === '3d' || (!this.active && !event.altKey)) return false;
    const layer = this.#editable();
    if (!layer) return false;
    const place = this.#placeAt(pane, event, layer);
    if (!place) return false;
    if (this.#preview) this.accept();
    // The far end of a pen erases.
    const chosen: Tool = event.button === 5 ? 'erase' : this.tool;
    this.#begin(pane, event.altKey ? 'merge' : chosen, layer, place, event.ctrlKey || event.metaKey);
    this.#gesture?.screen.push(local(pane, event));
    return true;
  }

  drag(pane: Pane, events: readonly PointerEvent[]): void {
    const gesture = this.#gesture;
    if (!gesture) return;
    for (const event of events) {
      const place = this.#placeAt(pane, event, gesture.layer);
      if (!place) continue;
      gesture.screen.push(local(pane, event));
      this.#continue(gesture, place);
    }
    gesture.edit?.flush();
    this.#draw(pane, gesture.screen.at(-1));
  }

  release(pane: Pane): void {
    const gesture = this.#gesture;
    this.#gesture = undefined;
    if (!gesture) return;
    const [first, last] = [gesture.screen.at(0), gesture.screen.at(-1)];
    const moved = first && last ? Math.hypot(last[0] - first[0], last[1] - first[1]) : 0;
    this.#finish(gesture, moved > CLICK);
    this.#draw(pane, last);
  }

  cancel(pane: Pane): void {
    this.#dropGesture();
    this.#draw(pane, undefined);
  }

  hover(pane: Pane, event: PointerEvent | undefined): void {
    if (event) this.#lastPane = pane;
    this.#draw(pane, event && local(pane, event));
  }

  wheel(pane: Pane, event: WheelEvent): boolean {
    if (!event.shiftKey || (this.tool !== 'paint' && this.tool !== 'erase')) return false;
    const larger = (event.deltaY || event.deltaX) < 0;
    this.#resize(larger);
    this.#draw(pane, local(pane, event));
    return true;
  }

  // —— Keys ——

  perform(action: ActionId, pane: Pane): boolean {
    this.#lastPane = pane;
    if (action.startsWith('tool.')) {
      this.tool = action.slice(5) as Tool;
      return true;
    }
    switch (action) {
      case 'edit.undo':
        this.undo();
        break;
      case 'edit.redo':
        this.redo();
        break;
      case 'edit.cancel':
        return this.#escape(pane);
      case 'edit.apply':
        return this.#apply(pane);
      case 'brush.larger':
      case 'brush.smaller':
        this.#resize(action === 'brush.larger');
        break;
      case 'edit.protect':
        this.overwrite = OVERWRITES[(OVERWRITES.indexOf(this.#overwrite) + 1) % OVERWRITES.length];
        break;
      case 'edit.three-dimensions':
        this.volume = !this.#volume;
        break;
      case 'edit.new-label':
        this.newLabel();
        break;
      case 'edit.swap-erase':
        this.tool = this.tool === 'erase' ? 'paint' : 'erase';
        break;
      case 'edit.delete':
        this.deleteSelected();
        break;
      case 'edit.interpolate':
        this.show('interpolate', 0);
        break;
      default:
        return false;
    }
    return true;
  }

  #escape(pane: Pane): boolean {
    const busy = this.#gesture || this.#preview || this.#keyPoints.length > 0;
    if (!busy) return false;
    this.#dropGesture();
    this.#keyPoints = [];
    if (this.#preview) this.cancelPreview();
    this.#draw(pane, undefined);
    return true;
  }

  /** Accepts a preview, or uses the tool at the cursor; lines take a point each time and end at the same one twice. */
  #apply(pane: Pane): boolean {
    if (this.#preview) {
      this.accept();
      return true;
    }
    if (!this.active || pane.kind === '3d' || this.#gesture) return false;
    const layer = this.#editable();
    if (!layer) return true;
    const { cursor, dims } = this.#host.model;
    const world = voxelMiddle([cursor.z, cursor.y, cursor.x], dims.spacing);
    const place = placeOf(world, pane.kind, layer, dims);
    const { tool } = this;
    if (tool === 'lasso' || tool === 'split') {
      const last = this.#keyPoints.at(-1);
      const again = last && last[0] === place.point[0] && last[1] === place.point[1];
      if (!again) {
        this.#keyPoints.push(place.point);
        this.#say(this.#texts.pointHint(this.#keyPoints.length));
        return true;
      }
    }
    const points = this.#keyPoints;
    this.#keyPoints = [];
    this.#begin(pane, tool, layer, place, false);
    const gesture = this.#gesture as Gesture | undefined;
    this.#gesture = undefined;
    if (!gesture) return true;
    if (points.length > 0) gesture.points = points;
    this.#finish(gesture, false);
    return true;
  }

  // —— What the tools do ——

  #begin(pane: Pane, tool: Tool, layer: LabelsLayer, place: Place, flip: boolean): void {
    const erases = tool === 'erase';
    const paints = tool === 'paint' || tool === 'fill' || tool === 'lasso';
    const label = paints ? layer.selected || this.newLabel() : 0;
    const gesture: Gesture = {
      pane,
      tool,
      layer,
      start: place,
      last: place,
      points: [place.point],
      screen: [],
      label,
      overwrite: this.#allowed(erases, layer, place, flip),
    };
    this.#message = '';
    if (tool === 'paint' || erases) {
      gesture.edit = LabelHistory.of(layer.labels).begin(this.#texts.names[tool]);
      this.#stamp(gesture, place);
      gesture.edit.flush();
    }
    this.#gesture = gesture;
  }

  /** Only this label: that of the voxel where the stroke starts; the eraser takes the chosen cell's alone. */
  #allowed(erases: boolean, layer: LabelsLayer, { voxel }: Place, flip: boolean): Overwrite {
    const policy = flip ? (this.#overwrite === 'all' ? 'empty' : 'all') : this.#overwrite;
    if (policy === 'all') return 'all';
    if (erases) return { only: layer.selected };
    return policy === 'empty' ? 'empty' : { only: layer.labels.at(...voxel) };
  }

  #continue(gesture: Gesture, place: Place): void {
    gesture.points.push(place.point);
    if (gesture.edit) this.#stamp(gesture, place);
    gesture.last = place;
  }

  #stamp({ edit, last, label, overwrite }: Gesture, to: Place): void {
    if (!edit) return;
    const flat = this.#volume ? undefined : PLANE_AXES[to.plane].across;
    const radii = brushRadii(this.#brush, to.spacing);
    brushRows(last.voxel, to.voxel, radii, edit.shape, flat, (z, y, x0, x1) =>
      edit.setRow(z, y, x0, x1, label, overwrite),
    );
  }

  #finish(gesture: Gesture, moved: boolean): void {
    const { tool, layer, start, last, label, overwrite, points } = gesture;
    const { voxel, plane } = start;
    const { right, down, across } = PLANE_AXES[plane];
    const under = layer.labels.at(...voxel);
    const names = this.#texts.names;
    switch (tool) {
      case 'paint':
      case 'erase':
        gesture.edit?.commit();
        break;
      case 'fill':
        this.#run(layer, names.fill, (edit) =>
          floodFill(edit, voxel, label, this.#volume ? undefined : across),
        );
        break;
      case 'pick':
        this.#host.model.update(layer.id, { selected: under }, 'user');
        break;
      case 'lasso':
        this.#run(layer, names.lasso, (edit) =>
          polygonRows(points, right, down, voxel[across], edit.shape, (z, y, x0, x1) =>
            edit.setRow(z, y, x0, x1, label, overwrite),
          ),
        );
        break;
      case 'merge':
        this.#merge(layer, under);
        break;
      case 'split':
        this.#split(layer, points, plane, voxel[across]);
        break;
      case 'delete':
        this.#run(layer, names.delete, (edit, history) => {
          const ids = moved ? labelsInBox(edit, dragged(start, last, this.#volume, edit.shape)) : [under];
          deleteLabels(edit, history.index, ids);
          this.#message = this.#texts.deleted(ids.filter(Boolean).length);
        });
        break;
    }
    this.#changed();
  }

  #merge(layer: LabelsLayer, under: number): void {
    if (under === 0) return;
    if (layer.selected === 0 || layer.selected === under) {
      this.#host.model.update(layer.id, { selected: under }, 'user');
      this.#say(this.#texts.mergeHint);
      return;
    }
    this.#run(layer, this.#texts.names.merge, (edit, history) =>
      mergeLabels(edit, history.index, [layer.selected, under]),
    );
  }

  /** Splits the chosen cell if the line meets it, else the cell that the line meets most. */
  #split(layer: LabelsLayer, line: readonly PlanePoint[], plane: Plane, depth: number): void {
    const { right, down, across } = PLANE_AXES[plane];
    const met = new Map<number, number>();
    for (let i = 1; i < line.length; i++) {
      const [a, b] = [line[i - 1], line[i]];
      const steps = Math.max(1, Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1])));
      for (let k = 0; k <= steps; k++) {
        const voxel: [number, number, number] = [0, 0, 0];
        voxel[right] = Math.round(a[0] + ((b[0] - a[0]) * k) / steps);
        voxel[down] = Math.round(a[1] + ((b[1] - a[1]) * k) / steps);
        voxel[across] = depth;
        const id = layer.labels.at(...voxel);
        if (id !== 0) met.set(id, (met.get(id) ?? 0) + 1);
      }
    }
    const most = [...met].sort((a, b) => b[1] - a[1]).at(0)?.[0] ?? 0;
    const id = met.has(layer.selected) ? layer.selected : most;
    this.#run(layer, this.#texts.names.split, (edit, history) => {
      const cut = { line, right, down, ...(this.#volume ? {} : { depth }) };
      splitLabel(edit, history.index, id, cut);
    });
  }

  /** One step; what goes wrong is told to the user. */
  #run(layer: LabelsLayer, name: string, work: (edit: LabelEdit, history: LabelHistory) => void): void {
    const history = LabelHistory.of(layer.labels);
    if (this.#preview) this.accept();
    try {
      history.run(name, (edit) => work(edit, history));
    } catch (cause) {
      const { kind, message } = asCytoError(cause);
      if (kind === 'internal') throw cause;
      this.#message = message;
    }
    this.#changed();
  }

  // —— Smaller parts ——

  get #texts() {
    return textsFor(this.#host).editing;
  }

  #say(message: string): void {
    this.#message = message;
    this.#changed();
  }

  /** The layer to edit; made where the viewer shows an image and no labels. Says why if there is none. */
  #editable(): LabelsLayer | undefined {
    const { layer } = this;
    if (layer) return layer;
    const { model, readonly } = this.#host;
    const image = model.images.at(0)?.volume;
    if (readonly || !image || model.labels.length > 0) {
      this.#say(
        readonly ? this.#texts.readonly : image ? this.#texts.notEditable : textsFor(this.#host).needImage,
      );
      return undefined;
    }
    let id = 'cells';
    for (let k = 2; model.get(id); k++) id = `cells-${k}`;
    const [, , z, y, x] = image.shape;
    const labels = new LabelVolume([z, y, x], image.calibration);
    labels.origin.method = MANUAL;
    const added = labelsLayer(id, labels, { name: textsFor(this.#host).cells, editable: true });
    model.add(added, { source: 'user' });
    return added;
  }

  #withSelection(): LabelsLayer | undefined {
    const layer = this.#editable();
    if (layer && layer.selected === 0) this.#say(this.#texts.chooseCell);
    return layer && layer.selected !== 0 ? layer : undefined;
  }

  #placeAt(pane: Pane, event: MouseEvent, layer: LabelsLayer): Place | undefined {
    if (pane.kind === '3d') return undefined;
    const world = this.#panes.worldIn(pane, ...local(pane, event));
    return world && placeOf(world, pane.kind, layer, this.#host.model.dims);
  }

  #resize(larger: boolean): void {
    const step = Math.max(1, Math.round(this.#brush * 0.15));
    this.brush = this.#brush + (larger ? step : -step);
  }

  #dropGesture(): void {
    this.#gesture?.edit?.abort();
    this.#gesture = undefined;
  }

  #draw(pane: Pane, at: Point | undefined): void {
    const layer = this.layer;
    const { tool } = this;
    const gesture = this.#gesture?.pane === pane ? this.#gesture : undefined;
    const color = layer?.selected && tool !== 'erase' ? labelCssColor(layer.selected, layer.seed) : '#fff';
    let markup = '';
    if (gesture && (tool === 'lasso' || tool === 'split')) {
      markup = drawnLine(gesture.screen, tool === 'lasso', color);
    } else if (gesture && tool === 'delete' && at) {
      markup = dragBox(gesture.screen[0], at, '#ff6b6b');
    } else if (at && pane.kind !== '3d' && (tool === 'paint' || tool === 'erase')) {
      const spacing = layer ? layerSpacing(layer, this.#host.model.dims) : this.#host.model.dims.spacing;
      const radius = (this.#brush / 2) * Math.min(...spacing) * this.#panes.camera(pane.kind).scale;
      markup = brushOutline(at, radius, radius, color);
    }
    pane.toolOverlay.innerHTML = markup;
  }

  #changed(): void {
    this.dispatchEvent(new Event('change'));
  }

  #follow(): void {
    const { labels } = this.#host.model;
    for (const [id, stop] of this.#followed) {
      if (labels.some((layer) => layer.id === id)) continue;
      stop.abort();
      this.#followed.delete(id);
    }
    for (const layer of labels) {
      if (this.#followed.has(layer.id)) continue;
      const stop = new AbortController();
      this.#followed.set(layer.id, stop);
      const history = LabelHistory.of(layer.labels);
      history.addEventListener(
        'change',
        (event) => this.#announce(layer, history, (event as CustomEvent<HistoryEvent>).detail),
        { signal: stop.signal },
      );
    }
    this.#changed();
  }

  #announce(layer: LabelsLayer, history: LabelHistory, event: HistoryEvent): void {
    const { kind, step, source } = event;
    const layerId = layer.id;
    if (layer.editable && this.#host.autosave !== 'off') this.#autosave.record(layer, event);
    if (step) {
      const { name, change } = step;
      emit(this.#host, 'cyto-edit', {
        layerId,
        kind: kind as 'commit' | 'undo' | 'redo',
        name,
        box: change.box,
        voxels: change.voxels,
        source,
      });
    }
    const { canUndo, canRedo } = history;
    emit(this.#host, 'cyto-history', { layerId, canUndo, canRedo, source });
    this.#changed();
  }
}

function local(pane: Pane, event: MouseEvent): Point {
  const box = pane.element.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/** The voxels between two corners in a plane, through the whole volume if asked for. */
function dragged(from: Place, to: Place, volume: boolean, shape: readonly number[]): Box {
  const low = from.voxel.map((v, axis) => Math.min(v, to.voxel[axis]));
  const high = from.voxel.map((v, axis) => Math.max(v, to.voxel[axis]) + 1);
  if (volume) {
    const across: Axis = PLANE_AXES[from.plane].across;
    low[across] = 0;
    high[across] = shape[across];
  }
  return [low[0], low[1], low[2], high[0], high[1], high[2]];
}
