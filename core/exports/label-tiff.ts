import { zlibSync } from 'fflate';
import { CytoError } from '../errors.ts';
import type { Calibration, Shape3 } from '../volume.ts';

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

/** Largest label. */
function maxOf(labels: Uint32Array): number {
  let max = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] > max) max = labels[i];
  return max;
}

/** µm for ImageJ, which knows no µ in plain ASCII. */
const imageJUnit = (unit: string) => (unit === 'µm' ? 'micron' : unit === 'px' ? 'pixel' : unit);

/**
 * Labels as a TIFF that ImageJ, Fiji, QuPath, napari and Cellpose open with the right scale: one deflate-compressed
 * page per plane, unsigned 16-bit if all labels fit, else 32-bit; the description is ImageJ's.
 *
 * @param labels Uint32 [z, y, x]
 * @param provenance lines `key=value` added to the description: source, model, parameters
 * @throws CytoError `too-large` beyond the 4 GiB of a classic TIFF
 */
export function labelTiff(
  labels: Uint32Array,
  [nz, ny, nx]: Shape3,
  calibration: Calibration,
  provenance: Record<string, string | number> = {},
): Uint8Array {
  const max = maxOf(labels);
  const wide = max > 0xffff;
  const area = ny * nx;
  const planes = Array.from({ length: nz }, (_, z) => {
    const plane = labels.subarray(z * area, (z + 1) * area);
    const samples = wide ? plane.slice() : Uint16Array.from(plane);
    return zlibSync(new Uint8Array(samples.buffer), { level: 6 });
  });
  const [dz, dy, dx] = calibration.spacing;
  const lines = [
    'ImageJ=1.53t',
    `images=${nz}`,
    ...(nz > 1 ? [`slices=${nz}`] : []),
    `unit=${imageJUnit(calibration.unit)}`,
    ...(nz > 1 ? [`spacing=${dz}`] : []),
    'min=0.0',
    `max=${max}.0`,
    ...Object.entries(provenance).map(([key, value]) => `${key}=${String(value).replace(/[\r\n]+/g, ' ')}`),
    '',
  ];
  // TIFF text is ASCII: other characters are escaped as ImageJ does.
  const text = `${lines.join('\n')}\0`.replace(
    /[^\0-\x7f]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const description = Uint8Array.from(text, (c) => c.charCodeAt(0));

  const entryCount = (z: number) => (z === 0 ? 14 : 13);
  const directorySize = (z: number) => 2 + entryCount(z) * 12 + 4;
  let at = 8;
  const descriptionAt = at;
  at += description.length + (description.length & 1);
  const resolutionAt = at;
  at += 16;
  const dataAt = planes.map((plane) => {
    const start = at;
    at += plane.length + (plane.length & 1);
    return start;
  });
  const directoryAt = planes.map((_, z) => {
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
  rational(resolutionAt, 1 / dx);
  rational(resolutionAt + 8, 1 / dy);
  planes.forEach((plane, z) => {
    out.set(plane, dataAt[z]);
    const entries: Entry[] = [
      { tag: 254, type: LONG, count: 1, value: 0 },
      { tag: 256, type: LONG, count: 1, value: nx },
      { tag: 257, type: LONG, count: 1, value: ny },
      { tag: 258, type: SHORT, count: 1, value: wide ? 32 : 16 },
      { tag: 259, type: SHORT, count: 1, value: 8 },
      { tag: 262, type: SHORT, count: 1, value: 1 },
      ...(z === 0 ? [{ tag: 270, type: ASCII, count: description.length, value: descriptionAt }] : []),
      { tag: 273, type: LONG, count: 1, value: dataAt[z] },
      { tag: 277, type: SHORT, count: 1, value: 1 },
      { tag: 278, type: LONG, count: 1, value: ny },
      { tag: 279, type: LONG, count: 1, value: plane.length },
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
