import type { GeoTIFF, ImageFileDirectory } from 'geotiff';
import { CytoError } from '../../../core/errors.ts';
import type { DType } from '../../../core/volume.ts';
import { tagList } from './tag-list.ts';

/** The library, loaded when the first TIFF is opened. */
export type Library = typeof import('geotiff');

/** More pages than any microscope writes; a guard against endless directories. */
const MOST_PAGES = 1_000_000;

/** One page (image file directory) and what is needed to read it. */
export interface Page {
  directory: ImageFileDirectory;
  width: number;
  height: number;
  samples: number;
  dtype: DType;
  /** TIFF's PhotometricInterpretation. */
  photometric: number;
  compression: number;
  /** Size of a tile, or of a strip. */
  block: { width: number; height: number };
  /** A smaller copy of another page. */
  reduced: boolean;
}

const corrupt = (problem: string, cause?: unknown) =>
  new CytoError(
    'corrupt-file',
    `This TIFF file is damaged: ${problem}. Export it again from the program that made it.`,
    { cause },
  );

function dtypeOfPage(directory: ImageFileDirectory): DType {
  const bits = Array.from((directory.getValue('BitsPerSample') as ArrayLike<number> | undefined) ?? [1]);
  const formats = Array.from((directory.getValue('SampleFormat') as ArrayLike<number> | undefined) ?? [1]);
  const unsupported = (what: string): never => {
    throw new CytoError(
      'unsupported',
      `TIFF samples of ${what} are not supported. Convert the image to 8, 16 or 32 bits.`,
    );
  };
  if (bits.some((value) => value !== bits[0]) || formats.some((value) => value !== formats[0])) {
    return unsupported('different types in one image');
  }
  const [width, format] = [bits[0], formats[0]];
  if (format === 3) {
    if (width === 32 || width === 16) return 'float32';
    if (width === 64) return 'float64';
    return unsupported(`${width}-bit floating point`);
  }
  if (format === 5 || format === 6) return unsupported('complex numbers');
  const signed = format === 2;
  if (width <= 8) return signed ? 'int8' : 'uint8';
  if (width <= 16) return signed ? 'int16' : 'uint16';
  if (width <= 32) return signed ? 'int32' : 'uint32';
  return unsupported(`${width}-bit integers`);
}

const COLOUR_SPACES: Record<number, string> = {
  5: 'CMYK',
  6: 'YCbCr',
  8: 'CIELab',
  9: 'ICCLab',
  10: 'ITULab',
};

/**
 * A page from its directory, checked so that nothing absurd is allocated later.
 * @param fileSize bytes of the file, or Infinity if unknown
 */
export function pageOf(directory: ImageFileDirectory, fileSize: number): Page {
  const width = Number(directory.getValue('ImageWidth'));
  const height = Number(directory.getValue('ImageLength'));
  const samples = Number(directory.getValue('SamplesPerPixel') ?? 1);
  if (!(width > 0 && height > 0 && samples > 0)) throw corrupt('a page has no size');
  const photometric = Number(directory.getValue('PhotometricInterpretation') ?? 1);
  const compression = Number(directory.getValue('Compression') ?? 1);
  const dtype = dtypeOfPage(directory);
  const space = COLOUR_SPACES[photometric];
  if (space && samples >= 3) {
    throw new CytoError(
      'unsupported',
      `This TIFF stores colours as ${space}. Convert it to RGB or to one grey channel per dye.`,
    );
  }
  const bits = Number((directory.getValue('BitsPerSample') as ArrayLike<number> | undefined)?.[0] ?? 1);
  const bytes = (width * height * samples * bits) / 8;
  // Even run-length and deflate streams of blank images do not shrink more than this.
  const mostExpansion = compression === 1 ? 1 : 5000;
  if (bytes > fileSize * mostExpansion + 1024) {
    throw corrupt(`it announces ${width} × ${height} pixels, far more than its ${fileSize} bytes can hold`);
  }
  const reduced = (Number(directory.getValue('NewSubfileType') ?? 0) & 1) === 1;
  const tiled = directory.hasTag('TileWidth');
  const block = {
    width: Number((tiled && directory.getValue('TileWidth')) || width),
    height: Number(directory.getValue(tiled ? 'TileLength' : 'RowsPerStrip') || height),
  };
  return { directory, width, height, samples, dtype, photometric, compression, block, reduced };
}

