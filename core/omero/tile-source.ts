import { CytoError } from '../errors.ts';
import {
  completeRegion,
  type ImageLevel,
  type ImageSource,
  type Region,
  type RegionData,
  regionShape,
  wholeLevels,
} from '../image-source.ts';
import type { TaskOptions } from '../progress.ts';
import {
  allocate,
  bytesPerSample,
  type DType,
  type ImageMetadata,
  sampleCount,
  type VolumeData,
  viewAs,
} from '../volume.ts';
import type { OmeroImage } from './image-details.ts';

/** A rectangle of one plane of one resolution, counted from 0; level 0 is the full one. */
export interface TileRequest {
  level: number;
  t: number;
  c: number;
  z: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Longest side of a request in pixels: large tiles cost fewer requests, and none needs more than a few megabytes. */
export const TILE = 1024;

/** A range cut at the multiples of the tile's side. */
function* onGrid(
  [start, stop]: readonly [number, number],
  side: number,
): Generator<[start: number, stop: number]> {
  for (let at = start; at < stop; ) {
    const next = Math.min(stop, (Math.floor(at / side) + 1) * side);
    yield [at, next];
    at = next;
  }
}

/** Samples in this machine's byte order, of bytes that have the highest first. */
export function fromBigEndian(bytes: ArrayBuffer, dtype: DType): VolumeData {
  const width = bytesPerSample(dtype);
  if (width > 1) {
    const all = new Uint8Array(bytes);
    const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
    if (little) for (let i = 0; i < all.length; i += width) all.subarray(i, i + width).reverse();
  }
  return viewAs(dtype, bytes);
}

/**
 * An image that is read plane by plane in rectangles.
 * @param tile samples of one rectangle, row by row
 * @param sides largest rectangle [y, x] of a level; none is asked for across their multiples
 */
export function tileSource(
  image: OmeroImage,
  dtype: DType,
  metadata: ImageMetadata,
  tile: (request: TileRequest, options: TaskOptions) => Promise<VolumeData>,
  sides: (level: number) => readonly [y: number, x: number] = () => [TILE, TILE],
): ImageSource {
  const [nt, nc, nz, ny, nx] = image.shape;
  const [dz, dy, dx] = image.calibration.spacing;
  const levels = image.resolutions.map(
    ([y, x], level): ImageLevel => ({
      shape: [nt, nc, nz, y, x],
      calibration: { ...image.calibration, spacing: [dz, (dy * ny) / y, (dx * nx) / x] },
      chunk: [1, Math.min(sides(level)[0], y), Math.min(sides(level)[1], x)],
    }),
  );

  async function read(region: Region, level: number, options: TaskOptions = {}): Promise<RegionData> {
    const full = completeRegion(region, levels[level].shape);
    const { t, c, z, y, x } = full;
    const shape = regionShape(full);
    const data = allocate(dtype, sampleCount(shape));
    const [rows, columns] = sides(level);
    const jobs: Array<{ request: TileRequest; plane: number }> = [];
    let plane = 0;
    for (let ti = t[0]; ti < t[1]; ti++)
      for (let ci = c[0]; ci < c[1]; ci++)
        for (let zi = z[0]; zi < z[1]; zi++, plane++)
          for (const [y0, y1] of onGrid(y, rows))
            for (const [x0, x1] of onGrid(x, columns)) {
              const place = { level, t: ti, c: ci, z: zi, x: x0, y: y0 };
              jobs.push({ request: { ...place, width: x1 - x0, height: y1 - y0 }, plane });
            }
    let done = 0;
    await inLanes(jobs, async ({ request, plane: index }) => {
      const { width, height } = request;
      const samples = await tile(request, options);
      if (samples.length !== width * height) {
        throw new CytoError(
          'corrupt-file',
          `A tile of "${image.name}" has ${samples.length} samples instead of ${width * height}.`,
        );
      }
      for (let row = 0; row < height; row++) {
        const to = (index * shape[3] + request.y - y[0] + row) * shape[4] + request.x - x[0];
        data.set(samples.subarray(row * width, (row + 1) * width), to);
      }
      options.onProgress?.({ phase: 'read', value: ++done, total: jobs.length });
    });
    return { data, shape };
  }

  return {
    ...metadata,
    dtype,
    levels,
    read,
    readVolume: wholeLevels(metadata, levels, read),
    close() {},
  };
}

/** Tasks kept waiting at the connection's queue; more would only cost memory. */
const LANES = 6;

async function inLanes<T>(jobs: readonly T[], task: (job: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < jobs.length) await task(jobs[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(LANES, jobs.length) }, lane));
}
