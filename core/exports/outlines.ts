import { labelStatistics } from '../label-volume.ts';
import type { Shape3 } from '../volume.ts';

/** Corners [x, y] of a closed line along pixel edges, in pixels; the last joins the first. No corner comes twice. */
export type Ring = Array<[x: number, y: number]>;

/** A simply connected outline and the holes in it. */
export interface OutlinePolygon {
  outer: Ring;
  holes: Ring[];
}

/** The outline of one label in one plane. */
export interface LabelOutline {
  id: number;
  z: number;
  polygons: OutlinePolygon[];
}

/** East, south, west, north. */
const STEP = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/**
 * Outlines of every label along pixel edges, plane by plane, ascending by label. Pixels that touch at a corner only are
 * apart, so that rings never cross or touch themselves; filling them by the even-odd rule gives the labels back.
 * @param labels Uint32 of `shape` [z, y, x]
 */
export function* labelOutlines(labels: Uint32Array, [nz, ny, nx]: Shape3): Generator<LabelOutline> {
  for (let z = 0; z < nz; z++) {
    const plane = labels.subarray(z * ny * nx, (z + 1) * ny * nx);
    for (const { id, box } of labelStatistics(plane, [1, ny, nx])) {
      yield { id, z, polygons: polygonsOf(tracedRings(plane, ny, nx, id, box)) };
    }
  }
}

type PlaneBox = readonly [z0: number, y0: number, x0: number, z1: number, y1: number, x1: number];

/** Rings with the label at their right hand: outer ones run clockwise on screen, holes counter-clockwise. */
function tracedRings(
  plane: Uint32Array,
  ny: number,
  nx: number,
  id: number,
  [, y0, x0, , y1, x1]: PlaneBox,
): Ring[] {
  const width = x1 - x0;
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < nx && y < ny && plane[y * nx + x] === id;
  /** Top edges of pixels that a ring has passed. */
  const passed = new Uint8Array(width * (y1 - y0));
  const rings: Ring[] = [];
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      if (!inside(x, y) || inside(x, y - 1) || passed[(y - y0) * width + x - x0]) continue;
      rings.push(...simpleRings(trace(x, y)));
    }
  }
  return rings;

  function trace(startX: number, startY: number): Ring {
    const ring: Ring = [];
    let [x, y, direction] = [startX, startY, 0];
    do {
      if (direction === 0) passed[(y - y0) * width + x - x0] = 1;
      const [dx, dy] = STEP[direction];
      x += dx;
      y += dy;
      // The pixels ahead to the right and left of the corner reached.
      const right = inside(x + (dx - dy - 1) / 2, y + (dy + dx - 1) / 2);
      const left = inside(x + (dx + dy - 1) / 2, y + (dy - dx - 1) / 2);
      if (right && !left) continue;
      ring.push([x, y]);
      direction = right ? (direction + 3) % 4 : (direction + 1) % 4;
    } while (x !== startX || y !== startY || direction !== 0);
    return ring;
  }
}

/** A ring that comes to a corner twice, cut there into rings that do not. */
function simpleRings(ring: Ring): Ring[] {
  const rings: Ring[] = [];
  const path: Ring = [];
  const places = new Map<string, number>();
  for (const corner of ring) {
    const key = corner.join();
    const seen = places.get(key);
    if (seen !== undefined) {
      const loop = path.splice(seen);
      for (const [x, y] of loop) places.delete(`${x},${y}`);
      rings.push(loop);
    }
    places.set(key, path.length);
    path.push(corner);
  }
  rings.push(path);
  return rings;
}

/** Twice the signed area; positive for outer rings. */
function signedArea(ring: Ring): number {
  let sum = 0;
  ring.forEach(([x, y], k) => {
    const [nextX, nextY] = ring[(k + 1) % ring.length];
    sum += x * nextY - nextX * y;
  });
  return sum;
}

function polygonsOf(rings: Ring[]): OutlinePolygon[] {
  const polygons = rings
    .filter((ring) => signedArea(ring) > 0)
    .map((outer): OutlinePolygon => ({ outer, holes: [] }));
  for (const hole of rings) {
    if (signedArea(hole) > 0) continue;
    const point = besideHole(hole);
    // Of nested outlines the smallest is the one that the hole is in.
    let owner: OutlinePolygon | undefined;
    for (const polygon of polygons) {
      if (!contains(polygon.outer, point)) continue;
      if (!owner || signedArea(polygon.outer) < signedArea(owner.outer)) owner = polygon;
    }
    owner?.holes.push(hole);
  }
  return polygons;
}

/** Middle of a pixel of the label beside a hole's first edge. */
function besideHole(hole: Ring): readonly [number, number] {
  const [[x, y], [nextX, nextY]] = hole;
  const [dx, dy] = [Math.sign(nextX - x), Math.sign(nextY - y)];
  return [x + (dx - dy) / 2, y + (dy + dx) / 2];
}

function contains(ring: Ring, [x, y]: readonly [number, number]): boolean {
  let inside = false;
  ring.forEach(([ax, ay], k) => {
    const [bx, by] = ring[(k + 1) % ring.length];
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
  });
  return inside;
}

/**
 * Gives a label to the pixels of a plane whose middles lie inside rings (even-odd rule). Pixels outside the plane are
 * left out.
 * @param rings corners [x, y] in pixels, pixel i spans [i, i + 1]
 * @param plane Uint32 of `ny` × `nx`, changed
 * @returns the number of pixels that got the label
 */
export function fillRings(
  rings: ReadonlyArray<ReadonlyArray<readonly [x: number, y: number]>>,
  id: number,
  plane: Uint32Array,
  ny: number,
  nx: number,
): number {
  const crossings = new Map<number, number[]>();
  for (const ring of rings) {
    ring.forEach(([ax, ay], k) => {
      const [bx, by] = ring[(k + 1) % ring.length];
      const [low, high] = ay < by ? [ay, by] : [by, ay];
      const first = Math.max(0, Math.ceil(low - 0.5));
      const last = Math.min(ny, Math.ceil(high - 0.5));
      for (let y = first; y < last; y++) {
        const x = ax + ((y + 0.5 - ay) / (by - ay)) * (bx - ax);
        const row = crossings.get(y);
        if (row) row.push(x);
        else crossings.set(y, [x]);
      }
    });
  }
  let filled = 0;
  for (const [y, row] of crossings) {
    row.sort((a, b) => a - b);
    for (let k = 0; k + 1 < row.length; k += 2) {
      const from = Math.max(0, Math.ceil(row[k] - 0.5));
      const to = Math.min(nx, Math.ceil(row[k + 1] - 0.5));
      if (to <= from) continue;
      plane.fill(id, y * nx + from, y * nx + to);
      filled += to - from;
    }
  }
  return filled;
}
