import { CytoError } from '../../../core/errors.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import { plainKernels, type SyncMaskKernels } from '../kernels/kernels.ts';
import { type EndClusters, EndCounts, findClusters } from './end-clusters.ts';
import { checkMinSize, fillHolesAndRemoveSmall } from './fill-holes.ts';
import { controlFlowsNow } from './flow-control.ts';
import { checkFollowParameters } from './follow-flows.ts';
import { keepLabels } from './renumber.ts';
import { GROW_COUNT, SEED_COUNT } from './seeds.ts';
import { checkGrid, type GridShape, zeros } from './shape.ts';

/** Parameters of the way from flows to labels, with Cellpose's names (spec §0.1). */
export interface MaskParameters {
  /** Pixels with a logit strictly above take part. */
  cellprobThreshold: number;
  /** Labels with a larger flow error are dropped; 0 or less keeps all. 2D only. */
  flowThreshold: number;
  /** Least pixels (voxels) of a label; 0 or less keeps all. */
  minSize: number;
  /** Labels covering more than this share of the grid are dropped. */
  maxSizeFraction: number;
  /** Euler steps. */
  niter: number;
  /**
   * A cell needs a pixel in which more points than this end; 10 by default, as in the reference, which loses some cells
   * of 21 pixels and less.
   */
  seedCount?: number;
  /**
   * The flows were made with `separate` of {@link flowsFromLabels}: the flow error compares with such flows. A network's
   * are not.
   */
  separate?: boolean;
  /** Repeat the reference's faults where we know better. For comparisons only. */
  compat?: boolean;
}

/** @throws CytoError `bad-input` naming the parameter that is out of range */
export function checkMaskParameters(parameters: MaskParameters): void {
  const { flowThreshold, minSize, maxSizeFraction, seedCount } = parameters;
  const fail = (text: string) => {
    throw new CytoError('bad-input', text);
  };
  checkFollowParameters(parameters);
  if (typeof flowThreshold !== 'number' || Number.isNaN(flowThreshold))
    fail('The flow threshold is not a number.');
  checkMinSize(minSize);
  checkMaxSizeFraction(maxSizeFraction);
  checkSeedCount(seedCount);
}

function checkSeedCount(count = SEED_COUNT): void {
  if (!Number.isInteger(count) || count < GROW_COUNT)
    throw new CytoError(
      'bad-input',
      `A seed of more than ${count} points is not possible; use a whole number from ${GROW_COUNT}.`,
    );
}

function checkMaxSizeFraction(fraction: number): void {
  if (!(fraction > 0))
    throw new CytoError('bad-input', `A maximum size fraction of ${fraction} leaves no label; use 0…1.`);
}

/** Euler steps when none are given: 200 · diameter / 30, truncated (spec §0.1). */
export function defaultNiter(diameter?: number): number {
  return diameter === undefined || !(diameter > 0) ? 200 : Math.floor(200 / (30 / diameter));
}

/**
 * Labels by the number of seeds each pixel's end point belongs to, before quality control: seeds, growth, removal of
 * labels above the maximum size, numbers in raster order (spec §5.2).
 * @param index row-major indices of the followed pixels
 * @param ends row-major index of the pixel each of them ended in
 * @param shape [y, x] or [z, y, x]
 * @param maxSizeFraction labels covering more than this share of the grid are dropped, above 0
 * @param seedCount see {@link MaskParameters}
 * @returns Uint32 [...shape], 0 background, 1…N
 * @throws CytoError `bad-input` for lengths that differ or a fraction out of range; `too-large` above 2^31 − 1 pixels
 */
export function labelsFromEnds(
  index: Int32Array,
  ends: Int32Array,
  shape: GridShape,
  maxSizeFraction: number,
  seedCount?: number,
): Uint32Array {
  const count = checkGrid(shape, {});
  if (index.length !== ends.length)
    throw new CytoError('bad-input', `${index.length} pixels cannot have ${ends.length} ends.`);
  checkMaxSizeFraction(maxSizeFraction);
  checkSeedCount(seedCount);
  const labels = zeros(Uint32Array, count);
  const table = new EndCounts();
  table.add(ends);
  const clusters = findClusters(table, shape, seedCount);
  if (!clusters) return labels;
  const numbered = new LabelNumbers(clusters, maxSizeFraction * count);
  // Indices ascend: the order of the points is the raster order of the pixels.
  const { length } = ends;
  for (let k = 0; k < length; ) {
    const end = ends[k];
    const first = k;
    do k++;
    while (k < length && ends[k] === end);
    const number = numbered.at(end);
    if (number !== 0) for (let j = first; j < k; j++) labels[index[j]] = number;
  }
  clusters.dispose();
  return labels;
}

