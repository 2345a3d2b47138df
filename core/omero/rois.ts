import { CytoError } from '../errors.ts';
import { freeIds } from '../exports/free-ids.ts';
import { fillRings } from '../exports/outlines.ts';
import { MAX_LABEL } from '../label-volume.ts';
import type { TaskOptions } from '../progress.ts';
import type { Shape3 } from '../volume.ts';
import type { OmeroConnection } from './connection.ts';

/** A shape as OMERO sends it. */
export interface RoiShape {
  '@id': number;
  '@type': string;
  Text?: string;
  TheZ?: number;
  TheT?: number;
  Points?: string;
  X?: number;
  Y?: number;
  Width?: number;
  Height?: number;
  RadiusX?: number;
  RadiusY?: number;
  Transform?: { A00: number; A10: number; A01: number; A11: number; A02: number; A12: number };
}

export interface Roi {
  id: number;
  name: string | undefined;
  shapes: RoiShape[];
  shapeIds: number[];
}

const PAGE = 500;

/** Number of ROIs of an image. */
export async function countRois(connection: OmeroConnection, imageId: number, options: TaskOptions = {}) {
  const path = `api/v0/m/rois/?image=${imageId}&limit=0`;
  const { meta } = await connection.json<{ meta?: { totalCount?: number } }>(path, options);
  return meta?.totalCount ?? 0;
}

/**
 * ROIs of an image in the order of their ids, with all shapes.
 * @param options.from how many of the first to leave out
 */
export async function listRois(
  connection: OmeroConnection,
  imageId: number,
  { from = 0, ...options }: TaskOptions & { from?: number } = {},
): Promise<Roi[]> {
  interface Answer {
    data: Array<{ '@id': number; Name?: string; shapes?: RoiShape[] }>;
    meta?: { totalCount?: number; limit?: number };
  }
  const rois: Roi[] = [];
  for (let offset = from; ; ) {
    const path = `api/v0/m/rois/?image=${imageId}&limit=${PAGE}&offset=${offset}`;
    const { data, meta } = await connection.json<Answer>(
      path,
      options.signal ? { signal: options.signal } : {},
    );
    for (const { '@id': id, Name, shapes = [] } of data)
      rois.push({ id, name: Name, shapes, shapeIds: shapes.map((shape) => shape['@id']) });
    offset += data.length;
    const total = meta?.totalCount ?? offset;
    options.onProgress?.({ phase: 'read', value: offset - from, total: Math.max(1, total - from) });
    if (data.length === 0 || offset >= total) return rois;
  }
}

/** Corners of `Points`, also of the old form `points[…]`, with or without spaces behind commas. */
export function cornersOf(points: string): Array<[x: number, y: number]> {
  const text = /points\[([^\]]*)\]/.exec(points)?.[1] ?? points;
  const numbers = (text.match(/[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi) ?? []).map(Number);
  return Array.from({ length: numbers.length >> 1 }, (_, k) => [numbers[2 * k], numbers[2 * k + 1]]);
}

const kindOf = (shape: RoiShape) => shape['@type'].split('#').at(-1);

/** Sides of the polygon drawn for an ellipse. */
const ELLIPSE_SIDES = 180;

function ringOf(shape: RoiShape): Array<[number, number]> | undefined {
  const { X = 0, Y = 0, Width = 0, Height = 0, RadiusX = 0, RadiusY = 0, Transform } = shape;
  let ring: Array<[number, number]>;
  switch (kindOf(shape)) {
    case 'Polygon':
      ring = cornersOf(shape.Points ?? '');
      break;
    case 'Rectangle':
      ring = [
        [X, Y],
        [X + Width, Y],
        [X + Width, Y + Height],
        [X, Y + Height],
      ];
      break;
    case 'Ellipse':
      ring = Array.from({ length: ELLIPSE_SIDES }, (_, k) => {
        const angle = (2 * Math.PI * k) / ELLIPSE_SIDES;
        return [X + RadiusX * Math.cos(angle), Y + RadiusY * Math.sin(angle)];
      });
      break;
    default:
      return undefined;
  }
  if (!Transform) return ring;
  const { A00, A10, A01, A11, A02, A12 } = Transform;
  return ring.map(([x, y]) => [A00 * x + A01 * y + A02, A10 * x + A11 * y + A12]);
}

