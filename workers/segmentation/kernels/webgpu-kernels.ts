import { CytoError, throwIfAborted } from '../../../core/errors.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import type { LabelHeat } from '../masks/flows-from-labels.ts';
import {
  axisCoordinates,
  checkFollowParameters,
  fieldBox,
  foregroundIndices,
  pixelOfCoordinate,
  samplingField,
} from '../masks/follow-flows.ts';
import { endPixels } from '../masks/seeds.ts';
import { checkGrid, type GridShape, zeros } from '../masks/shape.ts';
import { FOLLOW_2D, FOLLOW_3D, JOB_BYTES, WORKGROUP } from './follow-shader.ts';
import { BUFFER, type GpuDevice, MAP_FOR_READING, openGpu } from './gpu-device.ts';
import type { FollowedEnds, FollowOptions, FollowParameters, MaskKernels } from './kernels.ts';

/** Points on the GPU at once. */
const CHUNK = 2 ** 18;
/** Steps of one submission: short, so that a display stays fluent and a cancel is heard. */
const STEPS = 128;
/** Fewer points are followed sooner than they are sent to a GPU and back. */
const LEAST_POINTS = 2 ** 16;

export interface WebGpuOptions {
  /** Runs the diffusion, small jobs, what does not fit onto the GPU, and everything after the GPU was lost. */
  fallback: MaskKernels;
  /** Take an adapter that is emulated in software, too. Correct, but slower than WebAssembly. */
  emulated?: boolean;
  /** Jobs of fewer points go to the fallback; 65536 by default. */
  leastPoints?: number;
}

/**
 * Flow dynamics on the GPU. End positions agree with the plain functions to the last digits of float32, labels within
 * the tolerances of the fixtures. Whatever fails on the GPU is done again by the fallback.
 */
export class WebGpuKernels implements MaskKernels {
  readonly name = 'webgpu';
  readonly #fallback: MaskKernels;
  readonly diffuseSingle?: NonNullable<MaskKernels['diffuseSingle']>;
  /** By the fallback: whether a way leaves a box is not told on the GPU, and large volumes are followed box by box. */
  readonly followPart?: NonNullable<MaskKernels['followPart']>;
  readonly smooth?: NonNullable<MaskKernels['smooth']>;
  readonly #leastPoints: number;
  readonly #pipelines = new Map<number, Promise<GPUComputePipeline>>();
  #gpu: GpuDevice | undefined;
  #obstacle: unknown;

