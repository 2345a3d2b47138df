import type { VolumeData } from '../../core/volume.ts';
import type { VoxelBox } from '../../core/voxel-box.ts';
import type { TileNetwork } from '../../workers/segmentation/preprocess/run-tiles.ts';

/**
 * A network whose output can be foreseen: differences of neighbours as flows, the sample itself as logit.
 * @param steepness factor of the differences
 * @param placed factor of what is added to the logit by the place in the tile
 */
export function gradientNetwork(steepness: number, placed = 0): TileNetwork {
  return async (tiles, batch, height, width) => {
    const area = height * width;
    const out = new Float32Array(tiles.length);
    for (let b = 0; b < batch; b++) {
      const image = tiles.subarray(3 * b * area, (3 * b + 1) * area);
      for (let y = 0, i = 0; y < height; y++)
        for (let x = 0; x < width; x++, i++) {
          const at = 3 * b * area + i;
          const [above, below] = [
            image[i - (y > 0 ? width : 0)],
            image[i + (y + 1 < height ? width : 0)] ?? 0,
          ];
          const [before, behind] = [image[i - (x > 0 ? 1 : 0)], image[i + (x + 1 < width ? 1 : 0)]];
          out[at] = steepness * (below - above);
          out[at + area] = steepness * (behind - before);
          out[at + 2 * area] = 8 * (image[i] - 0.2) + placed * Math.sin(x * y);
        }
    }
    return out;
  };
}

/** Samples of a box of a stack [z, ny, nx], as a source of samples reads them. */
export function samplesOfBox(
  stack: Uint16Array,
  [ny, nx]: readonly [number, number],
  { from, to }: VoxelBox,
): VolumeData {
  const out: number[] = [];
  for (let z = from[0]; z < to[0]; z++)
    for (let y = from[1]; y < to[1]; y++)
      for (let x = from[2]; x < to[2]; x++) out.push(stack[(z * ny + y) * nx + x]);
  return Uint16Array.from(out);
}
