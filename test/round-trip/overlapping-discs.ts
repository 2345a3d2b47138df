import type { MaskKernels } from '../../workers/segmentation/kernels/kernels.ts';
import { flowsFromLabels, MaskPipeline } from '../../workers/segmentation/masks/index.ts';

/** Diameters of the discs in pixels. */
export const DIAMETERS = [20, 40, 100];
/** Overlaps along the line of centres, in percent of the diameter. */
export const PERCENT = Array.from({ length: 20 }, (_, k) => 5 * k);

/**
 * Two discs of one diameter, the second painted over the first. The overlap is the share of the diameter that they
 * have in common along the line of centres: at 0 % they touch, at 95 % a crescent of a twentieth is left.
 */
export function discs(diameter: number, percent: number): { labels: Uint32Array; side: number } {
  const distance = (diameter * (100 - percent)) / 100;
  const side = 2 * diameter + 24;
  const labels = new Uint32Array(side * side);
  for (const [label, shift] of [
    [1, -distance / 2],
    [2, distance / 2],
  ])
    for (let y = 0, i = 0; y < side; y++)
      for (let x = 0; x < side; x++, i++)
        if ((y - side / 2) ** 2 + (x - side / 2 - shift) ** 2 <= diameter ** 2 / 4) labels[i] = label;
  return { labels, side };
}

/** How a round trip is made. */
export interface Recipe {
  /** Flows of the own label alone. */
  separate?: boolean;
  /** Labels with a larger flow error are dropped; 0, the default, keeps all. */
  flowThreshold?: number;
  seedCount?: number;
  niter?: number;
}

/** The columns of the tables in docs/flows-to-labels.md. */
export const RECIPES: readonly { title: string; recipe: Recipe }[] = [
  { title: 'ours', recipe: {} },
  { title: 'ours, QC', recipe: { flowThreshold: 0.4 } },
  { title: 'separate', recipe: { separate: true } },
  { title: 'separate, QC', recipe: { separate: true, flowThreshold: 0.4 } },
  {
    title: 'separate, QC, `seedCount: 6`',
    recipe: { separate: true, flowThreshold: 0.4, seedCount: 6 },
  },
];

/** Labels made again of the ideal flows of labels, without size limits. */
export async function roundTrip(
  labels: Uint32Array,
  shape: readonly number[],
  kernels: MaskKernels,
  { separate = false, flowThreshold = 0, seedCount = 10, niter = 200 }: Recipe,
): Promise<Uint32Array> {
  const diffused = await kernels.diffuse(labels, shape);
  const dP = flowsFromLabels(labels, shape, { separate, diffused }).map((flow) => 5 * flow);
  const cellprob = Float32Array.from(labels, (label) => (label > 0 ? 5 : -5));
  return new MaskPipeline(dP, cellprob, shape, kernels).labels({
    cellprobThreshold: 0,
    flowThreshold,
    minSize: -1,
    maxSizeFraction: 1,
    niter,
    seedCount,
    separate,
  });
}

/** For each part 1…N the highest IoU with a found label. */
export function bestIous(labels: Uint32Array, found: Uint32Array): number[] {
  const sizes = (image: Uint32Array) => {
    const counts = new Map<number, number>();
    for (const label of image) counts.set(label, (counts.get(label) ?? 0) + 1);
    return counts;
  };
  const [ofPart, ofFound] = [sizes(labels), sizes(found)];
  const best: number[] = [];
  const shared = sizes(labels.map((label, i) => (found[i] > 0 ? label * 65536 + found[i] : 0)));
  for (const [key, pixels] of shared) {
    const [part, label] = [Math.floor(key / 65536), key % 65536];
    if (part === 0) continue;
    const iou = pixels / (ofPart.get(part)! + ofFound.get(label)! - pixels);
    best[part - 1] = Math.max(best[part - 1] ?? 0, iou);
  }
  const parts = [...ofPart.keys()].filter((part) => part > 0);
  return Array.from({ length: Math.max(0, ...parts) }, (_, k) => best[k] ?? 0);
}

/** Mean IoU of the visible parts per overlap, for two discs of a diameter. */
export async function discColumn(kernels: MaskKernels, diameter: number, recipe: Recipe): Promise<number[]> {
  const column: number[] = [];
  for (const percent of PERCENT) {
    const { labels, side } = discs(diameter, percent);
    const [a, b] = bestIous(labels, await roundTrip(labels, [side, side], kernels, recipe));
    column.push((a + b) / 2);
  }
  return column;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
