import { zlibSync } from 'fflate';
import type { Calibration, Shape3 } from '../volume.ts';
import { tiffFile } from './tiff-file.ts';

/** Largest label. */
export function largestLabel(labels: Uint32Array): number {
  let max = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] > max) max = labels[i];
  return max;
}

/** Planes of labels as deflate-compressed 16-bit or, if `wide`, 32-bit samples. */
export function compressedPages(labels: Uint32Array, [nz, ny, nx]: Shape3, wide: boolean): Uint8Array[] {
  const area = ny * nx;
  return Array.from({ length: nz }, (_, z) => {
    const plane = labels.subarray(z * area, (z + 1) * area);
    const samples = wide ? plane.slice() : Uint16Array.from(plane);
    return zlibSync(new Uint8Array(samples.buffer), { level: 6 });
  });
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
  const max = largestLabel(labels);
  const pages = compressedPages(labels, [nz, ny, nx], max > 0xffff);
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

  return tiffFile({
    pages,
    width: nx,
    height: ny,
    bits: max > 0xffff ? 32 : 16,
    description,
    resolution: [1 / dx, 1 / dy],
  });
}
