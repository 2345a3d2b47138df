import { unzipSync } from 'fflate';
import { asCytoError, CytoError } from '../../core/errors.ts';

/** Points as [x, y] in pixels of the image, origin at its upper left corner. */
export type RoiPath = [x: number, y: number][];

/** Outline of a region as ImageJ stores it; boxes in pixels, positions 1-based with 0 for "all planes". */
export interface ImagejRoi {
  name: string;
  type:
    | 'polygon'
    | 'rectangle'
    | 'oval'
    | 'line'
    | 'freeline'
    | 'polyline'
    | 'freehand'
    | 'traced'
    | 'angle'
    | 'point'
    | 'ellipse'
    | 'composite';
  left: number;
  top: number;
  width: number;
  height: number;
  /** Outlines: one path, or several for a composite (even-odd fill); none for rectangle and oval. */
  paths: RoiPath[];
  /** Plane in the stack, and channel, slice and frame of a hyperstack. */
  position: number;
  c: number;
  z: number;
  t: number;
  /** Corner diameter of a rounded rectangle. */
  arcSize: number;
  /** Shorter through longer axis of an ellipse; the longer axis is its path. */
  aspectRatio?: number;
}

const TYPES: readonly (ImagejRoi['type'] | undefined)[] = [
  'polygon',
  'rectangle',
  'oval',
  'line',
  'freeline',
  'polyline',
  undefined,
  'freehand',
  'traced',
  'angle',
  'point',
];
const HEADER = 64;
const SUBTYPE_ELLIPSE = 3;
const OPTION_SUBPIXEL = 128;
const MIN_SUBPIXEL_VERSION = 222;

function damaged(name: string, what: string, cause?: unknown): CytoError {
  return new CytoError(
    'corrupt-file',
    `"${name}" ${what}. Save the ROIs again from ImageJ's ROI Manager.`,
    cause === undefined ? undefined : { cause },
  );
}

/**
 * The ROIs of a `.roi` file, or of a `.zip` that ImageJ's ROI Manager wrote.
 * @throws CytoError `corrupt-file` when it is damaged or none of both, `unsupported` for kinds without an outline (text,
 * images)
 */
export async function readImagejRois(file: File | { name: string; blob: Blob }): Promise<ImagejRoi[]> {
  const blob = 'blob' in file ? file.blob : file;
  const bytes = new Uint8Array(await blob.arrayBuffer());
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) return [parseImagejRoi(bytes, file.name)];
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes, { filter: ({ name }) => name.toLowerCase().endsWith('.roi') });
  } catch (cause) {
    throw damaged(file.name, 'is a damaged or incomplete zip file', cause);
  }
  const names = Object.keys(entries);
  if (names.length === 0) throw damaged(file.name, 'is a zip file without ROIs');
  return names.map((name) => parseImagejRoi(entries[name], name));
}

/**
 * One ROI from the bytes of a `.roi` file (big-endian; layout as of ImageJ's RoiDecoder).
 * @param fileName gives the name where the file holds none
 * @throws CytoError `corrupt-file`, `unsupported`
 */
export function parseImagejRoi(bytes: Uint8Array, fileName: string): ImagejRoi {
  try {
    return parse(bytes, fileName);
  } catch (error) {
    if (error instanceof RangeError) throw damaged(fileName, 'ends before its last point', error);
    throw asCytoError(error);
  }
}

function parse(bytes: Uint8Array, fileName: string): ImagejRoi {
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== 'Iout')
    throw damaged(fileName, 'is not an ImageJ ROI');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getInt16(4);
  const kind = TYPES[view.getUint8(6)];
  if (!kind) {
    throw new CytoError('unsupported', `"${fileName}" is an ImageJ ROI without an outline.`);
  }
  const top = view.getInt16(8);
  const left = view.getInt16(10);
  const options = view.getInt16(50);
  const header2 = version >= 218 ? view.getInt32(60) : 0;
  const plane = header2 > 0;
  const roi: ImagejRoi = {
    name: (plane && header2Name(view, header2)) || fileName.replace(/^.*\//, '').replace(/\.roi$/i, ''),
    type: kind,
    left,
    top,
    width: view.getInt16(14) - left,
    height: view.getInt16(12) - top,
    paths: [],
    position: view.getInt32(56),
    c: plane ? view.getInt32(header2 + 4) : 0,
    z: plane ? view.getInt32(header2 + 8) : 0,
    t: plane ? view.getInt32(header2 + 12) : 0,
    arcSize: kind === 'rectangle' ? view.getInt16(54) : 0,
  };
  const shapeFloats = view.getInt32(36);
  const line = (): RoiPath => [
    [view.getFloat32(18), view.getFloat32(22)],
    [view.getFloat32(26), view.getFloat32(30)],
  ];
  if (shapeFloats > 0) {
    roi.type = 'composite';
    roi.paths = compositePaths(view, shapeFloats, fileName);
  } else if (kind === 'freehand' && view.getInt16(48) === SUBTYPE_ELLIPSE) {
    roi.type = 'ellipse';
    roi.paths = [line()];
    roi.aspectRatio = view.getFloat32(52);
  } else if (kind === 'line') {
    roi.paths = [line()];
  } else if (kind !== 'rectangle' && kind !== 'oval') {
    // More points than 16 bits count stand in a field of their own.
    const count = view.getUint16(16) || view.getInt32(18);
    const subpixel = (options & OPTION_SUBPIXEL) !== 0 && version >= MIN_SUBPIXEL_VERSION;
    if (count * 4 > bytes.length) throw damaged(fileName, `claims ${count} points but is too short for them`);
    roi.paths = [
      Array.from({ length: count }, (_, i) =>
        subpixel
          ? [
              view.getFloat32(HEADER + 4 * count + 4 * i),
              view.getFloat32(HEADER + 4 * count + 4 * (count + i)),
            ]
          : [left + view.getInt16(HEADER + 2 * i), top + view.getInt16(HEADER + 2 * (count + i))],
      ),
    ];
  }
  return roi;
}

function header2Name(view: DataView, header2: number): string {
  const offset = view.getInt32(header2 + 16);
  const length = view.getInt32(header2 + 20);
  if (offset <= 0 || length <= 0) return '';
  return String.fromCharCode(...Array.from({ length }, (_, i) => view.getUint16(offset + 2 * i)));
}

/** Paths of a composite: segments of java.awt.geom.PathIterator, each a type and its points as float32. */
function compositePaths(view: DataView, floats: number, fileName: string): RoiPath[] {
  const paths: RoiPath[] = [];
  let at = HEADER;
  const end = HEADER + 4 * floats;
  const next = () => {
    at += 4;
    return view.getFloat32(at - 4);
  };
  while (at < end) {
    const segment = next();
    if (segment === 4) continue; // close
    if (segment !== 0 && segment !== 1)
      throw new CytoError('unsupported', `"${fileName}" has curved segments, which cannot be read here.`);
    if (segment === 0) paths.push([]);
    const path = paths.at(-1);
    if (!path) throw damaged(fileName, 'draws a line from nowhere');
    path.push([next(), next()]);
  }
  return paths;
}
