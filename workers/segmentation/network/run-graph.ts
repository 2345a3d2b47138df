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
