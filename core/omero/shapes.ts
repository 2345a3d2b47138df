import { labelOutlines, type Ring } from '../exports/outlines.ts';
import { labelColor } from '../label-colors.ts';
import type { Shape3 } from '../volume.ts';
import { keyhole } from './keyhole.ts';

const SCHEMA = 'http://www.openmicroscopy.org/Schemas/OME/2016-06#';

/** A polygon in OMERO's JSON: corners in pixels, the corner of the image is 0,0. */
export interface PolygonShape {
  '@type': string;
  Points: string;
  FillColor: number;
  StrokeColor: number;
  StrokeWidth: { '@type': 'TBD#LengthI'; Unit: 'PIXEL'; Symbol: 'px'; Value: number };
  /** The label. */
  Text: string;
  TheZ: number;
  TheT: number;
}

/** Colour as OMERO packs it: a signed 32-bit integer, red highest. */
export function packedColor([red, green, blue]: readonly [number, number, number], alpha: number): number {
  return (red << 24) | (green << 16) | (blue << 8) | alpha;
}

/** Corners as `x,y x,y`: integers, one space, as all of OMERO's readers take them. */
export function pointsOf(ring: Ring): string {
  return ring.map(([x, y]) => `${x},${y}`).join(' ');
}

export interface ShapeOptions {
  /** Time point of the labels. */
  t: number;
  /** Seed of the layer's colours. */
  seed?: number;
}

/**
 * Polygons along pixel edges, which enclose exactly the labelled pixels; a part that is not connected with the others
 * has a polygon of its own. Ordered by plane, then label.
 * @param labels Uint32 of `shape` [z, y, x]
 */
export function* labelShapes(
  labels: Uint32Array,
  shape: Shape3,
  { t, seed = 0 }: ShapeOptions,
): Generator<PolygonShape> {
  for (const { id, z, polygons } of labelOutlines(labels, shape)) {
    const color = labelColor(id, seed);
    for (const polygon of polygons) {
      yield {
        '@type': `${SCHEMA}Polygon`,
        Points: pointsOf(keyhole(polygon)),
        FillColor: packedColor(color, 60),
        StrokeColor: packedColor(color, 255),
        StrokeWidth: { '@type': 'TBD#LengthI', Unit: 'PIXEL', Symbol: 'px', Value: 1 },
        Text: String(id),
        TheZ: z,
        TheT: t,
      };
    }
  }
}
