import type { TaskOptions } from '../../../core/progress.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { diffuseLabels, type LabelHeat } from '../masks/flows-from-labels.ts';
import { type FollowedPixels, followFlows } from '../masks/follow-flows.ts';
import { endPixels } from '../masks/seeds.ts';
import type { GridShape } from '../masks/shape.ts';
import type { FlowPart, FollowedPart } from './follow-part.ts';

/** What the dynamics depend on besides the flows. */
export interface FollowParameters {
  cellprobThreshold: number;
  niter: number;
}

export interface FollowOptions extends TaskOptions {
  /** Also give the end positions in pixels, which labels do not need. */
  positions?: boolean;
}

/** Followed foreground pixels and where they ended. */
export interface FollowedEnds {
  /** Row-major indices of the pixels above the cellprob threshold. */
  index: Int32Array;
  /** Row-major index of the pixel in which each of them ended. */
  ends: Int32Array;
  /** Float32 [ndim, K] in pixels, if asked for. */
  position?: Float32Array;
}

/** An implementation of the two expensive stages of flows → labels. All give the same numbers, WebGPU nearly so. */
export interface MaskKernels {
  readonly name: 'plain' | 'wasm' | 'threads' | 'webgpu';
  /** Follows the flows from every foreground pixel; contract of `followFlows`. */
  follow(
    dP: Float32Array,
    cellprob: Float32Array,
    shape: GridShape,
    parameters: FollowParameters,
    options?: FollowOptions,
  ): FollowedEnds | Promise<FollowedEnds>;
  /** Follows the points of a box of a volume to where they end in the whole; absent where only wholes are followed. */
  followPart?(
    part: FlowPart,
    parameters: FollowParameters,
    options?: TaskOptions,
  ): FollowedPart | Promise<FollowedPart>;
  /**
   * Smooths a volume in place, Float32 [z, y, x], with these standard deviations along z, y, x; contract of
   * `gaussianAlong`, which is used where it is absent.
   */
  smooth?(values: Float32Array, shape: Shape3, sigmas: Shape3, options?: TaskOptions): void | Promise<void>;
  /** Diffuses heat inside every label; contract of `diffuseLabels`. */
  diffuse(
    labels: Uint32Array,
    shape: GridShape,
    iterations?: number,
    options?: TaskOptions,
  ): LabelHeat | Promise<LabelHeat>;
  /** Diffuses heat in a plane in single precision and other units, within the bounds of flow-control.ts. */
  diffuseSingle?(
    labels: Uint32Array,
    shape: GridShape,
    options?: TaskOptions,
  ): LabelHeat<Float32Array> | Promise<LabelHeat<Float32Array>>;
}

/** Kernels that answer at once. */
export interface SyncMaskKernels extends MaskKernels {
  follow(...args: Parameters<MaskKernels['follow']>): FollowedEnds;
  diffuse(...args: Parameters<MaskKernels['diffuse']>): LabelHeat;
  diffuseSingle?(labels: Uint32Array, shape: GridShape, options?: TaskOptions): LabelHeat<Float32Array>;
}

/** Adds the end pixels to followed positions. */
export function endsOf(
  followed: FollowedPixels,
  shape: GridShape,
  { positions }: FollowOptions,
): FollowedEnds {
  const { index, position } = followed;
  const ends = endPixels(followed, shape);
  return positions ? { index, ends, position } : { index, ends };
}

/** The plain TypeScript functions: slow, simple, the oracle of the others. */
export const plainKernels: SyncMaskKernels = {
  name: 'plain',
  follow: (dP, cellprob, shape, parameters, options = {}) =>
    endsOf(followFlows(dP, cellprob, shape, parameters, options), shape, options),
  diffuse: (labels, shape, iterations) => diffuseLabels(labels, shape, iterations),
};
