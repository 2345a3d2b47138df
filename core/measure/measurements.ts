import type { Box } from '../label-volume.ts';
import type { Calibration, Shape3 } from '../volume.ts';
import { type ChannelSamples, type MeasurementColumn, measurementColumns } from './columns.ts';
import { convexCount } from './convex-hull.ts';
import { labelIntensity } from './intensity.ts';
import { type LabelRuns, labelRuns } from './label-runs.ts';
import { ellipseOf, ellipsoidAxes, labelMoments } from './moments.ts';
import { labelPerimeter } from './perimeter.ts';
import { type Contacts, labelContacts } from './surface.ts';

/** What is measured. */
export interface MeasurementInput {
  /** Uint32 [z, y, x], 0 is background. A single plane is measured in 2D, several in 3D. */
  labels: Uint32Array;
  shape: Shape3;
  calibration: Pick<Calibration, 'spacing' | 'unit'>;
  /** Images of the same shape whose samples inside the labels are measured. */
  channels?: readonly ChannelSamples[];
  /** Columns that come with the labels, by label id: flow error, cellprob. */
  supplied?: ReadonlyArray<{ key: string; values: ReadonlyMap<number, number> }>;
}

/** One row per label, one array per column. */
export interface Measurements {
  /** Label ids, ascending. */
  ids: Uint32Array;
  columns: MeasurementColumn[];
  /** Key of a column → its values in the order of `ids`; NaN where there is none. */
  values: Record<string, Float64Array>;
}

/** Touches the image's edge if the box does; the first and last plane count as edge only of a stack. */
function atEdge(box: Box, [nz, ny, nx]: Shape3): boolean {
  const [z0, y0, x0, z1, y1, x1] = box;
  return y0 === 0 || x0 === 0 || y1 === ny || x1 === nx || (nz > 1 && (z0 === 0 || z1 === nz));
}

/**
 * Measures every label; definitions are those of scikit-image's `regionprops` (see {@link measurementColumns}). Time
 * grows with the number of voxels, not with that of labels.
 */
export function measureLabels(input: MeasurementInput): Measurements {
  const { labels, shape, calibration } = input;
  return measureRuns(input, labelRuns(labels, shape), labelContacts(labels, shape, calibration.spacing));
}

function measureRuns(input: MeasurementInput, runs: LabelRuns, contacts: Contacts): Measurements {
  const { labels, shape, calibration, channels = [], supplied = [] } = input;
  const stack = shape[0] > 1;
  const columns = measurementColumns(
    stack,
    calibration.unit,
    channels,
    supplied.map(({ key }) => key),
  );
  const length = runs.ids.length;
  const values: Record<string, Float64Array> = Object.fromEntries(
    columns.map(({ key }) => [key, new Float64Array(length)]),
  );
  const { spacing } = calibration;
  const [dz, dy, dx] = spacing;
  const voxel = stack ? dz * dy * dx : dy * dx;
  runs.ids.forEach((id, n) => {
    const put = (key: string, value: number) => {
      values[key][n] = value;
    };
    const moments = labelMoments(runs, n, shape, spacing);
    const { count, centroid, box } = moments;
    const size = count * voxel;
    put(stack ? 'voxels' : 'pixels', count);
    put(stack ? 'volume' : 'area', size);
    (['z', 'y', 'x'] as const).forEach((axis, k) => {
      if (!stack && axis === 'z') return;
      put(`centroid_${axis}`, centroid[k] * spacing[k]);
      put(`centroid_${axis}_px`, centroid[k]);
      put(`box_${axis}0`, box[k]);
      put(`box_${axis}1`, box[k + 3]);
    });
    if (stack) {
      const surface = contacts.surface.get(id) ?? Number.NaN;
      const [major, middle, minor] = ellipsoidAxes(moments);
      put('equivalent_diameter', Math.cbrt((6 * size) / Math.PI));
      put('surface', surface);
      put('sphericity', (Math.cbrt(Math.PI) * (6 * size) ** (2 / 3)) / surface);
      put('axis_major', major);
      put('axis_middle', middle);
      put('axis_minor', minor);
    } else {
      const perimeter = labelPerimeter(labels, shape, runs, n, spacing);
      const ellipse = ellipseOf(moments);
      put('equivalent_diameter', Math.sqrt((4 * size) / Math.PI));
      put('perimeter', perimeter);
      put('circularity', perimeter > 0 ? (4 * Math.PI * size) / perimeter ** 2 : Number.NaN);
      put('axis_major', ellipse.major);
      put('axis_minor', ellipse.minor);
      put('eccentricity', ellipse.eccentricity);
      put('orientation', ellipse.orientation);
    }
    put('solidity', count / convexCount(runs, n, shape, moments));
    put('neighbours', contacts.neighbours.get(id)?.size ?? 0);
    put('at_edge', atEdge(box, shape) ? 1 : 0);
    channels.forEach(({ samples }, c) => {
      const found = labelIntensity(runs, n, samples);
      for (const kind of ['mean', 'min', 'max', 'sd', 'integrated'] as const) {
        put(`${kind}_${c + 1}`, found[kind]);
      }
    });
    for (const { key, values: known } of supplied) put(key, known.get(id) ?? Number.NaN);
  });
  return { ids: runs.ids, columns, values };
}

/**
 * Measurements after the labels inside a box have changed. Only labels with voxels there, before or now, and those that
 * touch the box are measured again.
 * @param before measurements of the labels as they were; not changed
 * @param input the labels as they are now, with the channels and supplied columns of `before`
 * @param changed box that holds every changed voxel
 */
