import { type Corrections, correctionsSince } from '../../core/edit/corrections.ts';
import { type HistoryStep, LabelHistory } from '../../core/edit/label-history.ts';
import { type DoubtfulRegion, doubtfulRegions } from '../../core/edit/least-sure.ts';
import type { LabelsLayer } from '../../core/layer.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import { anisotropyOf, channelView, type VolumeData } from '../../core/volume.ts';
import { cellCount, type Region, type TrainingImage } from '../../workers/training/client.ts';
import { planesOf } from './stack-planes.ts';

/** An image of the list, with what was corrected in it. */
export interface CorrectedImage extends TrainingImage {
  cells: number;
  corrections: Corrections;
}

/** The topmost labels that cover an image of a viewer, with that image. */
function pair(model: ViewerModel): { layer: LabelsLayer; image: ViewerModel['images'][number] } | undefined {
  const image = model.shownImage;
  const layer = model.labels.findLast(
    ({ labels }) => image && labels.shape.join() === image.volume.shape.slice(2).join(),
  );
  return image && layer ? { layer, image } : undefined;
}

/** Whether there is an image with labels to learn from. */
export const canCollect = (model: ViewerModel): boolean => pair(model) !== undefined;

/** Whether the shown image is a stack with labels over it. */
export const isStack = (model: ViewerModel): boolean => (pair(model)?.image.volume.shape[2] ?? 1) > 1;

/** What is copied of a viewer. */
export interface CollectOptions {
  /** Index of the one channel that the network gets; absent: the first three. */
  channel: number | undefined;
  /** Whether a step of the history was made by a model. */
  byModel: (step: HistoryStep) => boolean;
  /** The part of the plane that is fully labelled; absent: all of it. */
  region?: Region;
}

interface Collected {
  image: ViewerModel['images'][number];
  layer: LabelsLayer;
  /** Samples [z, y, x] of the shown time point. */
  channels: VolumeData[];
  corrections: Corrections;
}

function open(model: ViewerModel, { channel, byModel }: CollectOptions): Collected | undefined {
  const found = pair(model);
  if (!found) return undefined;
  const { volume } = found.image;
  const [, nc] = volume.shape;
  const channels =
    channel === undefined || volume.rgb
      ? Array.from({ length: Math.min(3, nc) }, (_, c) => c)
      : [Math.min(channel, nc - 1)];
  return {
    ...found,
    channels: channels.map((c) => channelView(volume, model.cursor.t, c)),
    corrections: correctionsSince(LabelHistory.of(found.layer.labels), byModel),
  };
}

const cells = (labels: Uint32Array) => new Set(labels).size - Number(labels.includes(0));

/** Copies the shown plane of a viewer's image and its labels; undefined if there are no labels over an image. */
export function collect(model: ViewerModel, options: CollectOptions): CorrectedImage | undefined {
  const found = open(model, options);
  if (!found) return undefined;
  const { volume } = found.image;
  const [, , nz, ny, nx] = volume.shape;
  const { z } = model.cursor;
  const { region } = options;
  const plane = <T extends VolumeData>(samples: T) => samples.slice(z * ny * nx, (z + 1) * ny * nx) as T;
  const own = plane(found.layer.labels.data);
  const image: TrainingImage = {
    name: `${volume.name}${nz > 1 ? ` · z ${z + 1}` : ''}${region ? ` · y ${region.y + 1} x ${region.x + 1}` : ''}`,
    channels: found.channels.map(plane),
    shape: [ny, nx],
    labels: own,
    ...(region ? { region } : {}),
  };
  return { ...image, cells: cellCount(image), corrections: found.corrections };
}

/** Copies planes of a viewer's stack in three orientations; undefined if there is no stack with labels over it. */
export function collectPlanes(model: ViewerModel, options: CollectOptions): CorrectedImage[] | undefined {
  const found = open(model, options);
  if (!found) return undefined;
  const { volume } = found.image;
  const [nz, ny, nx] = volume.shape.slice(2);
  if (nz < 2) return undefined;
  const planes = planesOf({
    channels: found.channels,
    labels: found.layer.labels.data,
    shape: [nz, ny, nx],
    anisotropy: anisotropyOf(volume),
  });
  return planes.map(({ orientation, at, ...plane }) => ({
    ...plane,
    name: `${volume.name} · ${orientation} ${at + 1}`,
    cells: cells(plane.labels),
    corrections: found.corrections,
  }));
}

/** What the label layer over the image knows of the doubts of the model that made it. */
export function doubts(model: ViewerModel, side: number): DoubtfulRegion[] {
  const labels = pair(model)?.layer.labels;
  const errors = labels?.supplied.get('flow_error');
  if (!labels || !errors) return [];
  return doubtfulRegions(LabelHistory.of(labels).index, errors, labels.shape, side);
}
