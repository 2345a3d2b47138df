import type { SegmentationParameters } from '../../../core/segmentation-parameters.ts';
import type { Shape3, VolumeData } from '../../../core/volume.ts';
import { lengthsOf, type VoxelBox, voxelsOf, withAxis } from '../../../core/voxel-box.ts';
import { lookPlanes } from '../cell-size.ts';
import { mapOfSamples, type SampleMap } from '../preprocess/normalise.ts';
import { percentileStrides, strided } from '../preprocess/percentile.ts';

/** Samples that are read part by part, because they do not fit into memory. */
export interface SampleSource {
  /** Lengths of z, y, x. */
  shape: Shape3;
  channels: number;
  bytesPerSample: number;
  /** Samples [z, y, x] of a box, one array per channel. */
  read(box: VoxelBox): Promise<VolumeData[]>;
}

/** Bytes of what is read at a time, with what is made of it. */
const PART_BYTES = 256 * 2 ** 20;

/** Lengths of the parts into which an axis is cut for reading, multiples of `step` as far as memory allows. */
function thickness({ shape }: SampleSource, axis: number, bytesPerVoxel: number, step: number): number {
  const plane = voxelsOf(shape) / shape[axis];
  const planes = Math.max(1, Math.floor(PART_BYTES / (plane * bytesPerVoxel)));
  return planes > step ? planes - (planes % step) : planes;
}

/**
 * Boxes that follow each other along an axis and reach through the whole volume along the others.
 * @param bytesPerVoxel memory that a voxel of a part takes besides its samples
 */
export function partsAlong(source: SampleSource, axis: number, bytesPerVoxel: number, step = 1): VoxelBox[] {
  const { shape, channels, bytesPerSample } = source;
  const planes = thickness(source, axis, channels * bytesPerSample + bytesPerVoxel, step);
  return Array.from({ length: Math.ceil(shape[axis] / planes) }, (_, k) => {
    const from = k * planes;
    return {
      from: withAxis([0, 0, 0], axis, from),
      to: withAxis(shape, axis, Math.min(shape[axis], from + planes)),
    };
  });
}

/** Normalisation of each channel by the percentiles of the samples that a run on the whole takes them of. */
export async function mapsOf(
  source: SampleSource,
  { percentiles, invert }: Pick<SegmentationParameters, 'percentiles' | 'invert'>,
): Promise<SampleMap[]> {
  const [stepZ, stepY, stepX] = percentileStrides(source.shape);
  const found: VolumeData[][] = Array.from({ length: source.channels }, () => []);
  for (const box of partsAlong(source, 0, 0, stepZ)) {
    const [depth, height, width] = lengthsOf(box);
    const first = (stepZ - (box.from[0] % stepZ)) % stepZ;
    if (first >= depth) continue;
    (await source.read(box)).forEach((samples, c) => {
      const from = samples.subarray(first * height * width);
      const taken = strided(from, [depth - first, height, width], [stepZ, stepY, stepX]);
      found[c].push(taken === from ? from.slice() : taken);
    });
  }
  return found.map((parts) => {
    const all = new (parts[0].constructor as new (length: number) => VolumeData)(
      parts.reduce((sum, part) => sum + part.length, 0),
    );
    let at = 0;
    for (const part of parts) {
      all.set(part as never, at);
      at += part.length;
    }
    return mapOfSamples(all, percentiles, invert);
  });
}

/** The planes among which those are chosen that tell the size of the cells, as a stack of their own, with their numbers. */
export async function planesToLookAt(
  source: SampleSource,
): Promise<{ channels: VolumeData[]; shape: Shape3; numbers: number[] }> {
  const [nz, ny, nx] = source.shape;
  const planes = lookPlanes(nz);
  const channels: VolumeData[] = [];
  for (const [k, z] of planes.entries()) {
    (await source.read({ from: [z, 0, 0], to: [z + 1, ny, nx] })).forEach((samples, c) => {
      channels[c] ??= new (samples.constructor as new (length: number) => VolumeData)(
        planes.length * ny * nx,
      );
      channels[c].set(samples as never, k * ny * nx);
    });
  }
  return { channels, shape: [planes.length, ny, nx], numbers: planes };
}
