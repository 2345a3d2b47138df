import { CytoError, throwIfAborted } from '../../../core/errors.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import type { Shape3 } from '../../../core/volume.ts';
import type { LabelHeat } from '../masks/flows-from-labels.ts';
import type { GridShape } from '../masks/shape.ts';
import { type FlowPart, type FollowedPart, prepareFollowPart } from './follow-part.ts';
import { NEXT, STOP } from './kernel-control.ts';
import {
  Arena,
  type Prepared,
  prepareDiffusion,
  prepareFollow,
  prepareSingleDiffusion,
  prepareSmoothing,
} from './kernel-job.ts';
import type { FollowedEnds, FollowOptions, FollowParameters, MaskKernels } from './kernels.ts';
import type { ThreadSetup } from './kernels.worker.ts';
import { SHARED_KERNELS } from './kernels-module.ts';
import { bytesOfBase64 } from './wasm-kernels.ts';

/** Pages of 64 KiB that a shared memory may grow to: 4 GiB. */
const MOST_PAGES = 65536;
/** A memory larger than this is given back after a job, with its threads. */
const KEPT_BYTES = 256 * 2 ** 20;
/** More threads than this bring little. */
const MOST_THREADS = 16;

interface Pool {
  arena: Arena;
  threads: Worker[];
}

export interface ThreadOptions {
  /** Number of threads; by default those of the machine. */
  threads?: number;
  /** Another address of `kernels.worker.js` than next to this module. */
  workerUrl?: URL;
}

/**
 * Flows → labels in WebAssembly SIMD on several threads that share a memory; bit for bit the plain functions.
 * Needs a cross-origin isolated page (or Node).
 */
export class ThreadedKernels implements MaskKernels {
  readonly name = 'threads';
  readonly threads: number;
  readonly #module: WebAssembly.Module;
  readonly #start: () => Worker;
  #pool: Pool | undefined;
  /** One job at a time: they share the memory. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(module: WebAssembly.Module, threads: number, start: () => Worker) {
    this.#module = module;
    this.threads = threads;
    this.#start = start;
  }

  /** @throws CytoError `unsupported` without shared memory or WebAssembly SIMD and threads */
  static async create({ threads, workerUrl }: ThreadOptions = {}): Promise<ThreadedKernels> {
    const { versions } = globalThis.process ?? {};
    if (!versions?.node && globalThis.crossOriginIsolated !== true)
      throw new CytoError(
        'unsupported',
        'Threads need a cross-origin isolated page (the headers COOP and COEP).',
      );
    const count = threads ?? Math.min(MOST_THREADS, navigator.hardwareConcurrency);
    const Thread = versions?.node
      ? ((await import('node:worker_threads')).Worker as unknown as typeof Worker)
      : Worker;
    let module: WebAssembly.Module;
    try {
      module = await WebAssembly.compile(bytesOfBase64(SHARED_KERNELS));
    } catch (cause) {
      throw new CytoError('unsupported', 'This browser has no WebAssembly threads. Update it.', { cause });
    }
    return new ThreadedKernels(module, count, () =>
      workerUrl
        ? new Thread(workerUrl, { type: 'module' })
        : new Thread(new URL('./kernels.worker.js', import.meta.url), { type: 'module' }),
    );
  }

  follow(
    dP: Float32Array,
    cellprob: Float32Array,
    shape: GridShape,
    parameters: FollowParameters,
    options: FollowOptions = {},
  ): Promise<FollowedEnds> {
    return this.#inTurn(
      (arena) => prepareFollow(arena, dP, cellprob, shape, parameters, options, this.threads),
      options,
    );
  }

  followPart(part: FlowPart, parameters: FollowParameters, options: TaskOptions = {}): Promise<FollowedPart> {
    return this.#inTurn((arena) => prepareFollowPart(arena, part, parameters, this.threads), options);
  }

  diffuse(
    labels: Uint32Array,
    shape: GridShape,
    iterations?: number,
    options: TaskOptions = {},
  ): Promise<LabelHeat> {
    return this.#inTurn((arena) => prepareDiffusion(arena, labels, shape, iterations, this.threads), options);
  }

  diffuseSingle(
    labels: Uint32Array,
    shape: GridShape,
    options: TaskOptions = {},
  ): Promise<LabelHeat<Float32Array>> {
    return this.#inTurn((arena) => prepareSingleDiffusion(arena, labels, shape, this.threads), options);
  }

  smooth(values: Float32Array, shape: Shape3, sigmas: Shape3, options: TaskOptions = {}): Promise<void> {
    return this.#inTurn((arena) => prepareSmoothing(arena, values, shape, sigmas, this.threads), options);
  }

  /** Stops the threads. They start again when needed. */
  dispose(): void {
    for (const thread of this.#pool?.threads ?? []) thread.terminate();
    this.#pool = undefined;
  }

  #inTurn<T>(prepare: (arena: Arena) => Prepared<T>, options: TaskOptions): Promise<T> {
    const mine = this.#turn.then(() => this.#run(prepare, options));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #run<T>(prepare: (arena: Arena) => Prepared<T>, { signal }: TaskOptions): Promise<T> {
    throwIfAborted(signal);
    this.#pool ??= this.#launch();
    const { arena, threads } = this.#pool;
    const { jobs, result } = prepare(arena);
    const control = new Int32Array(new SharedArrayBuffer(8));
    const stop = () => Atomics.store(control, STOP, 1);
    signal?.addEventListener('abort', stop);
    try {
      for (const job of jobs) {
        Atomics.store(control, NEXT, 0);
        await Promise.all(threads.map((thread) => answer(thread, { job, control })));
        throwIfAborted(signal);
      }
      return result();
    } catch (error) {
      // Threads that failed are not trusted again.
      if (!signal?.aborted) this.dispose();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      if (arena.memory.buffer.byteLength > KEPT_BYTES) this.dispose();
    }
  }

  #launch(): Pool {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
    const threads = Array.from({ length: this.threads }, (_, thread) => {
      const worker = this.#start();
      worker.postMessage({ module: this.#module, memory, thread } satisfies ThreadSetup);
      return worker;
    });
    return { arena: new Arena(memory), threads };
  }
}

/** Gives a thread its part of a job and waits for its answer. */
function answer(thread: Worker, message: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new CytoError('worker-crashed', 'A thread stopped unexpectedly. Try again.', { cause }));
    const listen = listenerOf(thread);
    const done = listen('message', (data) => {
      done();
      failed();
      const { error } = data as { error?: string };
      if (error === undefined) resolve();
      else fail(new Error(error));
    });
    const failed = listen('error', (event) => {
      done();
      failed();
      fail(event);
    });
    thread.postMessage(message);
  });
}

/** Listens to a browser's worker or to one of Node, which is an event emitter; the answer stops listening. */
function listenerOf(thread: Worker) {
  return (type: 'message' | 'error', listener: (data: unknown) => void): (() => void) => {
    if ('on' in thread) {
      const emitter = thread as unknown as NodeJS.EventEmitter;
      emitter.on(type, listener);
      return () => emitter.off(type, listener);
    }
    const wrapped = (event: Event) => listener(event instanceof MessageEvent ? event.data : event);
    thread.addEventListener(type, wrapped);
    return () => thread.removeEventListener(type, wrapped);
  };
}
