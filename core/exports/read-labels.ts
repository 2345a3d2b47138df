import type { Shape3 } from '../volume.ts';
import { isObjectNpy, readCellposeSeg } from './cellpose-seg.ts';
import { labelsFromGeoJson } from './geojson.ts';

/** Kinds of files that hold labels in a form that is no image, or beside one. */
export type LabelFileKind = 'imagej-rois' | 'geojson' | 'cellpose-seg' | 'ome-zarr-labels';

/** Labels read from a file, Uint32 of `shape` [z, y, x]. */
export interface ReadLabels {
  labels: Uint32Array;
  shape: Shape3;
}

const ZIP = 0x4b50;

/**
 * Tells by its first and last bytes whether a file holds labels in a form that is no image.
 * @param tail the end of the file, where a zip lists what is in it
 */
export function labelFileKind(name: string, head: Uint8Array, tail: Uint8Array): LabelFileKind | undefined {
  const text = new TextDecoder('latin1').decode(head.subarray(0, 4096));
  if (text.startsWith('Iout')) return 'imagej-rois';
  if (head.length > 1 && (head[0] | (head[1] << 8)) === ZIP) {
    const list = new TextDecoder('latin1').decode(tail);
    if (/labels\/(?:\.zattrs|zarr\.json)/.test(list)) return 'ome-zarr-labels';
    return /\.roi/i.test(list) ? 'imagej-rois' : undefined;
  }
  if (isObjectNpy(head)) return 'cellpose-seg';
  if (/\.(geo)?json$/i.test(name) && /"Feature(Collection)?"/.test(text)) return 'geojson';
  return undefined;
}

/**
 * Labels of a `_seg.npy` or GeoJSON file.
 * @param scene shape of the image [z, y, x], which outlines are drawn into
 * @throws CytoError as the readers do
 */
export function readLabelBytes(
  kind: 'geojson' | 'cellpose-seg',
  bytes: Uint8Array,
  scene: Shape3,
): ReadLabels {
  if (kind === 'cellpose-seg') {
    const { labels, shape } = readCellposeSeg(bytes);
    return { labels, shape };
  }
  return { labels: labelsFromGeoJson(new TextDecoder().decode(bytes), scene), shape: scene };
}
