import * as Comlink from 'comlink';
import { throwIfAborted, toWire, type WireError } from '../core/errors.ts';
import type { Progress, TaskOptions } from '../core/progress.ts';

/** Answer of a worker: errors cross as data, so that their kind is kept. */
export type Answer = { ok: true; value: unknown } | { ok: false; error: WireError };

/** What a worker offers to its {@link WorkerLink}. */
export interface WorkerEndpoint {
  /** Calls a method; `id` names the call for {@link cancel}. */
  invoke(
    id: number,
    method: string,
    args: unknown[],
    onProgress: ((progress: Progress) => void) | undefined,
  ): Promise<Answer>;
  cancel(id: number): void;
}

/** A worker's methods: plain arguments first, task options last. */
export type WorkerMethods = Record<string, (...args: never[]) => unknown>;

/** Objects to be moved, not copied, with a result. */
const transfers = new WeakMap<object, Transferable[]>();

/** Marks a result so that the given objects are moved to the page without a copy. */
export function moving<T extends object>(value: T, objects: Transferable[]): T {
  transfers.set(value, objects);
  return value;
}

/** Lets messages in (cancel requests, for example) between two pieces of synchronous work. */
export function letMessagesIn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Serves `methods` to the page that started this worker. */
export function serve(methods: WorkerMethods): void {
  const running = new Map<number, AbortController>();
  const endpoint: WorkerEndpoint = {
    async invoke(id, method, args, onProgress) {
      const controller = new AbortController();
      running.set(id, controller);
      let lastReport: unknown;
      const report = (progress: Progress) => {
        lastReport = onProgress?.(progress);
      };
      const options: TaskOptions = {
        signal: controller.signal,
        ...(onProgress ? { onProgress: report } : {}),
      };
      try {
        throwIfAborted(controller.signal);
        const value = await (methods[method] as (...all: unknown[]) => unknown)(...args, options);
        // Reports take another way than the answer: it waits, so that none comes after it and is lost.
        await Promise.allSettled([lastReport]);
        const objects = typeof value === 'object' && value !== null ? transfers.get(value) : undefined;
        const answer: Answer = { ok: true, value };
        return objects ? Comlink.transfer(answer, objects) : answer;
      } catch (error) {
        return { ok: false, error: toWire(error) };
      } finally {
        running.delete(id);
      }
    },
    cancel(id) {
      running.get(id)?.abort();
    },
  };
  Comlink.expose(endpoint);
}
