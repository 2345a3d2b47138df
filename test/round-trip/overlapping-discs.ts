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

/** Labels made again of the ideal flows of labels, without flow error check and size limits. */
export async function roundTrip(
  labels: Uint32Array,
  shape: readonly number[],
  kernels: MaskKernels,
  separate: boolean,
  niter = 200,
): Promise<Uint32Array> {
  const dP = flowsFromLabels(labels, shape, { separate }).map((flow) => 5 * flow);
  const cellprob = Float32Array.from(labels, (label) => (label > 0 ? 5 : -5));
  return new MaskPipeline(dP, cellprob, shape, kernels).labels({
    cellprobThreshold: 0,
    flowThreshold: 0,
    minSize: -1,
    maxSizeFraction: 1,
    niter,
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

/** Mean IoU of the visible parts per diameter and overlap. */
export async function discTable(kernels: MaskKernels, separate: boolean): Promise<number[][]> {
  const rows: number[][] = [];
  for (const diameter of DIAMETERS) {
    const row: number[] = [];
    for (const percent of PERCENT) {
      const { labels, side } = discs(diameter, percent);
      const [a, b] = bestIous(labels, await roundTrip(labels, [side, side], kernels, separate));
      row.push((a + b) / 2);
    }
    rows.push(row);
  }
  return rows;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
