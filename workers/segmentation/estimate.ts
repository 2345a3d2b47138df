import { CytoError } from '../../core/errors.ts';
import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../core/volume.ts';
import { voxelsOf } from '../../core/voxel-box.ts';
import type { NetworkWork } from './preprocess/run-tiles.ts';
import { flowPrecision, isLarge, type NetworkSides, planePrecision, workOf } from './run-plan.ts';
import { boxesOf } from './volume/box-dynamics.ts';
import { flowBytes } from './volume/flow-array.ts';
import { planeFlowBytes } from './volume/plane-flows.ts';

/**
 * What a run will cost, known before it. Looking at the size of the cells may change the scale, and looking at how flat they
 * are the anisotropy, and with them the work.
 */
export interface RunEstimate extends NetworkWork {
  /** Bytes of samples, flows and labels at the worst moment, in page and worker together, without the network's own. */
  peakBytes: number;
}

export interface ImageStorage {
  /** Channels that are segmented on. */
  channels: number;
  /** Bytes of a sample as stored. */
  bytesPerSample: number;
}

/** Bytes of a label. */
const LABEL = 4;

/** Share of voxels that belong to cells, for the estimate: dense tissue has about so many. */
const FOREGROUND = 0.6;

/** Bytes per voxel of the table of the places where points ended: flows gather in few. */
const END_TABLE = 1;

/** Longest typed array of the flows: indices of voxels are 32 bits wide. */
const MOST_VOXELS = 2 ** 31;

/**
 * Tiles and memory of a run. Nothing is allocated.
 *
 * @param shape lengths of z, y, x of what is segmented: [1, y, x] for a plane
 * @param parameters complete; mode, diameter, anisotropy, tileOverlap, augment and combineViews matter
 * @param network what the network takes; that of the default model if absent
 */
export function estimateRun(
  shape: Shape3,
  parameters: SegmentationParameters,
  { channels, bytesPerSample }: ImageStorage = { channels: 1, bytesPerSample: 2 },
  network: NetworkSides = { tile: 256, sides: { step: 32, largest: 544 } },
): RunEstimate {
  const voxels = voxelsOf(shape);
  const source = channels * bytesPerSample;
  const flows =
    parameters.mode === '3d' ? 4 * flowBytes(flowPrecision(shape)) : planeFlowBytes(planePrecision(shape));
  // While the network runs the worker holds a copy of the samples and the page those it shows and its last labels.
  const running = 2 * source + flows + LABEL;
  // Then the samples of the worker are gone, and new labels come up beside the last ones.
  // Where points ended is kept; of planes as well as their labels, unless the stack is large.
  const ends = FOREGROUND * 8;
  const points = parameters.mode === '3d' ? ends : isLarge(shape) ? 0 : ends + 2 * LABEL;
  const labelling = source + flows + points + 2 * LABEL;
  return {
    ...workOf(shape, parameters, network),
    peakBytes:
      Math.round(voxels * Math.max(running, labelling)) +
      (parameters.mode === '3d' ? boxesOf(shape).bytes : 0),
  };
}

/** Bytes that the part of a volume takes that is read and written at a time. */
const PART_BYTES = 512 * 2 ** 20;

/** Bytes at the worst moment of a run whose samples are read part by part and whose flows are on disk. */
export function streamedBytes(
  shape: Shape3,
  { mode }: SegmentationParameters,
  { channels, bytesPerSample }: ImageStorage,
): number {
  const voxels = voxelsOf(shape);
  const reading = Math.min(PART_BYTES, voxels * (channels * bytesPerSample + 3 * 4));
  const making = mode === '3d' ? boxesOf(shape).bytes + END_TABLE * voxels : 0;
  // The new labels and those that the page still shows.
  return 2 * LABEL * voxels + Math.max(reading, making);
}

/** Memory that runs may take in this browser, in bytes: half of the machine's as far as the browser tells it. */
export function memoryBudget(): number {
  const gigabytes = (globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory;
  return ((gigabytes ?? 8) / 2) * 2 ** 30;
}

/**
 * Refuses a run that would not fit.
 * @param streamed whether samples are read part by part and flows kept on disk
 * @throws CytoError `too-large` with what would fit
 */
export function refuseOversized(
  shape: Shape3,
  parameters: SegmentationParameters,
  storage: ImageStorage,
  budget = memoryBudget(),
  streamed = false,
): void {
  const peakBytes = streamed
    ? streamedBytes(shape, parameters, storage)
    : estimateRun(shape, parameters, storage).peakBytes;
  const [nz, ny, nx] = shape;
  if (peakBytes <= budget && nz * ny * nx < MOST_VOXELS) return;
  const ways: string[] = [];
  const stitched = estimateRun(shape, { ...parameters, mode: 'stitch' }, storage).peakBytes;
  if (parameters.mode === '3d' && stitched <= budget) ways.push(`stitch planes (${gigabytes(stitched)})`);
  const share = Math.min(budget / peakBytes, MOST_VOXELS / (nz * ny * nx));
  const planes = Math.floor(nz * share * 0.9);
  if (nz > 1 && planes > 1) ways.push(`segment a box of at most ${planes} of its ${nz} planes`);
  else ways.push('segment a smaller box of it');
  if (nz > 1 && !streamed) ways.push('run it part by part');
  ways.push('open a coarser scale of the image');
  throw new CytoError(
    'too-large',
    `This run would need ${gigabytes(peakBytes)} of memory, more than the ${gigabytes(budget)} it may take here: ${ways.slice(0, -1).join(', ')} or ${ways.at(-1)}.`,
  );
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;
