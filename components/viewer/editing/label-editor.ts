import { changeLabel, deleteLabels } from '../../../core/edit/cells.ts';
import { LabelHistory } from '../../../core/edit/label-history.ts';
import type { PlanePoint } from '../../../core/edit/polygon.ts';
import { asCytoError } from '../../../core/errors.ts';
import { LabelTints } from '../../../core/label-tints.ts';
import type { LabelsLayer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import { textsFor } from '../../localization/texts.ts';
import { emit } from '../events.ts';
import type { Pane } from '../pane.ts';
import type { PaneTool } from '../pane-input.ts';
import { layerSpacing, PLANE_AXES, type Plane, type Vec3, voxelMiddle } from '../plane.ts';
import type { PlaneCamera } from '../plane-camera.ts';
import type { ActionId } from '../shortcuts.ts';
import { Autosave, type RestoreOffer } from './autosave.ts';
import { addEmptyLabels } from './empty-labels.ts';
import { HistoryWatch } from './history-watch.ts';
import { performAction } from './key-actions.ts';
import { OperationPreview, type Preview } from './operation-preview.ts';
import { type Place, placeOf } from './place.ts';
import { toolMarkup } from './tool-overlay.ts';
import { runEdit, type ToolOutcome, ToolUse } from './tool-use.ts';
import { CELL_OPERATIONS, type Operation, type OverwritePolicy, TOOLS, type Tool } from './tools.ts';

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
  use: ToolUse;
  /** Where it has been, CSS pixels of the pane. */
  screen: Point[];
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
  readonly #histories: HistoryWatch;
  /** Diameter of the brush in voxels of the finest axis, 1 to 400. */
  #brush = 12;
  #overwrite: OverwritePolicy = 'all';
  #volume = false;
  #message = '';
  #gesture: Gesture | undefined;
  #keyPoints: PlanePoint[] = [];
  readonly #preview = new OperationPreview();
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
    this.#histories = new HistoryWatch(host, model, {
      happened: (layer, event) => {
        if (layer.editable && host.autosave !== 'off') this.#autosave.record(layer, event);
      },
      announced: () => this.#changed(),
    });
    const { signal } = this.#stop;
    const follow = () => {
      this.#histories.update();
      this.#changed();
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
    if (this.preview) this.cancelPreview();
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
  /** Makes the brush about a seventh larger or smaller. */
  resizeBrush(larger: boolean): void {
    const step = Math.max(1, Math.round(this.#brush * 0.15));
    this.brush = this.#brush + (larger ? step : -step);
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
    return this.#preview.shown;
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
    if (this.preview) this.cancelPreview();
    else this.history?.undo();
  }
  redo(): void {
    if (!this.#gesture && !this.preview) this.history?.redo();
  }

  /** Undoes or redoes until `position` steps of the history are in effect. */
  goTo(position: number): void {
    this.#dropGesture();
    if (this.preview) this.cancelPreview();
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
    this.#step(layer, this.#texts.names.delete, (edit, history) =>
      deleteLabels(edit, history.index, [layer.selected]),
    );
    this.#host.model.update(layer.id, { selected: 0 }, 'user');
  }

  /** Gives the chosen cell another label; of a label in use both become one cell. */
  changeSelected(label: number): void {
    const layer = this.#withSelection();
    if (!layer || label === layer.selected) return;
    this.#step(layer, this.#texts.names.relabelOne, (edit, history) =>
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
    const kind = this.#lastPane?.kind ?? 'xy';
    try {
      this.#preview.show(layer, operation, {
        label: layer.selected,
        amount,
        spacing: layerSpacing(layer, this.#host.model.dims),
        across: PLANE_AXES[kind === '3d' ? 'xy' : kind].across,
        volume: this.#volume,
        name: this.#texts.operations[operation],
      });
      this.#say(this.#texts.previewHint);
    } catch (error) {
      this.#say(asCytoError(error).message);
    }
  }

  accept(): void {
    this.#preview.end('accept');
    this.#say('');
  }
  cancelPreview(): void {
    this.#preview.end('cancel');
    this.#say('');
  }

  // —— Pointer ——

  press(pane: Pane, event: PointerEvent): boolean {
    if (!this.active && !event.altKey) return false;
    if (pane.kind === '3d' && !(event.altKey || this.#worksIn3D)) return false;
    const layer = this.#editable();
    if (!layer) return false;
    const place = this.#placeAt(pane, event, layer);
    if (!place) return false;
    if (this.preview) this.accept();
    // The far end of a pen erases.
    const chosen: Tool = event.button === 5 ? 'erase' : this.tool;
    const tool = event.altKey ? 'merge' : chosen;
    const use = this.#use(tool, layer, place, event.ctrlKey || event.metaKey, pane.kind === '3d');
    this.#gesture = { pane, use, screen: [local(pane, event)] };
    return true;
  }

  drag(pane: Pane, events: readonly PointerEvent[]): void {
    const gesture = this.#gesture;
    if (!gesture) return;
    for (const event of events) {
      const place = this.#placeAt(pane, event, gesture.use.layer);
      if (!place) continue;
      gesture.screen.push(local(pane, event));
      gesture.use.to(place);
    }
    gesture.use.flush();
    this.#draw(pane, gesture.screen.at(-1));
  }

  release(pane: Pane): void {
    const gesture = this.#gesture;
    this.#gesture = undefined;
    if (!gesture) return;
    const [first, last] = [gesture.screen.at(0), gesture.screen.at(-1)];
    const moved = first && last ? Math.hypot(last[0] - first[0], last[1] - first[1]) : 0;
    this.#take(gesture.use.layer, gesture.use.finish(moved > CLICK));
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
    this.resizeBrush(larger);
    this.#draw(pane, local(pane, event));
    return true;
  }

  // —— Keys ——

  perform(action: ActionId, pane: Pane): boolean {
    this.#lastPane = pane;
    if (action === 'edit.cancel') return this.#escape(pane);
    if (action === 'edit.apply') return this.#apply(pane);
    return performAction(this, action);
  }

  #escape(pane: Pane): boolean {
    const busy = this.#gesture || this.preview || this.#keyPoints.length > 0;
    if (!busy) return false;
    this.#dropGesture();
    this.#keyPoints = [];
    if (this.preview) this.cancelPreview();
    this.#draw(pane, undefined);
    return true;
  }

  /** Accepts a preview, or uses the tool at the cursor; lines take a point each time and end at the same one twice. */
  #apply(pane: Pane): boolean {
    if (this.preview) {
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
    const use = this.#use(tool, layer, place, false);
    if (points.length > 0) use.points = points;
    this.#take(layer, use.finish(false));
    return true;
  }

  // —— What the tools do ——

  /** Whether the tool can act on the label surface of a 3D view: balls, and what takes a whole cell. */
  get #worksIn3D(): boolean {
    return !['lasso', 'split'].includes(this.tool);
  }

  #use(tool: Tool, layer: LabelsLayer, place: Place, flip: boolean, inSpace = false): ToolUse {
    this.#message = '';
    const paints = tool === 'paint' || tool === 'fill' || tool === 'lasso';
    const flipped = this.#overwrite === 'all' ? 'empty' : 'all';
    const settings = {
      tool,
      layer,
      label: paints ? layer.selected || this.newLabel() : 0,
      overwrite: flip ? flipped : this.#overwrite,
      brush: this.#brush,
      volume: this.#volume || inSpace,
      texts: this.#texts,
    };
    return new ToolUse(settings, place);
  }

  #step(layer: LabelsLayer, name: string, work: Parameters<typeof runEdit>[2]): void {
    if (this.preview) this.accept();
    this.#take(layer, runEdit(LabelHistory.of(layer.labels), name, work));
  }

  #take(layer: LabelsLayer, { message, selected }: ToolOutcome): void {
    if (selected !== undefined) this.#host.model.update(layer.id, { selected }, 'user');
    if (message !== undefined) this.#message = message;
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
    return addEmptyLabels(model, image, textsFor(this.#host).cells);
  }

  #withSelection(): LabelsLayer | undefined {
    const layer = this.#editable();
    if (layer && layer.selected === 0) this.#say(this.#texts.chooseCell);
    return layer && layer.selected !== 0 ? layer : undefined;
  }

  #placeAt(pane: Pane, event: MouseEvent, layer: LabelsLayer): Place | undefined {
    const world = this.#panes.worldIn(pane, ...local(pane, event));
    // On the surface seen in 3D there is no plane; the tools that work there need none.
    return world && placeOf(world, pane.kind === '3d' ? 'xy' : pane.kind, layer, this.#host.model.dims);
  }

  #dropGesture(): void {
    this.#gesture?.use.abort();
    this.#gesture = undefined;
  }

  #draw(pane: Pane, at: Point | undefined): void {
    const layer = this.layer;
    const { tool } = this;
    const gesture = this.#gesture?.pane === pane ? this.#gesture : undefined;
    const color =
      layer?.selected && tool !== 'erase'
        ? LabelTints.of(layer.labels, layer.seed).css(layer.selected)
        : '#fff';
    const spacing = layer ? layerSpacing(layer, this.#host.model.dims) : this.#host.model.dims.spacing;
    pane.toolOverlay.innerHTML = toolMarkup({
      tool,
      used: gesture?.use.tool,
      drawn: gesture?.screen ?? [],
      at,
      radius:
        pane.kind !== '3d' && (this.#brush / 2) * Math.min(...spacing) * this.#panes.camera(pane.kind).scale,
      color,
    });
  }

  #changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}

function local(pane: Pane, event: MouseEvent): Point {
  const box = pane.element.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}
