import { CytoError } from '../errors.ts';
import type { ImageOpener, ImageProvider } from '../image-provider.ts';
import type { ImageSource } from '../image-source.ts';
import type { TaskOptions } from '../progress.ts';
import type { OmeroConnection } from './connection.ts';
import { imageDetails } from './image-details.ts';
import { openPixels, type PixelRoute } from './pixel-routes.ts';

/**
 * Images of one OMERO server as `omero:101` (or `omero:image/101`), for `src` of every element:
 * `addImageProvider(new OmeroImages(new OmeroConnection({ root: '/' })))`.
 */
export class OmeroImages implements ImageProvider {
  readonly scheme: string;
  readonly connection: OmeroConnection;
  readonly #routes: readonly PixelRoute[] | undefined;

  /**
   * @param options.scheme another scheme than `omero`, for pages with several servers
   * @param options.routes other ways to the pixels than `PIXEL_ROUTES`, best first
   */
  constructor(
    connection: OmeroConnection,
    options: { scheme?: string; routes?: readonly PixelRoute[] } = {},
  ) {
    this.connection = connection;
    this.scheme = options.scheme ?? 'omero';
    this.#routes = options.routes;
  }

  /** @throws CytoError `bad-input` for another address, and as {@link openPixels} */
  async open(address: URL, opener: ImageOpener, options: TaskOptions = {}): Promise<ImageSource> {
    const id = /^(?:image\/)?(\d+)$/.exec(address.pathname)?.[1];
    if (id === undefined) {
      throw new CytoError('bad-input', `"${address.href}" names no image: write ${this.scheme}:101.`);
    }
    const image = await imageDetails(this.connection, Number(id), options);
    return openPixels(this.connection, opener, image, {
      ...options,
      ...(this.#routes ? { routes: this.#routes } : {}),
    });
  }
}
