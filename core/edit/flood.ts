import type { Axis, Voxel } from './brush.ts';
import type { LabelEdit } from './label-edit.ts';

/**
 * Gives a label to the voxels of equal label that are connected to a voxel by faces.
 * @param flat axis across which it does not spread (fill in one plane); absent: in 3D
 * @returns number of voxels filled
 */
export function floodFill(edit: LabelEdit, seed: Voxel, label: number, flat?: Axis): number {
  const { data, shape } = edit;
  const [nz, ny, nx] = shape;
  const [sz, sy, sx] = seed;
  if (sz < 0 || sy < 0 || sx < 0 || sz >= nz || sy >= ny || sx >= nx) return 0;
  const target = data[(sz * ny + sy) * nx + sx];
  if (target === label) return 0;
  // Runs along x; where x is the axis across, runs of one voxel.
  const wide = flat !== 2;
  const stack = [sz, sy, sx];
  let filled = 0;
  const look = (z: number, y: number, x0: number, x1: number) => {
    if (z < 0 || y < 0 || z >= nz || y >= ny) return;
    const row = (z * ny + y) * nx;
    for (let x = x0; x < x1; x++) {
      if (data[row + x] !== target) continue;
      stack.push(z, y, x);
      while (x + 1 < x1 && data[row + x + 1] === target) x++;
    }
  };
  while (stack.length > 0) {
    const x = stack.pop() as number;
    const y = stack.pop() as number;
    const z = stack.pop() as number;
    const row = (z * ny + y) * nx;
    if (data[row + x] !== target) continue;
    let x0 = x;
    let x1 = x + 1;
    if (wide) {
      while (x0 > 0 && data[row + x0 - 1] === target) x0--;
      while (x1 < nx && data[row + x1] === target) x1++;
    }
    edit.setRow(z, y, x0, x1, label);
    filled += x1 - x0;
    if (flat !== 1) {
      look(z, y - 1, x0, x1);
      look(z, y + 1, x0, x1);
    }
    if (flat !== 0) {
      look(z - 1, y, x0, x1);
      look(z + 1, y, x0, x1);
    }
  }
  return filled;
}
