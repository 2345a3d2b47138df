import type { ErrorKind } from '../../core/errors.ts';
import type { Box } from '../../core/label-volume.ts';
import type { ChangeSource, Layer, LayerChanges } from '../../core/layer.ts';
import type { Progress } from '../../core/progress.ts';
import type { Cursor, Dims, Layout, ViewerModel } from '../../core/viewer-model.ts';

/** What lies under a point of a pane. */
export interface Pick {
  /** Voxel of the reference grid, [z, y, x]. */
  voxel: readonly [z: number, y: number, x: number];
  /** Physical position of the point, [z, y, x] in the scene's unit. */
  world: readonly [z: number, y: number, x: number];
  /** Sample of every visible layer that has one there; RGB layers give three. */
  values: Array<{ layerId: string; value: number | readonly number[] }>;
  /** Topmost label under the point, if any. */
  label?: { layerId: string; id: number };
}

/** Details of the events of `<cyto-viewer>`; all bubble, are composed and can be cloned. */
export interface ViewerEvents {
  load: { layerIds: string[]; source: ChangeSource };
  error: { kind: ErrorKind; message: string };
  progress: Progress;
  'cyto-note': { message: string };
  'cyto-hover': Partial<Pick>;
  'cyto-select': { layerId: string; ids: number[]; source: ChangeSource };
  'cyto-tool-change': { tool: string };
  'cyto-edit': {
    layerId: string;
    /** A new edit, or one taken back or done again. */
    kind: 'commit' | 'undo' | 'redo';
    /** What the edit was, for people. */
    name: string;
    box: Box;
    /** Changed voxels. */
    voxels: number;
    source: ChangeSource;
  };
  'cyto-restore': { title: string; started: number; steps: number };
  'cyto-history': { layerId: string; canUndo: boolean; canRedo: boolean; source: ChangeSource };
  'cyto-layer-change': {
    change: 'add' | 'remove' | 'move' | 'update';
    layerId: string;
    changes: LayerChanges;
    source: ChangeSource;
  };
  'cyto-dims-change': {
    dims: Readonly<Dims>;
    cursor: Readonly<Cursor>;
    layout: Layout;
    source: ChangeSource;
  };
}

/** Dispatches one event of `<cyto-viewer>`. Returns false if a listener prevented its default. */
export function emit<K extends keyof ViewerEvents>(
  target: EventTarget,
  type: K,
  detail: ViewerEvents[K],
): boolean {
  const event = new CustomEvent(type, {
    detail,
    bubbles: true,
    composed: true,
    cancelable: type === 'error',
  });
  if (type !== 'error') return target.dispatchEvent(event);
  // Up to the document like the others, but not to the window, where `error` means a broken script.
  const stop = (passing: Event) => {
    if (passing === event) passing.stopPropagation();
  };
  document.addEventListener('error', stop);
  const result = target.dispatchEvent(event);
  document.removeEventListener('error', stop);
  return result;
}

/** Announces the changes of a model as events of its viewer. */
export function announceModel(target: EventTarget, model: ViewerModel): void {
  const change =
    (type: 'add' | 'remove' | 'move') =>
    ({ layer, source }: { layer: Layer; source: ChangeSource }) => {
      emit(target, 'cyto-layer-change', { change: type, layerId: layer.id, changes: {}, source });
    };
  model.on('layer-add', change('add'));
  model.on('layer-remove', change('remove'));
  model.on('layer-move', change('move'));
  model.on('layer-change', ({ layer, changes, source }) => {
    // What the pointer is on is told by `cyto-hover`.
    if (Object.keys(changes).join() === 'hovered') return;
    emit(target, 'cyto-layer-change', { change: 'update', layerId: layer.id, changes, source });
    if (layer.kind === 'labels' && ('selected' in changes || 'alsoSelected' in changes)) {
      const ids = layer.selected ? [layer.selected, ...layer.alsoSelected] : [];
      emit(target, 'cyto-select', { layerId: layer.id, ids, source });
    }
  });
  const scene = ({ source }: { source: ChangeSource }) => {
    const { dims, cursor, layout } = model;
    emit(target, 'cyto-dims-change', { dims, cursor, layout, source });
  };
  model.on('dims-change', scene);
  model.on('cursor-change', scene);
  model.on('layout-change', scene);
}
