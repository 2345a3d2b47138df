import { labelsFromEnds } from '../masks/labels-from-flows.ts';
import type { FollowedEnds, MaskKernels } from './kernels.ts';

const SIDE = 768;
const PITCH = 24;
const RADIUS = 11;
/** A GPU must be this much faster than the processor to be worth its last digits. */
const WORTHWHILE = 1.5;
/** Share of pixels whose label may differ. */
const TOLERANCE = 0.001;
const PARAMETERS = { cellprobThreshold: 0, niter: 200 };

/** Discs on a lattice with flows of the network's size that turn a little around their centres, as real ones do. */
function probe(): { dP: Float32Array; cellprob: Float32Array } {
  const dP = new Float32Array(2 * SIDE * SIDE);
  const cellprob = new Float32Array(SIDE * SIDE).fill(-5);
  for (let y = 0, i = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++, i++) {
      const dy = (y % PITCH) - RADIUS - 0.3;
      const dx = (x % PITCH) - RADIUS - 0.4;
      const distance = Math.hypot(dy, dx);
      if (distance > RADIUS) continue;
      cellprob[i] = 5;
      dP[i] = (-5 * (dy + 0.2 * dx)) / distance;
      dP[SIDE * SIDE + i] = (-5 * (dx - 0.2 * dy)) / distance;
    }
  }
  return { dP, cellprob };
}

/**
 * Follows the same flows on the GPU and on the processor.
 * @returns whether the GPU gives the same labels and is so much faster that it should be used here
 */
export async function gpuIsWorthwhile(gpu: MaskKernels, processor: MaskKernels): Promise<boolean> {
  const { dP, cellprob } = probe();
  const shape = [SIDE, SIDE];
  const timed = async (kernels: MaskKernels): Promise<[milliseconds: number, followed: FollowedEnds]> => {
    // The first run compiles.
    await kernels.follow(dP, cellprob, shape, PARAMETERS);
    const started = performance.now();
    const followed = await kernels.follow(dP, cellprob, shape, PARAMETERS);
    return [performance.now() - started, followed];
  };
  const [ofGpu, onGpu] = await timed(gpu);
  const [ofProcessor, onProcessor] = await timed(processor);
  if (ofGpu * WORTHWHILE > ofProcessor) return false;
  const labels = ({ index, ends }: FollowedEnds) => labelsFromEnds(index, ends, shape, 1);
  const expected = labels(onProcessor);
  let different = 0;
  labels(onGpu).forEach((label, i) => {
    if (label !== expected[i]) different++;
  });
  return different <= TOLERANCE * expected.length;
}
