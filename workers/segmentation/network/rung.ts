import { CytoError, throwIfAborted } from '../../../core/errors.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import type { BackendKind, RefusalReason } from '../../../core/segmentation-parameters.ts';
import { VERSION } from '../../../core/version.ts';
import type { TileNetwork } from '../preprocess/run-tiles.ts';
import { type GpuObstacle, openDevice, probeGpu, tilesPerCall, unfit } from './gpu.ts';
import type { ModelCard, Tolerance } from './model-card.ts';
import type { Model } from './model-files.ts';
import { loadOrt, type Ort, type OrtSession } from './ort.ts';
import type { TrustMemory } from './trust.ts';

/** A place where the network may run. */
export interface Rung {
  kind: BackendKind;
  threads: number;
  /** For people: "WASM with 4 threads". */
  name: string;
  open(model: Model, options: TaskOptions): Promise<OpenRung>;
}

/** A session on a rung. */
export interface OpenRung {
  /** Adapter and versions that its numbers depend on; absent where they cannot be known. */
  environment?: string;
  /** The GPU, for people. */
  adapter?: string;
  /** Tiles that one call may take. */
  batch: number;
  run: TileNetwork;
  release(): Promise<void>;
}

/** A rung that failed, with the reason to tell. */
export class RungFailure extends Error {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, detail: string, options?: { cause?: unknown }) {
    super(detail, options);
    this.reason = reason;
  }
}

const versions = (ort: Ort) =>
  [VERSION, ort.env.versions.web ?? ort.env.versions.common, globalThis.navigator?.userAgent ?? 'node'].join(
    '|',
  );

async function createSession(
  ort: Ort,
  provider: import('onnxruntime-web/wasm').InferenceSession.ExecutionProviderConfig,
  model: Model,
  options: TaskOptions,
): Promise<OrtSession> {
  const { graph, externalData } = await model.weights(options);
  throwIfAborted(options.signal);
  return ort.InferenceSession.create(new Uint8Array(await graph.arrayBuffer()), {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    ...(externalData.length > 0 ? { externalData } : {}),
  });
}

/** WASM on so many threads. */
export function wasmRung(threads: number): Rung {
  return {
    kind: 'wasm',
    threads,
    name: threads > 1 ? `WASM with ${threads} threads` : 'WASM',
    open: async (model, options) => {
      const ort = await loadOrt('wasm', threads);
      const session = await createSession(ort, 'wasm', model, options);
      return {
        environment: `${threads} threads|${versions(ort)}`,
        batch: 1, // More tiles at once are no faster here, but take more memory.
        run: tileNetwork(ort, session, model.card),
        release: () => session.release(),
      };
    },
  };
}

const UNFIT: Record<GpuObstacle, string> = {
  'no-webgpu': 'this browser has no WebGPU',
  'no-adapter': 'no GPU is available to this page',
  software: 'the only GPU is emulated in software',
  limits: 'the model needs larger buffers than the GPU takes',
  f16: 'the model needs half floats, which the GPU does not have',
};

/**
 * The GPU, if there is one that can take the model. A lost device and errors that WebGPU only reports aside fail the
 * tile that meets them.
 * @param emulated whether an adapter that is emulated in software will do
 */
export function webgpuRung(emulated: boolean): Rung {
  return {
    kind: 'webgpu',
    threads: 1,
    name: 'WebGPU',
    open: async (model, options) => {
      const probe = await probeGpu(emulated);
      if (typeof probe === 'string') throw new RungFailure(probe, UNFIT[probe]);
      const lack = unfit(probe, model.card);
      if (lack) throw new RungFailure(lack, UNFIT[lack]);
      const ort = await loadOrt('webgpu', 1);
      const device = await openDevice(probe);
      let failure: RungFailure | undefined;
      let fail: (failure: RungFailure) => void = () => {};
      const failed = new Promise<never>((_, reject) => {
        fail = (reason) => {
          failure ??= reason;
          reject(failure);
        };
      });
      // Told by the run under way, or by the next one.
      failed.catch(() => undefined);
      device.lost.then(({ message }) => fail(new RungFailure('lost', message || 'the device was lost')));
      device.addEventListener('uncapturederror', (event) =>
        fail(new RungFailure('lost', (event as GPUUncapturedErrorEvent).error.message)),
      );
      const creating = createSession(ort, { name: 'webgpu', device }, model, options);
      const session = await Promise.race([creating, failed]).catch((error: unknown) => {
        device.destroy();
        throw error;
      });
      const run = tileNetwork(ort, session, model.card);
      return {
        environment: `${probe.identity}|${versions(ort)}`,
        adapter: probe.name,
        batch: tilesPerCall(probe, model.card),
        run: async (...tile) => {
          if (failure) throw failure;
          const output = await Promise.race([run(...tile), failed]);
          if (failure) throw failure;
          return output;
        },
        release: async () => {
          // A session on a lost device cannot be ended.
          if (!failure) await session.release();
          device.destroy();
        },
      };
    },
  };
}

function tileNetwork(ort: Ort, session: OrtSession, card: ModelCard): TileNetwork {
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

/**
 * Whether a rung reproduces the model's test tensors; what was found earlier in the same environment is not computed
 * again.
 * @throws RungFailure `wrong-numbers`
 */
export async function verify(
  { kind, threads }: Rung,
  open: OpenRung,
  model: Model,
  trust: TrustMemory,
): Promise<void> {
  const { card, testInput, testOutput } = model;
  const rung = threads > 1 ? `${kind}-threads` : kind;
  const total = testOutput.data.length;
  // A browser may refuse its database (private windows): then nothing is remembered.
  const unavailable = (error: unknown) => console.debug('cytopane: verdicts are not remembered:', error);
  const { environment } = open;
  let verdict = environment ? await trust.recall(card, rung, environment).catch(unavailable) : undefined;
  if (!verdict) {
    const [batch, , height, width] = testInput.shape;
    // As many tiles as runs will have, for a GPU takes other paths for them.
    const times = Math.max(1, Math.floor(open.batch / batch));
    const input = repeated(testInput.data as Float32Array, times);
    const output = await open.run(input, times * batch, height, width);
    const expected = repeated(testOutput.data as Float32Array, times);
    const mismatched = Math.ceil(countMismatches(output, expected, card.tolerance) / times);
    const agreed = mismatched <= (card.tolerance.mismatchedPerMillion * total) / 1e6;
    verdict = { environment: environment ?? '', agreed, mismatched };
    if (environment) await trust.remember(card, rung, verdict).catch(unavailable);
  }
  if (!verdict.agreed) {
    throw new RungFailure(
      'wrong-numbers',
      `it gives wrong numbers for the model’s test image (${verdict.mismatched} of ${total})`,
    );
  }
}

function repeated(values: Float32Array, times: number): Float32Array {
  if (times === 1) return values;
  const out = new Float32Array(times * values.length);
  for (let k = 0; k < times; k++) out.set(values, k * values.length);
  return out;
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
