import { CytoError } from '../../core/errors.ts';
import { type ImageOpener, imageProviderOf } from '../../core/image-provider.ts';
import type { ImageSource, Region, RegionData } from '../../core/image-source.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type { TileReader } from '../../core/tiled-image.ts';

/** What a viewer can open: local files, addresses. */
export type ImageInput = File | readonly File[] | URL | string;

/** Milliseconds without use after which the reading worker is let go. */
const IDLE = 10_000;
/** Milliseconds without a read after which an image that is read in parts is closed, to be opened again when needed. */
const SOURCE_IDLE = 60_000;

type Reader = ImageOpener & {
  open(input: ImageInput, options?: TaskOptions): Promise<ImageSource>;
  dispose(): void;
};

/** One reader, and so one worker, serves all viewers of the page. */
let reader: Promise<Reader> | undefined;
let users = 0;
let idleTimer: ReturnType<typeof setTimeout> | undefined;

async function takeReader(): Promise<Reader> {
  clearTimeout(idleTimer);
  users++;
  reader ??= loadReader();
  try {
    return await reader;
  } catch (error) {
    giveReaderBack(true);
    throw error;
  }
}

function giveReaderBack(failed: boolean): void {
  users--;
  // A reader that could not be loaded must not be kept.
  if (failed && users === 0) releaseReader();
  else if (users === 0) idleTimer = setTimeout(releaseReader, IDLE);
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

/** An image and the page's hold on the reader that reads it. */
export interface OpenImage {
  readonly source: ImageSource;
  /** @param failed whether the reader is to be replaced rather than kept for the next image */
  close(failed?: boolean): void;
}

/**
 * Opens a file, or an address: of the web, or of a kind that a provider of the page knows.
 * @throws CytoError as the readers do
 */
export async function openImage(input: ImageInput, options: TaskOptions): Promise<OpenImage> {
  const images = await takeReader();
  try {
    const address = typeof input === 'string' ? new URL(input, document.baseURI) : input;
    const provider = address instanceof URL ? imageProviderOf(address) : undefined;
    const opening = provider ? provider.open(address as URL, images, options) : images.open(input, options);
    const source = await opening;
    return {
      source,
      close: (failed = false) => {
        source.close();
        giveReaderBack(failed);
      },
    };
  } catch (error) {
    giveReaderBack(true);
    throw error;
  }
}

/** Reads parts of an image, which is closed while nobody reads and opened again when somebody does. */
export class PartReader implements TileReader {
  readonly dtype: ImageSource['dtype'];
  readonly levels: ImageSource['levels'];
  readonly #input: ImageInput;
  #open: Promise<OpenImage> | undefined;
  #reading = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  /** @param open the image, as opened from `input`; belongs to the reader from now on */
  constructor(input: ImageInput, open: OpenImage) {
    this.#input = input;
    this.#open = Promise.resolve(open);
    this.dtype = open.source.dtype;
    this.levels = open.source.levels;
    this.#rest();
  }

  async read(region: Region, level: number, options: TaskOptions = {}): Promise<RegionData> {
    clearTimeout(this.#idle);
    this.#reading++;
    // Not cancelled with the first part: others wait for it as well.
    this.#open ??= openImage(this.#input, {});
    const open = this.#open;
    try {
      const { source } = await open;
      return await source.read(region, level, options);
    } catch (error) {
      // The worker may have stopped and taken the image with it.
      if (!options.signal?.aborted && this.#open === open) this.#close();
      throw error;
    } finally {
      this.#reading--;
      this.#rest();
    }
  }

  #rest(): void {
    clearTimeout(this.#idle);
    if (this.#reading === 0) this.#idle = setTimeout(() => this.#close(), SOURCE_IDLE);
  }

  #close(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.then(
      (image) => image.close(),
      () => undefined, // it was not opened; its reader has the error
    );
  }
}
