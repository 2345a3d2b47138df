import { throwIfAborted } from '../../../core/errors.ts';
import type { ObjectConfidence } from '../../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { lengthsOf } from '../../../core/voxel-box.ts';
import type { MaskKernels } from '../kernels/kernels.ts';
import { unitFlowAt } from '../masks/flows-from-labels.ts';
import { labelBoxes } from '../masks/label-boxes.ts';
import type { BoxOptions } from './box-dynamics.ts';
import type { KeptFlows } from './kept-flows.ts';

/** Boxes above this many voxels get no flow error: they are no cells, and diffusing in them would take long. */
const MOST_VOXELS = 4e6;

/**
 * How sure the network was of each label of a volume: mean cellprob, and the mean squared difference between its
 * flows and those of an ideal cell of the same shape (spec §6.2 in 3D: 0 is perfect, about 4 is opposite).
 *
 * @param labels Uint32 [z, y, x], 1…N
 * @param flowScale length of the network's flows where they are sure: 5, or 10 where two views are summed
 * @param zStep planes of the network's grid per plane of the image, if flows along z are in planes of the image; else 1
 */
export async function volumeConfidence(
  labels: Uint32Array,
  flows: KeptFlows,
  kernels: MaskKernels,
  { flowScale, zStep }: { flowScale: number; zStep: number },
  options: BoxOptions = {},
): Promise<ObjectConfidence> {
  const [, ny, nx] = flows.shape;
  const boxes = labelBoxes(labels, flows.shape);
  const count = boxes.length / 6;
  const cellprob = meanOfLabels(labels, flows.cellprobPlanes(), count);
  const flowError = new Float32Array(count).fill(Number.NaN);
  const ideal = new Float64Array(3);
  let looked = performance.now();
  for (let label = 1; label < count; label++) {
    const [z0, y0, x0, z1, y1, x1] = boxes.subarray(label * 6, label * 6 + 6);
    const box = { from: [z0, y0, x0] as Shape3, to: [z1, y1, x1] as Shape3 };
    const lengths = lengthsOf(box);
    const size = lengths[0] * lengths[1] * lengths[2];
    if (size === 0 || size > MOST_VOXELS) continue;
    if (performance.now() - looked > 50) {
      options.onProgress?.({ phase: 'confidence', value: label, total: count });
      await options.pause?.();
      throwIfAborted(options.signal);
      looked = performance.now();
    }
    const own = new Uint32Array(size);
    for (let z = z0, i = 0; z < z1; z++)
      for (let y = y0; y < y1; y++)
        for (let x = x0; x < x1; x++, i++) if (labels[(z * ny + y) * nx + x] === label) own[i] = 1;
    const steps = 2 * (lengths[0] + lengths[1] + lengths[2]);
    const { heat } = await kernels.diffuse(own, lengths, steps, options);
    const [dZ, dY, dX] = [0, 1, 2].map((component) => flows.cut(component, box));
    let sum = 0;
    let voxels = 0;
    for (let i = 0; i < size; i++) {
      if (own[i] === 0) continue;
      unitFlowAt(heat, i, lengths, ideal);
      const z = ideal[0] * zStep;
      const length = Math.hypot(z, ideal[1], ideal[2]) || 1;
      sum +=
        (z / length - (dZ[i] * zStep) / flowScale) ** 2 +
        (ideal[1] / length - dY[i] / flowScale) ** 2 +
        (ideal[2] / length - dX[i] / flowScale) ** 2;
      voxels++;
    }
    flowError[label] = sum / voxels;
  }
  return { cellprob, flowError };
}

/** Mean of a map, plane by plane, over each label, index = label; NaN for absent ones. */
function meanOfLabels(labels: Uint32Array, planes: Iterable<Float32Array>, count: number): Float32Array {
  const sums = new Float64Array(count);
  const voxels = new Float64Array(count);
  let at = 0;
  for (const plane of planes) {
    for (let i = 0; i < plane.length; i++, at++) {
      if (labels[at] === 0) continue;
      sums[labels[at]] += plane[i];
      voxels[labels[at]]++;
    }
  }
  voxels[0] = 0;
  return Float32Array.from(sums, (sum, label) => sum / voxels[label]);
}
