import { CytoError } from '../errors.ts';
import { labelColor } from '../label-colors.ts';
import { MAX_LABEL } from '../label-volume.ts';
import type { Measurements } from '../measure/measurements.ts';
import { rowOf } from '../measure/measurements.ts';
import type { Shape3 } from '../volume.ts';
import { freeIds } from './free-ids.ts';
import { fillRings, labelOutlines, type OutlinePolygon } from './outlines.ts';

type Position = [x: number, y: number];

/** Closes a ring as GeoJSON wants it. */
const closed = (ring: Position[]): Position[] => [...ring, ring[0]];

const coordinatesOf = ({ outer, holes }: OutlinePolygon): Position[][] => [outer, ...holes].map(closed);

export interface GeoJsonOptions {
  /** Changes the colours with the layer's. */
  seed?: number;
  /** Written with every object. */
  measurements?: Measurements;
  /** Written with the collection. */
  provenance?: Record<string, string | number>;
}

/**
 * Labels as GeoJSON in the form that QuPath reads and writes: one detection per label and plane, outlines along pixel
 * edges in pixels of the image, `plane` where there are several. {@link labelsFromGeoJson} gives the labels back.
 * @param labels Uint32 of `shape` [z, y, x]
 */
export function labelGeoJson(labels: Uint32Array, shape: Shape3, options: GeoJsonOptions = {}): string {
  const { seed = 0, measurements, provenance } = options;
  const features: string[] = [];
  for (const { id, z, polygons } of labelOutlines(labels, shape)) {
    const [only] = polygons;
    const geometry = {
      ...(polygons.length === 1
        ? { type: 'Polygon', coordinates: coordinatesOf(only) }
        : { type: 'MultiPolygon', coordinates: polygons.map(coordinatesOf) }),
      ...(shape[0] > 1 ? { plane: { c: -1, z, t: 0 } } : {}),
    };
    const measured = measurements && measuredValues(measurements, id);
    features.push(
      JSON.stringify({
        type: 'Feature',
        id: uuidOf(id, z),
        geometry,
        properties: {
          objectType: 'detection',
          name: String(id),
          color: labelColor(id, seed),
          ...(measured ? { measurements: measured } : {}),
        },
      }),
    );
  }
  const extra = provenance ? `,"provenance":${JSON.stringify(provenance)}` : '';
  return `{"type":"FeatureCollection"${extra},"features":[\n${features.join(',\n')}\n]}\n`;
}

/** Ids of objects are UUIDs in QuPath; the same label in the same plane has the same one. */
function uuidOf(id: number, z: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  return `${hex(id, 8)}-0000-8000-8000-${hex(z, 12)}`;
}

function measuredValues(measurements: Measurements, id: number): Record<string, number> | undefined {
  const row = rowOf(measurements, id);
  if (row < 0) return undefined;
  const entries = measurements.columns.flatMap(({ key, unit }): Array<[string, number]> => {
    const value = measurements.values[key][row];
    return Number.isFinite(value) ? [[unit ? `${key} ${unit}` : key, Number(value.toPrecision(9))]] : [];
  });
  return Object.fromEntries(entries);
}

interface Feature {
  geometry?: { type?: string; coordinates?: unknown; plane?: { z?: number } } | null;
  properties?: Record<string, unknown> | null;
}

/**
 * Labels from GeoJSON objects (a collection, a list or one feature) with polygons in pixels. A name that is a whole
 * number is the label; other objects get the numbers that are free. Later objects lie over earlier ones.
 * @param shape of the image [z, y, x]; objects outside are cut off
 * @throws CytoError `corrupt-file` when it is no GeoJSON, `bad-input` when it holds no areas
 */
export function labelsFromGeoJson(text: string, [nz, ny, nx]: Shape3): Uint32Array {
  const features = parseFeatures(text).filter(({ geometry }) =>
    ['Polygon', 'MultiPolygon'].includes(geometry?.type ?? ''),
  );
  if (features.length === 0) {
    throw new CytoError('bad-input', 'The GeoJSON file holds no areas: polygons are needed.');
  }
  const nextFree = freeIds(new Set(features.flatMap((feature) => labelOf(feature) ?? [])));
  const labels = new Uint32Array(nz * ny * nx);
  for (const feature of features) {
    const id = labelOf(feature) ?? nextFree();
    const z = feature.geometry?.plane?.z ?? 0;
    if (!(z >= 0 && z < nz)) continue;
    const { type, coordinates } = feature.geometry as { type: string; coordinates: unknown };
    const polygons = (type === 'Polygon' ? [coordinates] : coordinates) as Position[][][];
    const plane = labels.subarray(z * ny * nx, (z + 1) * ny * nx);
    try {
      fillRings(polygons.flat(), id, plane, ny, nx);
    } catch (cause) {
      throw new CytoError('corrupt-file', 'The GeoJSON file has an outline that cannot be read.', { cause });
    }
  }
  return labels;
}

function labelOf({ properties }: Feature): number | undefined {
  const name = Number(properties?.name ?? Number.NaN);
  return Number.isInteger(name) && name > 0 && name <= MAX_LABEL ? name : undefined;
}

function parseFeatures(text: string): Feature[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CytoError('corrupt-file', 'The file is not GeoJSON: it is no valid JSON.', { cause });
  }
  const list = Array.isArray(value) ? value : ((value as { features?: unknown } | null)?.features ?? [value]);
  if (!Array.isArray(list) || list.some((entry) => typeof entry !== 'object' || entry === null)) {
    throw new CytoError('corrupt-file', 'The file is not GeoJSON: a list of features is needed.');
  }
  return list as Feature[];
}
