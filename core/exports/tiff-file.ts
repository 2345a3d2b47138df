import { CytoError } from '../errors.ts';

const ASCII = 2;
const SHORT = 3;
const LONG = 4;
const RATIONAL = 5;

interface Entry {
  tag: number;
  type: number;
  count: number;
  /** The value itself (up to 4 bytes), or the offset of the values. */
  value: number;
}

/** Pages of one size, each a single deflate-compressed strip of unsigned integers, one sample a pixel. */
export interface TiffPages {
  /** Compressed samples of each page. */
  pages: readonly Uint8Array[];
  width: number;
  height: number;
  bits: 16 | 32;
  /** Bytes of the first page's description, ended by 0. */
  description: Uint8Array;
  /** Pixels per unit, without naming the unit. */
  resolution: readonly [x: number, y: number];
}

/** A classic little-endian TIFF. @throws CytoError `too-large` beyond 4 GiB */
export function tiffFile({ pages, width, height, bits, description, resolution }: TiffPages): Uint8Array {
  const entryCount = (z: number) => (z === 0 ? 14 : 13);
  const directorySize = (z: number) => 2 + entryCount(z) * 12 + 4;
  let at = 8;
  const descriptionAt = at;
  at += description.length + (description.length & 1);
  const resolutionAt = at;
  at += 16;
  const dataAt = pages.map((page) => {
    const start = at;
    at += page.length + (page.length & 1);
    return start;
  });
  const directoryAt = pages.map((_, z) => {
    const start = at;
    at += directorySize(z);
    return start;
  });
  if (at > 0xffff_ffff)
    throw new CytoError('too-large', 'The labels do not fit into a TIFF of 4 GiB. Export them as OME-Zarr.');

  const out = new Uint8Array(at);
  const view = new DataView(out.buffer);
  out.set([0x49, 0x49, 42, 0]);
  view.setUint32(4, directoryAt[0], true);
  out.set(description, descriptionAt);
  const rational = (offset: number, perUnit: number) => {
    const denominator = 1_000_000;
    view.setUint32(offset, Math.min(0xffff_ffff, Math.round(perUnit * denominator)), true);
    view.setUint32(offset + 4, denominator, true);
  };
  rational(resolutionAt, resolution[0]);
  rational(resolutionAt + 8, resolution[1]);
  pages.forEach((page, z) => {
    out.set(page, dataAt[z]);
    const entries: Entry[] = [
      { tag: 254, type: LONG, count: 1, value: 0 },
      { tag: 256, type: LONG, count: 1, value: width },
      { tag: 257, type: LONG, count: 1, value: height },
      { tag: 258, type: SHORT, count: 1, value: bits },
      { tag: 259, type: SHORT, count: 1, value: 8 },
      { tag: 262, type: SHORT, count: 1, value: 1 },
      ...(z === 0 ? [{ tag: 270, type: ASCII, count: description.length, value: descriptionAt }] : []),
      { tag: 273, type: LONG, count: 1, value: dataAt[z] },
      { tag: 277, type: SHORT, count: 1, value: 1 },
      { tag: 278, type: LONG, count: 1, value: height },
      { tag: 279, type: LONG, count: 1, value: page.length },
      { tag: 282, type: RATIONAL, count: 1, value: resolutionAt },
      { tag: 283, type: RATIONAL, count: 1, value: resolutionAt + 8 },
      { tag: 296, type: SHORT, count: 1, value: 1 },
    ];
    let offset = directoryAt[z];
    view.setUint16(offset, entries.length, true);
    offset += 2;
    for (const { tag, type, count, value } of entries) {
      view.setUint16(offset, tag, true);
      view.setUint16(offset + 2, type, true);
      view.setUint32(offset + 4, count, true);
      view.setUint32(offset + 8, value, true);
      offset += 12;
    }
    view.setUint32(offset, directoryAt[z + 1] ?? 0, true);
  });
  return out;
}
