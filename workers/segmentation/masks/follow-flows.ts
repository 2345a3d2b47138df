import { CytoError, throwIfAborted } from '../../../core/errors.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import { checkGrid, type GridShape, MOST_STEPS, zeros } from './shape.ts';

/** Pixels that take part, and where following the flows took them. */
export interface FollowedPixels {
  /** Row-major indices of the pixels with cellprob above the threshold. */
  index: Int32Array;
  /** [ndim, K] end positions in pixels along y, x or z, y, x, float32, before truncation. */
  position: Float32Array;
}

/** @throws CytoError `bad-input` for a threshold that is not a number or steps that are not a whole number from 0 */
export function checkFollowParameters({
  cellprobThreshold,
  niter,
}: {
  cellprobThreshold: number;
  niter: number;
}): void {
  if (typeof cellprobThreshold !== 'number' || Number.isNaN(cellprobThreshold))
    throw new CytoError('bad-input', 'The cellprob threshold is not a number.');
  if (!Number.isInteger(niter) || niter < 0 || niter > MOST_STEPS)
    throw new CytoError('bad-input', `${niter} Euler steps are not possible; use a whole number from 0.`);
}

/** Longest axis along which positions in single precision tell pixels apart. */
const MOST_ALONG = 2 ** 22;

/** @throws CytoError `too-large` for an axis along which flows cannot be followed */
export function checkFollowShape(shape: GridShape): void {
  const longest = Math.max(...shape);
  if (longest <= MOST_ALONG) return;
  throw new CytoError(
    'too-large',
    `An axis of ${longest} pixels is longer than the ${MOST_ALONG} along which single precision tells them apart. Work on a region.`,
  );
}

/** Row-major indices of the pixels whose logit lies strictly above the threshold. NaN never does. */
export function foregroundIndices(cellprob: Float32Array, threshold: number): Int32Array {
  const { length } = cellprob;
  let count = 0;
  for (let i = 0; i < length; i++) count += cellprob[i] > threshold ? 1 : 0;
  const index = zeros(Int32Array, count);
  // Every pixel is written and the next one over it, unless it counts: no branch to be foretold wrongly.
  for (let i = 0, k = 0; k < count; i++) {
    index[k] = i;
    k += cellprob[i] > threshold ? 1 : 0;
  }
  return index;
}

/** A box of a grid: first pixel and lengths along y, x or z, y, x. */
export interface GridBox {
  origin: readonly number[];
  lengths: readonly number[];
}

/** The box of the given pixels; elsewhere the flows that points follow are zero. One pixel if there are none. */
export function fieldBox(index: Int32Array, shape: GridShape): GridBox {
  const ndim = shape.length;
  if (index.length === 0) return { origin: shape.map(() => 0), lengths: shape.map(() => 1) };
  const [ny, nx] = shape.slice(-2);
  const plane = ny * nx;
  const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high = [0, 0, 0];
  // Indices ascend: of each row only its first and last pixel count.
  for (let k = 0; k < index.length; ) {
    const line = Math.floor(index[k] / nx);
    const y = line % ny;
    const start = line * nx;
    const stop = start + nx;
    low[1] = Math.min(low[1], y);
    high[1] = Math.max(high[1], y);
    low[2] = Math.min(low[2], index[k] - start);
    while (k < index.length && index[k] < stop) k++;
    high[2] = Math.max(high[2], index[k - 1] - start);
  }
  low[0] = (index[0] / plane) | 0;
  high[0] = (index[index.length - 1] / plane) | 0;
  return {
    origin: low.slice(3 - ndim),
    lengths: high.slice(3 - ndim).map((last, axis) => last - low[3 - ndim + axis] + 1),
  };
}

/**
 * The flow field that the points follow: dP / 5 on the foreground, 0 elsewhere, scaled to the normalised
 * coordinates of the sampler, channels interleaved, with a border of one zero pixel on every side so that samples
 * outside the image read 0.
 * @param box part of the grid that the field covers; absent: all of it
 * @param field receives the field; zeros
 * @throws CytoError `bad-input` for a flow on the foreground that is not finite
 */
