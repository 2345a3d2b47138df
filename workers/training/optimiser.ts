import { loadOrt, threadCount } from '../segmentation/network/ort.ts';
import { ADAM } from './graph/training-step.ts';
import { type OnnxModel, writeOnnx } from './onnx/onnx-model.ts';

/** The trained weights with AdamW's moments, all of one length; replaced by every step. */
export interface OptimiserState {
  weights: Float32Array;
  mean: Float32Array;
  square: Float32Array;
  /** Steps made. */
  step: number;
}

/** A batch of crops. */
export interface Crops {
  /** Float32 [n, 3, y, x], normalised. */
  image: Float32Array;
  /** Float32 [n, 3, y, x]: dY, dX (5 × unit flow), 1 inside cells. */
  target: Float32Array;
  /** Float32 [n, 1, y, x]: 1 for pixels that count. */
  valid: Float32Array;
}

/** An opened training step. */
export interface Step {
  begin(weights: Float32Array): OptimiserState;
  /** Makes one step; `state` is updated. */
  run(
    state: OptimiserState,
    crops: Crops,
    rates: { rate: number; weightDecay: number },
  ): Promise<{ loss: number; gradient?: Float32Array }>;
  release(): Promise<void>;
}

/**
 * Opens a graph of trainingStep.
 * @param kind where it runs; `webgpu` throws where there is none
 */
export async function openStep(graph: OnnxModel, kind: 'wasm' | 'webgpu' = 'wasm'): Promise<Step> {
  const ort = await loadOrt(kind, kind === 'wasm' ? threadCount() : 1);
  const session = await ort.InferenceSession.create(writeOnnx(graph), {
    executionProviders: [kind],
    graphOptimizationLevel: 'all',
  });
  const dims = new Map(graph.inputs.map((value) => [value.name, value.dims as number[]]));
  const tensor = (name: string, data: Float32Array) => new ort.Tensor('float32', data, dims.get(name) ?? []);
  return {
    begin: (weights) => ({
      weights: weights.slice(),
      mean: new Float32Array(weights.length),
      square: new Float32Array(weights.length),
      step: 0,
    }),

    async run(state, crops, { rate, weightDecay }) {
      const step = state.step + 1;
      const values = {
        ...crops,
        weights: state.weights,
        mean: state.mean,
        square: state.square,
        rate: Float32Array.of(rate),
        decay: Float32Array.of(rate * weightDecay),
        meanScale: Float32Array.of(1 / (1 - ADAM.beta1 ** step)),
        squareScale: Float32Array.of(1 / (1 - ADAM.beta2 ** step)),
      };
      const result = await session.run(
        Object.fromEntries(Object.entries(values).map(([name, data]) => [name, tensor(name, data)])),
      );
      const output = (name: string) => result[name]?.data as Float32Array;
      state.weights = output('newWeights');
      state.mean = output('newMean');
      state.square = output('newSquare');
      state.step = step;
      return { loss: output('loss')[0], ...(result.gradient ? { gradient: output('gradient') } : {}) };
    },

    release: () => session.release(),
  };
}
