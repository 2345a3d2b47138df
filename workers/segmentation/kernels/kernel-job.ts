import { CytoError } from '../../../core/errors.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { type LabelHeat, labelCenters, stepsOfDiffusion } from '../masks/flows-from-labels.ts';
import {
  checkFollowParameters,
  checkFollowShape,
  fieldBox,
  foregroundIndices,
  type GridBox,
  samplingField,
} from '../masks/follow-flows.ts';
import { labelBoxes } from '../masks/label-boxes.ts';
import { checkGrid, copyOf, type GridShape } from '../masks/shape.ts';
import { gaussianWeights } from '../preprocess/gaussian.ts';
import type { KernelJob, KernelName } from './kernel-control.ts';
import type { FollowedEnds, FollowOptions, FollowParameters } from './kernels.ts';

/** Memory of a WebAssembly instance, laid out anew for each job. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  #used = 0;

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
  }

  /**
   * Forgets what was laid out and makes room.
   * @throws CytoError `too-large` above the 4 GiB of a WebAssembly memory
   */
  reset(bytes: number): void {
    // The first page is left to the module.
    this.#used = PAGE;
    const wanted = Math.ceil((PAGE + bytes + 1024) / PAGE);
    const pages = this.memory.buffer.byteLength / PAGE;
    if (wanted <= pages) return;
    this.check(bytes);
    try {
      this.memory.grow(wanted - pages);
    } catch (cause) {
      throw tooLarge(bytes, cause);
    }
  }

  /** @throws CytoError `too-large` if so many bytes never fit into a WebAssembly memory */
  check(bytes: number): void {
    if (bytes > ARENA_LIMIT) throw tooLarge(bytes);
  }

  /** Address of room for `bytes` bytes, aligned to 16. */
  take(bytes: number): number {
    const at = this.#used;
    this.#used += Math.ceil(bytes / 16) * 16;
    return at;
  }
}

const PAGE = 65536;
/** Most bytes of a job. */
const ARENA_LIMIT = 2 ** 32 - 64 * PAGE;

const tooLarge = (bytes: number, cause?: unknown) =>
  new CytoError(
    'too-large',
    `${Math.ceil(bytes / 2 ** 20)} MiB of memory are needed to make labels, more than can be had. Work on a region or at a lower resolution.`,
    cause === undefined ? undefined : { cause },
  );

export const FOLLOW_CHUNK = 8192;
/** Room that each thread has for points on their way, the cycles and the basins they end in (assembly/follow-2d.ts). */
export const FOLLOW_SCRATCH = 6 * 65536;
const DIFFUSE_CHUNK = 16;

/** Jobs laid out in memory, done one after the other, and how their result is taken from there. */
export interface Prepared<T> {
  jobs: KernelJob[];
  result(): T;
}

/** Lays out the following of flows. @throws as `followFlows` */
export function prepareFollow(
  arena: Arena,
  dP: Float32Array,
  cellprob: Float32Array,
  shape: GridShape,
  parameters: FollowParameters,
  { positions = false }: FollowOptions,
  threads: number,
): Prepared<FollowedEnds> {
  const ndim = shape.length;
  checkGrid(shape, { dP: [dP, ndim], cellprob: [cellprob, 1] });
  checkFollowShape(shape);
  checkFollowParameters(parameters);
  const { cellprobThreshold, niter } = parameters;
  const index = foregroundIndices(cellprob, cellprobThreshold);
  const box = grown(fieldBox(index, shape), shape);
  const fieldLength = box.lengths.reduce((product, n) => product * (n + 2), ndim) + 4;
  const total = index.length;
  arena.reset(4 * (fieldLength + total * (2 + (positions ? ndim : 0))) + FOLLOW_SCRATCH * threads + 80);
  const at = {
    field: arena.take(4 * fieldLength),
    index: arena.take(4 * total),
    ends: arena.take(4 * total),
    position: positions ? arena.take(4 * total * ndim) : 0,
    scratch: arena.take(FOLLOW_SCRATCH * threads),
  };
  const { buffer } = arena.memory;
  const field = new Float32Array(buffer, at.field, fieldLength).fill(0);
  samplingField(dP, index, shape, box, field);
  new Uint8Array(buffer, at.scratch, FOLLOW_SCRATCH * threads).fill(0);
  new Int32Array(buffer, at.index, total).set(index);
  return {
    jobs: [
      {
        kernel: ndim === 2 ? 'follow2d' : 'follow3d',
        args: [
          ...[at.field, at.index, at.ends, at.position, at.scratch, total],
          ...[...shape, ...box.origin, ...box.lengths, niter],
        ],
        total,
        chunk: FOLLOW_CHUNK,
        scratch: { argument: 4, bytes: FOLLOW_SCRATCH },
      },
    ],
    result: () => {
      const { buffer } = arena.memory;
      const ends = copyOf(new Int32Array(buffer, at.ends, total));
      if (!positions) return { index, ends };
      return { index, ends, position: copyOf(new Float32Array(buffer, at.position, total * ndim)) };
    },
  };
}

/** The box and one pixel around it: there the field is zero, which follow2d relies on. */
function grown({ origin, lengths }: GridBox, shape: GridShape): GridBox {
  const low = origin.map((at) => Math.max(0, at - 1));
  return {
    origin: low,
    lengths: low.map((at, axis) => Math.min(shape[axis], origin[axis] + lengths[axis] + 1) - at),
  };
}

/** Lines of a volume that are filtered together (assembly/gaussian.ts). */
const LINES = 16;
const LINES_CHUNK = 64;

/**
 * Lays out the smoothing of a volume, in place.
 * @param sigmas standard deviations in samples along z, y, x; 0 is off
 */
