import { type MaskKernels, plainKernels } from './kernels.ts';
import { ThreadedKernels } from './threaded-kernels.ts';
import { WasmKernels } from './wasm-kernels.ts';

/** The fastest kernels that this place offers: threads on cross-origin isolated pages, else one thread, else plain. */
export async function chooseKernels(): Promise<MaskKernels> {
  const isolated = globalThis.crossOriginIsolated === true;
  if (isolated && navigator.hardwareConcurrency > 1) {
    try {
      return await ThreadedKernels.create();
    } catch (error) {
      console.debug('cytopane:', error);
    }
  }
  try {
    return await WasmKernels.create();
  } catch (error) {
    console.debug('cytopane:', error);
    return plainKernels;
  }
}
