import type { Calibration, Shape3 } from '../volume.ts';
import { compressedPages, largestLabel } from './label-tiff.ts';
import { tiffFile } from './tiff-file.ts';

export interface OmeTiffOptions {
  /** Name of the image in the file. */
  name: string;
  /** Key-value pairs of a map annotation: source, model, parameters. */
  provenance?: Record<string, string | number>;
}

/**
 * Labels as OME-TIFF with physical sizes: one deflate-compressed page per plane, unsigned 16-bit if all labels fit, else
 * 32-bit; OME schema 2016-06.
 * @param labels Uint32 of `shape` [z, y, x]
 * @throws CytoError `too-large` beyond the 4 GiB of a classic TIFF
 */
export function labelOmeTiff(
  labels: Uint32Array,
  shape: Shape3,
  calibration: Calibration,
  options: OmeTiffOptions,
): Uint8Array {
  const wide = largestLabel(labels) > 0xffff;
  const [, dy, dx] = calibration.spacing;
  return tiffFile({
    pages: compressedPages(labels, shape, wide),
    width: shape[2],
    height: shape[1],
    bits: wide ? 32 : 16,
    description: new TextEncoder().encode(`${omeXml(shape, calibration, wide, options)}\0`),
    resolution: [1 / dx, 1 / dy],
  });
}

function omeXml(
  [nz, ny, nx]: Shape3,
  { spacing, unit, calibrated, zAssumed }: Calibration,
  wide: boolean,
  { name, provenance = {} }: OmeTiffOptions,
): string {
  const schema = 'http://www.openmicroscopy.org/Schemas/OME/2016-06';
  const sizes = (['Z', 'Y', 'X'] as const).map((axis, k) =>
    calibrated && (axis !== 'Z' || (nz > 1 && !zAssumed))
      ? ` PhysicalSize${axis}="${spacing[k]}" PhysicalSize${axis}Unit="${escaped(unit === 'px' ? 'pixel' : unit)}"`
      : '',
  );
  const entries = Object.entries(provenance).map(
    ([key, value]) => `<M K="${escaped(key)}">${escaped(String(value))}</M>`,
  );
  const annotation = entries.length > 0;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<OME xmlns="${schema}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="${schema} ${schema}/ome.xsd" Creator="Cytopane">`,
    `<Image ID="Image:0" Name="${escaped(name)}">`,
    `<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="${wide ? 'uint32' : 'uint16'}" BigEndian="false" SizeX="${nx}" SizeY="${ny}" SizeZ="${nz}" SizeC="1" SizeT="1"${sizes.reverse().join('')}>`,
    '<Channel ID="Channel:0:0" Name="labels" SamplesPerPixel="1"/>',
    ...Array.from({ length: nz }, (_, z) => `<TiffData IFD="${z}" FirstZ="${z}" PlaneCount="1"/>`),
    '</Pixels>',
    annotation ? '<AnnotationRef ID="Annotation:0"/>' : '',
    '</Image>',
    annotation
      ? `<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="cytopane/provenance"><Value>${entries.join('')}</Value></MapAnnotation></StructuredAnnotations>`
      : '',
    '</OME>',
  ].join('');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
