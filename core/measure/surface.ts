import type { Box } from '../label-volume.ts';
import type { Shape3, Spacing } from '../volume.ts';

/** The corners of a cell of eight voxels are numbered by bits: 1 = x, 2 = y, 4 = z. */
const FACES: ReadonlyArray<readonly number[]> = [
  [0, 2, 6, 4],
  [1, 3, 7, 5],
  [0, 1, 5, 4],
  [2, 3, 7, 6],
  [0, 1, 3, 2],
  [4, 5, 7, 6],
];

const edgeOf = (a: number, b: number) => Math.min(a, b) * 8 + Math.max(a, b);

/** Line pieces on the faces of a cell between the middles of its cut edges. Corners inside that lie across a face are joined. */
function linesOf(inside: number): Map<number, number[]> {
  const links = new Map<number, number[]>();
  const link = (a: number, b: number) => {
    links.set(a, [...(links.get(a) ?? []), b]);
    links.set(b, [...(links.get(b) ?? []), a]);
  };
  const has = (corner: number) => ((inside >> corner) & 1) === 1;
  for (const face of FACES) {
    const cut = face.flatMap((corner, k) => {
      const next = face[(k + 1) % 4];
      return has(corner) === has(next) ? [] : [edgeOf(corner, next)];
    });
    if (cut.length === 2) link(cut[0], cut[1]);
    if (cut.length === 4) {
      face.forEach((corner, k) => {
        if (!has(corner)) link(edgeOf(corner, face[(k + 3) % 4]), edgeOf(corner, face[(k + 1) % 4]));
      });
    }
  }
  return links;
}

/**
 * Area of the surface at half height (marching cubes; Lorensen and Cline, 1987) inside a cell of 2 × 2 × 2 voxels, for
 * each of the 256 choices of corners that are inside.
 * @returns physical area, index = bits of the corners inside (1 = x, 2 = y, 4 = z of the corner's number)
 */
export function cellAreas([dz, dy, dx]: Spacing): Float64Array {
  const areas = new Float64Array(256);
  const middle = (edge: number): [number, number, number] => {
    const ends = [edge >> 3, edge & 7];
    const mean = (bit: number) => ends.reduce((sum, corner) => sum + ((corner >> bit) & 1), 0) / 2;
    return [mean(0) * dx, mean(1) * dy, mean(2) * dz];
  };
  for (let inside = 1; inside < 255; inside++) {
    const links = linesOf(inside);
    const left = new Set(links.keys());
    while (left.size > 0) {
      // Every cut edge ends two line pieces: the pieces close to loops.
      const loop: number[] = [];
      let edge: number | undefined = left.values().next().value;
      while (edge !== undefined) {
        loop.push(edge);
        left.delete(edge);
        edge = links.get(edge)?.find((other) => left.has(other));
      }
      areas[inside] += fanArea(loop.map(middle));
    }
  }
  return areas;
}

type Point = readonly [number, number, number];

/**
 * Area of a loop filled with triangles that fan out from one of its points, as mean over the points: no choice of a
 * diagonal prefers a direction.
 */
function fanArea(points: readonly Point[]): number {
  const { length } = points;
  let sum = 0;
  for (let apex = 0; apex < length; apex++) {
    for (let k = 1; k + 1 < length; k++) {
      sum += triangleArea(points[apex], points[(apex + k) % length], points[(apex + k + 1) % length]);
    }
  }
  return sum / length;
}

function triangleArea(a: Point, b: Point, c: Point): number {
  const [ux, uy, uz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const [vx, vy, vz] = [c[0] - a[0], c[1] - a[1], c[2] - a[2]];
  return Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) / 2;
}

let known: { key: string; areas: Float64Array } | undefined;

/** {@link cellAreas} of the spacing last used, kept for the next edit. */
function knownCellAreas(spacing: Spacing): Float64Array {
  const key = spacing.join();
  if (known?.key !== key) known = { key, areas: cellAreas(spacing) };
  return known.areas;
}

/** What the cells where labels meet tell: surface of each label and which labels share a face. */
export interface Contacts {
  /** Physical surface by label id; absent in a plane. */
  surface: Map<number, number>;
  /** Labels that share a voxel face (in a plane a pixel edge) with a label. */
  neighbours: Map<number, Set<number>>;
}

/**
 * Surfaces and neighbours of labels in one pass over the cells of 2 × 2 × 2 voxels.
 * @param labels of `shape` [z, y, x]; beyond the volume is background
 * @param within box that holds all voxels of the wanted labels and their neighbours
 * @param wanted only these labels
 */
export function labelContacts(
  labels: Uint32Array,
  [nz, ny, nx]: Shape3,
  spacing: Spacing,
  within: Box = [0, 0, 0, nz, ny, nx],
  wanted?: ReadonlySet<number>,
): Contacts {
  const stack = nz > 1;
  const areas = stack ? knownCellAreas(spacing) : new Float64Array(256);
  const surface = new Map<number, number>();
  const neighbours = new Map<number, Set<number>>();
  const meet = (a: number, b: number) => {
    if (a === b || a === 0 || b === 0) return;
    for (const [one, other] of [
      [a, b],
      [b, a],
    ]) {
      if (wanted && !wanted.has(one)) continue;
      const others = neighbours.get(one);
      if (others) others.add(other);
      else neighbours.set(one, new Set([other]));
    }
  };
  const at = (z: number, y: number, x: number) =>
    z < 0 || y < 0 || x < 0 || z >= nz || y >= ny || x >= nx ? 0 : labels[(z * ny + y) * nx + x];
  const corners = new Uint32Array(8);
  const [z0, y0, x0, z1, y1, x1] = within;
  for (let z = stack ? z0 - 1 : 0; z < z1; z++) {
    for (let y = y0 - 1; y < y1; y++) {
      const inner = y >= 0 && y + 1 < ny && (!stack || (z >= 0 && z + 1 < nz));
      const row = (z * ny + y) * nx;
      // A plane is a cell's both layers. The corners at x are those at x + 1 of the cell before.
      const above = stack ? 1 : 0;
      for (let k = 1; k < 8; k += 2) corners[k] = at(z + (k & 4 ? above : 0), y + ((k >> 1) & 1), x0 - 1);
      for (let x = x0 - 1; x < x1; x++) {
        for (let k = 0; k < 8; k += 2) corners[k] = corners[k + 1];
        if (inner && x + 1 < nx) {
          corners[1] = labels[row + x + 1];
          corners[3] = labels[row + nx + x + 1];
          corners[5] = labels[row + above * ny * nx + x + 1];
          corners[7] = labels[row + above * ny * nx + nx + x + 1];
        } else {
          for (let k = 1; k < 8; k += 2) {
            corners[k] = at(z + (k & 4 ? above : 0), y + ((k >> 1) & 1), x + 1);
          }
        }
        const id = corners[0];
        let same = true;
        for (let k = 1; k < 8 && same; k++) same = corners[k] === id;
        if (same) continue;
        meet(id, corners[1]);
        meet(id, corners[2]);
        if (!stack) continue;
        meet(id, corners[4]);
        let done = 0;
        for (let k = 0; k < 8; k++) {
          const own = corners[k];
          if (done & (1 << k)) continue;
          let inside = 0;
          for (let j = k; j < 8; j++) if (corners[j] === own) inside |= 1 << j;
          done |= inside;
          if (own === 0 || (wanted && !wanted.has(own))) continue;
          surface.set(own, (surface.get(own) ?? 0) + areas[inside]);
        }
      }
    }
  }
  return { surface, neighbours };
}
