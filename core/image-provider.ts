import type { ImageSource } from './image-source.ts';
import type { TaskOptions } from './progress.ts';

/** Opens files (several: those of one folder) and plain http addresses; the reading worker of a page is one. */
export interface ImageOpener {
  open(input: File | readonly File[] | URL, options?: TaskOptions): Promise<ImageSource>;
}

/**
 * Where images of one kind of address come from: an archive or an image server. A host page adds its own with
 * {@link addImageProvider}; `src="scheme:…"` of every element then goes there.
 */
export interface ImageProvider {
  /** Scheme of the addresses, without the colon: `omero`. */
  readonly scheme: string;
  /**
   * Opens an image.
   * @param opener reads what turns out to be a file or a plain address
   * @throws CytoError with a sentence that names the problem and the way out
   */
  open(address: URL, opener: ImageOpener, options?: TaskOptions): Promise<ImageSource>;
}

const providers = new Map<string, ImageProvider>();

/** Adds a provider to the page, in place of an earlier one of the same scheme. */
export function addImageProvider(provider: ImageProvider): void {
  providers.set(`${provider.scheme}:`, provider);
}

/** The provider of an address, if its scheme has one. */
export function imageProviderOf(address: URL): ImageProvider | undefined {
  return providers.get(address.protocol);
}
