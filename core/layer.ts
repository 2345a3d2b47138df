import type { LabelVolume } from './label-volume.ts';
import type { Volume } from './volume.ts';

/** Where a change came from; carried by every event. */
export type ChangeSource = 'user' | 'api' | 'restore';

export const COLORMAPS = [
  'gray',
  'green',
  'magenta',
  'cyan',
  'yellow',
  'red',
  'blue',
  'viridis',
  'inferno',
  'turbo',
] as const;
export type Colormap = (typeof COLORMAPS)[number];

export const BLENDINGS = ['translucent', 'additive', 'minimum', 'opaque'] as const;
export type Blending = (typeof BLENDINGS)[number];

export const RENDERINGS = ['mip', 'attenuated-mip', 'translucent', 'iso'] as const;
export type Rendering = (typeof RENDERINGS)[number];

/** Display window in sample values, or `auto` for the 0.5–99.5 percentiles. */
export type Contrast = 'auto' | readonly [low: number, high: number];

interface LayerBase {
  /** Stable and unique within a viewer. */
  readonly id: string;
  name: string;
  visible: boolean;
  /** 0…1 */
  opacity: number;
}

/** One channel of an image (or all three of an RGB image) and how it is drawn. */
export interface ImageLayer extends LayerBase {
  readonly kind: 'image';
  readonly volume: Volume;
  /** Channel index into `volume`; ignored for RGB. */
  channel: number;
  colormap: Colormap;
  contrast: Contrast;
  gamma: number;
  blending: Blending;
  rendering: Rendering;
}

/** Instance labels and how they are drawn. */
export interface LabelsLayer extends LayerBase {
  readonly kind: 'labels';
  readonly labels: LabelVolume;
  /** Contour width in screen pixels; 0 fills the cells. */
  contour: number;
  /** 0…1, opacity of the interior when a contour is drawn. */
  fillOpacity: number;
  /** Changes every label's colour at once. */
  seed: number;
  /** Highlighted label, 0 for none. */
  selected: number;
  /** Label under the pointer in a pane or a table, 0 for none. Not part of a saved view. */
  hovered: number;
  editable: boolean;
}

export type Layer = ImageLayer | LabelsLayer;

/** The settings of a layer that may be changed after it was added. */
export type ImageLayerSettings = Omit<ImageLayer, 'id' | 'kind' | 'volume'>;
export type LabelsLayerSettings = Omit<LabelsLayer, 'id' | 'kind' | 'labels' | 'hovered'>;
export type LayerChanges =
  | Partial<ImageLayerSettings>
  | (Partial<LabelsLayerSettings> & { hovered?: number });

/** An image layer with napari's defaults: first channel grey, automatic contrast. */
export function imageLayer(
  id: string,
  volume: Volume,
  settings: Partial<ImageLayerSettings> = {},
): ImageLayer {
  return {
    id,
    kind: 'image',
    volume,
    name: settings.name ?? volume.name,
    visible: settings.visible ?? true,
    opacity: settings.opacity ?? 1,
    channel: settings.channel ?? 0,
    colormap: settings.colormap ?? 'gray',
    contrast: settings.contrast ?? 'auto',
    gamma: settings.gamma ?? 1,
    blending: settings.blending ?? 'translucent',
    rendering: settings.rendering ?? 'mip',
  };
}

export function labelsLayer(
  id: string,
  labels: LabelVolume,
  settings: Partial<LabelsLayerSettings> = {},
): LabelsLayer {
  return {
    id,
    kind: 'labels',
    labels,
    name: settings.name ?? 'Labels',
    visible: settings.visible ?? true,
    opacity: settings.opacity ?? 0.6,
    contour: settings.contour ?? 0,
    fillOpacity: settings.fillOpacity ?? 0.2,
    seed: settings.seed ?? 0,
    selected: settings.selected ?? 0,
    hovered: 0,
    editable: settings.editable ?? false,
  };
}
