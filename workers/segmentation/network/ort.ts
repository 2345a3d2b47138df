import { assetUrl } from '../../../core/assets.ts';

export type Ort = typeof import('onnxruntime-web/wasm');
export type OrtSession = import('onnxruntime-web/wasm').InferenceSession;

/** Threads beyond this bring little for one tile. */
const MOST_THREADS = 8;

/** Threads that WASM may use here; 1 without cross-origin isolation. */
export function threadCount(): number {
  const isolated = globalThis.crossOriginIsolated === true;
  return isolated ? Math.max(1, Math.min(MOST_THREADS, navigator.hardwareConcurrency ?? 1)) : 1;
}

/**
 * Loads the inference runtime. A runtime fixes its threads when it starts and never recovers from a failed start, so
 * that one thread beside several needs the second runtime, the one for WebGPU, which has a WASM backend as well.
 */
export async function loadOrt(kind: 'webgpu' | 'wasm', threads: number): Promise<Ort> {
  const second = kind === 'webgpu' || (threads === 1 && threadCount() > 1);
  const ort = (await (second ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm'))) as Ort;
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = second ? 1 : threads;
  // In Node the runtime finds its own files.
  if (typeof navigator !== 'undefined' && globalThis.process?.versions?.node === undefined) {
    ort.env.wasm.wasmPaths = assetUrl('ort/').href;
  }
  return ort;
}
