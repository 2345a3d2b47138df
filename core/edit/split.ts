import { CytoError } from '../errors.ts';
import type { Axis } from './brush.ts';
import type { LabelEdit } from './label-edit.ts';
import type { LabelIndex } from './label-index.ts';
import type { PlanePoint } from './polygon.ts';

export interface Cut {
  /** At least two points; the first and last piece go on without end. */
  line: readonly PlanePoint[];
  /** Axes of the plane in which the line was drawn. */
  right: Axis;
  down: Axis;
  /** The plane's index, to cut in it only; absent cuts through all planes. */
  depth?: number | undefined;
}

/**
 * Splits a cell along a drawn line: what lies on the line's smaller side gets a new label.
 * @returns the new label
 * @throws CytoError `bad-input` if the line leaves the cell on one side
 */
export function splitLabel(edit: LabelEdit, index: LabelIndex, id: number, cut: Cut): number {
  const { right, down, depth } = cut;
  const line = withoutRepeats(cut.line);
  const box = index.box(id);
  if (!box || line.length < 2) {
    throw new CytoError('bad-input', 'Draw a line across the cell that is to be split.');
  }
  const across = (3 - right - down) as Axis;
  const low = [box[0], box[1], box[2]];
  const high = [box[3], box[4], box[5]];
  if (depth !== undefined) {
    low[across] = depth;
    high[across] = depth + 1;
  }
  const { data, shape } = edit;
  // Planes that the cut goes through are alike: each place of the plane is judged once.
  const width = high[right] - low[right];
  const sides = new Int8Array(width * (high[down] - low[down]));
  for (let v = low[down], at = 0; v < high[down]; v++) {
    for (let u = low[right]; u < high[right]; u++) sides[at++] = side(line, u, v);
  }
  const counts = [0, 0];
  const visit = (take: (z: number, y: number, x: number, side: number) => void) => {
    const voxel = [0, 0, 0];
    for (voxel[0] = low[0]; voxel[0] < high[0]; voxel[0]++) {
      for (voxel[1] = low[1]; voxel[1] < high[1]; voxel[1]++) {
        for (voxel[2] = low[2]; voxel[2] < high[2]; voxel[2]++) {
          const [z, y, x] = voxel;
          if (data[(z * shape[1] + y) * shape[2] + x] !== id) continue;
          take(z, y, x, sides[(voxel[down] - low[down]) * width + voxel[right] - low[right]]);
        }
      }
    }
  };
  visit((_z, _y, _x, s) => {
    counts[s > 0 ? 1 : 0]++;
  });
  if (counts[0] === 0 || counts[1] === 0) {
    throw new CytoError('bad-input', 'The line does not cross the cell. Draw it from one side to the other.');
  }
  const smaller = counts[1] < counts[0] ? 1 : 0;
  const label = index.free;
  visit((z, y, x, s) => {
    if ((s > 0 ? 1 : 0) === smaller) edit.set(z, y, x, label);
  });
  return label;
}

function withoutRepeats(line: readonly PlanePoint[]): PlanePoint[] {
  return line.filter((point, i) => {
    const before = line[i - 1];
    return !before || Math.hypot(point[0] - before[0], point[1] - before[1]) > 1e-6;
  });
}

/** On which side of a line a point lies, 1 or −1: that of the nearest piece. */
function side(line: readonly PlanePoint[], u: number, v: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  let result = 1;
  let steepest = -1;
  for (let i = 0; i + 1 < line.length; i++) {
    const [au, av] = line[i];
    const [du, dv] = [line[i + 1][0] - au, line[i + 1][1] - av];
    const length = Math.hypot(du, dv);
    const along = ((u - au) * du + (v - av) * dv) / (length * length);
    const from = i === 0 ? Number.NEGATIVE_INFINITY : 0;
    const to = i === line.length - 2 ? Number.POSITIVE_INFINITY : 1;
    const t = Math.min(Math.max(along, from), to);
    const distance = Math.hypot(u - au - t * du, v - av - t * dv);
    const cross = (du * (v - av) - dv * (u - au)) / length;
    // At a corner two pieces are equally near: the one the point is seen from more squarely decides.
    if (distance < nearest - 1e-9 || (distance < nearest + 1e-9 && Math.abs(cross) > steepest)) {
      nearest = Math.min(nearest, distance);
      steepest = Math.abs(cross);
      result = cross >= 0 ? 1 : -1;
    }
  }
  return result;
}
