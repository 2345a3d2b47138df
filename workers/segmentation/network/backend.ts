import { assetUrl } from '../../../core/assets.ts';
import { CytoError, throwIfAborted } from '../../../core/errors.ts';
import type { BackendReport } from '../../../core/segmentation-parameters.ts';
import type { TileNetwork } from '../preprocess/run-tiles.ts';
import type { Tolerance } from './model-card.ts';
import type { Model } from './model-files.ts';

/** What the caller asks for. `auto` takes the fastest rung that reproduces the model's test tensors. */
export type BackendChoice = 'auto' | 'webgpu' | 'wasm';

/** An opened network. */
export interface Network {
  run: TileNetwork;
  report: BackendReport;
  release(): Promise<void>;
}

type Ort = typeof import('onnxruntime-web/wasm');
type OrtSession = import('onnxruntime-web/wasm').InferenceSession;

/** Threads beyond this bring little for one tile. */
const MOST_THREADS = 8;

function threadCount(): number {
  const isolated = globalThis.crossOriginIsolated === true;
  return isolated ? Math.max(1, Math.min(MOST_THREADS, navigator.hardwareConcurrency ?? 1)) : 1;
}

async function loadOrt(kind: 'webgpu' | 'wasm', threads: number): Promise<Ort> {
  const ort = (await (kind === 'webgpu'
    ? import('onnxruntime-web/webgpu')
    : import('onnxruntime-web/wasm'))) as Ort;
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = threads;
  // In Node the runtime finds its own files.
  if (typeof navigator !== 'undefined' && globalThis.process?.versions?.node === undefined) {
    ort.env.wasm.wasmPaths = assetUrl('ort/').href;
  }
  return ort;
}

/** Why WebGPU cannot be used here, or undefined if it can. */
async function webgpuObstacle(wanted: BackendChoice): Promise<string | undefined> {
  const gpu = (globalThis.navigator as { gpu?: { requestAdapter(): Promise<GpuAdapter | null> } } | undefined)
    ?.gpu;
  if (!gpu) return 'this browser has no WebGPU';
  const adapter = await gpu.requestAdapter();
  if (!adapter) return 'no GPU is available to this page';
  const software =
    adapter.isFallbackAdapter ||
    adapter.info?.isFallbackAdapter ||
    adapter.info?.architecture === 'swiftshader';
  if (software && wanted !== 'webgpu') return 'the only GPU is emulated in software';
  return undefined;
}

/** The part of GPUAdapter that is read. */
interface GpuAdapter {
  isFallbackAdapter?: boolean;
  info?: { isFallbackAdapter?: boolean; architecture?: string };
}

/**
 * Opens a model on the best backend that reproduces its test tensors: WebGPU, then WASM with threads (on
 * cross-origin isolated pages), then WASM on one thread. What was tried and why it was not used stands in the report.
 * @throws CytoError `backend` if none works; `aborted`
 */
export async function openNetwork(
  model: Model,
  wanted: BackendChoice = 'auto',
  options: { signal?: AbortSignal } = {},
): Promise<Network> {
  const notes: string[] = [];
  const rungs: Array<{ kind: 'webgpu' | 'wasm'; threads: number }> = [];
  if (wanted !== 'wasm') {
    const obstacle = await webgpuObstacle(wanted);
    if (obstacle === undefined) rungs.push({ kind: 'webgpu', threads: 1 });
    else notes.push(`WebGPU is not used: ${obstacle}.`);
  }
  const threads = threadCount();
  if (threads > 1) rungs.push({ kind: 'wasm', threads });
  rungs.push({ kind: 'wasm', threads: 1 });
  const failures: unknown[] = [];
  for (const { kind, threads } of rungs) {
    throwIfAborted(options.signal);
    const name = kind === 'webgpu' ? 'WebGPU' : threads > 1 ? `WASM with ${threads} threads` : 'WASM';
    try {
      const ort = await loadOrt(kind, threads);
      const graph = new Uint8Array(await model.weights.arrayBuffer());
      const session = await ort.InferenceSession.create(graph, {
        executionProviders: [kind],
        graphOptimizationLevel: 'all',
        ...(model.externalData.length > 0 ? { externalData: model.externalData } : {}),
      });
      const run = tileNetwork(ort, session, model);
      const problem = await verify(run, model);
      if (problem === undefined) {
        return { run, report: { kind, threads, verified: true, notes }, release: () => session.release() };
      }
      await session.release();
      notes.push(`${name} is not used: ${problem}.`);
    } catch (error) {
      failures.push(error);
      notes.push(
        `${name} is not used: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}.`,
      );
    }
  }
  throw new CytoError('backend', `The network cannot run in this browser. ${notes.join(' ')}`, {
    cause: failures[0],
  });
}

function tileNetwork(ort: Ort, session: OrtSession, { card }: Model): TileNetwork {
  const input = session.inputNames.includes(card.input) ? card.input : session.inputNames[0];
  const output = session.outputNames.includes(card.output) ? card.output : session.outputNames[0];
  return async (tiles, batch, height, width) => {
    const result = await session.run({
      [input]: new ort.Tensor('float32', tiles, [batch, 3, height, width]),
    });
    const tensor = result[output];
    const data = (await tensor.getData()) as Float32Array;
    if (data.length !== tiles.length) {
      throw new CytoError(
        'model',
        `"${card.name}" gives ${tensor.dims.join('×')}, not the three maps of flows and cell probability that are needed.`,
      );
    }
    return data;
  };
}

/** Runs the test tensors; says what is wrong, or nothing. */
async function verify(run: TileNetwork, { card, testInput, testOutput }: Model): Promise<string | undefined> {
  const [batch, , height, width] = testInput.shape;
  const output = await run(testInput.data as Float32Array, batch, height, width);
  const mismatched = countMismatches(output, testOutput.data as Float32Array, card.tolerance);
  const allowed = (card.tolerance.mismatchedPerMillion * output.length) / 1e6;
  return mismatched > allowed
    ? `it gives wrong numbers for the model's test image (${mismatched} of ${output.length})`
    : undefined;
}

/** Elements that differ by more than absolute + relative · |expected|; NaN always counts. */
export function countMismatches(actual: Float32Array, expected: Float32Array, tolerance: Tolerance): number {
  let count = 0;
  for (let i = 0; i < expected.length; i++) {
    const limit = tolerance.absolute + tolerance.relative * Math.abs(expected[i]);
    if (!(Math.abs(actual[i] - expected[i]) <= limit)) count++;
  }
  return count;
}