  private constructor(gpu: GpuDevice, { fallback, leastPoints = LEAST_POINTS }: WebGpuOptions) {
    this.#gpu = gpu;
    this.#fallback = fallback;
    if (fallback.diffuseSingle) this.diffuseSingle = (...args) => fallback.diffuseSingle!(...args);
    if (fallback.smooth) this.smooth = (...args) => fallback.smooth!(...args);
    if (fallback.followPart) this.followPart = (...args) => fallback.followPart!(...args);
    this.#leastPoints = leastPoints;
    gpu.device.lost.then(({ reason, message }) => {
      if (this.#gpu === gpu) this.#gpu = undefined;
      if (reason !== 'destroyed') this.#obstacle = new Error(`The GPU was lost: ${message}`);
    });
  }

  /** @throws CytoError `unsupported` without a GPU */
  static async create(options: WebGpuOptions): Promise<WebGpuKernels> {
    return new WebGpuKernels(await openGpu(options.emulated ?? false), options);
  }

  /** Why the last job that was meant for the GPU was done by the fallback; undefined if it was not. */
  get obstacle(): unknown {
    return this.#obstacle;
  }

  async follow(
    dP: Float32Array,
    cellprob: Float32Array,
    shape: GridShape,
    parameters: FollowParameters,
    options: FollowOptions = {},
  ): Promise<FollowedEnds> {
    checkGrid(shape, { dP: [dP, shape.length], cellprob: [cellprob, 1] });
    checkFollowParameters(parameters);
    throwIfAborted(options.signal);
    const gpu = this.#gpu;
    const index = foregroundIndices(cellprob, parameters.cellprobThreshold);
    if (gpu && index.length >= this.#leastPoints) {
      try {
        this.#obstacle = undefined;
        return await this.#follow(gpu, dP, index, shape, parameters.niter, options);
      } catch (error) {
        if (error instanceof CytoError && (error.kind === 'aborted' || error.kind === 'bad-input'))
          throw error;
        this.#obstacle = error;
        console.debug('cytopane: flows are followed without the GPU:', error);
      }
    }
    return this.#fallback.follow(dP, cellprob, shape, parameters, options);
  }

  diffuse(
    labels: Uint32Array,
    shape: GridShape,
    iterations?: number,
    options?: TaskOptions,
  ): LabelHeat | Promise<LabelHeat> {
    return this.#fallback.diffuse(labels, shape, iterations, options);
  }

  /** Gives the GPU back. Later jobs are done by the fallback. */
  dispose(): void {
    const gpu = this.#gpu;
    this.#gpu = undefined;
    gpu?.device.destroy();
  }

  async #follow(
    { device, mostBytes }: GpuDevice,
    dP: Float32Array,
    index: Int32Array,
    shape: GridShape,
    niter: number,
    { signal, positions = false }: FollowOptions,
  ): Promise<FollowedEnds> {
    const ndim = shape.length;
    const total = index.length;
    const box = fieldBox(index, shape);
    const fieldLength = box.lengths.reduce((product, n) => product * (n + 2), ndim);
    if (4 * fieldLength > mostBytes)
      throw new CytoError('too-large', `The flows need a buffer of ${4 * fieldLength} bytes.`);
    const pipeline = await this.#pipelineOf(device, ndim);
    const made: GPUBuffer[] = [];
    const buffer = (size: number, usage: number, mappedAtCreation = false) => {
      const one = device.createBuffer({ size: Math.max(16, size), usage, mappedAtCreation });
      made.push(one);
      return one;
    };
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    let scopes = 2;
    /** Ends the scopes, so that what failed on the GPU is known before its numbers are used. */
    const settle = async () => {
      for (; scopes > 0; scopes--) {
        const error = await device.popErrorScope();
        if (error) throw new Error(error.message);
      }
    };
    try {
      const { COPY_DST, COPY_SRC, MAP_READ, STORAGE, UNIFORM } = BUFFER;
      const pointBytes = 4 * ndim * Math.min(total, CHUNK);
      const field = buffer(4 * fieldLength, STORAGE, true);
      const points = buffer(pointBytes, STORAGE | COPY_DST | COPY_SRC);
      const read = buffer(pointBytes, MAP_READ | COPY_DST);
      const job = buffer(JOB_BYTES, UNIFORM | COPY_DST);
      samplingField(dP, index, shape, box, new Float32Array(field.getMappedRange(), 0, fieldLength));
      field.unmap();
      await settle();
      const group = device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [job, field, points].map((one, binding) => ({ binding, resource: { buffer: one } })),
      });
      const starts = startsOf(shape);
      const ends = zeros(Int32Array, total);
      const position = positions ? zeros(Float32Array, ndim * total) : undefined;
      for (let start = 0; start < total; start += CHUNK) {
        const some = index.subarray(start, start + CHUNK);
        device.queue.writeBuffer(points, 0, starts(some));
        for (let step = 0; step < niter; step += STEPS) {
          throwIfAborted(signal);
          const counts = [some.length, Math.min(STEPS, niter - step)];
          device.queue.writeBuffer(job, 0, jobBlock(shape, box.origin, box.lengths, counts));
          const encoder = device.createCommandEncoder();
          const pass = encoder.beginComputePass();
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          pass.dispatchWorkgroups(Math.ceil(some.length / WORKGROUP));
          pass.end();
          device.queue.submit([encoder.finish()]);
          await device.queue.onSubmittedWorkDone();
        }
        const bytes = 4 * ndim * some.length;
        const encoder = device.createCommandEncoder();
        encoder.copyBufferToBuffer(points, 0, read, 0, bytes);
        device.queue.submit([encoder.finish()]);
        await read.mapAsync(MAP_FOR_READING, 0, bytes);
        const there = positionsOf(new Float32Array(read.getMappedRange(0, bytes)), shape);
        read.unmap();
        ends.set(endPixels({ index: some, position: there }, shape), start);
        for (let axis = 0; position && axis < ndim; axis++)
          position.set(there.subarray(axis * some.length, (axis + 1) * some.length), axis * total + start);
      }
      // A lost device answers every call as if all were well.
      if (this.#gpu?.device !== device) throw new Error('The GPU was lost.');
      return position ? { index, ends, position } : { index, ends };
    } finally {
      for (; scopes > 0; scopes--) await device.popErrorScope().catch(() => null);
      for (const one of made) one.destroy();
    }
  }

  #pipelineOf(device: GPUDevice, ndim: number): Promise<GPUComputePipeline> {
    let pipeline = this.#pipelines.get(ndim);
    if (!pipeline) {
      const module = device.createShaderModule({ code: ndim === 2 ? FOLLOW_2D : FOLLOW_3D });
      pipeline = device.createComputePipelineAsync({
        layout: 'auto',
        compute: { module, entryPoint: 'follow' },
      });
      this.#pipelines.set(ndim, pipeline);
    }
    return pipeline;
  }
}

/** The uniform block of follow-shader.ts. */
function jobBlock(
  shape: GridShape,
  origin: readonly number[],
  lengths: readonly number[],
  [points, steps]: readonly number[],
): Uint32Array<ArrayBuffer> {
  const three = (values: readonly number[]) => (values.length === 2 ? [1, ...values] : values);
  return Uint32Array.of(...three(shape), points, ...three(origin), steps, ...three(lengths), 0);
}

/** Makes the normalised coordinates [K, ndim] of pixels, exact as a division on the GPU is not. */
function startsOf(shape: GridShape): (index: Int32Array) => Float32Array<ArrayBuffer> {
  const ndim = shape.length;
  const tables = shape.map(axisCoordinates);
  return (index) => {
    const starts = zeros(Float32Array, ndim * index.length);
    for (let k = 0; k < index.length; k++) {
      let rest = index[k];
      for (let axis = ndim - 1; axis >= 0; axis--) {
        const length = shape[axis];
        const before = (rest / length) | 0;
        starts[k * ndim + axis] = tables[axis][rest - before * length];
        rest = before;
      }
    }
    return starts;
  };
}

/** Positions [ndim, K] in pixels of normalised coordinates [K, ndim]. */
function positionsOf(points: Float32Array, shape: GridShape): Float32Array {
  const ndim = shape.length;
  const count = points.length / ndim;
  const positions = zeros(Float32Array, points.length);
  for (let axis = 0; axis < ndim; axis++)
    for (let k = 0; k < count; k++)
      positions[axis * count + k] = pixelOfCoordinate(points[k * ndim + axis], shape[axis]);
  return positions;
}
