import { CytoError } from '../../core/errors.ts';
import { bytesPerSample, type DType, type Shape5, sampleCount } from '../../core/volume.ts';

/** Bytes that one image may take in memory. */
export const MEMORY_BUDGET = 1.5 * 2 ** 30;

/**
 * Refuses a read that would not fit.
 * @throws CytoError `too-large` with the way out
 */
export function checkFits(shape: Shape5, dtype: DType, name: string, levels = 1): void {
  const bytes = sampleCount(shape) * bytesPerSample(dtype);
  if (bytes <= MEMORY_BUDGET) return;
  const wayOut =
    levels > 1
      ? 'Open a lower resolution or a region of it.'
      : 'Save a region of it, or convert it to OME-Zarr with several resolutions.';
  throw new CytoError(
    'too-large',
    `"${name}" is ${shape[4]} × ${shape[3]} pixels with ${shape[2]} planes, ${shape[1]} channels and ${shape[0]} time points: ${(bytes / 2 ** 30).toFixed(1)} GiB, more than the ${(MEMORY_BUDGET / 2 ** 30).toFixed(1)} GiB a page can hold. ${wayOut}`,
  );
}
