import { CytoError, throwIfAborted } from '../../../core/errors.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import type { Shape3 } from '../../../core/volume.ts';
import type { LabelHeat } from '../masks/flows-from-labels.ts';
import type { GridShape } from '../masks/shape.ts';
import { type FlowPart, type FollowedPart, prepareFollowPart } from './follow-part.ts';
import type { KernelExports } from './kernel-control.ts';
import {
  Arena,
  type Prepared,
  prepareDiffusion,
  prepareFollow,
  prepareSingleDiffusion,
  prepareSmoothing,
} from './kernel-job.ts';
import type { FollowedEnds, FollowOptions, FollowParameters, SyncMaskKernels } from './kernels.ts';
import { KERNELS } from './kernels-module.ts';

/** A memory larger than this is given back after a job. */
const KEPT_BYTES = 256 * 2 ** 20;

/** The bytes that base64 stands for. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Flows → labels in WebAssembly SIMD on one thread; bit for bit the plain functions. */
export class WasmKernels implements SyncMaskKernels {
  readonly name = 'wasm';
  readonly #module: WebAssembly.Module;
  #running: { arena: Arena; exports: KernelExports } | undefined;

  private constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** @throws CytoError `unsupported` where WebAssembly SIMD is missing */
  static async create(): Promise<WasmKernels> {
    try {
      return new WasmKernels(await WebAssembly.compile(bytesOfBase64(KERNELS)));
    } catch (cause) {
      throw new CytoError('unsupported', 'This browser has no WebAssembly SIMD. Update it.', { cause });
    }
  }

  follow(
    dP: Float32Array,
    cellprob: Float32Array,
    shape: GridShape,
    parameters: FollowParameters,
    options: FollowOptions = {},
  ): FollowedEnds {
    return this.#run((arena) => prepareFollow(arena, dP, cellprob, shape, parameters, options, 1), options);
  }

  followPart(part: FlowPart, parameters: FollowParameters, options: TaskOptions = {}): FollowedPart {
    return this.#run((arena) => prepareFollowPart(arena, part, parameters, 1), options);
  }

  diffuse(labels: Uint32Array, shape: GridShape, iterations?: number, options: TaskOptions = {}): LabelHeat {
    return this.#run((arena) => prepareDiffusion(arena, labels, shape, iterations, 1), options);
  }

  diffuseSingle(labels: Uint32Array, shape: GridShape, options: TaskOptions = {}): LabelHeat<Float32Array> {
    return this.#run((arena) => prepareSingleDiffusion(arena, labels, shape, 1), options);
  }

  smooth(values: Float32Array, shape: Shape3, sigmas: Shape3, options: TaskOptions = {}): void {
    this.#run((arena) => prepareSmoothing(arena, values, shape, sigmas, 1), options);
  }

  #run<T>(prepare: (arena: Arena) => Prepared<T>, { signal }: TaskOptions): T {
    this.#running ??= this.#instantiate();
    const { arena, exports } = this.#running;
    const { jobs, result } = prepare(arena);
    for (const job of jobs) {
      for (let start = 0; start < job.total; start += job.chunk) {
        throwIfAborted(signal);
        exports[job.kernel](...job.args, start, Math.min(start + job.chunk, job.total));
      }
    }
    const value = result();
    if (arena.memory.buffer.byteLength > KEPT_BYTES) this.#running = undefined;
    return value;
  }

  #instantiate(): { arena: Arena; exports: KernelExports } {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { exports } = new WebAssembly.Instance(this.#module, { env: { memory } });
    return { arena: new Arena(memory), exports: exports as KernelExports };
  }
}
