import type { TileNetwork } from '../preprocess/run-tiles.ts';
import { loadOrt, threadCount } from './ort.ts';

/**
 * Computes an ONNX graph with one input and one output once, on WASM.
 * @param weights the file beside the graph that holds its weights
 */
export async function runGraph(
  graph: Uint8Array,
  weights: { file: string; bytes: Uint8Array },
  input: { name: string; data: Float32Array; dims: readonly number[] },
  output: string,
): Promise<Float32Array> {
  const ort = await loadOrt('wasm', threadCount());
  const session = await ort.InferenceSession.create(graph, {
    executionProviders: ['wasm'],
    externalData: [{ path: weights.file, data: weights.bytes }],
  });
  try {
    const tensor = new ort.Tensor('float32', input.data, input.dims);
    const result = await session.run({ [input.name]: tensor });
    return (await result[output].getData()) as Float32Array;
  } finally {
    await session.release();
  }
}

/** A network made of the bytes of its graph. */
export interface OpenedNetwork {
  run: TileNetwork;
  release(): Promise<void>;
}

/** Opens a network that holds its weights on WASM, checked by nobody: one that was just made. */
export async function openGraph(bytes: Uint8Array): Promise<OpenedNetwork> {
  const ort = await loadOrt('wasm', threadCount());
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  return {
    run: async (tiles, batch, height, width) => {
      const image = new ort.Tensor('float32', tiles, [batch, 3, height, width]);
      const output = await session.run({ [session.inputNames[0]]: image });
      return output[session.outputNames[0]].data as Float32Array;
    },
    release: () => session.release(),
  };
}
