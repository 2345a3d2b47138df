import type { OutlinePolygon, Ring } from '../exports/outlines.ts';

/**
 * A polygon with holes as one ring, as OMERO has no holes: each hole is joined to the edge at its left by a horizontal
 * line that is passed there and back. Lines without area, and horizontal besides, change no pixel under the even-odd
 * nor the winding rule, so that the ring fills exactly the polygon.
 */
export function keyhole({ outer, holes }: OutlinePolygon): Ring {
  let ring: Ring = [...outer];
  // From the left, so that the edge which a hole meets is part of the ring already.
  const starts = holes.map((hole) => ({ hole, start: leftmost(hole) }));
  starts.sort((a, b) => a.hole[a.start][0] - b.hole[b.start][0]);
  for (const { hole, start } of starts) {
    const loop: Ring = [...hole.slice(start), ...hole.slice(0, start)];
    const [x, y] = loop[0];
    const edge = edgeAtLeft(ring, x, y);
    const bridge: [number, number] = [ring[edge][0], y];
    ring = [...ring.slice(0, edge + 1), bridge, ...loop, [x, y], bridge, ...ring.slice(edge + 1)];
  }
  return ring;
}

function leftmost(ring: Ring): number {
  let best = 0;
  ring.forEach(([x, y], k) => {
    if (x < ring[best][0] || (x === ring[best][0] && y < ring[best][1])) best = k;
  });
  return best;
}

/** Index of the first corner of the nearest vertical edge at the left of a point. */
function edgeAtLeft(ring: Ring, x: number, y: number): number {
  let best = -1;
  ring.forEach(([ax, ay], k) => {
    const [bx, by] = ring[(k + 1) % ring.length];
    if (ax !== bx || ax > x || Math.min(ay, by) > y || Math.max(ay, by) < y) return;
    if (best < 0 || ax > ring[best][0]) best = k;
  });
  return Math.max(0, best);
}
