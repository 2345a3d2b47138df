import type { Shape3 } from './volume.ts';

/** How planes of a stack are put together. `3d` runs flows in three orientations. */
export const SEGMENTATION_MODES = ['2d', 'stitch', '3d'] as const;
export type SegmentationMode = (typeof SEGMENTATION_MODES)[number];

/** Parameters of a run, with Cellpose's names and meanings (spec §0.1). */
export interface SegmentationParameters {
  mode: SegmentationMode;
  /** Channel indices fed to the network, up to three, in order; by default the first three. RGB images use all three. */
  channels: readonly number[];
  /**
   * Expected cell diameter in pixels of the xy plane (network diameter 30). If undefined the image keeps its scale, unless
   * the model's card asks for planes (mode `2d`) to be scaled by the size that their cells seem to have.
   */
  diameter?: number;
  /** Pixels above this logit take part. */
  cellprobThreshold: number;
  /** Largest mean flow error of a kept label; 0 switches the check off. 2D only. */
  flowThreshold: number;
  /** Smallest kept label in pixels (voxels in 3D); -1 keeps all. */
  minSize: number;
  /** Largest kept label as a share of the image. */
  maxSizeFraction: number;
  /** Least IoU of labels in neighbouring planes that are joined; mode `stitch`. */
  stitchThreshold: number;
  /** z step over xy step; mode `3d`. */
  anisotropy: number;
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
  anisotropy: 1,
  percentiles: [1, 99],
  invert: false,
  tileOverlap: 0.1,
  augment: false,
};

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

/** Result of a run: labels of one time point. */
export interface SegmentationResult {
  /** Uint32 labels, C order of `shape`. */
  labels: Uint32Array;
  shape: Shape3;
  /** Number of cells. */
  count: number;
  milliseconds: number;
  backend: BackendReport;
  parameters: SegmentationParameters;
  model: { id: string; sha256: string };
  /** Diameter in pixels by which the image was scaled because none was given and its cells looked so small or large. */
  estimatedDiameter?: number;
}
