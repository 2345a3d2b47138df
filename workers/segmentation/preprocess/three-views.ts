import type { Shape3 } from '../../../core/volume.ts';
import { type RunTilesOptions, runTiles, type TileNetwork } from './run-tiles.ts';

/** A pass of the network over all planes perpendicular to one axis. */
interface View {
  /** Axes of the volume (0 z, 1 y, 2 x) that are the plane number, row and column. */
  axes: readonly [plane: number, row: number, column: number];
}

/** The three passes of full 3D segmentation: YX planes, ZX planes for each y, ZY planes for each x (spec §7.1). */
export const VIEWS: readonly View[] = [{ axes: [0, 1, 2] }, { axes: [1, 0, 2] }, { axes: [2, 0, 1] }];

/**
 * Runs the network over the planes of a volume in three orientations and sums: each flow component is the sum of two
 * passes, cellprob the sum of three, as the reference does (spec §7.1).
 *
 * @param channels up to three normalised channels, each [z, y, x]
 * @param onPlane called after every plane with the number done
 * @returns dP Float32 [3, z, y, x] = dZ, dY, dX and cellprob Float32 [z, y, x]
 */
export async function runThreeViews(
  channels: readonly Float32Array[],
  shape: Shape3,
  network: TileNetwork,
  options: RunTilesOptions & { onPlane?: (done: number, total: number) => void },
): Promise<{ dP: Float32Array; cellprob: Float32Array }> {
  const size = shape[0] * shape[1] * shape[2];
  const strides = [shape[1] * shape[2], shape[2], 1];
  const dP = new Float32Array(3 * size);
  const cellprob = new Float32Array(size);
  const total = shape[0] + shape[1] + shape[2];
  let done = 0;
  for (const { axes } of VIEWS) {
    const [planes, height, width] = axes.map((axis) => shape[axis]);
    const [planeStride, rowStride, columnStride] = axes.map((axis) => strides[axis]);
    const area = height * width;
    const slices = channels.map(() => new Float32Array(area));
    for (let p = 0; p < planes; p++) {
      channels.forEach((channel, c) => {
        for (let y = 0, i = 0; y < height; y++) {
          const line = p * planeStride + y * rowStride;
          for (let x = 0; x < width; x++, i++) slices[c][i] = channel[line + x * columnStride];
        }
      });
      const out = await runTiles(slices, height, width, network, options);
      const rowFlow = axes[1] * size;
      const columnFlow = axes[2] * size;
      for (let y = 0, i = 0; y < height; y++) {
        for (let x = 0; x < width; x++, i++) {
          const at = p * planeStride + y * rowStride + x * columnStride;
          dP[rowFlow + at] += out[i];
          dP[columnFlow + at] += out[area + i];
          cellprob[at] += out[2 * area + i];
        }
      }
      options.onPlane?.(++done, total);
    }
  }
  return { dP, cellprob };
}
