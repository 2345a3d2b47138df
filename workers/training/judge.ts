import type { TaskOptions } from '../../core/progress.ts';
import type { MaskKernels } from '../segmentation/kernels/kernels.ts';
import { averagePrecision } from '../segmentation/masks/metrics.ts';
import type { ModelCard } from '../segmentation/network/model-card.ts';
import { completeParameters } from '../segmentation/parameters.ts';
import type { TileNetwork } from '../segmentation/preprocess/run-tiles.ts';
import { Segmentation } from '../segmentation/segmentation.ts';
import { letMessagesIn } from '../serve.ts';
import type { TrainingImage } from './training-set.ts';

/** How well a model does on images whose cells are known. */
export interface Score {
  /** Mean over the images of the average precision at IoU 0.5. */
  ap50: number;
  /** Mean over the thresholds 0.5, 0.55 … 0.9 as well: finer, so that models are chosen by it. */
  ap: number;
}

const THRESHOLDS = Array.from({ length: 9 }, (_, k) => 0.5 + k * 0.05);

/** Labels that a page's run with default parameters would give. */
export async function labelsOf(
  image: TrainingImage,
  network: TileNetwork,
  card: ModelCard,
  kernels: MaskKernels,
  { signal }: TaskOptions = {},
): Promise<Uint32Array> {
  const parameters = completeParameters({ mode: '2d' }, image.channels.length);
  const options = signal ? { signal } : {};
  const segmentation = await Segmentation.run(
    { channels: image.channels, shape: [1, ...image.shape] },
    parameters,
    network,
    {
      ...options,
      tile: card.tile,
      ...(card.diameter.rescale ? { sizes: card.diameter.rescale } : {}),
      ...(card.sides ? { sides: card.sides } : {}),
      kernels,
      pause: letMessagesIn,
    },
  );
  return (await segmentation.labels(parameters, { ...options, pause: letMessagesIn })).labels;
}

/** Segments images as a page would and compares the labels with theirs. */
export async function judge(
  images: readonly TrainingImage[],
  network: TileNetwork,
  card: ModelCard,
  kernels: MaskKernels,
  options: TaskOptions = {},
): Promise<Score> {
  const scores: Score[] = [];
  for (const image of images) {
    const labels = await labelsOf(image, network, card, kernels, options);
    const { ap } = averagePrecision(image.labels, labels, THRESHOLDS);
    scores.push({ ap50: ap[0], ap: ap.reduce((sum, value) => sum + value, 0) / ap.length });
  }
  const mean = (key: keyof Score) =>
    scores.reduce((sum, score) => sum + score[key], 0) / Math.max(1, scores.length);
  return { ap50: mean('ap50'), ap: mean('ap') };
}
