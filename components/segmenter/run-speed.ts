import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';
import type { Shape3, Volume } from '../../core/volume.ts';
import type { VoxelBox } from '../../core/voxel-box.ts';
import {
  completeParameters,
  estimateRun,
  memoryBudget,
  type NetworkSides,
  type RunOptions,
  SegmentationClient,
} from '../../workers/segmentation/client.ts';

/** Where speeds are kept between visits. */
const KEY = 'cytopane-speed';

/** What a run will take. */
export interface RunCost {
  tiles: number;
  /** Bytes at the worst moment. */
  bytes: number;
  /** Whether they are to be had, as far as the browser tells. */
  fits: boolean;
  /** Absent until this model has run here once, or a tile was timed. */
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

/** Remembers how fast a model ran. @param seconds that its tiles took @param network what it takes, if known */
export function rememberSpeed(
  key: string,
  shape: Shape3,
  parameters: SegmentationParameters,
  seconds: number,
  network: NetworkSides | undefined,
): void {
  const speed = seconds / estimateRun(shape, parameters, undefined, network).pixels;
  if (!(speed > 0 && Number.isFinite(speed))) return;
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...known(), [key]: speed }));
  } catch {
    // As above: not remembered.
  }
}

/** Side of the part of the image that is timed: one tile. */
const TIMED_SIDE = 240;

/**
 * Runs one tile in the middle of a plane, twice, since the first run of a network sets it up, and remembers how long the
 * second took. Flows of earlier runs are kept.
 * @param key model and backend, as for {@link rememberSpeed}
 * @throws CytoError as a run
 */
export async function timeTile(
  key: string,
  image: Volume,
  parameters: Partial<SegmentationParameters>,
  network: NetworkSides | undefined,
  options: RunOptions,
): Promise<void> {
  const { z = 0 } = options;
  const [rows, columns] = [image.shape[3], image.shape[4]].map((side) => {
    const from = Math.max(0, (side - TIMED_SIDE) >> 1);
    return { from, to: Math.min(side, from + TIMED_SIDE) };
  });
  const scope: VoxelBox = { from: [z, rows.from, columns.from], to: [z + 1, rows.to, columns.to] };
  // At the network's own scale, so that no other tile is run to learn the size of the cells.
  const plane = { ...parameters, mode: '2d', diameter: 30 } as const;
  const client = new SegmentationClient();
  try {
    await client.run(image, plane, { ...options, scope });
    const result = await client.run(image, plane, { ...options, scope });
    rememberSpeed(key, result.shape, result.parameters, result.milliseconds / 1000, network);
  } finally {
    client.dispose();
  }
}

/**
 * What a run on a part of an image will take.
 * @param key model and backend, as for {@link rememberSpeed}
 * @param run.times time points that are run one after the other
 * @param run.memory bytes that a run may take; by default what the browser says
 * @param run.network what the model takes, if it is known; else the default model is assumed
 */
export function costOf(
  key: string,
  shape: Shape3,
  image: Volume,
  parameters: Partial<SegmentationParameters>,
  {
    times,
    network,
    memory = memoryBudget(),
  }: { times: number; network: NetworkSides | undefined; memory?: number | undefined },
): RunCost {
  const full = completeParameters(
    { ...parameters, ...(image.rgb ? { channels: [0, 1, 2] } : {}) },
    image.shape[1],
  );
  const storage = { channels: full.channels.length, bytesPerSample: image.data.BYTES_PER_ELEMENT };
  const { tiles, pixels, peakBytes: bytes } = estimateRun(shape, full, storage, network);
  const speed = known()[key];
  return {
    tiles: times * tiles,
    bytes,
    fits: bytes <= memory,
    ...(speed ? { seconds: times * speed * pixels } : {}),
  };
}
