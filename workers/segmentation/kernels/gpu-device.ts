import { CytoError } from '../../../core/errors.ts';

/** Flags of buffers and of their mapping, by the standard's numbers, so that no global is needed where there is no GPU. */
export const BUFFER = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 } as const;
export const MAP_FOR_READING = 1;

/** A GPU of this page and the largest buffer that a shader may read there. */
export interface GpuDevice {
  device: GPUDevice;
  mostBytes: number;
}

/** Whether an adapter is emulated on the processor, so that WebAssembly is many times faster. */
function isEmulated({ info }: GPUAdapter): boolean {
  return info.isFallbackAdapter || info.architecture === 'swiftshader';
}

/**
 * Opens the GPU with all the buffer size it offers.
 * @param emulated take one that is emulated in software, too
 * @throws CytoError `unsupported` without WebGPU or without a GPU
 */
export async function openGpu(emulated: boolean): Promise<GpuDevice> {
  const gpu = (globalThis.navigator as Partial<NavigatorGPU> | undefined)?.gpu;
  if (!gpu) throw new CytoError('unsupported', 'There is no WebGPU here. Use the WebAssembly kernels.');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter || (isEmulated(adapter) && !emulated)) {
    throw new CytoError(
      'unsupported',
      'No GPU is available to this page (at most one emulated in software). Use the WebAssembly kernels.',
    );
  }
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  try {
    const device = await adapter.requestDevice({
      label: 'cytopane flows to labels',
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
    });
    return { device, mostBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize) };
  } catch (cause) {
    throw new CytoError('unsupported', 'The GPU cannot be opened. Use the WebAssembly kernels.', { cause });
  }
}
