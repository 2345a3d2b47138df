import { type Zippable, zipSync } from 'fflate';
import { CytoError } from '../errors.ts';
import { labelColor } from '../label-colors.ts';
import { MAX_LABEL } from '../label-volume.ts';
import type { Shape3 } from '../volume.ts';
import { freeIds } from './free-ids.ts';
import { fillRings, labelOutlines, type Ring } from './outlines.ts';

const HEADER = 64;
const HEADER2 = 64;
const VERSION = 227;
const RECTANGLE = 1;
const TRACED = 8;
const SUBPIXEL = 128;
/** Coordinates are 16-bit integers; beyond, floating-point ones are added. */
const LARGEST_SHORT = 32_767;

/**
 * Labels as a zip for ImageJ's ROI Manager, one ROI per label and plane, named by the label; outlines run along pixel
 * edges, labels in pieces or with holes are composite ROIs. {@link labelsFromRois} gives the labels back.
 * @param labels Uint32 of `shape` [z, y, x]
 * @param provenance lines of the zip's comment: some readers take every file in a zip for an ROI
 * @param seed changes the colours of the outlines with the layer's
 * @throws CytoError `bad-input` when there are no labels
 */
export function labelRoiZip(
  labels: Uint32Array,
  shape: Shape3,
  provenance: Record<string, string | number> = {},
  seed = 0,
): Uint8Array {
  const files: Zippable = {};
  const digits = String(shape[0]).length;
  for (const { id, z, polygons } of labelOutlines(labels, shape)) {
    const rings = polygons.flatMap(({ outer, holes }) => [outer, ...holes]);
    const plane = shape[0] > 1 ? z + 1 : 0;
    const name = plane > 0 ? `z${String(plane).padStart(digits, '0')}-${id}` : String(id);
    files[`${name}.roi`] = roiBytes(rings, name, plane, labelColor(id, seed));
  }
  if (Object.keys(files).length === 0) throw new CytoError('bad-input', 'There are no labels to export.');
  const lines = Object.entries(provenance).map(([key, value]) => `${key}: ${value}\n`);
  return commented(zipSync(files, { level: 6, mtime: new Date(1980, 0, 2) }), lines.join(''));
}

/** A zip without a comment, given one; of a long one the beginning. */
function commented(zip: Uint8Array, text: string): Uint8Array {
  const comment = new TextEncoder().encode(text).subarray(0, 0xffff);
  const result = new Uint8Array(zip.length + comment.length);
  result.set(zip);
  result.set(comment, zip.length);
  // The last field of a zip is the length of its comment.
  new DataView(result.buffer).setUint16(zip.length - 2, comment.length, true);
  return result;
}

/** One ROI file, big-endian, layout as of ImageJ's RoiEncoder. @param plane 1-based, 0 for all */
function roiBytes(
  rings: readonly Ring[],
  name: string,
  plane: number,
  [red, green, blue]: readonly [number, number, number],
): Uint8Array {
  const all = rings.flat();
  const xs = all.map(([x]) => x);
  const ys = all.map(([, y]) => y);
  const [left, top] = [min(xs), min(ys)];
  const [right, bottom] = [max(xs), max(ys)];
  const composite = rings.length > 1;
  const far = right > LARGEST_SHORT || bottom > LARGEST_SHORT;
  const points = rings[0].length;
  // A segment of a composite is its kind and a point; a ring ends with a kind alone.
  const floats = composite ? rings.reduce((sum, ring) => sum + 3 * ring.length + 1, 0) : 0;
  const dataLength = composite ? 4 * floats : points * (far ? 12 : 4);
  const header2 = HEADER + dataLength;
  const bytes = new Uint8Array(header2 + HEADER2 + 2 * name.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x6f, 0x75, 0x74]); // Iout
  view.setInt16(4, VERSION);
  view.setUint8(6, composite ? RECTANGLE : TRACED);
  view.setInt16(8, Math.min(top, LARGEST_SHORT));
  view.setInt16(10, Math.min(left, LARGEST_SHORT));
  view.setInt16(12, Math.min(bottom, LARGEST_SHORT));
  view.setInt16(14, Math.min(right, LARGEST_SHORT));
  if (!composite) {
    if (points > 0xffff) view.setInt32(18, points);
    else view.setUint16(16, points);
  }
  view.setInt32(36, floats);
  view.setUint32(40, 0xff00_0000 + (red << 16) + (green << 8) + blue);
  view.setInt16(50, far && !composite ? SUBPIXEL : 0);
  view.setInt32(56, plane);
  view.setInt32(60, header2);
  if (composite) {
    let at = HEADER;
    const put = (...values: number[]) => {
      for (const value of values) {
        view.setFloat32(at, value);
        at += 4;
      }
    };
    for (const ring of rings) {
      ring.forEach(([x, y], k) => {
        put(k === 0 ? 0 : 1, x, y);
      });
      put(4);
    }
  } else {
    rings[0].forEach(([x, y], k) => {
      view.setInt16(HEADER + 2 * k, x - left);
      view.setInt16(HEADER + 2 * (points + k), y - top);
      if (!far) return;
      view.setFloat32(HEADER + 4 * points + 4 * k, x);
      view.setFloat32(HEADER + 8 * points + 4 * k, y);
    });
  }
  view.setInt32(header2 + 8, plane);
  view.setInt32(header2 + 16, header2 + HEADER2);
  view.setInt32(header2 + 20, name.length);
  for (let k = 0; k < name.length; k++) view.setUint16(header2 + HEADER2 + 2 * k, name.charCodeAt(k));
  return bytes;
}

