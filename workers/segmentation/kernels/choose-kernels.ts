import { gpuIsWorthwhile } from './gpu-trial.ts';
import { type MaskKernels, plainKernels } from './kernels.ts';
import { ThreadedKernels } from './threaded-kernels.ts';
import { WasmKernels } from './wasm-kernels.ts';
import { WebGpuKernels } from './webgpu-kernels.ts';

/** Threads on cross-origin isolated pages, else one thread, else plain. */
async function ofProcessor(): Promise<MaskKernels> {
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

/**
 * The fastest kernels that this place offers: a real GPU where a short trial shows that it is faster and gives the
 * same labels, else threads on cross-origin isolated pages, else one thread, else plain.
 */
export async function chooseKernels(): Promise<MaskKernels> {
  const processor = await ofProcessor();
  try {
    const gpu = await WebGpuKernels.create({ fallback: processor });
    if (await gpuIsWorthwhile(gpu, processor)) return gpu;
    gpu.dispose();
  } catch (error) {
    console.debug('cytopane:', error);
  }
  return processor;
}
