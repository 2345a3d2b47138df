import { CytoError, throwIfAborted } from '../errors.ts';
import type { ImageOpener } from '../image-provider.ts';
import { type ImageSource, wholeLevels } from '../image-source.ts';
import type { TaskOptions } from '../progress.ts';
import type { ImageMetadata } from '../volume.ts';
import type { OmeroConnection } from './connection.ts';
import type { OmeroImage } from './image-details.ts';
import { pluginCapabilities } from './plugin.ts';
import { renderedTile } from './rendered-tiles.ts';
import { fromBigEndian, tileSource } from './tile-source.ts';
import { openWebZarr } from './web-zarr.ts';

/** What a route has to work with. */
export interface RouteContext {
  connection: OmeroConnection;
  opener: ImageOpener;
  image: OmeroImage;
  /** Metadata of the image, with the name of the route in its provenance. */
  metadata: ImageMetadata;
}

/** One way to the pixels of an image. A host may put its own before the {@link PIXEL_ROUTES}. */
export interface PixelRoute {
  /** Written into every export. */
  readonly name: string;
  /** Opens the image; undefined when the server does not offer this way for it. */
  open(context: RouteContext, options: TaskOptions): Promise<ImageSource | undefined>;
}

/** Tiles of the plug-in `omero-cytopane`: raw samples, every resolution. */
const pluginTiles: PixelRoute = {
  name: 'omero-cytopane tiles',
  async open({ connection, image, metadata }, options) {
    const { dtype } = image;
    if (!dtype || !(await pluginCapabilities(connection, options)).tiles) return undefined;
    return tileSource(image, dtype, metadata, async ({ level, t, c, z, x, y, width, height }, task) => {
      const query = `x=${x}&y=${y}&w=${width}&h=${height}&level=${level}`;
      const answer = await connection.request(`cytopane/tile/${image.id}/${z}/${c}/${t}/?${query}`, task);
      return fromBigEndian(await answer.arrayBuffer(), dtype);
    });
  },
};

/** The image is an OME-Zarr that the browser can reach. */
const externalZarr: PixelRoute = {
  name: 'OME-Zarr',
  async open({ image, opener, metadata }, options) {
    const address = image.zarr && httpAddress(image.zarr);
    return address ? described(await opener.open(address, options), image, metadata) : undefined;
  },
};

/** `omero-ms-pixel-buffer`, which counts resolutions from the smallest; behind the host or behind the prefix. */
const microserviceTiles: PixelRoute = {
  name: 'omero-ms-pixel-buffer',
  async open({ connection, image, metadata }, options) {
    const { dtype } = image;
    if (!dtype) return undefined;
    for (const base of new Set([
      new URL('/tile/', connection.root).href,
      new URL('tile/', connection.root).href,
    ])) {
      const probe = { ...options, method: 'OPTIONS' as const };
      const answer = await connection.offers(`${base}${image.id}/0/0/0`, probe);
      const told = (await answer?.json().catch(() => undefined)) as { provider?: string } | undefined;
      if (told?.provider !== 'PixelBufferMicroservice') continue;
      return tileSource(image, dtype, metadata, async ({ level, t, c, z, x, y, width, height }, task) => {
        const resolution = image.resolutions.length - 1 - level;
        const query = `x=${x}&y=${y}&w=${width}&h=${height}&resolution=${resolution}`;
        const tile = await connection.request(`${base}${image.id}/${z}/${c}/${t}?${query}`, task);
        return fromBigEndian(await tile.arrayBuffer(), dtype);
      });
    }
    return undefined;
  },
};

/** Chunks of `omero-web-zarr`: images without resolutions, and 8-bit ones. */
const webZarr: PixelRoute = {
  name: 'omero-web-zarr',
  open: ({ connection, image, opener, metadata }, options) =>
    openWebZarr(connection, opener, image, metadata, options),
};

/** The whole image as an OME-TIFF that the server writes; not for images with resolutions. */
const omeTiff: PixelRoute = {
  name: 'OME-TIFF export',
  async open({ connection, image, opener, metadata }, options) {
    if (!image.dtype || image.tiled) return undefined;
    const path = `webgateway/render_ome_tiff/i/${image.id}/`;
    const probe = await connection.offers(`${path}?dryrun=1`, options);
    if ((await probe?.text())?.trim() !== '1') return undefined;
    const { signal } = options;
    const answer = await connection.request(path, signal ? { signal } : {});
    const file = new File([await answer.blob()], `${image.name}.ome.tiff`);
    return described(await opener.open(file, options), image, metadata);
  },
};

/** Files that can be read here. */
const READABLE = /\.(tiff?|png|nrrd|mrc|nii(\.gz)?|npy)$/i;
/** Originals are loaded whole. */
const ORIGINAL_LIMIT = 2 ** 30;

