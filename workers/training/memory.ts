import { CytoError } from '../../core/errors.ts';
import type { GraphBuilder } from './graph/graph-builder.ts';
import type { TrainingImage } from './training-set.ts';

/** Bytes that a page should take for a training where the browser does not say how much memory there is. */
const USUAL_LIMIT = 3 * 2 ** 30;

/** The weights with both moments go in and come out of a step; their average, the best and those of the start are kept. */
const COPIES_OF_WEIGHTS = 9;

const FLOAT_BYTES = 4;

/**
 * Bytes of the tensors of a graph that are alive at once when its nodes are computed in their order and each tensor is
 * freed after its last use. A runtime that computes in place takes less.
 */
export function peakBytes(
  graph: GraphBuilder,
  inputs: readonly string[],
  outputs: readonly string[],
): number {
  const lastUse = new Map<string, number>();
  graph.nodes.forEach((node, i) => {
    for (const input of node.inputs) lastUse.set(input, i);
  });
  for (const name of [...inputs, ...outputs]) lastUse.set(name, graph.nodes.length);
  // An input that is left out has no name.
  const size = (name: string) => (name === '' ? 0 : graph.sizeOf(name) * FLOAT_BYTES);
  let live = inputs.reduce((sum, name) => sum + size(name), 0);
  for (const { bytes } of graph.constants.values()) live += bytes.length;
  let peak = live;
  graph.nodes.forEach((node, i) => {
    for (const output of node.outputs) live += size(output);
    peak = Math.max(peak, live);
    for (const input of new Set(node.inputs)) {
      if (lastUse.get(input) === i && !graph.constants.has(input)) live -= size(input);
    }
  });
  return peak;
}

/** Bytes of an image as crops are cut from it: channels, flows and labels of the part that counts. */
function imageBytes({ channels, shape, region }: TrainingImage): number {
  const pixels = region ? region.height * region.width : shape[0] * shape[1];
  return pixels * FLOAT_BYTES * (channels.length + 3);
}

/**
 * Bytes that a training takes at most, beside the images as the page holds them.
 * @param step bytes of its tensors, number of weights, and bytes of the crops that are repeated
 */
export function trainingBytes(
  images: readonly TrainingImage[],
  step: { peak: number; weights: number; rehearsal?: number },
): number {
  const prepared = images.reduce((sum, image) => sum + imageBytes(image), 0);
  // While one image is prepared its whole plane is normalised.
  const largest = Math.max(0, ...images.map(({ shape, channels }) => shape[0] * shape[1] * channels.length));
  const weights = COPIES_OF_WEIGHTS * FLOAT_BYTES * step.weights;
  return step.peak + weights + (step.rehearsal ?? 0) + prepared + largest * FLOAT_BYTES;
}

/** Bytes that a training may take here: half of the machine's memory, as far as the browser tells it. */
export function memoryLimit(): number {
  const gibibytes = (globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory;
  return gibibytes ? (gibibytes / 2) * 2 ** 30 : USUAL_LIMIT;
}

/** @throws CytoError `too-large` if a training takes more than it may */
export function checkMemory(bytes: number, limit = memoryLimit()): void {
  if (bytes <= limit) return;
  const gigabytes = (value: number) => (value / 1e9).toFixed(1);
  throw new CytoError(
    'too-large',
    `Training on these images takes ${gigabytes(bytes)} GB of memory, more than the ${gigabytes(limit)} GB that it may take here. Add regions instead of whole images, or fewer images.`,
  );
}
