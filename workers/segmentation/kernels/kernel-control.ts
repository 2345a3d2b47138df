/** What the page's side and the threads of the kernels agree on. */

/** Functions of the WebAssembly module (assembly/kernels.ts). */
export type KernelName = 'follow2d' | 'follow3d' | 'diffuse' | 'diffuseSingle' | 'gaussian';
export type KernelExports = Record<KernelName, (...args: number[]) => void>;

/** Work for a kernel: units [0, total), in any order and on any thread. Called as kernel(...args, start, stop). */
export interface KernelJob {
  kernel: KernelName;
  args: number[];
  total: number;
  /** Units between two looks at the signal. */
  chunk: number;
  /** An address among the arguments at which every thread has room of its own. */
  scratch: { argument: number; bytes: number };
}

/** What the threads of a job share besides the memory: the next unit, and whether to stop. */
export const NEXT = 0;
export const STOP = 1;
