import type { GeoTIFF } from 'geotiff';
import { CytoError, isAbort, throwIfAborted } from '../../../core/errors.ts';
import {
  completeRegion,
  type ImageLevel,
  type ImageSource,
  type Region,
  type RegionData,
  regionShape,
  wholeLevels,
} from '../../../core/image-source.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import {
  allocate,
  bytesPerSample,
  type Calibration,
  type DType,
  sampleCount,
  type VolumeData,
  viewAs,
} from '../../../core/volume.ts';
import type { NamedBlob } from '../bytes.ts';
import { nameOfUrl } from '../bytes.ts';
import { checkFits } from '../memory.ts';
import { BlobSource, type Source } from './blob-source.ts';
import { type Layout, layoutOf } from './layout.ts';
import { checkStrips, type Library, listPages, type Page, resolutionOf, subPages } from './pages.ts';
import { readWindow } from './read-window.ts';
import { tagList } from './tag-list.ts';

/** An opened TIFF: pages of every level and how they form an image. */
interface Opened {
  library: Library;
  tiff: GeoTIFF;
  blob: Blob | undefined;
  fileSize: number;
  layout: Layout;
  pages: Page[];
  /** Pages of the reduced levels: level − 1 → page index → page. */
  reduced: (level: number, page: number) => Promise<Page>;
  levelSizes: Array<{ width: number; height: number }>;
}

const corrupt = (cause: unknown) =>
  new CytoError(
    'corrupt-file',
    'This TIFF file is damaged: what it says of itself cannot be followed. Export it again from the program that made it.',
    { cause },
  );

async function guard<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CytoError || isAbort(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    if (/[Uu]nknown compression|not supported|unsupported|[Uu]nrecognized/.test(message)) {
      throw new CytoError(
        'unsupported',
        `This TIFF uses a feature that is not supported: ${message}. Save it uncompressed or with deflate.`,
        { cause: error },
      );
    }
    throw corrupt(error);
  }
}

/** Opens a TIFF of any flavour; pixels are read when asked for. */
export async function openTiff(file: NamedBlob | URL, options: TaskOptions = {}): Promise<ImageSource> {
  const library = await import('geotiff');
  library.setLogger();
  const blob = file instanceof URL ? undefined : file.blob;
  const name = file instanceof URL ? nameOfUrl(file) : file.name;
  const tiff = await guard(
    file instanceof URL
      ? library.fromUrl(file.href, {}, options.signal)
      : library.GeoTIFF.fromSource(new BlobSource(file.blob) as unknown as Source, {}, options.signal),
  );
  const fileSize = blob?.size ?? Number.POSITIVE_INFINITY;
  const listed = await guard(listPages(tiff, fileSize));
  const pages = await guard(withSiblings(tiff, listed, fileSize));
  throwIfAborted(options.signal);
  const description = String((await guard(pages[0].directory.loadValue('ImageDescription'))) ?? '').replace(
    /\0+$/,
    '',
  );
  const layout = layoutOf(pages, description, name, await guard(resolutionOf(pages[0])));
  await guard(checkStrips(tiff, pages[0], fileSize));
  const { reduced, levelSizes } = await guard(reducedLevels(tiff, pages, fileSize));
  return tiffSource(name, { library, tiff, blob, fileSize, layout, pages, reduced, levelSizes });
}

/** Pages and, behind each, those of its SubIFDs that are full pages of the same kind rather than smaller copies. */
async function withSiblings(tiff: GeoTIFF, pages: Page[], fileSize: number): Promise<Page[]> {
  const siblings = async (page: Page) =>
    (await subPages(tiff, page, fileSize)).filter(
      ({ reduced, width, height }) => !reduced && width === page.width && height === page.height,
    );
  const parent = pages.find(({ directory }) => directory.hasTag('SubIFDs'));
  if (!parent || (await siblings(parent)).length === 0) return pages;
  const all: Page[] = [];
  for (const page of pages) all.push(page, ...(await siblings(page)));
  return all;
}

/** Smaller copies: SubIFDs of every page, or pages marked as reduced behind a single full one. */
async function reducedLevels(tiff: GeoTIFF, pages: Page[], fileSize: number) {
  const smaller = async (page: Page) =>
    (await subPages(tiff, page, fileSize)).filter(({ width }) => width < page.width);
  const sub = await smaller(pages[0]);
  if (sub.length > 0) {
    const kept = new Map<number, Promise<Page[]>>([[0, Promise.resolve(sub)]]);
    return {
      levelSizes: sub.map(({ width, height }) => ({ width, height })),
      reduced: async (level: number, page: number) => {
        const own = kept.get(page) ?? smaller(pages[page]);
        kept.set(page, own);
        const found = (await own)[level - 1];
        if (!found)
          throw new CytoError(
            'corrupt-file',
            `Page ${page + 1} of this TIFF lacks the resolution level ${level}.`,
          );
        return found;
      },
    };
  }
  const small = pages.filter((page, k) => k > 0 && page.reduced && page.width < pages[0].width);
  const full = pages.filter((page) => !page.reduced).length;
  const levels = full === 1 ? small : [];
  return {
    levelSizes: levels.map(({ width, height }) => ({ width, height })),
    reduced: async (level: number) => levels[level - 1],
  };
}

