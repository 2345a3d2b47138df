import type { Box } from './label-volume.ts';
import type { Shape3 } from './volume.ts';

/** The first voxel of a label that a ray meets. */
export interface LabelHit {
  id: number;
  voxel: readonly [z: number, y: number, x: number];
}

/** Ray in voxels of the labels: voxel i spans [i, i + 1]. */
export interface VoxelRay {
  origin: readonly [z: number, y: number, x: number];
  /** Of any length but 0. */
  direction: readonly [z: number, y: number, x: number];
}

/**
 * Goes along a ray from voxel to voxel, after Amanatides and Woo, "A fast voxel traversal algorithm", 1987.
 * @param box half-open part of the volume that is looked at; default: all
 * @param shown whether a label is visible; default: all but 0
 * @returns the first visible label, or undefined
 */
export function castRay(
  labels: Uint32Array,
  shape: Shape3,
  { origin, direction }: VoxelRay,
  { box, shown = () => true }: { box?: Box | undefined; shown?: (id: number) => boolean } = {},
): LabelHit | undefined {
  const [low, high] = [box?.slice(0, 3) ?? [0, 0, 0], box?.slice(3) ?? shape];
  let enter = Number.NEGATIVE_INFINITY;
  let leave = Number.POSITIVE_INFINITY;
  for (let axis = 0; axis < 3; axis++) {
    const d = direction[axis];
    if (d === 0) {
      if (origin[axis] < low[axis] || origin[axis] >= high[axis]) return undefined;
      continue;
    }
    const a = (low[axis] - origin[axis]) / d;
    const b = (high[axis] - origin[axis]) / d;
    enter = Math.max(enter, Math.min(a, b));
    leave = Math.min(leave, Math.max(a, b));
  }
  enter = Math.max(enter, 0);
  if (!(enter < leave)) return undefined;
  const voxel = [0, 0, 0];
  const step = [0, 0, 0];
  const next = [0, 0, 0];
  const width = [0, 0, 0];
  for (let axis = 0; axis < 3; axis++) {
    const d = direction[axis];
    const at = origin[axis] + d * enter;
    voxel[axis] = Math.min(Math.max(Math.floor(at), low[axis]), high[axis] - 1);
    step[axis] = Math.sign(d);
    width[axis] = d === 0 ? Number.POSITIVE_INFINITY : Math.abs(1 / d);
    next[axis] = d === 0 ? Number.POSITIVE_INFINITY : (voxel[axis] + (d > 0 ? 1 : 0) - origin[axis]) / d;
  }
  for (;;) {
    const id = labels[(voxel[0] * shape[1] + voxel[1]) * shape[2] + voxel[2]];
    if (id !== 0 && shown(id)) return { id, voxel: [voxel[0], voxel[1], voxel[2]] };
    const axis = next[0] < next[1] ? (next[0] < next[2] ? 0 : 2) : next[1] < next[2] ? 1 : 2;
    voxel[axis] += step[axis];
    if (voxel[axis] < low[axis] || voxel[axis] >= high[axis]) return undefined;
    next[axis] += width[axis];
  }
}
