import type { Shape3 } from '../volume.ts';
import type { Axis, RowSink } from './brush.ts';

/** A drawn point: voxel coordinates along the axes to the right and downwards; the middle of voxel i is i. */
export type PlanePoint = readonly [right: number, down: number];

/**
 * Voxels whose middles lie inside a polygon drawn in a plane (even-odd rule, closed by itself).
 * @param right,down axes of the plane; the third is across
 * @param depth index along the axis across
 */
export function polygonRows(
  points: readonly PlanePoint[],
  right: Axis,
  down: Axis,
  depth: number,
  shape: Shape3,
  emit: RowSink,
): void {
  const across = (3 - right - down) as Axis;
  // Scan lines run along x where the plane has it, so that whole rows come out.
  const scan = right === 2 || down !== 2 ? 0 : 1;
  const [along, over] = scan === 0 ? [right, down] : [down, right];
  const lines = points.map((point) => point[1 - scan]);
  const first = Math.max(0, Math.ceil(Math.min(...lines)));
  const last = Math.min(shape[over] - 1, Math.floor(Math.max(...lines)));
  for (let line = first; line <= last; line++) {
    const crossings: number[] = [];
    points.forEach((point, i) => {
      const next = points[(i + 1) % points.length];
      const [a, b] = [point[1 - scan], next[1 - scan]];
      if (a <= line === b <= line) return;
      crossings.push(point[scan] + ((line - a) / (b - a)) * (next[scan] - point[scan]));
    });
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil(crossings[i]));
      const to = Math.min(shape[along], Math.floor(crossings[i + 1]) + 1);
      if (from >= to) continue;
      const voxel: [number, number, number] = [0, 0, 0];
      voxel[across] = depth;
      voxel[over] = line;
      if (along === 2) emit(voxel[0], voxel[1], from, to);
      else {
        for (let k = from; k < to; k++) {
          voxel[along] = k;
          emit(voxel[0], voxel[1], voxel[2], voxel[2] + 1);
        }
      }
    }
  }
}