/** Pixels of a mask: what is not transparent in the picture that the server makes of it. */
async function maskOf(
  shape: RoiShape,
  connection: OmeroConnection,
  options: TaskOptions,
): Promise<{ opaque: Uint8Array; width: number; height: number }> {
  const { decode } = await import('fast-png');
  const task = options.signal ? { signal: options.signal } : {};
  const answer = await connection.request(`webgateway/render_shape_mask/${shape['@id']}/`, task);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  try {
    const { data, width, height, channels } = decode(bytes);
    const opaque = new Uint8Array(width * height);
    for (let k = 0; k < opaque.length; k++) opaque[k] = data[(k + 1) * channels - 1] ? 1 : 0;
    return { opaque, width, height };
  } catch (cause) {
    throw new CytoError('corrupt-file', `The picture of mask ${shape['@id']} cannot be read.`, { cause });
  }
}

/** Labels of ROIs, and what had no area. */
export interface RoiLabels {
  labels: Uint32Array;
  /** Number of labels. */
  objects: number;
  /** Points, lines and texts, which have no area. */
  skipped: number;
}

/**
 * ROIs as labels: the union of a ROI's shapes is one label; a text or name that is a whole number is the label, others
 * get the numbers that are free. Later ROIs lie over earlier ones.
 * @param shape of the image [z, y, x]
 * @param t time point; shapes of others are left out
 */
export async function roiLabels(
  rois: readonly Roi[],
  [nz, ny, nx]: Shape3,
  t: number,
  connection: OmeroConnection,
  options: TaskOptions = {},
): Promise<RoiLabels> {
  const labels = new Uint32Array(nz * ny * nx);
  const next = freeIds(new Set(rois.flatMap((roi) => labelOf(roi) ?? [])));
  const found = new Set<number>();
  let skipped = 0;
  for (const [index, roi] of rois.entries()) {
    const shapes = roi.shapes.filter(({ TheT }) => TheT === undefined || TheT === t);
    if (shapes.length === 0) continue;
    const id = labelOf(roi) ?? next();
    for (const shape of shapes) {
      const planes = shape.TheZ === undefined ? Array.from({ length: nz }, (_, z) => z) : [shape.TheZ];
      const ring = ringOf(shape);
      const mask = kindOf(shape) === 'Mask' ? await maskOf(shape, connection, options) : undefined;
      if (!ring && !mask) skipped++;
      for (const z of planes.filter((plane) => plane >= 0 && plane < nz)) {
        const plane = labels.subarray(z * ny * nx, (z + 1) * ny * nx);
        const filled = ring
          ? fillRings([ring], id, plane, ny, nx)
          : mask
            ? fillMask(mask, shape, id, plane, ny, nx)
            : 0;
        if (filled > 0) found.add(id);
      }
    }
    options.onProgress?.({ phase: 'read', value: index + 1, total: rois.length });
  }
  return { labels, objects: found.size, skipped };
}

function fillMask(
  { opaque, width, height }: { opaque: Uint8Array; width: number; height: number },
  { X = 0, Y = 0 }: RoiShape,
  id: number,
  plane: Uint32Array,
  ny: number,
  nx: number,
): number {
  let filled = 0;
  for (let row = 0; row < height; row++) {
    const y = Math.round(Y) + row;
    if (y < 0 || y >= ny) continue;
    for (let column = 0; column < width; column++) {
      const x = Math.round(X) + column;
      if (x < 0 || x >= nx || !opaque[row * width + column]) continue;
      plane[y * nx + x] = id;
      filled++;
    }
  }
  return filled;
}

function labelOf({ name, shapes }: Roi): number | undefined {
  const text = shapes.find((shape) => shape.Text)?.Text ?? name ?? '';
  const value = /^\s*\d+\s*$/.test(text) ? Number(text) : 0;
  return value > 0 && value <= MAX_LABEL ? value : undefined;
}
