import {
  cellprobThresholdFor,
  type SegmentationMode,
  type SegmentationParameters,
  type SegmentationScope,
} from '../../core/segmentation-parameters.ts';
import { type Shape3, statedAnisotropy, type Volume } from '../../core/volume.ts';
import { lengthsOf, mapAxes, type VoxelBox, withAxis } from '../../core/voxel-box.ts';
import type { BackendChoice } from '../../workers/segmentation/client.ts';

/** What a user or page has chosen for runs; undefined follows the image. */
export interface RunSettings {
  mode: SegmentationMode | undefined;
  /** Pixels of the xy plane. */
  diameter: number | undefined;
  channel: number | undefined;
  anisotropy: number | undefined;
  combineViews: SegmentationParameters['combineViews'];
  /** The part that is segmented; undefined for all. */
  box: VoxelBox | undefined;
  /** Whether all time points are segmented, instead of the one that is looked at. */
  allTimes: boolean;
  /** Least IoU of a cell with itself at the next time point; 0 leaves cells of time points unlinked. */
  linkThreshold: number;
  backend: BackendChoice;
  readonly server: string | undefined;
  /** Logit; undefined follows the mode. */
  cellprobThreshold: number | undefined;
  flowThreshold: number;
  minSize: number;
  stitchThreshold: number;
  skipPlane: boolean;
  flowSmoothing: number;
}

/** The mode that a run on this image has: stacks are stitched unless asked otherwise, single planes are 2D. */
export function modeFor({ mode }: Pick<RunSettings, 'mode'>, image: Volume): SegmentationMode {
  return image.shape[2] > 1 ? (mode ?? 'stitch') : '2d';
}

/** The threshold of the cell probability in a mode. */
export function cellprobThresholdOf(
  { cellprobThreshold, combineViews }: RunSettings,
  mode: SegmentationMode,
): number {
  return cellprobThreshold ?? cellprobThresholdFor({ mode, combineViews });
}

/** Parameters of a mode that can change without a run of the network. */
export function thresholdsOf(settings: RunSettings, mode: SegmentationMode): Partial<SegmentationParameters> {
  const { flowThreshold, minSize, stitchThreshold, skipPlane, flowSmoothing } = settings;
  const cellprobThreshold = cellprobThresholdOf(settings, mode);
  return { cellprobThreshold, flowThreshold, minSize, stitchThreshold, skipPlane, flowSmoothing };
}

/** Parameters of a run on this image. */
export function parametersFor(settings: RunSettings, image: Volume): Partial<SegmentationParameters> {
  const anisotropy = settings.anisotropy ?? statedAnisotropy(image);
  return {
    mode: modeFor(settings, image),
    ...(settings.channel === undefined ? {} : { channels: [Math.min(settings.channel, image.shape[1] - 1)] }),
    ...(settings.diameter ? { diameter: settings.diameter } : {}),
    ...thresholdsOf(settings, modeFor(settings, image)),
    combineViews: settings.combineViews,
    ...(anisotropy === undefined ? {} : { anisotropy }),
  };
}

/** The box of a run within this image, at least a voxel large; in mode 2D one plane of it. */
export function boxFor(settings: RunSettings, image: Volume, z: number): VoxelBox | undefined {
  const { box } = settings;
  if (!box) return undefined;
  const lengths = image.shape.slice(2);
  const from = mapAxes(box.from, (at, axis) => Math.min(lengths[axis] - 1, Math.max(0, Math.round(at))));
  const to = mapAxes(box.to, (at, axis) => Math.min(lengths[axis], Math.max(from[axis] + 1, Math.round(at))));
  if (modeFor(settings, image) !== '2d') return { from, to };
  return { from: withAxis(from, 0, z), to: withAxis(to, 0, z + 1) };
}

/** What a run on this image is asked to look at. */
export function scopeFor(settings: RunSettings, image: Volume, z: number): SegmentationScope {
  return boxFor(settings, image, z) ?? (modeFor(settings, image) === '2d' ? 'plane' : 'volume');
}

/** Lengths of z, y, x of what is segmented. */
export function shapeFor(settings: RunSettings, image: Volume): Shape3 {
  const [, , nz, ny, nx] = image.shape;
  const box = boxFor(settings, image, 0);
  if (box) return lengthsOf(box);
  return [modeFor(settings, image) === '2d' ? 1 : nz, ny, nx];
}

/** Time points that a run on this image segments. */
export function timesOf({ allTimes }: Pick<RunSettings, 'allTimes'>, image: Volume): number {
  return allTimes ? image.shape[0] : 1;
}

/** Whether a run that does not fit into memory keeps its flows on disk: those on whole stacks at one time point do. */
export function inBlocks(settings: RunSettings, image: Volume): boolean {
  return modeFor(settings, image) !== '2d' && !settings.box && timesOf(settings, image) === 1;
}

/** A first box: the middle of the image, half as wide and high, through all planes. */
export function middleBox(image: Volume): VoxelBox {
  const [, , nz, ny, nx] = image.shape;
  const [y, x] = [ny >> 2, nx >> 2];
  return { from: [0, y, x], to: [nz, Math.max(y + 1, ny - y), Math.max(x + 1, nx - x)] };
}

/** The settings alone, of whatever holds them. */
export function settingsOf(holder: RunSettings): RunSettings {
  const { mode, diameter, channel, anisotropy, combineViews, box, backend, server, cellprobThreshold } =
    holder;
  const { flowThreshold, minSize, stitchThreshold, skipPlane, flowSmoothing, allTimes, linkThreshold } =
    holder;
  const thresholds = { cellprobThreshold, flowThreshold, minSize, stitchThreshold, skipPlane, flowSmoothing };
  const run = { mode, diameter, channel, anisotropy, combineViews, box, allTimes, linkThreshold };
  return { ...run, backend, server, ...thresholds };
}
