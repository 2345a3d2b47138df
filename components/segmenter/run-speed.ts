import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';
import { anisotropyOf, type Shape3, type Volume } from '../../core/volume.ts';
import { completeParameters, estimateRun, memoryBudget } from '../../workers/segmentation/client.ts';

/** Where speeds are kept between visits. */
const KEY = 'cytopane-speed';

/** What a run will take. */
export interface RunCost {
  tiles: number;
  /** Bytes at the worst moment. */
  bytes: number;
  /** Whether they are to be had, as far as the browser tells. */
  fits: boolean;
  /** Absent until this model has run here once. */
  seconds?: number;
}

function known(): Record<string, number> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof stored === 'object' && stored !== null ? (stored as Record<string, number>) : {};
  } catch {
    return {}; // Private windows and sandboxed frames have no storage: times are unknown there.
  }
}

/** Pixels that the network is run on, tiles rounded up to its steps of 32. */
function networkPixels(shape: Shape3, parameters: SegmentationParameters): number {
  const scale = parameters.diameter ? 30 / parameters.diameter : 1;
  const [y, x] = [shape[1] * scale, shape[2] * scale];
  const z = shape[0] * (parameters.mode === '3d' ? parameters.anisotropy * scale : 1);
  const padded = (length: number) => Math.ceil(length / 32) * 32;
  const planes = shape[0] * padded(y) * padded(x);
  return parameters.mode === '3d'
    ? planes + (shape[1] * padded(x) + shape[2] * padded(y)) * padded(z)
    : planes;
}

/** Remembers how fast a model ran. @param seconds that its tiles took */
export function rememberSpeed(
  key: string,
  shape: Shape3,
  parameters: SegmentationParameters,
  seconds: number,
): void {
  const speed = seconds / networkPixels(shape, parameters);
  if (!(speed > 0 && Number.isFinite(speed))) return;
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...known(), [key]: speed }));
  } catch {
    // As above: not remembered.
  }
}

/** What a run on a part of an image will take. @param key model and backend, as for {@link rememberSpeed} */
export function costOf(
  key: string,
  shape: Shape3,
  image: Volume,
  parameters: Partial<SegmentationParameters>,
): RunCost {
  const full = completeParameters(
    { anisotropy: anisotropyOf(image), ...parameters, ...(image.rgb ? { channels: [0, 1, 2] } : {}) },
    image.shape[1],
  );
  const storage = { channels: full.channels.length, bytesPerSample: image.data.BYTES_PER_ELEMENT };
  const { tiles, peakBytes: bytes } = estimateRun(shape, full, storage);
  const speed = known()[key];
  return {
    tiles,
    bytes,
    fits: bytes <= memoryBudget(),
    ...(speed ? { seconds: speed * networkPixels(shape, full) } : {}),
  };
}
