import { CytoError } from '../../../core/errors.ts';
import { labelBoxes } from './label-boxes.ts';
import { checkGrid, type GridShape, MOST_STEPS, zeros } from './shape.ts';

/** Heat of every pixel and what it was made from. */
export interface LabelHeat<Heat = Float64Array> {
  /** Float64 (or Float32) [...shape], heat after the last step. */
  heat: Heat;
  /** Steps of diffusion, one number for all labels. */
  iterations: number;
  /** Int32 [ndim, N + 1]: start pixel per label (index = label). */
  centers: Int32Array;
  boxes: Int32Array;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * The pixel at which each label is heated: in 2D the rounded mean (half to even, in box coordinates) or, if that
 * lies outside the label, the label's pixel nearest to it; in 3D the voxel nearest to the unrounded mean.
 * First in row-major order on ties (spec §6.1).
 */
export function labelCenters(labels: Uint32Array, shape: GridShape, boxes: Int32Array): Int32Array {
  const ndim = shape.length;
  const [nz, ny, nx] = ndim === 3 ? shape : [1, shape[0], shape[1]];
  const slots = boxes.length / 6;
  const count = zeros(Float64Array, slots);
  const sum = zeros(Float64Array, slots * 3);
  let i = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const line = i;
      const stop = i + nx;
      while (i < stop) {
        const label = labels[i];
        const first = i;
        while (++i < stop && labels[i] === label);
        if (label === 0) continue;
        const pixels = i - first;
        count[label] += pixels;
        sum[label * 3] += pixels * (z - boxes[label * 6]);
        sum[label * 3 + 1] += pixels * (y - boxes[label * 6 + 1]);
        sum[label * 3 + 2] += (pixels * (first + i - 1 - 2 * (line + boxes[label * 6 + 2]))) / 2;
      }
    }
  }
  const centers = zeros(Int32Array, ndim * slots);
  const target = [0, 0, 0];
  for (let label = 1; label < slots; label++) {
    if (count[label] === 0) continue;
    for (let axis = 0; axis < 3; axis++) {
      const mean = sum[label * 3 + axis] / count[label];
      target[axis] = ndim === 2 ? roundHalfEven(mean) : mean;
    }
    const box = boxes.subarray(label * 6, label * 6 + 6);
    // Of all pixels the nearest is one of those around the target; where it belongs to another label, all are tried.
    const around = target.map((at, axis) => box[axis] + Math.floor(at));
    let center = nearest(
      around,
      target.map((at, axis) => box[axis] + Math.ceil(at) + 1),
      target,
      box,
    );
    if (labels[(center[0] * ny + center[1]) * nx + center[2]] !== label)
      center = nearest(
        [...box.subarray(0, 3)],
        [...box.subarray(3)],
        target,
        box,
        (z, y, x) => labels[(z * ny + y) * nx + x] === label,
      );
    for (let axis = 0; axis < ndim; axis++) centers[axis * slots + label] = center[3 - ndim + axis];
  }
  return centers;
}

/** The pixel of [low, high) nearest to a place in a box, first in row-major order on ties. */
function nearest(
  low: readonly number[],
  high: readonly number[],
  target: readonly number[],
  box: Int32Array,
  allowed?: (z: number, y: number, x: number) => boolean,
): number[] {
  let best = Number.POSITIVE_INFINITY;
  let at = [low[0], low[1], low[2]];
  for (let z = low[0]; z < high[0]; z++) {
    for (let y = low[1]; y < high[1]; y++) {
      for (let x = low[2]; x < high[2]; x++) {
        const dz = z - box[0] - target[0];
        const dy = y - box[1] - target[1];
        const dx = x - box[2] - target[2];
        const distance = dz * dz + dy * dy + dx * dx;
        if (distance >= best || (allowed && !allowed(z, y, x))) continue;
        best = distance;
        at = [z, y, x];
      }
    }
  }
  return at;
}

/** Steps of diffusion for a label image: 2D 2 · max(h + w + 2), 3D 6 · max(Σ(extent + 1)) (spec §6.1). */
export function diffusionSteps(boxes: Int32Array, ndim: number): number {
  let largest = 0;
  for (let at = 6; at < boxes.length; at += 6) {
    if (boxes[at + 3] === 0) continue;
    const extents = [boxes[at + 3] - boxes[at], boxes[at + 4] - boxes[at + 1], boxes[at + 5] - boxes[at + 2]];
    const size = extents.slice(3 - ndim).reduce((total, extent) => total + extent + 1, 0);
    if (size > largest) largest = size;
  }
  return (ndim === 2 ? 2 : 6) * largest;
}

