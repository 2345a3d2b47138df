import { CytoError } from './errors.ts';
import { RATINGS, type Rating } from './label-ratings.ts';
import type { Box } from './label-volume.ts';
import {
  BLENDINGS,
  type ChangeSource,
  COLORMAPS,
  type ImageLayer,
  INTERPOLATIONS,
  type LabelsLayer,
  type Layer,
  type LayerChanges,
  RENDERINGS,
} from './layer.ts';
import type { Shape3, Spacing } from './volume.ts';

export const LAYOUTS = ['xy', 'xz', 'yz', 'ortho', '3d', 'quad'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** Extent of the scene: the union grid that the sliders run over. */
export interface Dims {
  /** Time points. */
  sizeT: number;
  /** Voxels along z, y, x of the reference (first) layer. */
  shape: Shape3;
  spacing: Spacing;
  unit: string;
}

/** The shared cursor: a time point and a voxel of the reference layer. */
export interface Cursor {
  t: number;
  z: number;
  y: number;
  x: number;
}

/** How the planes of a slab become one picture. */
export const PROJECTIONS = ['max', 'mean', 'min'] as const;
export type Projection = (typeof PROJECTIONS)[number];

/** What is shown of the scene. */
export interface SceneView {
  /** Planes that a 2D view shows at once, around the cursor's; 1 for that alone. */
  slab: number;
  projection: Projection;
  /** The part of the scene that 3D views show, in voxels of the reference layer; absent for all. */
  crop?: Box | undefined;
}

/** Events of {@link ViewerModel}: type → detail. */
export interface ViewerModelEvents {
  'layer-add': { layer: Layer; source: ChangeSource };
  'layer-remove': { layer: Layer; source: ChangeSource };
  'layer-move': { layer: Layer; index: number; source: ChangeSource };
  'layer-change': { layer: Layer; changes: LayerChanges; source: ChangeSource };
  'dims-change': { dims: Dims; source: ChangeSource };
  'cursor-change': { cursor: Readonly<Cursor>; source: ChangeSource };
  'layout-change': { layout: Layout; source: ChangeSource };
  'view-change': { view: Readonly<SceneView>; source: ChangeSource };
}

/** Serialised view state: settings only, no samples. Layers are matched by id on restore. */
export interface ViewerState {
  version: 1;
  layout: Layout;
  cursor: Cursor;
  /** Absent in states saved before there were slabs and crops. */
  view?: SceneView;
  layers: Array<{ id: string; kind: Layer['kind']; settings: LayerChanges }>;
}

/**
 * The state of a viewer without any DOM: layers (bottom first), layout and the shared cursor.
 * All changes go through methods, which announce them; views subscribe.
 */
export class ViewerModel extends EventTarget {
  #layers: Layer[] = [];
  #layout: Layout = 'xy';
  #cursor: Cursor = { t: 0, z: 0, y: 0, x: 0 };
  #dims: Dims = { sizeT: 1, shape: [1, 1, 1], spacing: [1, 1, 1], unit: 'px' };

  #view: SceneView = { slab: 1, projection: 'max' };

  get view(): Readonly<SceneView> {
    return this.#view;
  }
  get layers(): readonly Layer[] {
    return this.#layers;
  }
  get layout(): Layout {
    return this.#layout;
  }
  get cursor(): Readonly<Cursor> {
    return this.#cursor;
  }
  get dims(): Readonly<Dims> {
    return this.#dims;
  }

  /** Subscribes to one event; returns the function that unsubscribes. */
  on<K extends keyof ViewerModelEvents>(
    type: K,
    listener: (detail: ViewerModelEvents[K]) => void,
    options?: AddEventListenerOptions,
  ): () => void {
    const handler = (event: Event) => listener((event as CustomEvent<ViewerModelEvents[K]>).detail);
    this.addEventListener(type, handler, options);
    return () => this.removeEventListener(type, handler);
  }

  #emit<K extends keyof ViewerModelEvents>(type: K, detail: ViewerModelEvents[K]): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** The layer with this id, or undefined. */
  get(id: string): Layer | undefined {
    return this.#layers.find((layer) => layer.id === id);
  }

  /** Image layers bottom first. */
  get images(): ImageLayer[] {
    return this.#layers.filter((layer): layer is ImageLayer => layer.kind === 'image' && !layer.derived);
  }

  /** The topmost visible image, or the topmost if none is visible: what is segmented and learned from. */
  get shownImage(): ImageLayer | undefined {
    const { images } = this;
    return images.findLast(({ visible }) => visible) ?? images.at(-1);
  }

  /** Layers of the time point that is looked at, bottom first: all but labels of other time points. */
  get current(): Layer[] {
    const { t } = this.#cursor;
    return this.#layers.filter((layer) => layer.kind === 'image' || layer.t === undefined || layer.t === t);
  }

  /** Label layers of the time point that is looked at, bottom first. */
  get labels(): LabelsLayer[] {
    return this.current.filter((layer) => layer.kind === 'labels');
  }

  /** Label layers of all time points, bottom first. */
  get allLabels(): LabelsLayer[] {
    return this.#layers.filter((layer) => layer.kind === 'labels');
  }

  /**
   * Adds a layer on top or at `index`.
   * @throws CytoError `bad-input` for an id already in use
   */
  add(layer: Layer, options: { index?: number; source?: ChangeSource } = {}): void {
    if (this.get(layer.id))
      throw new CytoError('bad-input', `There is already a layer with the id "${layer.id}".`);
    const source = options.source ?? 'api';
    this.#layers = this.#layers.toSpliced(options.index ?? this.#layers.length, 0, layer);
    this.#emit('layer-add', { layer, source });
    this.#updateDims(source);
  }

  /** Removes a layer; unknown ids are ignored. */
  remove(id: string, source: ChangeSource = 'api'): void {
    const layer = this.get(id);
    if (!layer) return;
    this.#layers = this.#layers.filter((other) => other !== layer);
    this.#emit('layer-remove', { layer, source });
    this.#updateDims(source);
  }

  /** Moves a layer to `index`, counted from the bottom. */
  move(id: string, index: number, source: ChangeSource = 'api'): void {
    const layer = this.#require(id);
    const others = this.#layers.filter((other) => other !== layer);
    const at = Math.min(Math.max(0, index), others.length);
    this.#layers = others.toSpliced(at, 0, layer);
    this.#emit('layer-move', { layer, index: at, source });
  }

  /** Changes settings of a layer, and of the others of its series, in place and announces those that differ. */
  update(id: string, changes: LayerChanges, source: ChangeSource = 'api'): void {
    const layer = this.#require(id);
    this.#update(layer, changes, source);
    if (layer.kind !== 'labels' || layer.series === undefined) return;
    // What the pointer is over is at one time point, which is the layer's own.
    const { hovered: _, t: __, series: ___, ...shared } = changes as Partial<LabelsLayer>;
    for (const other of this.allLabels) {
      if (other !== layer && other.series === layer.series) this.#update(other, shared, source);
    }
  }

  #update(layer: Layer, changes: LayerChanges, source: ChangeSource): void {
    const current = layer as unknown as Record<string, unknown>;
    if (layer.kind === 'labels' && 'selected' in changes && !('alsoSelected' in changes)) {
      if (layer.alsoSelected.length > 0) changes = { ...changes, alsoSelected: [] };
    }
    const effective = Object.fromEntries(
      Object.entries(changes).filter(([key, value]) => value !== undefined && current[key] !== value),
    );
    if (Object.keys(effective).length === 0) return;
    Object.assign(layer, effective);
    this.#emit('layer-change', { layer, changes: effective as LayerChanges, source });
  }

  setLayout(layout: Layout, source: ChangeSource = 'api'): void {
    if (!LAYOUTS.includes(layout)) {
      throw new CytoError('bad-input', `"${layout}" is not a layout; use one of ${LAYOUTS.join(', ')}.`);
    }
    if (layout === this.#layout) return;
    this.#layout = layout;
    this.#emit('layout-change', { layout, source });
  }

  /**
   * Changes slab and crop; they are clipped to the scene, and a crop of the whole scene is none.
   * @throws CytoError `bad-input` for a projection that there is not
   */
  setView(changes: Partial<SceneView>, source: ChangeSource = 'api'): void {
    const wanted = { ...this.#view, ...changes };
    if (!PROJECTIONS.includes(wanted.projection)) {
      throw new CytoError('bad-input', `"${wanted.projection}" is not a projection; use max, mean or min.`);
    }
    const { shape } = this.#dims;
    const slab = Math.min(Math.max(1, Math.round(wanted.slab)), Math.max(...shape));
    const view: SceneView = { slab, projection: wanted.projection };
    if (wanted.crop) {
      const crop = clippedBox(wanted.crop, shape);
      if (crop.some((edge, k) => edge !== (k < 3 ? 0 : shape[k - 3]))) view.crop = crop;
    }
    if (JSON.stringify(view) === JSON.stringify(this.#view)) return;
    this.#view = view;
    this.#emit('view-change', { view, source });
  }

  /** Moves the shared cursor; values are rounded and clipped to the scene. */
  setCursor(changes: Partial<Cursor>, source: ChangeSource = 'api'): void {
    const { sizeT, shape } = this.#dims;
    const clip = (value: number, length: number) => Math.min(Math.max(0, Math.round(value)), length - 1);
    const wanted = { ...this.#cursor, ...changes };
    const cursor = {
      t: clip(wanted.t, sizeT),
      z: clip(wanted.z, shape[0]),
      y: clip(wanted.y, shape[1]),
      x: clip(wanted.x, shape[2]),
    };
    const old = this.#cursor;
    if (cursor.t === old.t && cursor.z === old.z && cursor.y === old.y && cursor.x === old.x) return;
    this.#cursor = cursor;
    this.#emit('cursor-change', { cursor, source });
  }

  /** View state without samples. */
  toJSON(): ViewerState {
    return {
      version: 1,
      layout: this.#layout,
      cursor: { ...this.#cursor },
      view: { ...this.#view },
      layers: this.#layers
        .filter((layer) => layer.kind === 'labels' || !layer.derived)
        .map((layer) => {
          const { id, kind, ...rest } = layer;
          const settings: Record<string, unknown> = { ...rest };
          delete settings.volume;
          delete settings.detail;
          delete settings.labels;
          delete settings.hovered;
          delete settings.alsoSelected;
          return { id, kind, settings: settings as LayerChanges };
        }),
    };
  }

  /**
   * Applies a state made by {@link toJSON} to the layers that are present.
   * @throws CytoError `bad-input` for anything that is not such a state; nothing is changed then
   */
  restore(state: unknown): void {
    const { layout, cursor, layers, view } = parseViewerState(state);
    for (const { id, kind, settings } of layers) {
      if (this.get(id)?.kind === kind) this.update(id, settings, 'restore');
    }
    this.setLayout(layout, 'restore');
    this.setCursor(cursor, 'restore');
    if (view) this.setView({ crop: undefined, ...view }, 'restore');
  }

  #require(id: string): Layer {
    const layer = this.get(id);
    if (!layer) throw new CytoError('not-found', `There is no layer with the id "${id}".`);
    return layer;
  }

  #updateDims(source: ChangeSource): void {
    const reference: Layer | undefined = this.images.at(0) ?? this.#layers.at(0);
    let dims: Dims = { sizeT: 1, shape: [1, 1, 1], spacing: [1, 1, 1], unit: 'px' };
    if (reference?.kind === 'image') {
      const { shape, calibration } = reference.volume;
      dims = {
        sizeT: shape[0],
        shape: [shape[2], shape[3], shape[4]],
        spacing: calibration.spacing,
        unit: calibration.unit,
      };
    } else if (reference?.kind === 'labels') {
      const { shape, calibration } = reference.labels;
      dims = { sizeT: 1, shape, spacing: calibration.spacing, unit: calibration.unit };
    }
    if (JSON.stringify(dims) === JSON.stringify(this.#dims)) return;
    const wasEmpty = this.#dims.shape.every((n) => n === 1);
    this.#dims = dims;
    this.#emit('dims-change', { dims, source });
    // A crop belongs to the scene that it was made in.
    this.setView({ crop: undefined }, source);
    const middle = dims.shape.map((n) => Math.floor((n - 1) / 2));
    this.setCursor(wasEmpty ? { t: 0, z: middle[0], y: middle[1], x: middle[2] } : {}, source);
  }
}

/**
 * Checks untrusted view state.
 * @throws CytoError `bad-input` naming what is wrong
 */
export function parseViewerState(state: unknown): ViewerState {
  const fail = (problem: string): never => {
    throw new CytoError('bad-input', `This is not a saved view: ${problem}.`);
  };
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isRecord(state)) return fail('an object is needed');
  if (state.version !== 1) return fail(`version ${String(state.version)} is not known to this release`);
  if (!LAYOUTS.includes(state.layout as Layout)) return fail(`unknown layout "${String(state.layout)}"`);
  const cursor = state.cursor;
  if (!isRecord(cursor) || !['t', 'z', 'y', 'x'].every((axis) => Number.isFinite(cursor[axis]))) {
    return fail('the cursor needs numbers t, z, y and x');
  }
  const view = state.view === undefined ? undefined : checkView(state.view, fail);
  if (!Array.isArray(state.layers)) return fail('layers must be a list');
  const layers = state.layers.map((entry: unknown): ViewerState['layers'][number] => {
    if (!isRecord(entry) || typeof entry.id !== 'string' || !isRecord(entry.settings))
      return fail('a layer needs an id and settings');
    if (entry.kind !== 'image' && entry.kind !== 'labels')
      return fail(`unknown layer kind "${String(entry.kind)}"`);
    return { id: entry.id, kind: entry.kind, settings: checkSettings(entry.settings, fail) };
  });
  return {
    version: 1,
    layout: state.layout as Layout,
    cursor: { t: cursor.t as number, z: cursor.z as number, y: cursor.y as number, x: cursor.x as number },
    ...(view ? { view } : {}),
    layers,
  };
}

function clippedBox(box: Box, shape: Shape3): Box {
  const low = [0, 1, 2].map((axis) => Math.min(Math.max(0, Math.round(box[axis])), shape[axis] - 1));
  const high = [0, 1, 2].map((axis) =>
    Math.min(Math.max(low[axis] + 1, Math.round(box[axis + 3])), shape[axis]),
  );
  return [low[0], low[1], low[2], high[0], high[1], high[2]];
}

function checkView(view: unknown, fail: (problem: string) => never): SceneView {
  const { slab, projection, crop } = (view ?? {}) as Record<string, unknown>;
  if (!Number.isInteger(slab) || (slab as number) < 1) return fail('a slab has 1 plane or more');
  if (!PROJECTIONS.includes(projection as Projection)) return fail('unknown projection');
  const isBox = Array.isArray(crop) && crop.length === 6 && crop.every(Number.isInteger);
  if (crop !== undefined && !isBox) return fail('a crop has six whole numbers');
  return {
    slab: slab as number,
    projection: projection as Projection,
    ...(isBox ? { crop: crop as never } : {}),
  };
}

const SETTING_CHECKS: Record<string, (value: unknown) => boolean> = {
  name: (v) => typeof v === 'string',
  visible: (v) => typeof v === 'boolean',
  editable: (v) => typeof v === 'boolean',
  onlySelected: (v) => typeof v === 'boolean',
  opacity: (v) => typeof v === 'number' && v >= 0 && v <= 1,
  fillOpacity: (v) => typeof v === 'number' && v >= 0 && v <= 1,
  channel: (v) => Number.isInteger(v) && (v as number) >= 0,
  gamma: (v) => typeof v === 'number' && v > 0,
  clipped: (v) => typeof v === 'number' && v >= 0 && v <= 20,
  isoLevel: (v) => typeof v === 'number' && v >= 0 && v <= 1,
  interpolation: (v) => INTERPOLATIONS.includes(v as (typeof INTERPOLATIONS)[number]),
  contour: (v) => typeof v === 'number' && v >= 0,
  seed: (v) => Number.isInteger(v),
  colorBy: (v) => v === 'id' || RATINGS.includes(v as Rating),
  t: (v) => Number.isInteger(v) && (v as number) >= 0,
  series: (v) => typeof v === 'string',
  selected: (v) => Number.isInteger(v) && (v as number) >= 0,
  colormap: (v) => COLORMAPS.includes(v as (typeof COLORMAPS)[number]),
  blending: (v) => BLENDINGS.includes(v as (typeof BLENDINGS)[number]),
  rendering: (v) => RENDERINGS.includes(v as (typeof RENDERINGS)[number]),
  contrast: (v) => v === 'auto' || (Array.isArray(v) && v.length === 2 && v.every(Number.isFinite)),
};

function checkSettings(settings: Record<string, unknown>, fail: (problem: string) => never): LayerChanges {
  for (const [key, value] of Object.entries(settings)) {
    const check = Object.hasOwn(SETTING_CHECKS, key) ? SETTING_CHECKS[key] : undefined;
    if (!check?.(value)) return fail(`the layer setting ${key} has no such value`);
  }
  return settings as LayerChanges;
}
