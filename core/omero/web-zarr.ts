import { CytoError } from '../errors.ts';
import type { ImageOpener } from '../image-provider.ts';
import type { ImageSource } from '../image-source.ts';
import type { TaskOptions } from '../progress.ts';
import type { ImageMetadata } from '../volume.ts';
import type { OmeroConnection } from './connection.ts';
import type { OmeroImage } from './image-details.ts';
import { tileSource } from './tile-source.ts';

interface ArrayHeader {
  shape: number[];
  chunks: number[];
  dtype: string;
  compressor: unknown;
  filters: unknown;
  fill_value: unknown;
  order: string;
}

/**
 * Images as `omero-web-zarr` serves them. Its chunks are fetched here and not by the zarr reader: to that, a login page
 * that comes in place of a chunk is a chunk that is not there, and so black.
 *
 * The app leaves out axes of length 1, gives ratios for scales, swaps the sides of chunks of images without
 * resolutions, and mixes up the bytes of smaller resolutions of wide samples (0.1.1); the last are not read.
 * @returns undefined where the app is not installed or does not serve the image rightly
 * @throws CytoError as the requests do
 */
export async function openWebZarr(
  connection: OmeroConnection,
  opener: ImageOpener,
  image: OmeroImage,
  metadata: ImageMetadata,
  options: TaskOptions,
): Promise<ImageSource | undefined> {
  const { dtype } = image;
  if (!dtype || (image.tiled && !/^u?int8$/.test(dtype))) return undefined;
  const folder = `zarr/v0.4/image/${image.id}.zarr`;
  const answer = await connection.offers(`${folder}/.zattrs`, options);
  const told = (await answer?.json().catch(() => undefined)) as
    | { multiscales?: Array<{ datasets?: Array<{ path: string }> }> }
    | undefined;
  const paths = told?.multiscales?.at(0)?.datasets?.map(({ path }) => path) ?? [];
  if (paths.length < image.resolutions.length) return undefined;
  const headers: ArrayHeader[] = [];
  for (const [level, size] of image.resolutions.entries()) {
    const header = await connection.json<ArrayHeader>(`${folder}/${paths[level]}/.zarray`, options);
    if (header.shape.slice(-2).join() !== size.join()) return undefined;
    headers.push(header);
  }
  const chunkOf = (level: number) => headers[level].chunks.slice(-2) as [number, number];

  return tileSource(
    image,
    dtype,
    metadata,
    async ({ level, t, c, z, x, y, width, height }, task) => {
      const [rows, columns] = chunkOf(level);
      const leading = [t, c, z].filter((_, axis) => image.shape[axis] > 1);
      const key = [...leading, Math.floor(y / rows), Math.floor(x / columns)].join('/');
      const { signal } = task;
      const quiet = signal ? { signal } : {};
      const chunk = await connection.request(`${folder}/${paths[level]}/${key}`, quiet);
      const header = { ...headers[level], shape: headers[level].chunks, dimension_separator: '.' };
      const source = await opener.open(
        [
          new File([JSON.stringify({ ...header, zarr_format: 2 })], '.zarray'),
          new File([await chunk.blob()], header.chunks.map(() => 0).join('.')),
        ],
        quiet,
      );
      try {
        if (source.dtype !== dtype) {
          throw new CytoError(
            'corrupt-file',
            `omero-web-zarr sends ${source.dtype} for an image of ${dtype}.`,
          );
        }
        const box = { x: [x % columns, (x % columns) + width], y: [y % rows, (y % rows) + height] } as const;
        return (await source.read(box, 0, quiet)).data;
      } finally {
        source.close();
      }
    },
    chunkOf,
  );
}
