import { CytoError } from './errors.ts';
import type { Box } from './label-volume.ts';
import type { ImageLayer } from './layer.ts';
import type { TaskOptions } from './progress.ts';
import type { ImageDetail } from './tiled-image.ts';
import { bytesPerSample, type Shape3, type Spacing, type Volume } from './volume.ts';

/** Bytes of a part of an image that are held at most. */
export const LARGEST_CUT = 256 * 2 ** 20;

type Position = readonly [z: number, y: number, x: number];

/** Physical size of a voxel of the full resolution. @param spacing of the resolution that is held */
function finestSpacing(detail: ImageDetail, spacing: Spacing): Spacing {
  const voxel = detail.voxel(0);
  return [spacing[0] * voxel[0], spacing[1] * voxel[1], spacing[2] * voxel[2]];
}

/**
 * The voxels of the full resolution that lie within a box of the scene, whole.
 * @param spacing physical, of the resolution that is held
 * @param from,to physical corners; what lies outside of the image is cut off
 * @throws CytoError `bad-input` where nothing of the image lies in it
 */
export function cutBox(detail: ImageDetail, spacing: Spacing, from: Position, to: Position): Box {
  const shape = detail.shape(0);
  const size = finestSpacing(detail, spacing);
  // A boundary between voxels is not to be missed for its last digit.
  const SLACK = 1e-6;
  const low = (axis: 0 | 1 | 2) =>
    Math.min(shape[axis], Math.max(0, Math.floor(from[axis] / size[axis] + SLACK)));
  const high = (axis: 0 | 1 | 2) =>
    Math.min(shape[axis], Math.max(0, Math.ceil(to[axis] / size[axis] - SLACK)));
  const box: Box = [low(0), low(1), low(2), high(0), high(1), high(2)];
  if (box[3] <= box[0] || box[4] <= box[1] || box[5] <= box[2]) {
    throw new CytoError('bad-input', 'Nothing of the image is in view. Move to the part that you want.');
  }
  return box;
}

/**
 * A part of a large image at full resolution as an image of its own, named after its place.
 * @param spacing physical, of the resolution that is held
 * @param box half-open, voxels of the full resolution
 * @param t time point
 * @throws CytoError `too-large` beyond {@link LARGEST_CUT}
 */
export async function readCut(
  { volume }: ImageLayer,
  detail: ImageDetail,
  { spacing, box, t }: { spacing: Spacing; box: Box; t: number },
  options: TaskOptions = {},
): Promise<Volume> {
  const shape: Shape3 = [box[3] - box[0], box[4] - box[1], box[5] - box[2]];
  const bytes = shape[0] * shape[1] * shape[2] * volume.shape[1] * bytesPerSample(detail.dtype);
  if (bytes > LARGEST_CUT) {
    const mebibytes = (amount: number) => Math.round(amount / 2 ** 20);
    throw new CytoError(
      'too-large',
      `What is in view has ${shape.join('×')} voxels at full resolution, ${mebibytes(bytes)} MiB. Come closer, until it is at most ${mebibytes(LARGEST_CUT)} MiB.`,
    );
  }
  const read = await detail.readBox(t, box, options);
  return {
    ...volume,
    ...read,
    dtype: detail.dtype,
    name: `${volume.name} (x ${box[2]}, y ${box[1]}${detail.shape(0)[0] > shape[0] ? `, z ${box[0]}` : ''})`,
    calibration: { ...volume.calibration, spacing: finestSpacing(detail, spacing) },
    notes: [],
  };
}
