import type { Shape3 } from './volume.ts';
import type { VoxelBox } from './voxel-box.ts';

/** How planes of a stack are put together. `3d` runs flows in three orientations. */
export const SEGMENTATION_MODES = ['2d', 'stitch', '3d'] as const;
export type SegmentationMode = (typeof SEGMENTATION_MODES)[number];

/**
 * Which part of an image is segmented: the plane that is looked at, all planes, or a box. What is one plane deep is
 * segmented in mode `2d`.
 */
export type SegmentationScope = 'plane' | 'volume' | VoxelBox;

/** Parameters of a run, with Cellpose's names and meanings (spec §0.1). */
export interface SegmentationParameters {
  mode: SegmentationMode;
  /** Channel indices fed to the network, up to three, in order; by default the first three. RGB images use all three. */
  channels: readonly number[];
  /**
   * Expected cell diameter in pixels of the xy plane (network diameter 30). If undefined the image keeps its scale, unless
   * the model's card asks for images to be scaled by the size that their cells seem to have.
   */
  diameter?: number;
  /** Pixels above this logit take part; by default that of {@link cellprobThresholdFor}. */
  cellprobThreshold: number;
  /** Largest mean flow error of a kept label; 0 switches the check off. 2D only. */
  flowThreshold: number;
  /** Smallest kept label in pixels (voxels in 3D); -1 keeps all. */
  minSize: number;
  /** Largest kept label as a share of the image. */
  maxSizeFraction: number;
  /** Least IoU of labels in neighbouring planes that are joined; mode `stitch`. */
  stitchThreshold: number;
  /** A cell that is missing in one plane is joined again across it; mode `stitch`. */
  skipPlane: boolean;
  /**
   * z step over xy step; mode `3d`. If undefined: that of the image's calibration, else as the cells look in a few planes
   * across z, or 1 if that is not clear; with `combineViews` `sum` 1. Results tell which was used.
   */
  anisotropy?: number;
  /**
   * How the three views of mode `3d` are put together: `mean` (default), or `sum` as Cellpose does, where the cellprob
   * threshold acts on the sum of three logits and flows along z keep the length they have on the isotropic grid.
   */
  combineViews: 'mean' | 'sum';
  /**
   * Standard deviation with which flows are smoothed; mode `3d`. One number for all axes is in pixels that the network
   * sees (30 to a cell's diameter if one is given or estimated), three are in voxels along z, y, x.
   */
  flowSmoothing: number | readonly [z: number, y: number, x: number];
  /**
   * Standard deviation, in pixels of the xy plane, with which a plane is averaged with its neighbours before the network
   * sees it: noise falls, cells keep their outlines. Mode `3d` with `combineViews` `mean`; 0 switches it off.
   */
  planeSmoothing: number;
  /** Euler steps, or undefined for 200 · diameter / 30. */
  niter?: number;
  /** Percentiles mapped to 0 and 1. */
  percentiles: readonly [low: number, high: number];
  /** Swap dark and bright after normalisation. */
  invert: boolean;
  /** Share of a tile that overlaps its neighbour, 0.05…0.5. */
  tileOverlap: number;
  /** Flip tiles and average (slower, slightly better). */
  augment: boolean;
}

export const DEFAULT_PARAMETERS: Omit<SegmentationParameters, 'channels'> = {
  mode: '2d',
  cellprobThreshold: 0,
  flowThreshold: 0.4,
  minSize: 15,
  maxSizeFraction: 0.4,
  stitchThreshold: 0.25,
  skipPlane: false,
  combineViews: 'mean',
  flowSmoothing: 1,
  planeSmoothing: 1.5,
  percentiles: [1, 99],
  invert: false,
  tileOverlap: 0.1,
  augment: false,
};

/**
 * The threshold of the cell probability where none is given: 0, and -0.5 for the mean of three views, which falls short
 * at the caps of a cell, where two of the views cut it at its rim.
 */
export function cellprobThresholdFor({
  mode,
  combineViews,
}: Pick<SegmentationParameters, 'mode' | 'combineViews'>): number {
  return mode === '3d' && combineViews === 'mean' ? -0.5 : DEFAULT_PARAMETERS.cellprobThreshold;
}

