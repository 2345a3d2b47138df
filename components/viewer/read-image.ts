import { CytoError, throwIfAborted } from '../../core/errors.ts';
import { type ImageOpener, imageProviderOf } from '../../core/image-provider.ts';
import type { ImageSource } from '../../core/image-source.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { bytesPerSample, sampleCount, type Volume } from '../../core/volume.ts';

/** Bytes of one image that a viewer holds at most. */
export const MEMORY_BUDGET = 1 << 30;

/** What a viewer can open: local files, addresses. */
export type ImageInput = File | readonly File[] | URL | string;

/** Milliseconds without use after which the reading worker is let go. */
const IDLE = 10_000;

type Reader = ImageOpener & {
  open(input: ImageInput, options?: TaskOptions): Promise<ImageSource>;
  dispose(): void;
};

/** One reader, and so one worker, serves all viewers of the page. */
let reader: Promise<Reader> | undefined;
let users = 0;
let idleTimer: ReturnType<typeof setTimeout> | undefined;

async function withReader<T>(task: (reader: Reader) => Promise<T>): Promise<T> {
  clearTimeout(idleTimer);
  users++;
  reader ??= loadReader();
  try {
    return await task(await reader);
  } catch (error) {
    // A reader that could not be loaded must not be kept.
    if (users === 1) releaseReader();
    throw error;
  } finally {
    if (--users === 0) idleTimer = setTimeout(releaseReader, IDLE);
  }
}

async function loadReader(): Promise<Reader> {
  try {
    const { ImageReader } = await import('../../workers/io/client.ts');
    return new ImageReader();
  } catch (cause) {
    throw new CytoError('network', 'The part of the page that reads images could not be loaded.', { cause });
  }
}

function releaseReader(): void {
  const old = reader;
  reader = undefined;
  old?.then(
    (loaded) => loaded.dispose(),
    () => undefined, // it never came to be; its user has the error
  );
}

/**
 * The finest level whose samples fit.
 * @throws CytoError `too-large` when not even the coarsest does
 */
export function fittingLevel(source: Pick<ImageSource, 'levels' | 'dtype' | 'name'>, budget: number): number {
  const bytes = (level: number) => sampleCount(source.levels[level].shape) * bytesPerSample(source.dtype);
  const level = source.levels.findIndex((_, index) => bytes(index) <= budget);
  if (level >= 0) return level;
  const last = source.levels.length - 1;
  const mebibytes = Math.round(bytes(last) / 2 ** 20);
  throw new CytoError(
    'too-large',
    `"${source.name}" (${source.levels[last].shape.slice(2).join('×')} voxels, ${mebibytes} MiB) is larger than the ${Math.round(budget / 2 ** 20)} MiB that the page keeps in memory, and has no smaller resolution. Crop it or save it with resolution levels (OME-Zarr, pyramidal OME-TIFF).`,
  );
}

/** A file, or an address: of the web, or of a kind that a provider of the page knows. */
function opened(input: ImageInput, images: Reader, options: TaskOptions): Promise<ImageSource> {
  const address = typeof input === 'string' ? new URL(input, document.baseURI) : input;
  const provider = address instanceof URL ? imageProviderOf(address) : undefined;
  return provider ? provider.open(address as URL, images, options) : images.open(input, options);
}

/** Reads an image whole, at the finest level that fits; says in the volume's notes when that is not the full one. */
export async function readImage(
  input: ImageInput,
  { budget = MEMORY_BUDGET, ...options }: TaskOptions & { budget?: number } = {},
): Promise<Volume> {
  return withReader(async (images) => {
    throwIfAborted(options.signal);
    const source = await opened(input, images, options);
    try {
      const level = fittingLevel(source, budget);
      const volume = await source.readVolume(level, options);
      throwIfAborted(options.signal);
      if (level === 0) return volume;
      const full = source.levels[0].shape;
      const note = `Shown at resolution level ${level} (${volume.shape.slice(2).join('×')} of ${full.slice(2).join('×')} voxels): the full image does not fit into memory.`;
      return { ...volume, notes: [...volume.notes, note] };
    } finally {
      source.close();
    }
  });
}
