import { probeGpu } from '../segmentation/network/gpu.ts';
import type { OnnxModel } from './onnx/onnx-model.ts';
import { type Crops, openStep, type Step } from './optimiser.ts';

/** Where the steps of a training run. */
export type StepBackend = 'webgpu' | 'wasm';

/** How far the gradients of a GPU may lie from those of WASM, relative to their length. */
const TOLERANCE = 1e-3;

/** A step whose backend is known; it changes when a GPU is lost. */
export interface LadderStep extends Step {
  readonly backend: StepBackend;
}

/** What backends are compared on. */
export interface StepTrial {
  weights: Float32Array;
  crops: Crops;
}

const RATES = { rate: 1e-4, weightDecay: 0 };

async function tried(step: Step, { weights, crops }: StepTrial) {
  const state = step.begin(weights);
  const { loss } = await step.run(state, crops, RATES);
  // The second step is the one to be timed: shaders are there by then.
  const started = performance.now();
  await step.run(step.begin(weights), crops, RATES);
  return { loss, mean: state.mean, milliseconds: performance.now() - started };
}

/** Whether two trial steps gave the same loss and gradients. The mean after one step is a tenth of the gradient. */
export function agree(
  a: { loss: number; mean: Float32Array },
  b: { loss: number; mean: Float32Array },
): boolean {
  let [squares, difference] = [0, 0];
  for (let i = 0; i < a.mean.length; i++) {
    squares += a.mean[i] ** 2;
    difference += (a.mean[i] - b.mean[i]) ** 2;
  }
  const near = Math.abs(a.loss - b.loss) <= TOLERANCE * Math.abs(a.loss);
  return near && Math.sqrt(difference) <= TOLERANCE * Math.sqrt(squares);
}

/**
 * Opens a training step on WebGPU if a trial step there agrees with WASM and is faster, else on WASM. A GPU that fails
 * later is left for WASM in the same step.
 */
export async function openFastStep(graph: OnnxModel, trial: StepTrial): Promise<LadderStep> {
  const wasm = await openStep(graph);
  let gpu = typeof (await probeGpu(false)) === 'string' ? undefined : await openOnGpu(graph, wasm, trial);
  return {
    get backend() {
      return gpu ? 'webgpu' : 'wasm';
    },
    begin: wasm.begin,
    async run(state, crops, rates) {
      if (!gpu) return wasm.run(state, crops, rates);
      try {
        return await gpu.run(state, crops, rates);
      } catch (error) {
        console.debug('cytopane:', error);
        gpu = undefined;
        return wasm.run(state, crops, rates);
      }
    },
    async release() {
      await gpu?.release();
      await wasm.release();
    },
  };
}

async function openOnGpu(graph: OnnxModel, wasm: Step, trial: StepTrial): Promise<Step | undefined> {
  let gpu: Step | undefined;
  try {
    gpu = await openStep(graph, 'webgpu');
    const [ours, theirs] = [await tried(wasm, trial), await tried(gpu, trial)];
    if (agree(ours, theirs) && theirs.milliseconds < ours.milliseconds) return gpu;
    await gpu.release();
  } catch (error) {
    // Without a usable GPU the training is the same, only slower.
    console.debug('cytopane:', error);
  }
  return undefined;
}