export function updateMeasurements(
  before: Measurements,
  input: MeasurementInput,
  changed: Box,
): Measurements {
  const { labels, shape, calibration } = input;
  const near = grown(changed, shape);
  const affected = labelsInside(labels, shape, near);
  let region = near;
  const touching = rowsTouching(before, near, shape);
  for (let row = 0; row < before.ids.length; row++) {
    const id = before.ids[row];
    if (!touching[row] && !affected.has(id)) continue;
    affected.add(id);
    region = joined(region, boxOfRow(before, row, shape));
  }
  const runs = labelRuns(labels, shape, region, affected);
  // Supplied columns describe labels as they were segmented: an edited label has none.
  const same = [...affected].filter((id) => unchanged(before, runs, id, shape));
  const kept = (input.supplied ?? []).map(({ key }) => ({
    key,
    values: new Map(same.map((id) => [id, before.values[key]?.[rowOf(before, id)] ?? Number.NaN])),
  }));
  const fresh = measureRuns(
    { ...input, supplied: kept },
    runs,
    labelContacts(labels, shape, calibration.spacing, grown(region, shape), affected),
  );
  return merged(before, fresh, affected);
}

function grown([z0, y0, x0, z1, y1, x1]: Box, [nz, ny, nx]: Shape3): Box {
  return [
    Math.max(0, z0 - 1),
    Math.max(0, y0 - 1),
    Math.max(0, x0 - 1),
    Math.min(nz, z1 + 1),
    Math.min(ny, y1 + 1),
    Math.min(nx, x1 + 1),
  ];
}

const joined = (a: Box, b: Box): Box =>
  a.map((value, k) => (k < 3 ? Math.min(value, b[k]) : Math.max(value, b[k]))) as unknown as Box;

/** Rows whose bounding boxes overlap a box, as 1. */
function rowsTouching({ ids, values }: Measurements, box: Box, shape: Shape3): Uint8Array {
  const touching = new Uint8Array(ids.length).fill(1);
  (['z', 'y', 'x'] as const).forEach((axis, k) => {
    if (axis === 'z' && shape[0] === 1) return;
    const [from, to] = [values[`box_${axis}0`], values[`box_${axis}1`]];
    for (let row = 0; row < ids.length; row++) {
      if (from[row] >= box[k + 3] || to[row] <= box[k]) touching[row] = 0;
    }
  });
  return touching;
}

function labelsInside(labels: Uint32Array, [, ny, nx]: Shape3, [z0, y0, x0, z1, y1, x1]: Box): Set<number> {
  const found = new Set<number>();
  let last = 0;
  for (let z = z0; z < z1; z++) {
    for (let y = y0; y < y1; y++) {
      const row = (z * ny + y) * nx;
      for (let i = row + x0; i < row + x1; i++) {
        if (labels[i] === last) continue;
        last = labels[i];
        if (last !== 0) found.add(last);
      }
    }
  }
  return found;
}

/** Bounding box of a row, in voxels. */
export function boxOfRow({ values }: Measurements, row: number, shape: Shape3): Box {
  const stack = shape[0] > 1;
  const at = (key: string, plane: number) => (stack || !key.includes('z') ? values[key][row] : plane);
  return [
    at('box_z0', 0),
    at('box_y0', 0),
    at('box_x0', 0),
    at('box_z1', 1),
    at('box_y1', 1),
    at('box_x1', 1),
  ];
}

/** Whether a label has the size and middle that it had. */
function unchanged(before: Measurements, runs: LabelRuns, id: number, shape: Shape3): boolean {
  const row = rowOf(before, id);
  const n = runs.ids.indexOf(id);
  if (row < 0 || n < 0) return false;
  const { count, centroid } = labelMoments(runs, n, shape, [1, 1, 1]);
  const known = before.values;
  return (
    count === (known.voxels ?? known.pixels)[row] &&
    centroid[1] === known.centroid_y_px[row] &&
    centroid[2] === known.centroid_x_px[row]
  );
}

/** Row of a label, or −1. */
export function rowOf({ ids }: Measurements, id: number): number {
  let low = 0;
  let high = ids.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (ids[middle] === id) return middle;
    if (ids[middle] < id) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** Rows of `before` without the affected labels, and those of `fresh`, in the order of the ids. */
function merged(before: Measurements, fresh: Measurements, affected: ReadonlySet<number>): Measurements {
  /** Row of `before`, or −1 − row of `fresh`. */
  const from = new Int32Array(before.ids.length + fresh.ids.length);
  let length = 0;
  let next = 0;
  for (let row = 0; row < before.ids.length; row++) {
    const id = before.ids[row];
    while (next < fresh.ids.length && fresh.ids[next] < id) from[length++] = -1 - next++;
    if (!affected.has(id)) from[length++] = row;
  }
  while (next < fresh.ids.length) from[length++] = -1 - next++;
  const pick = <T extends Uint32Array | Float64Array>(out: T, old: T, now: T): T => {
    for (let row = 0; row < length; row++) out[row] = from[row] >= 0 ? old[from[row]] : now[-1 - from[row]];
    return out;
  };
  return {
    ids: pick(new Uint32Array(length), before.ids, fresh.ids),
    columns: fresh.columns,
    values: Object.fromEntries(
      fresh.columns.map(({ key }) => [
        key,
        pick(new Float64Array(length), before.values[key], fresh.values[key]),
      ]),
    ),
  };
}