const min = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const max = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);

/** What of an ImageJ ROI makes a label. */
export interface AreaRoi {
  name: string;
  type: string;
  left: number;
  top: number;
  width: number;
  height: number;
  paths: ReadonlyArray<ReadonlyArray<readonly [x: number, y: number]>>;
  /** 1-based, 0 for all planes. */
  position: number;
  z: number;
}

/** Corners of an oval drawn as a polygon; enough that no pixel's middle is on the wrong side in practice. */
const OVAL_CORNERS = 720;

/**
 * Labels from ImageJ ROIs that enclose an area; others (lines, points) are passed over. A name that is a number, or ends
 * in `-` and one as those of {@link labelRoiZip}, is the label; other ROIs get the numbers that are free. Later ROIs lie
 * over earlier ones; a ROI without a position counts for the first plane.
 * @param shape of the image [z, y, x]; ROIs outside are cut off
 * @throws CytoError `bad-input` when none encloses an area
 */
export function labelsFromRois(rois: readonly AreaRoi[], [nz, ny, nx]: Shape3): Uint32Array {
  const areas = rois.flatMap((roi) => {
    const rings = ringsOf(roi);
    return rings.length > 0 ? [{ roi, rings }] : [];
  });
  if (areas.length === 0) throw new CytoError('bad-input', 'None of the ImageJ ROIs encloses an area.');
  const nextFree = freeIds(new Set(areas.flatMap(({ roi }) => labelOf(roi.name) ?? [])));
  const labels = new Uint32Array(nz * ny * nx);
  for (const { roi, rings } of areas) {
    const id = labelOf(roi.name) ?? nextFree();
    const z = nz > 1 ? Math.max(0, (roi.z || roi.position) - 1) : 0;
    if (z < nz) fillRings(rings, id, labels.subarray(z * ny * nx, (z + 1) * ny * nx), ny, nx);
  }
  return labels;
}

function labelOf(name: string): number | undefined {
  const digits = /^(?:z\d+-)?(\d+)$/.exec(name)?.[1];
  const id = Number(digits ?? 0);
  return id > 0 && id <= MAX_LABEL ? id : undefined;
}

function ringsOf({ type, left, top, width, height, paths }: AreaRoi): AreaRoi['paths'] {
  switch (type) {
    case 'polygon':
    case 'freehand':
    case 'traced':
    case 'composite':
      return paths;
    case 'rectangle':
      return [
        [
          [left, top],
          [left + width, top],
          [left + width, top + height],
          [left, top + height],
        ],
      ];
    case 'oval':
      return [
        Array.from({ length: OVAL_CORNERS }, (_, k): [number, number] => {
          const angle = (2 * Math.PI * k) / OVAL_CORNERS;
          return [left + (width / 2) * (1 + Math.cos(angle)), top + (height / 2) * (1 + Math.sin(angle))];
        }),
      ];
    default:
      return [];
  }
}
