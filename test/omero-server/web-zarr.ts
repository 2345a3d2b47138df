import { Buffer } from 'node:buffer';
import Blosc from 'numcodecs/blosc';
import { bytesOfSamples } from '../workers/tiff-file.ts';
import { levelsOf } from './encode.ts';
import { bigEndianTile, samplesOf } from './pixels.ts';
import type { Answer, Route } from './routes.ts';
import type { StoredImage } from './store.ts';

const DTYPES = { uint8: '|u1', uint16: '<u2', float: '<f4' };
const LZ4 = { id: 'blosc', cname: 'lz4', clevel: 5, shuffle: 1, blocksize: 0 } as const;
const TILE = 256;

const json = (value: unknown): Answer => ({
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
});
const failed: Answer = { status: 500, headers: { 'Content-Type': 'text/html' }, body: '<h1>500</h1>' };

/** The views of `omero-web-zarr` 0.1.1 with their quirks. */
export function webZarrRoutes(imageOf: (id: string) => StoredImage | undefined): Route[] {
  const folder = '^zarr/v0\\.4/image/(\\d+)\\.zarr/';

  /** Axes of length 1 are left out. */
  const axesOf = ({ shape }: StoredImage) => [...'tczyx'].filter((_, axis) => shape[axis] > 1);
  const shapeAt = (image: StoredImage, level: number) =>
    [...image.shape.slice(0, 3), ...levelsOf(image)[level]].filter((length) => length > 1);
  /** Images without resolutions have the sides of their one chunk swapped. */
  const sidesOf = ({ shape, levels }: StoredImage) => (levels ? [TILE, TILE] : [shape[4], shape[3]]);

  return [
    [/GET/, new RegExp(`${folder}\\.zgroup$`), 'page', () => json({ zarr_format: 2 })],
    [
      /GET/,
      new RegExp(`${folder}\\.zattrs$`),
      'page',
      ([id]) => {
        const image = imageOf(id);
        if (!image) return failed;
        const full = shapeAt(image, 0);
        const unit = image.size ? { unit: image.size.unit.toLowerCase() } : {};
        const types: Record<string, string> = { t: 'time', c: 'channel' };
        const datasets = levelsOf(image).map((_, level) => {
          const scale = shapeAt(image, level).map((length, k) => full[k] / length);
          return { path: String(level), coordinateTransformations: [{ type: 'scale', scale }] };
        });
        const axes = axesOf(image).map((name) => ({
          name,
          type: types[name] ?? 'space',
          ...('zyx'.includes(name) ? unit : {}),
        }));
        return json({
          multiscales: [{ datasets, version: '0.4', axes }],
          omero: { channels: [], id: image.id },
        });
      },
    ],
    [
      /GET/,
      new RegExp(`${folder}(\\d+)/\\.zarray$`),
      'page',
      ([id, level]) => {
        const image = imageOf(id);
        if (!image || Number(level) >= levelsOf(image).length) return failed;
        const shape = shapeAt(image, Number(level));
        return json({
          zarr_format: 2,
          shape,
          chunks: [...shape.slice(0, -2).map(() => 1), ...sidesOf(image)],
          dtype: DTYPES[image.type],
          compressor: LZ4,
          fill_value: 0,
          filters: null,
          order: 'C',
          dimension_separator: '/',
        });
      },
    ],
    [
      /GET/,
      new RegExp(`${folder}(\\d+)/([\\d/]+)$`),
      'page',
      async ([id, level, key]) => {
        const image = imageOf(id);
        const place = key.split('/').map(Number);
        if (!image || place.length !== axesOf(image).length) return failed;
        const [rows, columns] = sidesOf(image);
        const [height, width] = levelsOf(image)[Number(level)];
        const at = (axis: string) => place[axesOf(image).indexOf(axis)] ?? 0;
        const [y, x] = [at('y') * rows, at('x') * columns];
        if (y >= height || x >= width) return failed;
        const [h, w] = [Math.min(rows, height - y), Math.min(columns, width - x)];
        const request = { level: Number(level), t: at('t'), c: at('c'), z: at('z'), x, y, w, h };
        // Of smaller resolutions the store's bytes are taken for those of the machine.
        const bytes =
          Number(level) > 0
            ? bigEndianTile(image, request)
            : bytesOfSamples(samplesOf(image, request), false);
        const wide = image.data.BYTES_PER_ELEMENT;
        const chunk = new Uint8Array(rows * columns * wide);
        for (let row = 0; row < h; row++)
          chunk.set(bytes.subarray(row * w * wide, (row + 1) * w * wide), row * columns * wide);
        const codec = Blosc.fromConfig({ ...LZ4 });
        return { body: Buffer.from(await codec.encode(chunk)) };
      },
    ],
  ];
}
