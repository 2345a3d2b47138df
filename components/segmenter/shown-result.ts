import { DoubtfulJoins } from '../../core/edit/doubtful-joins.ts';
import type { SegmentationParameters, SegmentationResult } from '../../core/segmentation-parameters.ts';
import type { ViewerModel } from '../../core/viewer-model.ts';
import type { Volume } from '../../core/volume.ts';
import type { VoxelBox } from '../../core/voxel-box.ts';
import { ResultLayers, type ShowOptions } from './result-layer.ts';
import { type FrameResult, joinsInImage } from './run-client.ts';
import { summaryOf } from './run-report.ts';

/** What `cyto-run` says. */
export interface RunDetail {
  count: number;
  milliseconds: number;
  backend: SegmentationResult['backend'];
  layerId: string;
  parameters: SegmentationParameters;
  /** Time points that were segmented. */
  times: number;
}

/** The result that is shown: of the last run on the image of the viewer. */
export class ShownResult {
  readonly #layers = new ResultLayers();
  #image: Volume | undefined;
  #box: VoxelBox | undefined;
  #summary: Omit<SegmentationResult, 'labels'> | undefined;
  #joins: DoubtfulJoins | undefined;

  /** The image that it belongs to, as do the kept flows; absent where there is no result. */
  get image(): Volume | undefined {
    return this.#image;
  }

  /** The box that it stands for, if not for all. */
  get box(): VoxelBox | undefined {
    return this.#box;
  }

  get summary(): Omit<SegmentationResult, 'labels'> | undefined {
    return this.#summary;
  }

  /** Joins between planes that are worth a look. */
  get joins(): DoubtfulJoins | undefined {
    return this.#joins;
  }

  /** Puts labels into their layers. @returns what the page is told of them */
  show(model: ViewerModel, image: Volume, frames: readonly FrameResult[], options: ShowOptions): RunDetail {
    const layerId = this.#layers.show(model, image, frames, options);
    const layer = model.allLabels.find(({ id }) => id === layerId);
    const { result } = frames.find(({ t }) => layer?.t === t) ?? frames[0];
    this.#joins =
      result.joins && layer ? new DoubtfulJoins(joinsInImage(result), layer.labels, this.#joins) : undefined;
    this.#image = image;
    this.#box = options.box;
    this.#summary = summaryOf(frames);
    const { count, milliseconds, backend, parameters } = this.#summary;
    return { count, milliseconds, backend, layerId, parameters, times: frames.length };
  }

  /** For another image: its cells have yet to be found. The layers stay. */
  forget(): void {
    this.#image = undefined;
    this.#summary = undefined;
    this.#joins = undefined;
  }
}
