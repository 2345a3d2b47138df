import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../core/volume.ts';
import { voxelsOf } from '../../core/voxel-box.ts';
import { scaleOf } from './parameters.ts';
import { scaledLength } from './preprocess/resize.ts';
import { type NetworkWork, planeWork, type RunTilesOptions } from './preprocess/run-tiles.ts';
import { type ViewPlan, viewWork } from './preprocess/three-views.ts';
import { endBytes } from './volume/end-file.ts';
import type { FlowPrecision } from './volume/flow-array.ts';
import { type PlanePrecision, planeFlowBytes } from './volume/plane-flows.ts';
import { storedBytes } from './volume/stored-flows.ts';

/** What a network takes. */
export interface NetworkSides {
  /** Side of a tile. */
  tile: number;
  /** Other sides that it takes, multiples of `step`; absent: whole tiles only. */
  sides?: { step: number; largest: number };
  /** Tiles in one call, by default 1. */
  batch?: number;
}

/** Of stacks with more voxels than this, flows are kept in less than single precision. */
const MOST_SINGLE = 32e6;

/** Whether memory matters more than the last digits of flows. */
export function isLarge([nz, ny, nx]: Shape3): boolean {
  return nz > 1 && nz * ny * nx > MOST_SINGLE;
}

/** What the network will have to do. */
export function workOf(
  shape: Shape3,
  parameters: SegmentationParameters,
  network: NetworkSides | number,
): NetworkWork {
  const options = tileOptions(parameters, typeof network === 'number' ? { tile: network } : network);
  if (parameters.mode === '3d') return viewWork(viewPlan(shape, parameters), options);
  const scale = scaleOf(parameters);
  const plane = planeWork(scaledLength(shape[1], scale), scaledLength(shape[2], scale), options);
  return { tiles: shape[0] * plane.tiles, pixels: shape[0] * plane.pixels };
}

/** How the flows of full 3D are kept. */
export function flowPrecision(shape: Shape3): FlowPrecision {
  return isLarge(shape) ? 'half' : 'single';
}

/** How the flows of planes are kept. */
export function planePrecision(shape: Shape3): PlanePrecision {
  return isLarge(shape) ? 'byte' : 'single';
}

/** Bytes that the flows of a stack take in a file, and in full 3D where they lead. */
export function bytesOnDisk(shape: Shape3, { mode }: SegmentationParameters): number {
  const voxels = voxelsOf(shape);
  return mode === '3d'
    ? storedBytes(shape, flowPrecision(shape)) + endBytes(voxels)
    : voxels * planeFlowBytes(planePrecision(shape));
}

/** How the three views of a volume are run. */
export function viewPlan(shape: Shape3, parameters: SegmentationParameters): ViewPlan {
  const scale = scaleOf(parameters);
  const { anisotropy = 1 } = parameters;
  const grid: Shape3 = [
    scaledLength(shape[0], anisotropy * scale),
    scaledLength(shape[1], scale),
    scaledLength(shape[2], scale),
  ];
  const combine = parameters.combineViews;
  const sigma = combine === 'mean' ? parameters.planeSmoothing : 0;
  return { shape, grid, combine, smoothing: [sigma / anisotropy, sigma, sigma] };
}

/** The reference cuts every plane into whole tiles; where views are combined its way, that is done as well. */
export function tileOptions(
  parameters: SegmentationParameters,
  options: NetworkSides & { signal?: AbortSignal },
): RunTilesOptions {
  const { tile, sides, batch = 1, signal } = options;
  const whole = parameters.mode === '3d' && parameters.combineViews === 'sum';
  return {
    tile,
    batch,
    overlap: parameters.tileOverlap,
    augment: parameters.augment,
    ...(sides && !whole ? { sides } : {}),
    ...(signal ? { signal } : {}),
  };
}
