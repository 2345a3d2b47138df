export { clusterEnds } from './end-clusters.ts';
export * from './fill-holes.ts';
export * from './flow-error.ts';
export {
  diffuseLabels,
  type FlowsFromLabelsOptions,
  flowsFromLabels,
  labelCenters,
} from './flows-from-labels.ts';
export { type FollowedPixels, followFlows } from './follow-flows.ts';
export * from './labels-from-flows.ts';
export * from './mask-pipeline.ts';
export * from './metrics.ts';
export { type Overlap, planeOverlaps } from './overlaps.ts';
export { keepLabels, labelCounts, maxLabel, renumber } from './renumber.ts';
export { type ReturningFlowsOptions, returningFlows } from './returning-flows.ts';
export { endHistogram, endPixels, findSeeds, growSeeds } from './seeds.ts';
export * from './stitch.ts';
