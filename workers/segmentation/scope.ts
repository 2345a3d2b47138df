import { CytoError } from '../../core/errors.ts';
import type { SegmentationScope } from '../../core/segmentation-parameters.ts';
import type { Volume, VolumeData } from '../../core/volume.ts';
import type { VoxelBox } from '../../core/voxel-box.ts';

/**
 * The voxels that a scope stands for.
 * @param z the plane of the scope `plane`
 * @throws CytoError `bad-input` for a plane or box that is not in the image
 */
export function boxOfScope(scope: SegmentationScope, [, , nz, ny, nx]: Volume['shape'], z: number): VoxelBox {
  if (scope === 'volume') return { from: [0, 0, 0], to: [nz, ny, nx] };
  if (scope === 'plane') {
    if (!(z >= 0 && z < nz)) throw new CytoError('bad-input', `The image has no plane ${z}.`);
    return { from: [z, 0, 0], to: [z + 1, ny, nx] };
  }
  const { from, to } = scope;
  const fits = [nz, ny, nx].every(
    (n, axis) =>
      Number.isInteger(from[axis]) &&
      Number.isInteger(to[axis]) &&
      from[axis] >= 0 &&
      from[axis] < to[axis] &&
      to[axis] <= n,
  );
  if (!fits) {
    throw new CytoError(
      'bad-input',
      `The box from ${from.join(', ')} to ${to.join(', ')} (z, y, x) does not lie in the image of ${nz}×${ny}×${nx} voxels.`,
    );
  }
  return scope;
}

/** A copy of the samples of a box, dtype as stored. */
export function cutSamples(
  samples: VolumeData,
  [, , , ny, nx]: Volume['shape'],
  { from, to }: VoxelBox,
): VolumeData {
  if (from[1] === 0 && from[2] === 0 && to[1] === ny && to[2] === nx)
    return samples.slice(from[0] * ny * nx, to[0] * ny * nx);
  const [depth, height, width] = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
  const out = samples.slice(0, depth * height * width);
  for (let z = 0, k = 0; z < depth; z++) {
    for (let y = 0; y < height; y++, k += width) {
      const start = ((from[0] + z) * ny + from[1] + y) * nx + from[2];
      out.set(samples.subarray(start, start + width), k);
    }
  }
  return out;
}
