import { CytoError } from '../../../core/errors.ts';
import { plainKernels, type SyncMaskKernels } from '../kernels/kernels.ts';
import { flowsFromLabels, type LabelHeat } from './flows-from-labels.ts';
import type { GridShape } from './shape.ts';
import { zeros } from './shape.ts';

export interface ReturningFlowsOptions {
  /** Implementation of heat and following; {@link WasmKernels} is many times faster and gives the same flows. */
  kernels?: SyncMaskKernels;
  /** Euler steps that the flows are made for. */
  niter?: number;
}

/** Most times that flows are followed and mended. */
const ROUNDS = 60;
/** Rounds in which only flows of neighbours are weakened. */
const GENTLE = 8;
/** Longest flow that is made for a point that goes astray. */
const LONGEST = 2;

/**
 * Flows that lead back to the same labels when they are followed: those of `separate` in {@link flowsFromLabels}, but
 * that the four around a label's centre lead straight there, as long as the way is, so that all its points end in one
 * pixel and a cell of eleven pixels has a seed; and that they are followed and, where a point goes astray, the flows of
 * neighbours that it reads are weakened and in the end its own are turned. Points begin up to half a pixel from their
 * pixels, as the reference has it, and so may read more of a neighbour's flows than of their own.
 *
 * Exact for every set of convex cells 5 pixels wide or more that was tried, touching or not
 * (test/workers/masks/returning-flows.test.ts), without the flow error check, which compares with other flows. Of other
 * labels single pixels may change sides; thin ones may be lost.
 *
 * @param labels Uint32 [y, x], 1…N without gaps; 0 background
 * @param shape [y, x]
 * @returns Float32 [2, y, x] in the order y, x, mostly of length 1; 0 on the background
 * @throws CytoError `bad-input` for a volume, and as {@link flowsFromLabels}
 */
export function returningFlows(
  labels: Uint32Array,
  shape: GridShape,
  { kernels = plainKernels, niter = 200 }: ReturningFlowsOptions = {},
): Float32Array {
  if (shape.length !== 2) throw new CytoError('bad-input', 'Returning flows are for planes [y, x].');
  const diffused = kernels.diffuse(labels, shape);
  const flows = flowsFromLabels(labels, shape, { diffused, separate: true });
  const goals = leadToCenters(flows, labels, shape, diffused);
  const cellprob = Float32Array.from(labels, (label) => (label > 0 ? 1 : -1));
  const parameters = { cellprobThreshold: 0, niter };
  let best = flows;
  let fewest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && fewest > 0; round++) {
    const { index, ends } = kernels.follow(
      flows.map((flow) => 5 * flow),
      cellprob,
      shape,
      parameters,
    );
    const astray = index.filter((i, k) => ends[k] !== goals[labels[i]]);
    if (astray.length < fewest) {
      fewest = astray.length;
      best = flows.slice();
    }
    mend(flows, labels, shape, astray, round < GENTLE ? undefined : diffused.heat);
  }
  return best;
}

/** Position on an axis of n pixels, in pixels of the flows, at which the point of a pixel begins. */
const beginning = (pixel: number, n: number) => (n === 1 ? 0 : (pixel * n) / (n - 1) - 0.5);

/**
 * Gives each label a centre in the middle of the positions that count as one of its pixels, and makes the flows of the
 * four pixels around it lead there.
 * @returns Int32 [N + 1]: the pixels
 */
function leadToCenters(
  flows: Float32Array,
  labels: Uint32Array,
  [ny, nx]: GridShape,
  { boxes }: LabelHeat,
): Int32Array {
  const slots = boxes.length / 6;
  const count = labels.length;
  const pixels = zeros(Float64Array, slots);
  const sums = zeros(Float64Array, 2 * slots);
  const each = (visit: (label: number, i: number, y: number, x: number) => void) => {
    for (let y = 0, i = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) if (labels[i] > 0) visit(labels[i], i, y, x);
  };
  each((label, _, y, x) => {
    pixels[label]++;
    sums[2 * label] += y;
    sums[2 * label + 1] += x;
  });
  const goals = zeros(Int32Array, slots);
  const scores = zeros(Float64Array, slots).fill(Number.NEGATIVE_INFINITY);
  each((label, i, y, x) => {
    // What counts as a pixel lies between it and the next; best where the label has all four.
    const right = x + 1 < nx && labels[i + 1] === label ? 1 : 0;
    const below = y + 1 < ny && labels[i + nx] === label ? 1 : 0;
    const both = x + 1 < nx && y + 1 < ny && labels[i + nx + 1] === label ? 1 : 0;
    const dy = y + 0.5 - sums[2 * label] / pixels[label];
    const dx = x + 0.5 - sums[2 * label + 1] / pixels[label];
    const score = (right + below + both) * count - (dy * dy + dx * dx);
    if (score <= scores[label]) return;
    scores[label] = score;
    goals[label] = i;
  });
  each((label, i, y, x) => {
    const column = goals[label] % nx;
    const row = (goals[label] - column) / nx;
    if (y < row || y > row + 1 || x < column || x > column + 1) return;
    // Flows read between these four lead straight to the centre.
    flows[i] = beginning(row + 0.5, ny) - y;
    flows[count + i] = beginning(column + 0.5, nx) - x;
  });
  return goals;
}

/**
 * Weakens the flows of other labels that points read where they begin, by as much as they read of them.
 * @param heat if given, the points' own flows are also turned, so that their first step leads to the warmest neighbour
 */
function mend(
  flows: Float32Array,
  labels: Uint32Array,
  [ny, nx]: GridShape,
  points: Int32Array,
  heat?: Float64Array,
): void {
  const count = labels.length;
  const weights = new Map<number, number>();
  for (const i of points) {
    const x = i % nx;
    const y = (i - x) / nx;
    const [py, px] = [beginning(y, ny), beginning(x, nx)];
    let [vy, vx, own] = [0, 0, 0];
    for (let k = 0; k < 4; k++) {
      const [yy, xx] = [Math.floor(py) + (k >> 1), Math.floor(px) + (k & 1)];
      if (yy < 0 || xx < 0 || yy >= ny || xx >= nx) continue;
      const other = yy * nx + xx;
      const weight = (1 - Math.abs(py - yy)) * (1 - Math.abs(px - xx));
      if (other === i) own = weight;
      vy += weight * flows[other];
      vx += weight * flows[count + other];
      if (labels[other] === 0 || labels[other] === labels[i]) continue;
      weights.set(other, Math.max(weight, weights.get(other) ?? 0));
    }
    if (!heat) continue;
    const [ty, tx] = warmest(heat, labels, i, ny, nx);
    const dy = flows[i] + (ty - vy) / own;
    const dx = flows[count + i] + (tx - vx) / own;
    const scale = Math.min(1, LONGEST / Math.hypot(dy, dx));
    flows[i] = dy * scale;
    flows[count + i] = dx * scale;
  }
  for (const [other, weight] of weights) {
    flows[other] *= 1 - weight;
    flows[count + other] *= 1 - weight;
  }
}

/** The way to the warmest of the eight neighbours in the same label, [0, 0] if none is warmer. */
function warmest(heat: Float64Array, labels: Uint32Array, i: number, ny: number, nx: number): number[] {
  const x = i % nx;
  const y = (i - x) / nx;
  let [best, way] = [heat[i], [0, 0]];
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      if (y + dy < 0 || y + dy >= ny || x + dx < 0 || x + dx >= nx) continue;
      const other = i + dy * nx + dx;
      if (labels[other] !== labels[i] || heat[other] <= best) continue;
      best = heat[other];
      way = [dy, dx];
    }
  }
  return way;
}
