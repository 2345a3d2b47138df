import type { TaskOptions } from '../../../core/progress.ts';
import type { MaskKernels, SyncMaskKernels } from '../kernels/kernels.ts';
import { flowErrors } from './flow-error.ts';
import type { LabelHeat } from './flows-from-labels.ts';
import type { GridShape } from './shape.ts';
import { zeros } from './shape.ts';

/**
 * Which labels have flow errors above a threshold (spec §6.2), mostly without heat in double precision: heat in single
 * precision comes with bounds of its rounding errors, from which follow bounds of each label's error. Only labels whose
 * bounds hold the threshold are computed as the reference does. The answer is that of `flowErrors` for every label.
 */

/** What is known of the flow errors of some labels, for one threshold after another. */
export class KnownErrors {
  /** Float64 [N + 1]: the error lies between the two; equal where it is known exactly. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly boxes: Int32Array;
  /** Steps of diffusion of the whole image. */
  readonly iterations: number;

  constructor(low: Float64Array, high: Float64Array, boxes: Int32Array, iterations: number) {
    this.low = low;
    this.high = high;
    this.boxes = boxes;
    this.iterations = iterations;
  }

  /** Labels of which it is not known on which side of the threshold they are. */
  undecided(threshold: number): number[] {
    const labels: number[] = [];
    for (let label = 1; label < this.low.length; label++)
      if (this.low[label] <= threshold && this.high[label] > threshold) labels.push(label);
    return labels;
  }

  /** Whether a label's error is not above the threshold, or unknown for flows that are not finite; decided labels only. */
  keeps(threshold: number): Uint8Array {
    return Uint8Array.from(this.high, (error) => Number(!(error > threshold)));
  }

  set(label: number, error: number): void {
    this.low[label] = error;
    this.high[label] = error;
  }
}

/** Relative rounding error of an operation in single precision. */
const ROUNDING = 2 ** -24;
/** Operations of a step of diffusion in single precision one after another: 4 sums, a factor and its rounding, a portion. */
const OPERATIONS = 7;
/** Least magnitude that single precision can tell from another. */
const SMALLEST = 2 ** -149;

/**
 * Bounds of the flow errors of labels in a plane.
 *
 * All terms of the diffusion are positive, so that n operations change a heat by less than a factor of
 * (1 + 2⁻²⁴)ⁿ, and what is lost below the smallest number by less than so much a step. The errors of four heats bound
 * that of a gradient, s; its direction is off by at most δ = min(2, 2 s / |gradient|), and the squared difference e of a
 * pixel by at most δ (2 √e + δ), which is less than δ (e + 1 + δ).
 * @param iterations steps that were made; up to 10⁵ the bounds hold
 */
function boundsOf(
  labels: Uint32Array,
  dP: Float32Array,
  [ny, nx]: GridShape,
  { heat, boxes, iterations }: LabelHeat<Float32Array>,
): KnownErrors {
  const slots = boxes.length / 6;
  const errors = zeros(Float64Array, slots);
  const slacks = zeros(Float64Array, slots);
  const pixels = zeros(Float64Array, slots);
  // A little more than the operations, for second order, and for the rounding of the reference's double precision.
  const relative = (OPERATIONS + 2) * iterations * ROUNDING;
  const absolute = 4 * 4 * OPERATIONS * iterations * SMALLEST;
  const count = ny * nx;
  for (let y = 0; y < ny; y++) {
    const line = y * nx;
    for (let x = 0; x < nx; ) {
      const label = labels[line + x];
      const first = x;
      let errorOfRun = 0;
      let slackOfRun = 0;
      do {
        const i = line + x;
        if (label !== 0) {
          const right = x + 1 < nx ? heat[i + 1] : 0;
          const left = x > 0 ? heat[i - 1] : 0;
          const below = y + 1 < ny ? heat[i + nx] : 0;
          const above = y > 0 ? heat[i - nx] : 0;
          const gx = right - left;
          const gy = below - above;
          const length = Math.sqrt(gx * gx + gy * gy);
          const scale = length > 0 ? 1 / length : 0;
          const dy = gy * scale - 0.2 * dP[i];
          const dx = gx * scale - 0.2 * dP[count + i];
          const error = dy * dy + dx * dx;
          const worst = 2 * (relative * (right + left + below + above) + absolute);
          const off = worst < 2 * length ? worst * scale : 2;
          errorOfRun += error;
          slackOfRun += off * (error + 1 + off);
        }
        x++;
      } while (x < nx && labels[line + x] === label);
      errors[label] += errorOfRun;
      slacks[label] += slackOfRun;
      pixels[label] += x - first;
    }
  }
  const low = zeros(Float64Array, slots);
  const high = zeros(Float64Array, slots);
  for (let label = 1; label < slots; label++) {
    const mean = errors[label] / pixels[label];
    // The rounding of the sums here is far less.
    const slack = slacks[label] / pixels[label] + 1e-9 * (1 + mean);
    // Flows that are not finite have no bounds.
    const bounded = Number.isFinite(mean) && Number.isFinite(slack);
    low[label] = bounded ? mean - slack : Number.NEGATIVE_INFINITY;
    high[label] = bounded ? mean + slack : Number.POSITIVE_INFINITY;
    if (pixels[label] === 0) low[label] = high[label] = Number.NaN;
  }
  return new KnownErrors(low, high, boxes, iterations);
}

