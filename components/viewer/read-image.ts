import { CytoError, throwIfAborted } from '../../core/errors.ts';
import type { ImageSource } from '../../core/image-source.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { relativeVoxel, TiledImage } from '../../core/tiled-image.ts';
import { bytesPerSample, type Spacing, sampleCount, type Volume } from '../../core/volume.ts';
import { type ImageInput, openImage, PartReader } from './image-reader.ts';

export type { ImageInput };

/** Bytes of one image that a viewer holds at most. */
export const MEMORY_BUDGET = 1 << 30;
/** Bytes up to which a plane is held whole though it has coarser resolutions. */
const WHOLE_PLANE = 256 * 2 ** 20;
/** Bytes of the resolution of a larger plane that is held whole, where it has one so small. */
const OVERVIEW_PLANE = 32 * 2 ** 20;

/** An image as a viewer holds it. */
export interface ReadImage {
  /** The resolution in memory. */
  volume: Volume;
  /** Finer ones, read in parts. */
  detail?: TiledImage;
}

type Levels = Pick<ImageSource, 'levels' | 'dtype' | 'name'>;

const bytesOf = ({ levels, dtype }: Levels, level: number) =>
  sampleCount(levels[level].shape) * bytesPerSample(dtype);

/**
 * The finest level whose samples fit.
 * @throws CytoError `too-large` when not even the coarsest does
 */
export function fittingLevel(source: Levels, budget: number): number {
  const level = source.levels.findIndex((_, index) => bytesOf(source, index) <= budget);
  if (level >= 0) return level;
  const last = source.levels.length - 1;
  const mebibytes = Math.round(bytesOf(source, last) / 2 ** 20);
  throw new CytoError(
    'too-large',
    `"${source.name}" (${source.levels[last].shape.slice(2).join('×')} voxels, ${mebibytes} MiB) is larger than the ${Math.round(budget / 2 ** 20)} MiB that the page keeps in memory, and has no smaller resolution. Crop it or save it with resolution levels (OME-Zarr, pyramidal OME-TIFF).`,
  );
}

/**
 * The level that is held whole: of stacks the finest that fits, for 3D, segmentation and measuring; of a large plane,
 * whose detail is read as it is looked at, a small one, which is soon there.
 * @throws CytoError `too-large` when not even the coarsest fits
 */
export function overviewLevel(source: Levels, budget = MEMORY_BUDGET): number {
  const finest = fittingLevel(source, budget);
  const [t, , z] = source.levels[0].shape;
  if (t * z > 1 || bytesOf(source, 0) <= WHOLE_PLANE) return finest;
  const small = source.levels.findIndex((_, index) => bytesOf(source, index) <= OVERVIEW_PLANE);
  return small < 0 ? Math.max(finest, source.levels.length - 1) : Math.max(finest, small);
}

/** Reads an image whole, at the finest level that fits; says in the volume's notes when that is not the full one. */
export async function readVolume(
  input: ImageInput,
  { budget = MEMORY_BUDGET, ...options }: TaskOptions & { budget?: number } = {},
): Promise<Volume> {
  throwIfAborted(options.signal);
  const { source, close } = await openImage(input, options);
  try {
    const level = fittingLevel(source, budget);
    const volume = await source.readVolume(level, options);
    throwIfAborted(options.signal);
    if (level === 0) return volume;
    const note = `Read at ${levelName(source, level)}: the full image does not fit into memory.`;
    return { ...volume, notes: [...volume.notes, note] };
  } finally {
    close();
  }
}

/** Reads an image for a viewer: whole, or a coarser resolution of it with the finer ones to be read in parts. */
export async function readImage(input: ImageInput, options: TaskOptions = {}): Promise<ReadImage> {
  throwIfAborted(options.signal);
  const open = await openImage(input, options);
  const { source } = open;
  let kept = false;
  try {
    const overview = overviewLevel(source);
    const read = await source.readVolume(overview, options);
    throwIfAborted(options.signal);
    if (overview === 0) return { volume: read };
    kept = true;
    const detail = new TiledImage(new PartReader(input, open), { overview, rgb: source.rgb });
    const note = `Planes show every detail of this image. 3D, segmentation and measurements use ${levelName(source, overview)}, which fits into memory.`;
    const calibration = { ...read.calibration, spacing: levelSpacing(source, overview) };
    return { volume: { ...read, calibration, notes: [...read.notes, note] }, detail };
  } finally {
    if (!kept) open.close();
  }
}

/** Spacing of a level in the units of the full one, also where the file gives all levels the same. */
function levelSpacing({ levels }: Levels, level: number): Spacing {
  const voxel = relativeVoxel(levels[level], levels[0]);
  const { spacing } = levels[0].calibration;
  return [spacing[0] * voxel[0], spacing[1] * voxel[1], spacing[2] * voxel[2]];
}

function levelName({ levels }: Levels, level: number): string {
  const size = (index: number) => levels[index].shape.slice(2).join('×');
  return `resolution level ${level} (${size(level)} of ${size(0)} voxels)`;
}
