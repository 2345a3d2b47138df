import { type HistoryStep, LabelHistory } from '../../core/edit/label-history.ts';
import { placeLabels } from '../../core/edit/place-labels.ts';
import { LabelVolume, MANUAL } from '../../core/label-volume.ts';
import { type LabelsLayer, labelsLayer } from '../../core/layer.ts';
import type { ObjectConfidence, SegmentationResult } from '../../core/segmentation-parameters.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import type { Volume } from '../../core/volume.ts';
import type { VoxelBox } from '../../core/voxel-box.ts';
import type { Texts } from '../localization/en.ts';
import type { FrameResult } from './run-client.ts';

/** Columns of the table that hold how sure the network was of each cell. */
const CONFIDENCE_COLUMNS = { flow_error: 'flowError', cellprob: 'cellprob' } as const;

/** Where a result belongs in an image with several time points. */
interface TimePlace {
  t: number;
  series: string;
}

/** How results are put into their layers. */
export interface ShowOptions {
  /** Whether they come of other thresholds on the same flows. */
  again: boolean;
  /** The box that was asked for, outside which labels stay as they are. */
  box?: VoxelBox | undefined;
  texts: Texts;
}

/** The label layers that results of a segmenter go to: one for each time point of an image. */
export class ResultLayers {
  readonly #byTime = new Map<number, ResultLayer>();

  /** Puts the labels of time points into their layers. @returns id of the layer that is shown, or of the first */
  show(model: ViewerModel, image: Volume, frames: readonly FrameResult[], options: ShowOptions): string {
    const ids = frames.map(({ t, result }) => {
      const layer = this.#byTime.get(t) ?? new ResultLayer();
      this.#byTime.set(t, layer);
      const place = image.shape[0] > 1 ? { t, series: 'cells' } : undefined;
      return layer.show(model, image, result, options, place);
    });
    return ids[frames.findIndex(({ t }) => t === model.cursor.t)] ?? ids[0];
  }
}

/** The label layer that results go to; made at the first run. */
class ResultLayer {
  #known: { id: string; labels: LabelVolume } | undefined;
  /** The step that the last change of thresholds made. */
  #thresholdStep: HistoryStep | undefined;

  /**
   * Puts labels into the layer, as one step that can be undone; thresholds tried in a row are one step together.
   * @returns id of the layer
   */
  show(
    model: ViewerModel,
    image: Volume,
    result: SegmentationResult,
    { again, box, texts }: ShowOptions,
    place: TimePlace | undefined,
  ): string {
    const { id, labels, added } = this.#layer(model, image, texts, place);
    this.#record(labels, result, { again, box, texts });
    for (const key of Object.keys(labels.origin)) delete labels.origin[key];
    Object.assign(labels.origin, {
      model: result.model.id,
      model_sha256: result.model.sha256,
      backend: result.backend.kind,
      parameters: JSON.stringify(result.parameters),
      ...(result.estimatedDiameter ? { estimated_diameter: result.estimatedDiameter } : {}),
      ...(result.estimatedAnisotropy ? { estimated_anisotropy: result.estimatedAnisotropy } : {}),
    });
    if (added) model.add(added);
    return id;
  }

  /** The layer to write into; a new one, to be added when it has its labels, where there is none of the image's size. */
  #layer(model: ViewerModel, image: Volume, texts: Texts, place: TimePlace | undefined) {
    const [, , nz, ny, nx] = image.shape;
    const shape = [nz, ny, nx] as const;
    const shown = this.#known && model.get(this.#known.id) ? this.#known : drawnLayer(model, shape, place?.t);
    if (shown && shown.labels.shape.join() === shape.join()) {
      this.#known = { id: shown.id, labels: shown.labels };
      return { ...this.#known, added: undefined };
    }
    if (shown) model.remove(shown.id);
    const labels = new LabelVolume(shape, image.calibration);
    let id = 'cells';
    for (let k = 2; model.get(id); k++) id = `cells-${k}`;
    const added: LabelsLayer = labelsLayer(id, labels, { name: texts.cells, editable: true, ...place });
    this.#known = { id, labels };
    return { id, labels, added };
  }

  #record(
    labels: LabelVolume,
    result: SegmentationResult,
    { again, box, texts }: { again: boolean; box: VoxelBox | undefined; texts: Texts },
  ): void {
    const history = LabelHistory.of(labels);
    // A stroke or preview under way is kept: the user sees it, and can undo it.
    history.openEdit?.commit();
    const last = history.steps[history.position - 1];
    if (again && last && last === this.#thresholdStep) history.undo('api');
    const placed = box ? placeLabels(labels.data, labels.shape, result.labels, box) : result.labels;
    // Before the labels, whose change makes tables measure anew.
    if (box) addConfidence(labels, result.confidence, idShift(result.labels, placed, labels, box));
    else supplyConfidence(labels, result.confidence);
    const { names } = texts.editing;
    const z = box?.from[0] ?? result.origin?.[0] ?? 0;
    const step = history.replace(again ? names.thresholds : names.run, placed, { z, blank: !box });
    this.#thresholdStep = again ? step : undefined;
  }
}

/** Labels of the image that were begun by hand: a result goes there, and can be undone. */
function drawnLayer(model: ViewerModel, shape: readonly number[], t?: number): LabelsLayer | undefined {
  return model.allLabels.findLast(
    ({ labels, t: own }) =>
      labels.origin.method === MANUAL && labels.shape.join() === shape.join() && own === t,
  );
}

/** What the ids of a box were raised by when they were put among those of the volume. */
function idShift(
  own: Uint32Array,
  placed: Uint32Array,
  { shape }: LabelVolume,
  { from, to }: VoxelBox,
): number {
  const first = own.findIndex((label) => label !== 0);
  if (first < 0) return 0;
  const [height, width] = [to[1] - from[1], to[2] - from[2]];
  const x = first % width;
  const y = Math.floor(first / width) % height;
  const z = Math.floor(first / (width * height));
  return placed[(z * shape[1] + from[1] + y) * shape[2] + from[2] + x] - own[first];
}

function supplyConfidence(labels: LabelVolume, confidence: ObjectConfidence | undefined): void {
  for (const column of Object.keys(CONFIDENCE_COLUMNS)) labels.supplied.delete(column);
  addConfidence(labels, confidence, 0);
}

function addConfidence(labels: LabelVolume, confidence: ObjectConfidence | undefined, shift: number): void {
  if (!confidence) return;
  for (const [column, key] of Object.entries(CONFIDENCE_COLUMNS)) {
    const values = labels.supplied.get(column) ?? new Map<number, number>();
    confidence[key].forEach((value, label) => {
      if (label > 0 && Number.isFinite(value)) values.set(label + shift, value);
    });
    labels.supplied.set(column, values);
  }
}