/**
 * {@link labelsFromEnds} without a list of points, in place: for volumes of which there is memory for labels only.
 * @param image Uint32 [...shape]: 1 + row-major index of the pixel in which the point of a followed pixel ended, 0 for
 * the others; the labels afterwards
 * @param table the points of the image counted; it is used up
 */
export function labelEndImage(
  image: Uint32Array,
  table: EndCounts,
  shape: GridShape,
  maxSizeFraction: number,
  seedCount?: number,
): void {
  const count = checkGrid(shape, { image: [image, 1] });
  checkMaxSizeFraction(maxSizeFraction);
  checkSeedCount(seedCount);
  const clusters = findClusters(table, shape, seedCount);
  if (!clusters) {
    image.fill(0);
    return;
  }
  const numbered = new LabelNumbers(clusters, maxSizeFraction * count);
  for (let i = 0; i < count; ) {
    const value = image[i];
    const first = i;
    do i++;
    while (i < count && image[i] === value);
    if (value === 0) continue;
    const number = numbered.at(value - 1);
    for (let j = first; j < i; j++) image[j] = number;
  }
  clusters.dispose();
}

/** Numbers labels in the order in which their pixels are asked for, but for those that are too large. */
class LabelNumbers {
  readonly #clusters: EndClusters;
  readonly #largest: number;
  readonly #numbers: Uint32Array;
  #last = 0;

  constructor(clusters: EndClusters, largest: number) {
    this.#clusters = clusters;
    this.#largest = largest;
    this.#numbers = zeros(Uint32Array, clusters.sizes.length);
  }

  /** Label of the points that ended in a pixel, 0 for none. */
  at(end: number): number {
    const seed = this.#clusters.seedOf(end);
    if (seed === 0 || this.#clusters.sizes[seed] > this.#largest) return 0;
    if (this.#numbers[seed] === 0) this.#numbers[seed] = ++this.#last;
    return this.#numbers[seed];
  }
}

/**
 * Instance labels from network flows and cell probability (spec §5): follow the flows, find and grow seeds, drop
 * labels that are too large, whose flow error is too high (2D) or that are too small, fill holes, renumber.
 *
 * @param dP Float32 [ndim, ...shape] flows at network scale (about 5 × unit flow), order y, x or z, y, x
 * @param cellprob Float32 [...shape] logits
 * @param shape [y, x] or [z, y, x]
 * @param options.kernels implementation of the expensive stages; the plain one by default, {@link WasmKernels} is many
 * times faster and gives the same labels
 * @returns Uint32 [...shape], 0 background, 1…N
 * @throws CytoError `bad-input` for disagreeing lengths, flows on the foreground that are not finite, parameters out
 * of range; `too-large` above 2^31 − 1 pixels; `aborted`
 */
export function labelsFromFlows(
  dP: Float32Array,
  cellprob: Float32Array,
  shape: GridShape,
  parameters: MaskParameters,
  options: TaskOptions & { kernels?: SyncMaskKernels } = {},
): Uint32Array {
  checkMaskParameters(parameters);
  const { kernels = plainKernels } = options;
  const { index, ends } = kernels.follow(dP, cellprob, shape, parameters, options);
  const labels = labelsFromEnds(index, ends, shape, parameters.maxSizeFraction, parameters.seedCount);
  if (shape.length === 2 && parameters.flowThreshold > 0) {
    const { flowThreshold, separate = false } = parameters;
    const errors = controlFlowsNow(labels, dP, shape, flowThreshold, kernels, { ...options, separate });
    keepLabels(labels, errors.keeps(flowThreshold));
  }
  return fillHolesAndRemoveSmall(labels, shape, parameters.minSize, parameters);
}