/**
 * Steps of diffusion to make: those given, or those of the largest label.
 * @throws CytoError `bad-input` if they are not a whole number from 0 to 2^31 − 1
 */
export function stepsOfDiffusion(iterations: number | undefined, boxes: Int32Array, ndim: number): number {
  const steps = iterations ?? diffusionSteps(boxes, ndim);
  if (Number.isInteger(steps) && steps >= 0 && steps <= MOST_STEPS) return steps;
  throw new CytoError(
    'bad-input',
    `${steps} steps of diffusion are not possible; use a whole number from 0, or none for those of the largest label.`,
  );
}

/**
 * Diffuses heat inside every label: each step adds 1 at the label's centre, then every pixel takes the mean of itself
 * and its 8 neighbours (2D) or 6 neighbours (3D) of the same label. Labels exchange no heat, so each is computed
 * alone in its bounding box with the step count of the whole image; the result is that of the reference.
 *
 * @param labels Uint32 [...shape], largest id at most the number of pixels or 65535; 0 background
 * @param shape [y, x] or [z, y, x]
 * @param iterations steps; by default those of the largest label (spec §6.1)
 * @throws CytoError `bad-input` for a length, an id or a number of steps out of range; `too-large` above 2^31 − 1
 * pixels or the memory to be had
 */
export function diffuseLabels(labels: Uint32Array, shape: GridShape, iterations?: number): LabelHeat {
  const ndim = shape.length;
  checkGrid(shape, { labels: [labels, 1] });
  const boxes = labelBoxes(labels, shape);
  const centers = labelCenters(labels, shape, boxes);
  const steps = stepsOfDiffusion(iterations, boxes, ndim);
  const heat = zeros(Float64Array, labels.length);
  const slots = boxes.length / 6;
  const [ny, nx] = shape.slice(-2);
  for (let label = 1; label < slots; label++) {
    const [z0, y0, x0, z1, y1, x1] = boxes.subarray(label * 6, label * 6 + 6);
    if (z1 === 0) continue;
    const bz = z1 - z0;
    const by = y1 - y0;
    const bx = x1 - x0;
    // A border of one empty pixel makes every neighbour readable without a test.
    const row = bx + 2;
    const plane = row * (by + 2);
    const base = ndim === 3 ? plane : 0;
    const size = plane * (ndim === 3 ? bz + 2 : 1);
    const inside: number[] = [];
    const inImage: number[] = [];
    for (let z = 0; z < bz; z++) {
      for (let y = 0; y < by; y++) {
        const line = ((z0 + z) * ny + y0 + y) * nx + x0;
        for (let x = 0; x < bx; x++) {
          if (labels[line + x] !== label) continue;
          inside.push(base + z * plane + (y + 1) * row + x + 1);
          inImage.push(line + x);
        }
      }
    }
    const cz = ndim === 3 ? centers[label] - z0 : 0;
    const cy = centers[(ndim - 2) * slots + label] - y0;
    const cx = centers[(ndim - 1) * slots + label] - x0;
    const start = base + cz * plane + (cy + 1) * row + cx + 1;
    const final = diffuseBox(Int32Array.from(inside), size, row, plane, start, steps, ndim);
    for (let k = 0; k < inside.length; k++) heat[inImage[k]] = final[inside[k]];
  }
  return { heat, iterations: steps, centers, boxes };
}

function diffuseBox(
  inside: Int32Array,
  size: number,
  row: number,
  plane: number,
  start: number,
  steps: number,
  ndim: number,
): Float64Array {
  let now = zeros(Float64Array, size);
  let next = zeros(Float64Array, size);
  for (let step = 0; step < steps; step++) {
    now[start] += 1;
    for (let k = 0; k < inside.length; k++) {
      const i = inside[k];
      // The order of the sums is the reference's: where a gradient vanishes, rounding alone gives its direction.
      next[i] =
        ndim === 2
          ? (now[i] +
              now[i - row] +
              now[i + row] +
              now[i - 1] +
              now[i + 1] +
              now[i - row - 1] +
              now[i - row + 1] +
              now[i + row - 1] +
              now[i + row + 1]) /
            9
          : (now[i] +
              now[i - plane] +
              now[i + plane] +
              now[i - row] +
              now[i + row] +
              now[i - 1] +
              now[i + 1]) /
            7;
    }
    [now, next] = [next, now];
  }
  return now;
}

/**
 * Unit flow at one pixel: central differences of the heat, which read across label borders, normalised.
 * @param out receives ndim components, order y, x or z, y, x
 */
