import type { GeoTIFF, ImageFileDirectory } from 'geotiff';

const TAGS = { StripOffsets: 273, StripByteCounts: 279, TileOffsets: 324, TileByteCounts: 325 } as const;

/** Byte width of the integer field types of TIFF: SHORT, LONG, LONG8 and IFD8. */
const WIDTHS: Record<number, 2 | 4 | 8> = { 3: 2, 4: 4, 13: 4, 16: 8, 18: 8 };

/** Lists that stand outside the directory, as the library keeps them. */
interface OutsideList {
  arrayOffset: number;
  fieldType: number;
  length: number;
}

/** A directory's list of whole numbers; empty if it has none. The library reads long ones as little-endian always. */
export async function tagList(
  tiff: GeoTIFF,
  directory: ImageFileDirectory,
  name: keyof typeof TAGS,
): Promise<number[]> {
  const outside = (directory.deferredArrays as Map<number, OutsideList>).get(TAGS[name]);
  const width = outside && WIDTHS[outside.fieldType];
  if (!outside || !width) {
    const value = (await directory.loadValue(name)) as ArrayLike<number> | number | undefined;
    if (value === undefined) return [];
    return typeof value === 'number' ? [value] : Array.from(value, Number);
  }
  const [bytes] = await tiff.source.fetch([{ offset: outside.arrayOffset, length: outside.length * width }]);
  const view = new DataView(bytes as ArrayBuffer);
  const little = tiff.littleEndian;
  const read = {
    2: (at: number) => view.getUint16(at, little),
    4: (at: number) => view.getUint32(at, little),
    8: (at: number) => Number(view.getBigUint64(at, little)),
  }[width];
  return Array.from({ length: outside.length }, (_, i) => read(i * width));
}
