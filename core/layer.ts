import type { Rating } from './label-ratings.ts';
import type { LabelVolume } from './label-volume.ts';
import type { ImageDetail } from './tiled-image.ts';
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
  'bop-blue',
  'bop-orange',
  'bop-purple',
  'viridis',
  'cividis',
  'magma',
  'plasma',
  'inferno',
  'turbo',
  'gray-inverted',
] as const;
export type Colormap = (typeof COLORMAPS)[number];

export const BLENDINGS = ['translucent', 'additive', 'minimum', 'opaque'] as const;
export type Blending = (typeof BLENDINGS)[number];

export const RENDERINGS = ['mip', 'attenuated-mip', 'translucent', 'iso'] as const;
export type Rendering = (typeof RENDERINGS)[number];

/** How samples are magnified in planes: as crisp squares, or smoothly. */
export const INTERPOLATIONS = ['nearest', 'linear'] as const;
export type Interpolation = (typeof INTERPOLATIONS)[number];

/** Display window in sample values, or `auto`: the part between two percentiles, see {@link ImageLayer.clipped}. */
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
  /** Finer resolutions than `volume`, read for what planes show; absent where `volume` is all there is. */
  readonly detail?: ImageDetail;
  /** Made of another image by a segmentation; shown like one, but nothing is segmented, measured or saved of it. */
  readonly derived?: boolean;
  /** Channel index into `volume`; ignored for RGB. */
  channel: number;
  colormap: Colormap;
  contrast: Contrast;
  /** Percent of the samples that automatic contrast lets lie outside its window at either end, 0…20. */
  clipped: number;
  /** Exponent of the display curve; below 1 brightens. */
  gamma: number;
  blending: Blending;
  interpolation: Interpolation;
  rendering: Rendering;
  /** Where in the window the surface of the `iso` rendering lies, 0…1. */
  isoLevel: number;
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
  /** Whether labels are told apart by their colours, or show how sure the network was of them; those of which nothing is known are grey. */
  colorBy: 'id' | Rating;
  /** Highlighted label, 0 for none; the one that editing acts on. */
  selected: number;
  /** Labels highlighted besides `selected`; emptied when `selected` changes alone. Not part of a saved view. */
  alsoSelected: readonly number[];
  /** Whether labels that are not highlighted are hidden; without effect while none is. */
  onlySelected: boolean;
  /** Label under the pointer in a pane or a table, 0 for none. Not part of a saved view. */
  hovered: number;
  editable: boolean;
  /** Time point of the image that the labels belong to; absent: they are shown at all of them. */
  readonly t?: number;
  /** Layers of the same series are the time points of one: they look alike. */
  readonly series?: string;
}

export type Layer = ImageLayer | LabelsLayer;

/** The settings of a layer that may be changed after it was added. */
export type ImageLayerSettings = Omit<ImageLayer, 'id' | 'kind' | 'volume' | 'detail' | 'derived'>;
export type LabelsLayerSettings = Omit<LabelsLayer, 'id' | 'kind' | 'labels' | 'hovered' | 'alsoSelected'>;
export type LayerChanges =
  | Partial<ImageLayerSettings>
  | (Partial<LabelsLayerSettings> & { hovered?: number; alsoSelected?: readonly number[] });

/** An image layer with napari's defaults: first channel grey, automatic contrast. */
export function imageLayer(
  id: string,
  volume: Volume,
  settings: Partial<ImageLayerSettings> = {},
  detail?: ImageDetail,
): ImageLayer {
  return {
    id,
    kind: 'image',
    volume,
    ...(detail ? { detail } : {}),
    name: settings.name ?? volume.name,
    visible: settings.visible ?? true,
    opacity: settings.opacity ?? 1,
    channel: settings.channel ?? 0,
    colormap: settings.colormap ?? 'gray',
    contrast: settings.contrast ?? 'auto',
    clipped: settings.clipped ?? 0.5,
    gamma: settings.gamma ?? 1,
    blending: settings.blending ?? 'translucent',
    interpolation: settings.interpolation ?? 'nearest',
    rendering: settings.rendering ?? 'mip',
    isoLevel: settings.isoLevel ?? 0.47,
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
    colorBy: settings.colorBy ?? 'id',
    selected: settings.selected ?? 0,
    alsoSelected: [],
    onlySelected: settings.onlySelected ?? false,
    hovered: 0,
    editable: settings.editable ?? false,
    ...(settings.t === undefined ? {} : { t: settings.t }),
    ...(settings.series === undefined ? {} : { series: settings.series }),
  };
}
