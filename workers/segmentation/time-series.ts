import { CytoError, throwIfAborted } from '../../core/errors.ts';
import type { Progress, TaskOptions } from '../../core/progress.ts';
import type {
  ObjectConfidence,
  SegmentationParameters,
  SegmentationResult,
} from '../../core/segmentation-parameters.ts';
import type { Shape3, Volume } from '../../core/volume.ts';
import { type RunOptions, SegmentationClient } from './client.ts';
import { maxLabel } from './masks/renumber.ts';
import { stitchPlanes } from './masks/stitch.ts';

export interface SeriesOptions extends Omit<RunOptions, 't'> {
  /** Least IoU of a cell with itself in the next frame, 0…1; if given, a cell has one id in all frames. */
  linkThreshold?: number;
}

/** Of series with more voxels than this in all frames, flows are not kept: thresholds need a new run. */
const MOST_KEPT = 64e6;

/**
 * Gives cells of successive frames one id by their overlap, by the rule that joins planes of a stack (spec §7.2): a cell
 * of the next frame continues the one it overlaps most, if their IoU reaches the threshold.
 *
 * @param frames Uint32 [z, y, x] each, numbered 1…n on its own
 * @returns the frames with ids of the whole series
 * @throws CytoError `bad-input` for frames of different sizes
 */
export function linkFrames(frames: readonly Uint32Array[], threshold: number): Uint32Array[] {
  const size = frames[0]?.length ?? 0;
  if (frames.some(({ length }) => length !== size))
    throw new CytoError('bad-input', 'Cells can be linked in frames of one size only.');
  const all = new Uint32Array(frames.length * size);
  frames.forEach((frame, t) => {
    all.set(frame, t * size);
  });
  const shape: Shape3 = [frames.length, 1, size];
  stitchPlanes(all, shape, threshold, { inPlace: true });
  return frames.map((_, t) => all.slice(t * size, (t + 1) * size));
}

/**
 * Segments the time points of an image by themselves, one after the other, and makes labels again when thresholds
 * change. Each time point has its own kept flows, as long as there are not too many voxels in all.
 */
export class SeriesClient {
  #frames: SegmentationClient[] = [];
  #linkThreshold: number | undefined;
  #kept = false;

  /**
   * Segments every time point; all have the scale and the anisotropy of the first. Progress has the phase `frames`, counted in time points
   * with the part of the one under way.
   *
   * @returns a result per time point
   * @throws CytoError as `SegmentationClient.run`
   */
  async run(
    volume: Volume,
    parameters: Partial<SegmentationParameters> = {},
    options: SeriesOptions = {},
  ): Promise<SegmentationResult[]> {
    const { linkThreshold, ...rest } = options;
    const total = volume.shape[0];
    const [, , nz, ny, nx] = volume.shape;
    const keep = total * nz * ny * nx <= MOST_KEPT;
    const frames: SegmentationClient[] = [];
    const results: SegmentationResult[] = [];
    const started = performance.now();
    let { diameter, anisotropy } = parameters;
    try {
      for (let t = 0; t < total; t++) {
        throwIfAborted(options.signal);
        if (keep || t === 0) frames.push(new SegmentationClient());
        const own = {
          ...parameters,
          ...(diameter === undefined ? {} : { diameter }),
          ...(anisotropy === undefined ? {} : { anisotropy }),
        };
        const task = asPartOf(t, total, started, rest);
        const result = await frames[frames.length - 1].run(volume, own, { ...rest, ...task, t });
        diameter ??= result.estimatedDiameter;
        anisotropy ??= result.parameters.anisotropy;
        results.push(result);
      }
    } catch (error) {
      // What was there before stays, with its flows.
      for (const client of frames) client.dispose();
      throw error;
    }
    this.dispose();
    if (keep) this.#frames = frames;
    else for (const client of frames) client.dispose();
    this.#kept = keep;
    this.#linkThreshold = linkThreshold;
    return linkThreshold === undefined ? results : linked(results, linkThreshold);
  }

  /** Whether thresholds can be changed without a new run. */
  get kept(): boolean {
    return this.#kept;
  }

  /**
   * Labels of all time points again from the flows of the last run.
   * @throws CytoError `bad-input` if nothing was run, a parameter needs a new run or the flows were too large to be
   * kept; `aborted`
   */
  async rethreshold(
    parameters: Partial<SegmentationParameters>,
    options: TaskOptions = {},
  ): Promise<SegmentationResult[]> {
    if (this.#frames.length === 0) {
      throw new CytoError('bad-input', 'The flows of this series are not kept: run the segmentation again.');
    }
    const results: SegmentationResult[] = [];
    for (const client of this.#frames) results.push(await client.rethreshold(parameters, options));
    return this.#linkThreshold === undefined ? results : linked(results, this.#linkThreshold);
  }

  /** Forgets the kept flows. */
  dispose(): void {
    for (const client of this.#frames) client.dispose();
    this.#frames = [];
    this.#kept = false;
  }
}

/** Progress of a time point as that of the series. */
function asPartOf(t: number, total: number, started: number, { onProgress }: TaskOptions): TaskOptions {
  if (!onProgress) return {};
  return {
    onProgress: ({ phase, value, total: tiles, backend }: Progress) => {
      if (phase !== 'network' && phase !== 'load-model') return;
      const done = t + (phase === 'network' ? Math.min(0.99, value / Math.max(1, tiles)) : 0);
      const secondsLeft = ((performance.now() - started) / 1000) * (total / done - 1);
      onProgress({
        phase: 'frames',
        value: done,
        total,
        ...(done >= 1 ? { secondsLeft } : {}),
        ...(backend ? { backend } : {}),
      });
    },
  };
}

/** Results with cells linked from frame to frame; joins between planes and confidences go with the new ids. */
function linked(results: readonly SegmentationResult[], threshold: number): SegmentationResult[] {
  const frames = linkFrames(
    results.map(({ labels }) => labels),
    threshold,
  );
  const linkedCount = frames.reduce((most, labels) => Math.max(most, maxLabel(labels)), 0);
  return results.map(({ labels: old, joins, confidence, ...result }, t) => {
    const labels = frames[t];
    const idOf = new Uint32Array(maxLabel(old) + 1);
    for (let i = 0; i < old.length; i++) idOf[old[i]] = labels[i];
    return {
      ...result,
      labels,
      linkedCount,
      ...(joins ? { joins: joins.map((join) => ({ ...join, label: idOf[join.label] })) } : {}),
      ...(confidence ? { confidence: renamed(confidence, idOf) } : {}),
    };
  });
}

function renamed({ cellprob, flowError }: ObjectConfidence, idOf: Uint32Array): ObjectConfidence {
  const length = idOf.reduce((most, id) => Math.max(most, id), 0) + 1;
  const moved = (values: Float32Array) => {
    const out = new Float32Array(length).fill(Number.NaN);
    for (let label = 1; label < idOf.length; label++) out[idOf[label]] = values[label];
    return out;
  };
  return { cellprob: moved(cellprob), flowError: moved(flowError) };
}
