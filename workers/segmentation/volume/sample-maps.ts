import type { SegmentationParameters, VoxelBox } from '../../../core/segmentation-parameters.ts';
import type { VolumeData } from '../../../core/volume.ts';
import { percentileMap, type SampleMap } from '../preprocess/normalise.ts';
import type { Block } from './blocks.ts';

/** Blocks that are read to learn the percentiles of a volume. */
const MOST_BLOCKS = 16;

/** Samples of a channel from which they are taken; fewer than those of which a run takes a subset. */
const MOST_SAMPLES = 11e6;

/**
 * One normalisation for all blocks of a volume: percentiles of the samples in the cores of up to sixteen blocks, evenly
 * spread. Of few and small blocks every sample counts, as in a run on the whole.
 */
export async function sampleMaps(
  blocks: readonly Block[],
  read: (box: VoxelBox) => Promise<VolumeData[]>,
  { percentiles, invert }: Pick<SegmentationParameters, 'percentiles' | 'invert'>,
): Promise<SampleMap[]> {
  const step = Math.max(1, blocks.length / MOST_BLOCKS);
  const share = Math.floor(MOST_SAMPLES / Math.min(blocks.length, MOST_BLOCKS));
  const parts: VolumeData[][] = [];
  for (let k = 0; k < blocks.length; k += step) {
    const channels = await read(blocks[Math.floor(k)].core);
    channels.forEach((samples, c) => {
      parts[c] ??= [];
      parts[c].push(thinned(samples, Math.ceil(samples.length / share)));
    });
  }
  return parts.map((some) => {
    const length = some.reduce((sum, samples) => sum + samples.length, 0);
    const all = new (some[0].constructor as new (length: number) => VolumeData)(length);
    let at = 0;
    for (const samples of some) {
      all.set(samples as never, at);
      at += samples.length;
    }
    return percentileMap(all, [1, 1, length], percentiles, invert);
  });
}

/** Every `step`-th sample. */
function thinned(samples: VolumeData, step: number): VolumeData {
  if (step === 1) return samples;
  return samples.filter((_: number, i: number) => i % step === 0) as VolumeData;
}