export function unitFlowAt(heat: Float64Array, i: number, shape: GridShape, out: Float64Array): void {
  const ndim = shape.length;
  let stride = 1;
  let rest = i;
  let norm = 0;
  for (let axis = ndim - 1; axis >= 0; axis--) {
    const at = rest % shape[axis];
    rest = (rest - at) / shape[axis];
    const after = at + 1 < shape[axis] ? heat[i + stride] : 0;
    const before = at > 0 ? heat[i - stride] : 0;
    const gradient = after - before;
    out[axis] = gradient;
    norm += gradient * gradient;
    stride *= shape[axis];
  }
  const length = 1e-60 + Math.sqrt(norm);
  for (let axis = 0; axis < ndim; axis++) out[axis] /= length;
}

export interface FlowsFromLabelsOptions {
  /** Steps of diffusion; by default those of the largest label. */
  iterations?: number;
  /** What {@link diffuseLabels} or a kernel gives for the labels, if it is known. */
  diffused?: LabelHeat;
  /**
   * Take the gradient from the heat of the own label alone. The reference, and so the default, reads across the border
   * to a touching label, so that pixels there may point into the neighbour; with this option the flows lead back to
   * the same labels (docs/flows-to-labels.md). Networks are trained on, and the flow error compares with, the default.
   */
  separate?: boolean;
}

/**
 * {@link unitFlowAt} of the heat of the pixel's own label alone. Where a label is so thin that this vanishes, the
 * diagonal neighbours, over which heat spreads in a plane as well, tell the direction.
 */
export function separateFlowAt(
  heat: Float64Array,
  labels: Uint32Array,
  i: number,
  shape: GridShape,
  out: Float64Array,
): void {
  let stride = 1;
  let rest = i;
  let norm = 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const at = rest % shape[axis];
    rest = (rest - at) / shape[axis];
    const after = at + 1 < shape[axis] && labels[i + stride] === labels[i] ? heat[i + stride] : 0;
    const before = at > 0 && labels[i - stride] === labels[i] ? heat[i - stride] : 0;
    out[axis] = after - before;
    norm += out[axis] * out[axis];
    stride *= shape[axis];
  }
  if (norm === 0 && shape.length === 2) {
    const [ny, nx] = shape;
    const x = i % nx;
    const y = (i - x) / nx;
    for (let k = 0; k < 4; k++) {
      const [dy, dx] = [k < 2 ? -1 : 1, k % 2 === 0 ? -1 : 1];
      if (y + dy < 0 || y + dy >= ny || x + dx < 0 || x + dx >= nx) continue;
      const other = i + dy * nx + dx;
      if (labels[other] !== labels[i]) continue;
      out[0] += dy * heat[other];
      out[1] += dx * heat[other];
    }
    norm = out[0] * out[0] + out[1] * out[1];
  }
  const length = 1e-60 + Math.sqrt(norm);
  for (let axis = 0; axis < shape.length; axis++) out[axis] /= length;
}

/**
 * Training targets: unit flows that lead from every pixel of a label toward its centre (spec §6.1).
 *
 * @param labels Uint32 [...shape], 1…N without gaps; 0 background
 * @param shape [y, x] or [z, y, x]
 * @returns Float32 [ndim, ...shape] in the order y, x or z, y, x; 0 on the background
 * @throws CytoError `bad-input` if the numbering has gaps (see renumber), for a length or a number of steps out of
 * range; `too-large` above 2^31 − 1 pixels or the memory to be had
 */
export function flowsFromLabels(
  labels: Uint32Array,
  shape: GridShape,
  { iterations, diffused, separate = false }: FlowsFromLabelsOptions = {},
): Float32Array {
  const count = checkGrid(shape, { labels: [labels, 1] });
  const { heat, boxes } = diffused ?? diffuseLabels(labels, shape, iterations);
  for (let label = 1; label < boxes.length / 6; label++) {
    if (boxes[label * 6 + 3] === 0) {
      throw new CytoError(
        'bad-input',
        `Label ${label} is missing: flows need labels numbered 1…N without gaps.`,
      );
    }
  }
  const ndim = shape.length;
  const flows = zeros(Float32Array, ndim * count);
  const flow = new Float64Array(ndim);
  for (let i = 0; i < count; i++) {
    if (labels[i] === 0) continue;
    if (separate) separateFlowAt(heat, labels, i, shape, flow);
    else unitFlowAt(heat, i, shape, flow);
    for (let axis = 0; axis < ndim; axis++) flows[axis * count + i] = flow[axis];
  }
  return flows;
}
