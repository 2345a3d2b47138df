import { type Corrections, correctionsSince } from '../../core/edit/corrections.ts';
import { type HistoryStep, LabelHistory } from '../../core/edit/label-history.ts';
import type { LabelsLayer } from '../../core/layer.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import { channelView, type VolumeData } from '../../core/volume.ts';
import type { TrainingImage } from '../../workers/training/client.ts';

/** An image of the list, with what was corrected in it. */
export interface CorrectedImage extends TrainingImage {
  cells: number;
  corrections: Corrections;
}

/** The topmost labels that cover an image of a viewer, with that image. */
function pair(model: ViewerModel): { layer: LabelsLayer; image: ViewerModel['images'][number] } | undefined {
  const image = model.images.findLast(({ visible }) => visible) ?? model.images.at(-1);
  const layer = model.labels.findLast(
    ({ labels }) => image && labels.shape.join() === image.volume.shape.slice(2).join(),
  );
  return image && layer ? { layer, image } : undefined;
}

/** Whether there is an image with labels to learn from. */
export const canCollect = (model: ViewerModel): boolean => pair(model) !== undefined;

/**
 * Copies the shown plane of a viewer's image and its labels; undefined if there are no labels over an image.
 * @param channel index of the one channel that the network gets; absent: the first three
 * @param byModel whether a step of the history was made by a model
 */
export function collect(
  model: ViewerModel,
  channel: number | undefined,
  byModel: (step: HistoryStep) => boolean,
): CorrectedImage | undefined {
  const found = pair(model);
  if (!found) return undefined;
  const { volume } = found.image;
  const { labels } = found.layer;
  const [, nc, nz, ny, nx] = volume.shape;
  const { z, t } = model.cursor;
  const plane = <T extends VolumeData>(samples: T) => samples.slice(z * ny * nx, (z + 1) * ny * nx) as T;
  const channels =
    channel === undefined || volume.rgb
      ? Array.from({ length: Math.min(3, nc) }, (_, c) => c)
      : [Math.min(channel, nc - 1)];
  const own = plane(labels.data);
  return {
    name: nz > 1 ? `${volume.name} · z ${z + 1}` : volume.name,
    channels: channels.map((c) => plane(channelView(volume, t, c))),
    shape: [ny, nx],
    labels: own,
    cells: new Set(own).size - Number(own.includes(0)),
    corrections: correctionsSince(LabelHistory.of(labels), byModel),
  };
}
