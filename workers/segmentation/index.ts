/**
 * The algorithms of Cellpose-style segmentation as plain functions on typed arrays, usable in a page, a worker or
 * Node: pre-processing, tiling, flows to labels, stitching, labels to flows, metrics.
 */
export { DEFAULT_MODEL } from '../models/default-model.ts';
export { blobFolder, builtInFolder, type ModelFolder, urlFolder } from '../models/model-folder.ts';
export {
  estimateRun,
  type ImageStorage,
  memoryBudget,
  type RunEstimate,
  refuseOversized,
} from './estimate.ts';
export { chooseKernels } from './kernels/choose-kernels.ts';
export {
  type FollowedEnds,
  type FollowOptions,
  type FollowParameters,
  type MaskKernels,
  plainKernels,
  type SyncMaskKernels,
} from './kernels/kernels.ts';
export { ThreadedKernels, type ThreadOptions } from './kernels/threaded-kernels.ts';
export { WasmKernels } from './kernels/wasm-kernels.ts';
export { WebGpuKernels, type WebGpuOptions } from './kernels/webgpu-kernels.ts';
export * from './masks/index.ts';
export { type BackendChoice, type Network, type OpenOptions, openNetwork } from './network/backend.ts';
export { type ModelCard, type ModelFile, parseModelCard, type Tolerance } from './network/model-card.ts';
export { loadModel, type Model } from './network/model-files.ts';
export { countMismatches } from './network/rung.ts';
export { SessionTrust, type TrustMemory, type Verdict } from './network/trust.ts';
export { arrangeAxes } from './preprocess/arrange-axes.ts';
export { smoothFlows } from './preprocess/gaussian.ts';
export { type NormaliseOptions, normalise } from './preprocess/normalise.ts';
export { resizeDepth, resizePlane } from './preprocess/resize.ts';
export type { NetworkWork } from './preprocess/run-tiles.ts';
export { type RunTilesOptions, runTiles, type TileNetwork } from './preprocess/run-tiles.ts';
export { runThreeViews } from './preprocess/three-views.ts';
export { type NetworkSides, workOf } from './run-plan.ts';
export { Segmentation } from './segmentation.ts';