function tiffSource(name: string, opened: Opened): ImageSource {
  const { layout, pages, levelSizes } = opened;
  const [first] = pages;
  const dtype: DType = first.dtype;
  const [nt, nc, nz, ny, nx] = layout.shape;
  const scaled = ({ spacing, ...rest }: Calibration, height: number, width: number): Calibration => ({
    ...rest,
    spacing: [spacing[0], (spacing[1] * ny) / height, (spacing[2] * nx) / width],
  });
  const tile = (page: Page) => {
    const { block } = page;
    return [1, Math.min(page.height, block.height), Math.min(page.width, block.width)] as const;
  };
  const levels: ImageLevel[] = [
    { shape: layout.shape, calibration: layout.calibration, chunk: tile(first) },
    ...levelSizes.map(
      ({ width, height }): ImageLevel => ({
        shape: [nt, nc, nz, height, width],
        calibration: scaled(layout.calibration, height, width),
        chunk: tile(first),
      }),
    ),
  ];
  const metadata = {
    name: layout.name || name,
    calibration: layout.calibration,
    channels:
      layout.channels ??
      Array.from({ length: nc }, (_, c) => ({
        name: layout.rgb ? ['Red', 'Green', 'Blue', 'Alpha'][c] : `Channel ${c + 1}`,
      })),
    rgb: layout.rgb,
    storedAxes: layout.storedAxes,
    notes: layout.notes,
  };

  const read = async (region: Region, level: number, options: TaskOptions = {}): Promise<RegionData> => {
    const full = completeRegion(region, levels[level].shape);
    const { t, c, z, y, x } = full;
    const shape = regionShape(full);
    checkFits(shape, dtype, name, levels.length);
    const data = allocate(dtype, sampleCount(shape));
    const area = shape[3] * shape[4];
    const total = shape[0] * shape[1] * shape[2];
    let done = 0;
    for (let ti = t[0]; ti < t[1]; ti++) {
      for (let zi = z[0]; zi < z[1]; zi++) {
        const wanted = new Map<number, Array<{ sample: number; to: number }>>();
        for (let ci = c[0]; ci < c[1]; ci++) {
          const plane = layout.plane(ti, ci, zi);
          const to = (((ti - t[0]) * shape[1] + ci - c[0]) * shape[2] + zi - z[0]) * area;
          if (!plane) continue;
          const list = wanted.get(plane.page) ?? [];
          list.push({ sample: plane.sample, to });
          wanted.set(plane.page, list);
        }
        for (const [page, parts] of wanted) {
          throwIfAborted(options.signal);
          const samples = parts.map(({ sample }) => sample);
          const window: [number, number, number, number] = [x[0], y[0], x[1], y[1]];
          const planes = layout.contiguous
            ? [await readContiguous(opened, page, window)]
            : await readPage(opened, page, level, window, samples, options);
          parts.forEach(({ to }, k) => {
            data.set(planes[k], to);
          });
          done += parts.length;
          options.onProgress?.({ phase: 'read', value: done, total });
        }
      }
    }
    return { data, shape };
  };

  return {
    ...metadata,
    dtype,
    levels,
    read,
    readVolume: wholeLevels(metadata, levels, read),
    close: () => void opened.tiff.close(),
  };
}

async function readPage(
  { library, tiff, pages, reduced, fileSize }: Opened,
  index: number,
  level: number,
  window: [number, number, number, number],
  samples: number[],
  { signal }: TaskOptions,
): Promise<VolumeData[]> {
  const page = level === 0 ? pages[index] : await guard(reduced(level, index));
  if (!page) throw new CytoError('corrupt-file', `The TIFF has no page ${index + 1}.`);
  await guard(checkStrips(tiff, page, fileSize));
  return guard(readWindow(library, tiff, page, window, samples, signal));
}

/** A plane of an ImageJ stack whose samples follow each other behind the first page. */
async function readContiguous(
  { blob, pages, tiff, fileSize }: Opened,
  index: number,
  [x0, y0, x1, y1]: [number, number, number, number],
): Promise<VolumeData> {
  const [page] = pages;
  if (!blob)
    throw new CytoError(
      'unsupported',
      'ImageJ stacks of this size are read from local files only. Download the file and drop it here.',
    );
  const [start] = await tagList(tiff, page.directory, 'StripOffsets');
  const width = bytesPerSample(page.dtype);
  const planeBytes = page.width * page.height * width;
  if (start + (index + 1) * planeBytes > fileSize)
    throw new CytoError(
      'corrupt-file',
      'This TIFF file ends before its last plane; the copy is incomplete. Copy it again.',
    );
  const bytes = await blob.slice(start + index * planeBytes, start + (index + 1) * planeBytes).arrayBuffer();
  if (!tiff.littleEndian) {
    const view = new Uint8Array(bytes);
    for (let i = 0; i < view.length; i += width) view.subarray(i, i + width).reverse();
  }
  const plane = viewAs(page.dtype, bytes);
  const out = allocate(page.dtype, (y1 - y0) * (x1 - x0));
  for (let y = y0; y < y1; y++)
    out.set(plane.subarray(y * page.width + x0, y * page.width + x1), (y - y0) * (x1 - x0));
  return out;
}