export function samplingField(
  dP: Float32Array,
  index: Int32Array,
  shape: GridShape,
  box: GridBox = { origin: shape.map(() => 0), lengths: shape },
  field = zeros(
    Float32Array,
    box.lengths.reduce((product, n) => product * (n + 2), shape.length),
  ),
): Float32Array {
  const ndim = shape.length;
  const count = checkGrid(shape, { dP: [dP, ndim] });
  const [ny, nx] = shape.slice(-2);
  const plane = ny * nx;
  const [oz, oy, ox] = ndim === 3 ? box.origin : [0, ...box.origin];
  const [by, bx] = box.lengths.slice(-2);
  const scale = Float32Array.from(shape, (n) => (n === 1 ? 0 : 2 / (n - 1)));
  const [scaleY, scaleX] = scale;
  let stop = 0; // of the row
  let offset = 0; // from a pixel's index to its place in the row of the field
  for (let k = 0; k < index.length; k++) {
    const i = index[k];
    if (i >= stop) {
      const line = Math.floor(i / nx);
      const z = Math.floor(line / ny);
      stop = (line + 1) * nx;
      const row = (ndim === 3 ? z - oz + 1 : 0) * (by + 2) + (line - z * ny) - oy + 1;
      offset = row * (bx + 2) - line * nx - ox + 1;
    }
    const at = (offset + i) * ndim;
    if (ndim === 2) {
      const vy = dP[i];
      const vx = dP[count + i];
      // Written out for planes without odd flows: less time by a third.
      if (vy - vy + (vx - vx) === 0) {
        field[at] = Math.fround(Math.fround(vy / 5) * scaleY);
        field[at + 1] = Math.fround(Math.fround(vx / 5) * scaleX);
        continue;
      }
    }
    for (let axis = 0, from = i; axis < ndim; axis++, from += count) {
      const flow = dP[from];
      // Less itself, a number that is not finite gives NaN.
      if (flow - flow !== 0) {
        // An axis of one pixel has no room to move along; the reference divides by zero there.
        if (shape[axis] === 1) continue;
        const z = Math.floor(i / plane);
        const y = Math.floor((i - z * plane) / nx);
        throw new CytoError(
          'bad-input',
          `The flow at pixel [${ndim === 3 ? `${z}, ` : ''}${y}, ${i - z * plane - y * nx}] is not a finite number. The network's output is unusable.`,
        );
      }
      field[at + axis] = Math.fround(Math.fround(flow / 5) * scale[axis]);
    }
  }
  return field;
}

const STEPS_BETWEEN_ABORT_CHECKS = 1 << 22;

/**
 * Follows the flows from every foreground pixel for `niter` Euler steps, in the float32 arithmetic of the
 * reference (torch `grid_sample`, bilinear, zero padding, half-pixel corners; spec §5.1).
 * A point whose step does not move it has come to rest and needs no more steps: the map is the same in every step.
 *
 * @param dP [ndim, ...shape] network flows (about 5 × unit flow), order y, x or z, y, x
 * @param cellprob [...shape] logits
 * @param shape [y, x] or [z, y, x]
 * @throws CytoError `bad-input` for disagreeing lengths, a flow on the foreground that is not finite, parameters out of
 * range; `too-large` above 2^31 − 1 pixels, 2^22 along an axis or the memory to be had; `aborted`
 */
export function followFlows(
  dP: Float32Array,
  cellprob: Float32Array,
  shape: GridShape,
  parameters: { cellprobThreshold: number; niter: number },
  options: TaskOptions = {},
): FollowedPixels {
  checkGrid(shape, { dP: [dP, shape.length], cellprob: [cellprob, 1] });
  checkFollowShape(shape);
  checkFollowParameters(parameters);
  const index = foregroundIndices(cellprob, parameters.cellprobThreshold);
  const field = samplingField(dP, index, shape);
  const position = zeros(Float32Array, index.length * shape.length);
  const batch = Math.max(1, Math.floor(STEPS_BETWEEN_ABORT_CHECKS / Math.max(1, parameters.niter)));
  for (let start = 0; start < index.length; start += batch) {
    throwIfAborted(options.signal);
    const stop = Math.min(start + batch, index.length);
    if (shape.length === 2) follow2d(field, index, position, shape, parameters.niter, start, stop);
    else follow3d(field, index, position, shape, parameters.niter, start, stop);
  }
  return { index, position };
}

const f = Math.fround;

/** Normalised coordinate of pixel p on an axis of n pixels, as the reference rounds it. */
function normalised(p: number, n: number): number {
  return n === 1 ? -1 : f(f(f(p / f(n - 1)) * 2) - 1);
}

/** Float32 [n]: normalised coordinate of every pixel of an axis. */
export function axisCoordinates(n: number): Float32Array {
  return Float32Array.from({ length: n }, (_, p) => normalised(p, n));
}

/** Pixel position of a normalised coordinate. */
export function pixelOfCoordinate(g: number, n: number): number {
  return f(f(f(g + 1) * 0.5) * f(n - 1));
}