export function prepareSmoothing(
  arena: Arena,
  values: Float32Array,
  shape: Shape3,
  sigmas: Shape3,
  threads: number,
): Prepared<void> {
  checkGrid(shape, { values: [values, 1] });
  const axes = [0, 1, 2].filter((axis) => sigmas[axis] > 0);
  const weights = axes.map((axis) => gaussianWeights(sigmas[axis]));
  const scratchBytes = axes.reduce(
    (most, axis, k) => Math.max(most, 64 + 8 * LINES * (shape[axis] + 2 * weights[k].length)),
    0,
  );
  const weightBytes = weights.reduce((sum, { byteLength }) => sum + byteLength + 16, 0);
  arena.reset(4 * values.length + weightBytes + scratchBytes * threads + 64);
  const samples = arena.take(4 * values.length);
  const places = weights.map(({ byteLength }) => arena.take(byteLength));
  const scratch = arena.take(scratchBytes * threads);
  const { buffer } = arena.memory;
  new Float32Array(buffer, samples, values.length).set(values);
  const jobs = axes.map((axis, k): KernelJob => {
    new Float64Array(buffer, places[k], weights[k].length).set(weights[k]);
    const length = shape[axis];
    const stride = shape.slice(axis + 1).reduce((product, n) => product * n, 1);
    const lines = values.length / length;
    return {
      kernel: 'gaussian',
      args: [samples, places[k], scratch, length, stride, lines, weights[k].length - 1],
      total: Math.ceil(lines / LINES),
      chunk: LINES_CHUNK,
      scratch: { argument: 2, bytes: scratchBytes },
    };
  });
  return {
    jobs,
    result: () => values.set(new Float32Array(arena.memory.buffer, samples, values.length)),
  };
}

/** Lays out the diffusion of heat in labels. @throws as `diffuseLabels` */
export function prepareDiffusion(
  arena: Arena,
  labels: Uint32Array,
  shape: GridShape,
  iterations: number | undefined,
  threads: number,
): Prepared<LabelHeat> {
  const box = (bz: number, by: number, bx: number) => {
    const padded = ((bx + 3) & ~1) * (by + 2) * (shape.length === 3 ? bz + 2 : 1);
    return 24 * padded + 8 * bz * ((bx + 1) >> 1);
  };
  return prepareHeat(arena, labels, shape, iterations, threads, 'diffuse', Float64Array, box);
}

/** The same in a plane in single precision. */
export function prepareSingleDiffusion(
  arena: Arena,
  labels: Uint32Array,
  shape: GridShape,
  threads: number,
): Prepared<LabelHeat<Float32Array>> {
  if (shape.length !== 2) throw new CytoError('bad-input', 'Single precision is for planes [y, x].');
  const box = (_: number, by: number, bx: number) => {
    const groups = (bx + 3) >> 2;
    return 12 * (4 * groups + 2) * (by + 2) + 8 * groups;
  };
  return prepareHeat(arena, labels, shape, undefined, threads, 'diffuseSingle', Float32Array, box);
}

function prepareHeat<Heat extends Float32Array | Float64Array>(
  arena: Arena,
  labels: Uint32Array,
  shape: GridShape,
  iterations: number | undefined,
  threads: number,
  kernel: KernelName,
  Type: { new (buffer: ArrayBufferLike, at: number, length: number): Heat; BYTES_PER_ELEMENT: number },
  bytesOfBox: (bz: number, by: number, bx: number) => number,
): Prepared<LabelHeat<Heat>> {
  const ndim = shape.length;
  const heatBytes = Type.BYTES_PER_ELEMENT;
  const count = checkGrid(shape, { labels: [labels, 1] });
  // Labels and heat alone; before the labels are looked at.
  arena.check((4 + heatBytes) * count);
  const boxes = labelBoxes(labels, shape);
  const centers = labelCenters(labels, shape, boxes);
  const steps = stepsOfDiffusion(iterations, boxes, ndim);
  const slots = boxes.length / 6;
  let largest = 0;
  for (let at = 6; at < boxes.length; at += 6) {
    if (boxes[at + 3] === 0) continue;
    const bytes = bytesOfBox(
      boxes[at + 3] - boxes[at],
      boxes[at + 4] - boxes[at + 1],
      boxes[at + 5] - boxes[at + 2],
    );
    largest = Math.max(largest, bytes);
  }
  const scratchBytes = Math.ceil(largest / 16) * 16 + 16;
  arena.reset((4 + heatBytes) * count + 36 * slots + scratchBytes * threads + 128);
  const at = {
    labels: arena.take(4 * count),
    boxes: arena.take(24 * slots),
    centers: arena.take(12 * slots),
    heat: arena.take(heatBytes * count),
    scratch: arena.take(scratchBytes * threads),
  };
  const { buffer } = arena.memory;
  new Uint32Array(buffer, at.labels, count).set(labels);
  new Int32Array(buffer, at.boxes, boxes.length).set(boxes);
  const flat = new Int32Array(buffer, at.centers, 3 * slots).fill(0);
  for (let axis = 0; axis < ndim; axis++)
    for (let label = 0; label < slots; label++)
      flat[label * 3 + 3 - ndim + axis] = centers[axis * slots + label];
  new Type(buffer, at.heat, count).fill(0);
  const [ny, nx] = shape.slice(-2);
  return {
    jobs: [
      {
        kernel,
        args: [at.labels, at.boxes, at.centers, at.heat, at.scratch, ny, nx, steps, ndim === 3 ? 1 : 0],
        total: slots,
        chunk: DIFFUSE_CHUNK,
        scratch: { argument: 4, bytes: scratchBytes },
      },
    ],
    result: () => ({
      heat: copyOf(new Type(arena.memory.buffer, at.heat, count)),
      iterations: steps,
      centers,
      boxes,
    }),
  };
}