/** Checks that the strips or tiles of a page lie inside the file. */
export async function checkStrips(tiff: GeoTIFF, { directory }: Page, fileSize: number): Promise<void> {
  if (!Number.isFinite(fileSize)) return;
  const kind = (tag: 'Offsets' | 'ByteCounts') =>
    directory.hasTag(`Tile${tag}`) ? (`Tile${tag}` as const) : (`Strip${tag}` as const);
  const starts = await tagList(tiff, directory, kind('Offsets'));
  const lengths = await tagList(tiff, directory, kind('ByteCounts'));
  if (starts.length === 0 || lengths.length === 0) throw corrupt('a page does not say where its pixels are');
  for (let i = 0; i < starts.length; i++) {
    if (starts[i] + (lengths[i] ?? 0) > fileSize)
      throw corrupt('it ends before its pixels do; the copy is incomplete');
  }
}

/** All pages of a file, in order; a directory that is met twice ends the search with an error. */
export async function listPages(tiff: GeoTIFF, fileSize: number): Promise<Page[]> {
  const pages: Page[] = [];
  const seen = new Set<number>([tiff.firstIFDOffset]);
  for (let index = 0; index < MOST_PAGES; index++) {
    let directory: ImageFileDirectory;
    try {
      directory = await tiff.requestIFD(index);
    } catch (cause) {
      if (pages.length === 0) throw corrupt('its first page cannot be read', cause);
      throw corrupt(`page ${index + 1} cannot be read`, cause);
    }
    pages.push(pageOf(directory, fileSize));
    const next = Number(directory.nextIFDByteOffset);
    if (next === 0) return pages;
    if (seen.has(next)) throw corrupt('its pages form a loop');
    if (next >= fileSize) throw corrupt('it ends before its last page; the copy is incomplete');
    seen.add(next);
  }
  throw corrupt(`it has more than ${MOST_PAGES} pages`);
}

/** The smaller copies of a page that its SubIFDs tag points to. */
export async function subPages(tiff: GeoTIFF, page: Page, fileSize: number): Promise<Page[]> {
  if (!page.directory.hasTag('SubIFDs')) return [];
  const value = (await page.directory.loadValue('SubIFDs')) as ArrayLike<number> | number;
  const offsets = typeof value === 'number' ? [value] : Array.from(value, Number);
  const pages: Page[] = [];
  for (const offset of offsets) {
    if (offset >= fileSize) throw corrupt('a resolution level lies outside the file');
    const directory = await tiff.parser.parseFileDirectoryAt(offset);
    if (Number(directory.nextIFDByteOffset) === offset) throw corrupt('its resolution levels form a loop');
    pages.push(pageOf(directory, fileSize));
  }
  return pages;
}

/** Length per pixel that the resolution tags state, in inches, centimetres or an unnamed unit. */
export interface TagResolution {
  y: number;
  x: number;
  unit: 'in' | 'cm' | 'px';
}

/** The resolution tags of a page, or undefined if they say nothing. */
export async function resolutionOf({ directory }: Page): Promise<TagResolution | undefined> {
  const load = async (tag: 'XResolution' | 'YResolution') => {
    if (!directory.hasTag(tag)) return undefined;
    const value = (await directory.loadValue(tag)) as ArrayLike<number> | undefined;
    return value && value[0] > 0 && value[1] > 0 ? value[1] / value[0] : undefined;
  };
  const [x, y] = [await load('XResolution'), await load('YResolution')];
  if (x === undefined || y === undefined) return undefined;
  const unit = directory.hasTag('ResolutionUnit') ? Number(await directory.loadValue('ResolutionUnit')) : 2;
  return { x, y, unit: unit === 2 ? 'in' : unit === 3 ? 'cm' : 'px' };
}