/** Places where a network can run, the fastest first; `wasm` is the one that works everywhere. */
export type BackendKind = 'webgpu' | 'wasm' | 'remote';

/** Why a rung of the ladder was not used, or is not used any more. */
export type RefusalReason =
  | 'no-webgpu' // the browser has none, or the page is no secure context
  | 'no-adapter' // no GPU is available to this page
  | 'software' // the only GPU is emulated
  | 'limits' // buffers of the model are larger than the adapter takes
  | 'f16' // the model needs half floats, the adapter has none
  | 'wrong-numbers' // it does not reproduce the model's test tensors
  | 'lost' // the device was lost or its memory ran out while tiles were computed
  | 'failed'; // no session could be made

/** A rung that was not used. */
export interface Refusal {
  kind: BackendKind;
  threads: number;
  reason: RefusalReason;
  /** What exactly happened, in English. */
  detail: string;
}

/** Which rung of the ladder runs the network. */
export interface BackendReport {
  kind: BackendKind;
  /** WASM threads; 1 without cross-origin isolation. */
  threads: number;
  /** Whether it reproduced the model card's test tensors in this browser, now or earlier with the same versions. */
  verified: boolean;
  /** Rungs above it and why they are not used. */
  refusals: Refusal[];
  /** The GPU that runs the network, or ran it until it failed; if it may be named. */
  adapter?: string;
}

/** How sure the network was of each label; index = label, entry 0 unused, NaN where unknown. */
export interface ObjectConfidence {
  /** Mean logit of the cell probability: higher is surer. */
  cellprob: Float32Array;
  /** Mean squared difference of the flows from those of an ideal cell of that shape: 0 is perfect, 4 opposite. */
  flowError: Float32Array;
}

/** A place where labels of two planes were taken for one cell; mode `stitch`. */
export interface PlaneJoin {
  /** Id of the cell. */
  label: number;
  /** The two planes: neighbours, or with one between them that the cell was missing in. */
  upper: number;
  lower: number;
  /** A pixel that belongs to the cell in both planes. */
  y: number;
  x: number;
  /** Overlap of the two, at least the threshold. */
  iou: number;
  /** IoU of the best other candidate of either of the two; 0 if there is none. */
  rival: number;
  /**
   * 0…1: how far the overlap lies above the threshold and above the rival's, the lesser of both; halved when a plane
   * was skipped.
   */
  confidence: number;
}

/** What the network gives for each pixel, as it can be shown. */
export const OUTPUT_KINDS = ['flows', 'cellprob'] as const;
export type OutputKind = (typeof OUTPUT_KINDS)[number];

/** The network's output of the last run, on the grid of what was segmented. */
export interface NetworkOutput {
  kind: OutputKind;
  /** Cellprob: logits, Float32 [z, y, x]. Flows within planes: colours of Cellpose's wheel, Uint8 [3, z, y, x]. */
  data: Float32Array | Uint8Array;
  shape: Shape3;
  /** Voxel of the image, z, y, x, at which it begins. */
  origin?: Shape3;
}

/** Result of a run: labels of one time point. */
export interface SegmentationResult {
  /** Uint32 labels, C order of `shape`. */
  labels: Uint32Array;
  shape: Shape3;
  /** Voxel of the image, z, y, x, at which the labels begin; absent in results that are older than the scope. */
  origin?: Shape3;
  /** Number of cells. */
  count: number;
  milliseconds: number;
  backend: BackendReport;
  parameters: SegmentationParameters;
  model: { id: string; sha256: string };
  /** Diameter in pixels by which the image was scaled because none was given and its cells looked so small or large. */
  estimatedDiameter?: number;
  /** The anisotropy that was used, if neither a parameter nor the image told it and the cells look flat. */
  estimatedAnisotropy?: number;
  /** Joins between planes, in order of planes; mode `stitch`. */
  joins?: PlaneJoin[];
  /** Absent for planes that are too large to be rated. */
  confidence?: ObjectConfidence;
  /** Number of cells of all time points, if they are linked through time. */
  linkedCount?: number;
}