/** More steps than this have no useful bounds. */
const MOST_STEPS_BOUNDED = 1e5;
/** More undecided labels than this share are computed with all the others. */
const MANY = 0.2;

/** A label with those that touch it, cut out: heat in it is the same. */
function cutOut(
  labels: Uint32Array,
  dP: Float32Array,
  [ny, nx]: GridShape,
  boxes: Int32Array,
  label: number,
): { labels: Uint32Array; dP: Float32Array; shape: GridShape; label: number } {
  const [, y0, x0, , y1, x1] = boxes.subarray(label * 6, label * 6 + 6);
  const numbers = new Map([[label, 1]]);
  let [top, left, bottom, right] = [y0, x0, y1, x1];
  for (let y = Math.max(0, y0 - 1); y < Math.min(ny, y1 + 1); y++)
    for (let x = Math.max(0, x0 - 1); x < Math.min(nx, x1 + 1); x++) {
      const other = labels[y * nx + x];
      if (other === 0 || numbers.has(other)) continue;
      numbers.set(other, numbers.size + 1);
      top = Math.min(top, boxes[other * 6 + 1]);
      left = Math.min(left, boxes[other * 6 + 2]);
      bottom = Math.max(bottom, boxes[other * 6 + 4]);
      right = Math.max(right, boxes[other * 6 + 5]);
    }
  const [height, width] = [bottom - top, right - left];
  const cut = zeros(Uint32Array, height * width);
  const flows = zeros(Float32Array, 2 * height * width);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      const from = (top + y) * nx + left + x;
      cut[i] = numbers.get(labels[from]) ?? 0;
      flows[i] = dP[from];
      flows[height * width + i] = dP[ny * nx + from];
    }
  return { labels: cut, dP: flows, shape: [height, width], label: 1 };
}

/** Heat that is asked for: of all labels in single precision, or in double precision with a number of steps. */
type Wanted =
  | { single: true; labels: Uint32Array; shape: GridShape }
  | { single: false; labels: Uint32Array; shape: GridShape; iterations?: number };

/** The course of the control; it yields the heat that it wants and gets it. */
function* control(
  labels: Uint32Array,
  dP: Float32Array,
  shape: GridShape,
  threshold: number,
  single: boolean,
  separate: boolean,
  known: KnownErrors | undefined,
): Generator<Wanted, KnownErrors, LabelHeat<Float32Array | Float64Array>> {
  let errors = known;
  if (!errors && single && !separate) {
    const diffused = (yield { single: true, labels, shape }) as LabelHeat<Float32Array>;
    if (diffused.iterations <= MOST_STEPS_BOUNDED) errors = boundsOf(labels, dP, shape, diffused);
  }
  const undecided = errors?.undecided(threshold) ?? [];
  if (!errors || undecided.length > MANY * errors.low.length) {
    const diffused = (yield { single: false, labels, shape }) as LabelHeat;
    const exact = flowErrors(labels, dP, shape, { diffused, separate });
    if (!errors) return new KnownErrors(exact, exact, diffused.boxes, diffused.iterations);
    errors.low.set(exact);
    errors.high.set(exact);
    return errors;
  }
  for (const label of undecided) {
    const cut = cutOut(labels, dP, shape, errors.boxes, label);
    const iterations = errors.iterations;
    const diffused = (yield { single: false, labels: cut.labels, shape: cut.shape, iterations }) as LabelHeat;
    errors.set(label, flowErrors(cut.labels, cut.dP, cut.shape, { diffused })[cut.label]);
  }
  return errors;
}

export interface FlowControlOptions extends TaskOptions {
  separate?: boolean;
  /** What is known from another threshold. */
  known?: KnownErrors | undefined;
}

/** What must be known of the flow errors of labels in a plane to hold them against a threshold. */
export async function controlFlows(
  labels: Uint32Array,
  dP: Float32Array,
  shape: GridShape,
  threshold: number,
  kernels: MaskKernels,
  { separate = false, known, ...options }: FlowControlOptions = {},
): Promise<KnownErrors> {
  const course = control(labels, dP, shape, threshold, !!kernels.diffuseSingle, separate, known);
  let step = course.next();
  while (!step.done) {
    const { value } = step;
    step = course.next(
      value.single
        ? await kernels.diffuseSingle!(value.labels, value.shape, options)
        : await kernels.diffuse(value.labels, value.shape, value.iterations, options),
    );
  }
  return step.value;
}

/** {@link controlFlows} at once. */
export function controlFlowsNow(
  labels: Uint32Array,
  dP: Float32Array,
  shape: GridShape,
  threshold: number,
  kernels: SyncMaskKernels,
  { separate = false, known, ...options }: FlowControlOptions = {},
): KnownErrors {
  const course = control(labels, dP, shape, threshold, !!kernels.diffuseSingle, separate, known);
  let step = course.next();
  while (!step.done) {
    const { value } = step;
    step = course.next(
      value.single
        ? kernels.diffuseSingle!(value.labels, value.shape, options)
        : kernels.diffuse(value.labels, value.shape, value.iterations, options),
    );
  }
  return step.value;
}
