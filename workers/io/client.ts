import { assetUrl } from '../../core/assets.ts';
import type { ImageSource, Region, RegionData } from '../../core/image-source.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type { Volume } from '../../core/volume.ts';
import { WorkerLink } from '../link.ts';
import type { NamedBlob } from './bytes.ts';
import type { SourceDescription } from './io.worker.ts';

/** A file, the files of a folder or sequence, or an address (relative to the page). */
export type ImageInput = File | Blob | readonly File[] | URL | string;

function named(file: File | Blob, fallback: string): NamedBlob {
  const name = 'name' in file ? file.name : fallback;
  const path = ('webkitRelativePath' in file && file.webkitRelativePath) || name;
  return { name, path, blob: file };
}

/**
 * Reads images in a worker: TIFF, OME-TIFF, OME-Zarr, PNG, JPEG, BMP, NRRD, NIfTI, MetaImage, MRC, NPY.
 * Pixels are read when asked for and moved, not copied, to the page.
 */
export class ImageReader {
  readonly #link: WorkerLink;

  /** @param options.workerUrl another address of `io.worker.js` than next to this module */
  constructor(options: { workerUrl?: URL } = {}) {
    const { workerUrl } = options;
    this.#link = new WorkerLink('The reading worker', () =>
      workerUrl
        ? new Worker(workerUrl, { type: 'module' })
        : new Worker(new URL('./io.worker.js', import.meta.url), { type: 'module' }),
    );
  }

  /**
   * Opens an image; its format is told by its content.
   * @throws CytoError `not-found`, `network` (CORS refusals included), `corrupt-file`, `unsupported`, `too-large`,
   * `worker-crashed`, `aborted`
   */
  async open(input: ImageInput, options: TaskOptions & { name?: string } = {}): Promise<ImageSource> {
    const { name = 'image', ...task } = options;
    let what: string | NamedBlob[];
    if (input instanceof Blob) what = [named(input, name)];
    else if (typeof input === 'string' || input instanceof URL) what = new URL(input, document.baseURI).href;
    else what = input.map((file) => named(file, name));
    const { id, ...description } = await this.#link.call<SourceDescription>(
      'open',
      [what, assetUrl('.').href],
      task,
    );
    const link = this.#link;
    let kept: { level: number; volume: Promise<Volume> } | undefined;
    return {
      ...description,
      read: (region: Region, level: number, readOptions: TaskOptions = {}): Promise<RegionData> =>
        link.call('read', [id, region, level], readOptions),
      readVolume: (level = 0, readOptions: TaskOptions = {}): Promise<Volume> => {
        if (kept?.level === level) return kept.volume;
        const volume = link.call<Volume>('readVolume', [id, level], readOptions);
        kept = { level, volume };
        volume.catch(() => {
          kept = undefined;
        });
        return volume;
      },
      close: () => {
        link.call('close', [id]).catch((error: unknown) => console.debug('cytopane:', error));
      },
    };
  }

  /** Stops the worker; reads under way are rejected as `aborted`. */
  dispose(): void {
    this.#link.dispose();
  }
}
