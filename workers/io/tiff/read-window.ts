import { unzlibSync } from 'fflate';
import type { GeoTIFF } from 'geotiff';
import { CytoError, throwIfAborted } from '../../../core/errors.ts';
import { allocate, type VolumeData } from '../../../core/volume.ts';
import { decodeLzw } from './lzw.ts';
import type { Library, Page } from './pages.ts';
import { type BlockFormat, blockBytes, samplesOf } from './samples.ts';
import { tagList } from './tag-list.ts';

/** Bytes that are asked for at once, so that servers are not asked tile by tile. */
const BATCH_BYTES = 8 * 2 ** 20;

const NONE = 1;
const LZW = 5;
const DEFLATE = [8, 32946];
/** Compressions whose data are pictures of their own; bit order and prediction do not apply. */
const PICTURES = [7, 34887, 50001];

interface Block {
  column: number;
  row: number;
  /** Sample of a planar file; 0 otherwise. */
  sample: number;
  offset: number;
  length: number;
}

/**
 * Samples of a window of a page, one array per sample asked for.
 *
 * Directories and most decompressors are the library's. Assembling is ours: the library misreads big-endian files with
 * prediction, packed bits or long lists of strips, goes on decoding after an error, and sets no bound on what a strip
 * may grow to.
 * @param window [x0, y0, x1, y1] in pixels, half open
 */
export async function readWindow(
  library: Library,
  tiff: GeoTIFF,
  page: Page,
  window: readonly [x0: number, y0: number, x1: number, y1: number],
  samples: readonly number[],
  signal?: AbortSignal,
): Promise<VolumeData[]> {
  const { directory, width, height } = page;
  const [x0, y0, x1, y1] = window;
  const number = async (tag: Parameters<typeof directory.loadValue>[0], fallback: number) =>
    Number((await directory.loadValue(tag)) ?? fallback);
  const tiled = directory.hasTag('TileWidth');
  const blockWidth = tiled ? await number('TileWidth', width) : width;
  const blockHeight = tiled
    ? await number('TileLength', height)
    : Math.min(height, await number('RowsPerStrip', height));
  const planar = (await number('PlanarConfiguration', 1)) === 2;
  const stride = planar ? 1 : page.samples;
  const bits = Number((directory.getValue('BitsPerSample') as ArrayLike<number> | undefined)?.[0] ?? 1);
  const format: Omit<BlockFormat, 'rows'> = {
    rowSamples: blockWidth * stride,
    stride,
    bits,
    sampleFormat: Number((directory.getValue('SampleFormat') as ArrayLike<number> | undefined)?.[0] ?? 1),
    dtype: page.dtype,
    predictor: PICTURES.includes(page.compression) ? 1 : await number('Predictor', 1),
    littleEndian: tiff.littleEndian,
  };
  const rowsOf = (row: number) => (tiled ? blockHeight : Math.min(blockHeight, height - row * blockHeight));
  const decode = await decoderOf(library, page, { blockWidth, blockHeight, planar });
  const reversedBits = !PICTURES.includes(page.compression) && (await number('FillOrder', 1)) === 2;

  const offsets = await tagList(
    tiff,
    directory,
    directory.hasTag('TileOffsets') ? 'TileOffsets' : 'StripOffsets',
  );
  const lengths = await tagList(
    tiff,
    directory,
    directory.hasTag('TileByteCounts') ? 'TileByteCounts' : 'StripByteCounts',
  );
  const across = Math.ceil(width / blockWidth);
  const perPlane = across * Math.ceil(height / blockHeight);
  const blocks: Block[] = [];
  for (const sample of planar ? samples : [0]) {
    for (let row = Math.floor(y0 / blockHeight); row * blockHeight < y1; row++) {
      for (let column = Math.floor(x0 / blockWidth); column * blockWidth < x1; column++) {
        const index = (planar ? sample * perPlane : 0) + row * across + column;
        // Absent blocks of sparse files have length 0 and stay zero.
        if (lengths[index] > 0)
          blocks.push({ column, row, sample, offset: offsets[index], length: lengths[index] });
      }
    }
  }

  const planes = samples.map(() => allocate(page.dtype, (x1 - x0) * (y1 - y0)));
  for (let from = 0; from < blocks.length; ) {
    let to = from;
    for (let bytes = 0; to < blocks.length && (to === from || bytes < BATCH_BYTES); to++)
      bytes += blocks[to].length;
    const batch = blocks.slice(from, to);
    const slices = await tiff.source.fetch(
      batch.map(({ offset, length }) => ({ offset, length })),
      signal,
    );
    for (const [k, block] of batch.entries()) {
      throwIfAborted(signal);
      const shape: BlockFormat = { ...format, rows: rowsOf(block.row) };
      const raw = new Uint8Array(slices[k] as ArrayBuffer);
      const bytes = await decode(reversedBits ? raw.map(reverseBits) : raw, blockBytes(shape));
      if (bytes.length < blockBytes(shape)) {
        throw new CytoError(
          'corrupt-file',
          'This TIFF file is damaged: a strip or tile ends before its pixels do. Export it again from the program that made it.',
        );
      }
      const values = samplesOf(bytes, shape);
      const left = block.column * blockWidth;
      const top = block.row * blockHeight;
      const [xa, xb] = [Math.max(x0, left), Math.min(x1, left + blockWidth, width)];
      const [ya, yb] = [Math.max(y0, top), Math.min(y1, top + shape.rows, height)];
      samples.forEach((sample, plane) => {
        if (planar && sample !== block.sample) return;
        const target = planes[plane];
        for (let y = ya; y < yb; y++) {
          let source = ((y - top) * blockWidth + xa - left) * stride + (planar ? 0 : sample);
          const start = (y - y0) * (x1 - x0) - x0;
          if (stride === 1) target.set(values.subarray(source, source + xb - xa), start + xa);
          else {
            for (let x = xa; x < xb; x++, source += stride) target[start + x] = values[source];
          }
        }
      });
    }
    from = to;
  }
  return planes;
}

type Decode = (bytes: Uint8Array, length: number) => Uint8Array | Promise<Uint8Array>;

async function decoderOf(
  library: Library,
  { directory, compression, samples }: Page,
  { blockWidth, blockHeight, planar }: { blockWidth: number; blockHeight: number; planar: boolean },
): Promise<Decode> {
  if (compression === NONE) return (bytes) => bytes;
  if (compression === LZW) return decodeLzw;
  if (DEFLATE.includes(compression))
    return (bytes, length) => unzlibSync(bytes, { out: new Uint8Array(length) });
  const decoder = await library.getDecoder(compression, {
    tileWidth: blockWidth,
    tileHeight: blockHeight,
    planarConfiguration: planar ? 2 : 1,
    bitsPerSample: (await directory.loadValue('BitsPerSample')) as number[],
    predictor: 1,
    samplesPerPixel: samples,
    JPEGTables: await directory.loadValue('JPEGTables'),
    LercParameters: await directory.loadValue('LercParameters'),
  } as Parameters<Library['getDecoder']>[1]);
  return async (bytes) => new Uint8Array(await decoder.decode(bytes.slice().buffer));
}

function reverseBits(byte: number): number {
  const nibbles = ((byte & 0xf0) >> 4) | ((byte & 0x0f) << 4);
  const pairs = ((nibbles & 0xcc) >> 2) | ((nibbles & 0x33) << 2);
  return ((pairs & 0xaa) >> 1) | ((pairs & 0x55) << 1);
}