/** The file that was imported, if it is one of a kind that can be read here and holds this image alone. */
const originalFile: PixelRoute = {
  name: 'original file',
  async open({ connection, image, opener, metadata }, options) {
    if (!image.dtype) return undefined;
    const { signal } = options;
    const paths = await connection.offers(`webgateway/original_file_paths/${image.id}/`, options);
    const imported = (await paths?.json().catch(() => undefined)) as { repo?: string[] } | undefined;
    // Several files are sent as one archive.
    if (imported?.repo?.length !== 1 || !READABLE.test(imported.repo[0])) return undefined;
    const path = `webgateway/archived_files/download/${image.id}/`;
    const answer = await connection.offers(path, signal ? { signal } : {});
    if (!answer) return undefined;
    if (Number(answer.headers.get('content-length') ?? 0) > ORIGINAL_LIMIT) {
      await answer.body?.cancel();
      return undefined;
    }
    const told = /filename="?([^";]+)/.exec(answer.headers.get('content-disposition') ?? '')?.[1];
    const source = await opener.open(new File([await answer.blob()], told ?? image.name), options);
    return described(source, image, metadata);
  },
};

/** JPEG of the server's renderer: 8 bits, lossy. The last resort, and said so. */
const rendered: PixelRoute = {
  name: 'rendered JPEG',
  async open({ connection, image, opener, metadata }) {
    const channels = metadata.channels.map(({ window: _, ...channel }) => channel);
    const lossy: ImageMetadata = {
      ...metadata,
      channels,
      provenance: { ...metadata.provenance, pixel_quality: '8-bit, lossy' },
      notes: [
        ...metadata.notes,
        '8-bit, lossy: this server gives no raw samples, only JPEG pictures scaled to the display window. Shapes can be segmented; intensities are not those of the microscope.',
      ],
    };
    return tileSource(image, 'uint8', lossy, renderedTile(connection, opener, image));
  },
};

/** From the best to the last resort. */
export const PIXEL_ROUTES: readonly PixelRoute[] = [
  pluginTiles,
  externalZarr,
  microserviceTiles,
  webZarr,
  omeTiff,
  originalFile,
  rendered,
];

/**
 * Opens the pixels of an image by the first route that the server offers. A route that fails is left for the next one,
 * and the notes say so.
 * @throws CytoError of the last route; `login`, `too-large` and `aborted` at once
 */
export async function openPixels(
  connection: OmeroConnection,
  opener: ImageOpener,
  image: OmeroImage,
  options: TaskOptions & { routes?: readonly PixelRoute[] } = {},
): Promise<ImageSource> {
  const { routes = PIXEL_ROUTES, ...task } = options;
  let failure: CytoError | undefined;
  const failures: string[] = [];
  for (const route of routes) {
    const metadata = { ...metadataOf(image, connection, route.name), notes: [...failures] };
    try {
      const source = await route.open({ connection, opener, image, metadata }, task);
      if (source) return source;
    } catch (error) {
      throwIfAborted(task.signal);
      if (!(error instanceof CytoError) || ['login', 'too-large'].includes(error.kind)) throw error;
      failures.push(`Not read by ${route.name}: ${error.message}`);
      failure = error;
    }
  }
  throw (
    failure ?? new CytoError('unsupported', `The pixels of "${image.name}" cannot be read from this server.`)
  );
}

function metadataOf(image: OmeroImage, { root }: OmeroConnection, route: string): ImageMetadata {
  return {
    name: image.name,
    calibration: image.calibration,
    channels: image.channels,
    // Three channels of OMERO are stored and shown one by one.
    rgb: false,
    storedAxes: 'TCZYX',
    notes: [],
    provenance: { server: root.href, omero_image: image.id, pixels: route },
  };
}

/** A source with OMERO's names, colours, windows and sizes instead of its own. @throws CytoError when it is another image */
function described(source: ImageSource, image: OmeroImage, metadata: ImageMetadata): ImageSource {
  const { shape } = source.levels[0];
  if (shape.join() !== image.shape.join()) {
    source.close();
    throw new CytoError(
      'unsupported',
      `The file behind "${image.name}" has ${shape.join('×')} samples, the image ${image.shape.join('×')}.`,
    );
  }
  const [, , nz, ny, nx] = shape;
  const [dz, dy, dx] = image.calibration.spacing;
  const levels = source.levels.map((level) => {
    const [, , z, y, x] = level.shape;
    const spacing = [(dz * nz) / z, (dy * ny) / y, (dx * nx) / x] as const;
    return { ...level, calibration: { ...image.calibration, spacing } };
  });
  const told = { ...metadata, notes: [...source.notes, ...metadata.notes] };
  const read: ImageSource['read'] = (region, level, options) => source.read(region, level, options);
  return {
    ...told,
    dtype: source.dtype,
    levels,
    read,
    readVolume: wholeLevels(told, levels, read),
    close: () => source.close(),
  };
}

/** The web address of a store; `s3://host/bucket/key` has one, files of the server have none. */
function httpAddress(lsid: string): URL | undefined {
  const match = /^s3:\/\/([^/?]+)\/([^?]*)/.exec(lsid);
  const address = match ? `https://${match[1]}/${match[2]}` : lsid;
  if (!/^https?:/.test(address)) return undefined;
  const url = new URL(address);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}
