import type { GeoTIFF } from 'geotiff';

/** What the library calls a source. */
export type Source = Parameters<typeof GeoTIFF.fromSource>[0];

/**
 * Reads parts of a Blob or File for the TIFF library. Its own reader of blobs needs FileReader, which Node lacks.
 */
export class BlobSource {
  readonly #blob: Blob;

  constructor(blob: Blob) {
    this.#blob = blob;
  }

  get fileSize(): number {
    return this.#blob.size;
  }

  fetch(slices: ReadonlyArray<{ offset: number; length: number }>): Promise<ArrayBuffer[]> {
    return Promise.all(slices.map((slice) => this.fetchSlice(slice)));
  }

  fetchSlice({ offset, length }: { offset: number; length: number }): Promise<ArrayBuffer> {
    return this.#blob.slice(offset, offset + length).arrayBuffer();
  }

  async close(): Promise<void> {}
}
