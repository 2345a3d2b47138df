import { CytoError } from '../../../core/errors.ts';
import { sampleCount, type VolumeData } from '../../../core/volume.ts';

/** How the axes of an array are to be read. */
export interface AxisOptions {
  channelAxis?: number;
  zAxis?: number;
  /** Whether the array is a stack for 3D segmentation or stitching. */
  stack?: boolean;
}

/** Three channels per pixel, interleaved: shape [y, x, 3] or [n, y, x, 3]. */
export interface InterleavedImage {
  data: VolumeData;
  shape: number[];
}

/**
 * Brings an array to [y, x, 3] or [n, y, x, 3] by Cellpose's rules (spec §2.1): the first three channels are kept,
 * missing ones are 0. Without a channel axis a 3-dimensional array has its channels on axis 0 if that is shorter
 * than axis 2, else on axis 2.
 * @throws CytoError `bad-input` for axes that do not fit the array
 */
export function arrangeAxes(
  data: VolumeData,
  shape: readonly number[],
  options: AxisOptions = {},
): InterleavedImage {
  const fail = (text: string): never => {
    throw new CytoError('bad-input', text);
  };
  const ndim = shape.length;
  const axis = (value: number | undefined) => {
    if (value === undefined) return undefined;
    if (value < -ndim || value >= ndim) return fail(`There is no axis ${value} in an array of ${ndim} axes.`);
    return value < 0 ? value + ndim : value;
  };
  if (data.length !== sampleCount(shape))
    return fail(`${data.length} samples do not fill [${shape.join(', ')}].`);
  const z = axis(options.zAxis);
  const c = axis(options.channelAxis);
  if (options.stack) {
    if (ndim === 3) {
      if (z === undefined) return fail('A stack of three axes needs to be told which of them is z.');
      return arrange(data, shape, [z, ...[0, 1, 2].filter((a) => a !== z)], undefined);
    }
    if (ndim === 4) {
      if (z === undefined || c === undefined || z === c) {
        return fail('A stack of four axes needs to be told which axis is z and which holds the channels.');
      }
      return arrange(data, shape, [z, ...[0, 1, 2, 3].filter((a) => a !== z && a !== c)], c);
    }
    return fail(`A stack has three or four axes, not ${ndim}.`);
  }
  if (z !== undefined) return fail('A z axis has a meaning only for a stack: choose stitching or 3D.');
  if (ndim === 2) {
    if (c !== undefined) return fail('An image of two axes has no channel axis.');
    return arrange(data, shape, [0, 1], undefined);
  }
  if (ndim === 3) {
    const channels = c ?? (shape[0] < shape[2] ? 0 : 2);
    return arrange(
      data,
      shape,
      [0, 1, 2].filter((a) => a !== channels),
      channels,
    );
  }
  if (ndim === 4) {
    if (c !== undefined) return fail('A batch of images has its channels last; leave the channel axis out.');
    return arrange(data, shape, [0, 1, 2], 3);
  }
  return fail(`An image has two to four axes, not ${ndim}.`);
}

function arrange(
  data: VolumeData,
  shape: readonly number[],
  pixelAxes: readonly number[],
  channelAxis: number | undefined,
): InterleavedImage {
  const strides = shape.map((_, axis) => sampleCount(shape.slice(axis + 1)));
  const lengths = pixelAxes.map((axis) => shape[axis]);
  const channels = channelAxis === undefined ? 1 : Math.min(3, shape[channelAxis]);
  const channelStride = channelAxis === undefined ? 0 : strides[channelAxis];
  const out = new (data.constructor as new (length: number) => VolumeData)(sampleCount(lengths) * 3);
  const at = new Array<number>(lengths.length).fill(0);
  for (let i = 0; i < out.length; i += 3) {
    let source = 0;
    for (let k = 0; k < at.length; k++) source += at[k] * strides[pixelAxes[k]];
    for (let c = 0; c < channels; c++) out[i + c] = data[source + c * channelStride];
    for (let k = at.length - 1; k >= 0 && ++at[k] === lengths[k]; k--) at[k] = 0;
  }
  return { data: out, shape: [...lengths, 3] };
}
