import { CytoError } from '../../core/errors.ts';
import type { Progress, TaskOptions } from '../../core/progress.ts';
import type {
  NetworkOutput,
  OutputKind,
  PlaneJoin,
  SegmentationParameters,
  SegmentationResult,
} from '../../core/segmentation-parameters.ts';
import type { Volume } from '../../core/volume.ts';
import {
  type RunOptions,
  SegmentationClient,
  SeriesClient,
  volumeSource,
} from '../../workers/segmentation/client.ts';

/** Labels of one time point of an image. */
export interface FrameResult {
  t: number;
  result: SegmentationResult;
}

/** What a run is on. */
interface RunChoices {
  t: number | undefined;
  linkThreshold: number;
  blocks: boolean;
}

/** Runs on one time point or on all, whose thresholds can be changed afterwards. */
export class RunClient {
  #single: SegmentationClient | undefined;
  #series: SeriesClient | undefined;
  /** Time point of the last run; undefined for all. */
  #t: number | undefined;
  #kept = false;
  #networkSeconds = 0;

  /**
   * @param options.t the time point; undefined runs on all of them
   * @param options.blocks whether samples are read part by part and flows kept on disk
   */
  async run(
    volume: Volume,
    parameters: Partial<SegmentationParameters>,
    { t, linkThreshold, blocks, onProgress, ...choices }: Omit<RunOptions, 't'> & RunChoices,
  ): Promise<FrameResult[]> {
    let began: number | undefined;
    this.#networkSeconds = 0;
    const options = {
      ...choices,
      onProgress: (progress: Progress) => {
        if (progress.phase === 'network') {
          began ??= performance.now();
          this.#networkSeconds = (performance.now() - began) / 1000;
        }
        onProgress?.(progress);
      },
    };
    if (t === undefined) {
      this.#series ??= new SeriesClient();
      const link = linkThreshold > 0 ? { linkThreshold } : {};
      const results = await this.#series.run(volume, parameters, { ...options, ...link });
      this.#single?.dispose();
      this.#single = undefined;
      this.#t = undefined;
      return inOrder(results);
    }
    this.#single ??= new SegmentationClient();
    const result = blocks
      ? await this.#single.runBlocks(volumeSource(volume), parameters, { ...options, t })
      : await this.#single.run(volume, parameters, { ...options, t });
    this.#series?.dispose();
    this.#series = undefined;
    this.#t = t;
    this.#kept = true;
    return [{ t, result }];
  }

  /** Seconds for which the network of the last run has run. */
  get networkSeconds(): number {
    return this.#networkSeconds;
  }

  /** Whether thresholds can be changed without a new run. */
  get kept(): boolean {
    return this.#series?.kept ?? this.#kept;
  }

  /** Labels again from the flows of the last run. @throws CytoError as the clients do */
  async rethreshold(
    parameters: Partial<SegmentationParameters>,
    options: TaskOptions,
  ): Promise<FrameResult[]> {
    if (this.#t !== undefined && this.#single)
      return [{ t: this.#t, result: await this.#single.rethreshold(parameters, options) }];
    return inOrder((await this.#series?.rethreshold(parameters, options)) ?? []);
  }

  /** Whether what the network gave can be had: of all time points it is not kept as one. */
  get hasOutput(): boolean {
    return this.#kept && this.#single !== undefined && this.#t !== undefined;
  }

  /** What the network gave at the time point of the last run. @throws CytoError as the client does */
  async output(kind: OutputKind): Promise<NetworkOutput> {
    if (!this.#single)
      throw new CytoError('bad-input', 'Run one time point first: flows of all are not shown.');
    return this.#single.output(kind);
  }

  dispose(): void {
    this.#single?.dispose();
    this.#series?.dispose();
    this.#single = undefined;
    this.#series = undefined;
    this.#kept = false;
  }
}

const inOrder = (results: SegmentationResult[]): FrameResult[] => results.map((result, t) => ({ t, result }));

/** Joins of a result in planes and pixels of the image. */
export function joinsInImage({ joins = [], origin: [z, y, x] = [0, 0, 0] }: SegmentationResult): PlaneJoin[] {
  return joins.map((join) => ({
    ...join,
    upper: join.upper + z,
    lower: join.lower + z,
    y: join.y + y,
    x: join.x + x,
  }));
}