function follow2d(
  field: Float32Array,
  index: Int32Array,
  position: Float32Array,
  shape: GridShape,
  niter: number,
  start: number,
  stop: number,
): void {
  const [ny, nx] = shape;
  const total = index.length;
  const row = (nx + 2) * 2;
  const fy = f(ny);
  const fx = f(nx);
  for (let k = start; k < stop; k++) {
    const y = (index[k] / nx) | 0;
    let gy = normalised(y, ny);
    let gx = normalised(index[k] - y * nx, nx);
    for (let step = 0; step < niter; step++) {
      const py = f(f(f(f(gy + 1) * fy) - 1) * 0.5);
      const px = f(f(f(f(gx + 1) * fx) - 1) * 0.5);
      const iy = Math.floor(py);
      const ix = Math.floor(px);
      const n = f(py - iy);
      const w = f(px - ix);
      const s = f(1 - n);
      const e = f(1 - w);
      const nw = f(e * s);
      const ne = f(w * s);
      const sw = f(e * n);
      const se = f(w * n);
      const at = (iy + 1) * row + (ix + 1) * 2;
      const below = at + row;
      const vy = f(
        f(f(f(field[at] * nw) + f(field[at + 2] * ne)) + f(field[below] * sw)) + f(field[below + 2] * se),
      );
      const vx = f(
        f(f(f(field[at + 1] * nw) + f(field[at + 3] * ne)) + f(field[below + 1] * sw)) +
          f(field[below + 3] * se),
      );
      const hy = Math.min(1, Math.max(-1, f(gy + vy)));
      const hx = Math.min(1, Math.max(-1, f(gx + vx)));
      if (hy === gy && hx === gx) break;
      gy = hy;
      gx = hx;
    }
    position[k] = pixelOfCoordinate(gy, ny);
    position[total + k] = pixelOfCoordinate(gx, nx);
  }
}

function follow3d(
  field: Float32Array,
  index: Int32Array,
  position: Float32Array,
  shape: GridShape,
  niter: number,
  start: number,
  stop: number,
): void {
  const [nz, ny, nx] = shape;
  const total = index.length;
  const row = (nx + 2) * 3;
  const plane = (ny + 2) * row;
  const v = new Float64Array(3);
  for (let k = start; k < stop; k++) {
    const i = index[k];
    const z = (i / (ny * nx)) | 0;
    const y = ((i - z * ny * nx) / nx) | 0;
    let gz = normalised(z, nz);
    let gy = normalised(y, ny);
    let gx = normalised(i - (z * ny + y) * nx, nx);
    for (let step = 0; step < niter; step++) {
      const pz = f(f(f(f(gz + 1) * f(nz)) - 1) * 0.5);
      const py = f(f(f(f(gy + 1) * f(ny)) - 1) * 0.5);
      const px = f(f(f(f(gx + 1) * f(nx)) - 1) * 0.5);
      const iz = Math.floor(pz);
      const iy = Math.floor(py);
      const ix = Math.floor(px);
      const z1 = f(pz - iz);
      const y1 = f(py - iy);
      const x1 = f(px - ix);
      const z0 = f(iz + 1 - pz);
      const y0 = f(iy + 1 - py);
      const x0 = f(ix + 1 - px);
      const w000 = f(f(x0 * y0) * z0);
      const w001 = f(f(x1 * y0) * z0);
      const w010 = f(f(x0 * y1) * z0);
      const w011 = f(f(x1 * y1) * z0);
      const w100 = f(f(x0 * y0) * z1);
      const w101 = f(f(x1 * y0) * z1);
      const w110 = f(f(x0 * y1) * z1);
      const w111 = f(f(x1 * y1) * z1);
      const at = (iz + 1) * plane + (iy + 1) * row + (ix + 1) * 3;
      for (let axis = 0; axis < 3; axis++) {
        const a = at + axis;
        const b = a + plane;
        let sum = f(field[a] * w000);
        sum = f(sum + f(field[a + 3] * w001));
        sum = f(sum + f(field[a + row] * w010));
        sum = f(sum + f(field[a + row + 3] * w011));
        sum = f(sum + f(field[b] * w100));
        sum = f(sum + f(field[b + 3] * w101));
        sum = f(sum + f(field[b + row] * w110));
        v[axis] = f(sum + f(field[b + row + 3] * w111));
      }
      const hz = Math.min(1, Math.max(-1, f(gz + v[0])));
      const hy = Math.min(1, Math.max(-1, f(gy + v[1])));
      const hx = Math.min(1, Math.max(-1, f(gx + v[2])));
      if (hz === gz && hy === gy && hx === gx) break;
      gz = hz;
      gy = hy;
      gx = hx;
    }
    position[k] = pixelOfCoordinate(gz, nz);
    position[total + k] = pixelOfCoordinate(gy, ny);
    position[2 * total + k] = pixelOfCoordinate(gx, nx);
  }
}
