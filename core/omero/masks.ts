import { labelColor } from '../label-colors.ts';
import { type LabelStatistics, labelStatistics } from '../label-volume.ts';
import type { Shape3 } from '../volume.ts';
import { packedColor, type ShapeOptions } from './shapes.ts';

/** Pixels of one label in one plane, as OMERO keeps masks. */
export interface PlaneMask {
  z: number;
  t: number;
  x: number;
  y: number;
  width: number;
  height: number;
  /** Bits row by row, the highest of each byte first, rows not padded; base64. */
  bits: string;
}

/** A label as one ROI: one mask per plane. */
export interface GroupedRoi {
  /** The label. */
  name: string;
  fillColor: number;
  shapes: PlaneMask[];
}

/** Bits of the pixels of a label inside a box of a plane. @param box half-open [y0, x0, y1, x1] */
export function packedMask(
  plane: Uint32Array,
  nx: number,
  id: number,
  [y0, x0, y1, x1]: readonly [number, number, number, number],
): Uint8Array {
  const width = x1 - x0;
  const bits = new Uint8Array(Math.ceil((width * (y1 - y0)) / 8));
  let at = 0;
  for (let y = y0; y < y1; y++)
    for (let x = x0; x < x1; x++, at++) if (plane[y * nx + x] === id) bits[at >> 3] |= 0x80 >> (at & 7);
  return bits;
}

/** Labels as ROIs of masks, one per label, in the order of the labels. @param labels Uint32 of `shape` [z, y, x] */
export function* groupedRois(
  labels: Uint32Array,
  [nz, ny, nx]: Shape3,
  { t, seed = 0 }: ShapeOptions,
): Generator<GroupedRoi> {
  const planes = Array.from({ length: nz }, (_, z) => labels.subarray(z * ny * nx, (z + 1) * ny * nx));
  const parts = new Map<number, Array<{ z: number; found: LabelStatistics }>>();
  planes.forEach((plane, z) => {
    for (const found of labelStatistics(plane, [1, ny, nx])) {
      const known = parts.get(found.id);
      if (known) known.push({ z, found });
      else parts.set(found.id, [{ z, found }]);
    }
  });
  for (const [id, places] of [...parts].sort(([a], [b]) => a - b)) {
    yield {
      name: String(id),
      fillColor: packedColor(labelColor(id, seed), 128),
      shapes: places.map(({ z, found: { box } }) => {
        const [, y0, x0, , y1, x1] = box;
        const bits = packedMask(planes[z], nx, id, [y0, x0, y1, x1]);
        return { z, t, x: x0, y: y0, width: x1 - x0, height: y1 - y0, bits: base64(bits) };
      }),
    };
  }
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
