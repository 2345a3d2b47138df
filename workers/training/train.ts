import { throwIfAborted } from '../../core/errors.ts';
import { type CurvePoint, TimeLeft } from '../../core/progress.ts';
import type { MaskKernels } from '../segmentation/kernels/kernels.ts';
import type { ModelCard } from '../segmentation/network/model-card.ts';
import { openGraph } from '../segmentation/network/run-graph.ts';
import { letMessagesIn } from '../serve.ts';
import { cutCrop, emptyCrops, randomPlacement } from './augmentation.ts';
import { gatherWeights, trainableWeights, withWeights } from './graph/trainable-weights.ts';
import { trainingStep } from './graph/training-step.ts';
import { judge, type Score } from './judge.ts';
import { type OnnxModel, writeOnnx } from './onnx/onnx-model.ts';
import { type OptimiserState, openStep } from './optimiser.ts';
import { randomNumbers } from './random.ts';
import { planOf, rateAt, type TrainingSettings } from './settings.ts';
import { checkImages, prepare, split, type TrainingImage } from './training-set.ts';

/** A training at some step; what is needed to go on with it. */
export interface TrainingState {
  optimiser: OptimiserState;
  /** Running average of the weights, which is what is judged and kept. */
  average: Float32Array;
  /** The best weights so far and their score. */
  best: { weights: Float32Array; score: Score; step: number };
  /** Score of the model that was started from. */
  before: Score;
  curve: CurvePoint[];
  /** Seconds of training so far. */
  seconds: number;
}

/** How a training came out. */
export interface TrainingOutcome {
  model: OnnxModel;
  before: Score;
  after: Score;
  /** Whether the new model is better on what was held back; if not, `model` is the one that was started from. */
  improved: boolean;
  /** What the scores were taken on. */
  judgedOn: 'held-back' | 'training-images';
  /** Steps that the kept weights have learned. */
  step: number;
  steps: number;
  images: number;
  cells: number;
  curve: CurvePoint[];
  seconds: number;
}

export interface TrainOptions {
  signal?: AbortSignal;
  kernels: MaskKernels;
  /** Goes on from here. */
  state?: TrainingState;
  /** After every step. */
  onStep?: (report: {
    step: number;
    steps: number;
    loss: number;
    secondsLeft?: number;
    curve: CurvePoint[];
  }) => void;
  /** Where to wait before a step while the user has paused. */
  pause?: () => Promise<void>;
  /** Asked to keep the state; called at every point of the curve. */
  onState?: (state: TrainingState) => Promise<void>;
}

/** Scores taken during a training, besides the first. */
const JUDGEMENTS = 8;

/** A training ends when so many scores in a row brought nothing. */
const PATIENCE = 4;

/** Steps in which an old weight loses half of its share in the average. */
const HALF_LIFE = 25;

const LONGEST_GRADIENT = 2;

/**
 * Trains a model on corrected images. The same images, settings and seed give the same model, also when a training was
 * interrupted and went on from a kept state.
 *
 * A part of the images is held back; the model as it was and the running average of the weights are judged on it, the
 * best is kept, and that may be the one that was started from.
 *
 * @throws CytoError `bad-input` for images that cannot be used, `unsupported` for a model that cannot be trained, `aborted`
 */
export async function train(
  model: OnnxModel,
  card: ModelCard,
  images: readonly TrainingImage[],
  settings: TrainingSettings,
  options: TrainOptions,
): Promise<TrainingOutcome> {
  const { signal, kernels } = options;
  const quiet = signal ? { signal } : {};
  checkImages(images);
  const sets = split(images);
  const judges = sets.judge.length > 0 ? sets.judge : sets.learn;
  const prepared = sets.learn.map((image) => prepare(image, card.diameter.rescale));
  const plan = planOf(prepared, settings);
  const trained = trainableWeights(model, settings.trains);
  const scoreOf = async (weights: Float32Array): Promise<Score> => {
    const network = await openGraph(writeOnnx(withWeights(model, trained, weights)));
    try {
      return await judge(judges, network.run, card, kernels, quiet);
    } finally {
      await network.release();
    }
  };

  const step = await openStep(
    trainingStep(model, trained, {
      batch: 1,
      height: plan.side,
      width: plan.side,
      longestGradient: LONGEST_GRADIENT,
    }),
  );
  try {
    const state = options.state ?? (await begin());
    const { optimiser, best } = state;
    const crops = emptyCrops(1, plan.side);
    const every = Math.max(1, Math.round(plan.steps / JUDGEMENTS));
    const timing = new TimeLeft(plan.steps - optimiser.step);
    const first = optimiser.step;
    let [sum, count, mark] = [0, 0, performance.now()];
    while (optimiser.step < plan.steps) {
      await letMessagesIn();
      await options.pause?.();
      throwIfAborted(signal);
      const random = randomNumbers(settings.seed, optimiser.step);
      const image = prepared[optimiser.step % prepared.length];
      cutCrop(image, randomPlacement(image, random), plan.side, crops, 0);
      const rates = { rate: rateAt(optimiser.step, plan, settings), weightDecay: settings.weightDecay };
      const { loss } = await step.run(optimiser, crops, rates);
      follow(state.average, optimiser.weights, optimiser.step);
      [sum, count] = [sum + loss, count + 1];
      const judging = optimiser.step % every === 0 || optimiser.step === plan.steps;
      if (judging || count === plan.round) {
        const point: CurvePoint = { step: optimiser.step, loss: sum / count };
        [sum, count] = [0, 0];
        if (judging) {
          const score = await scoreOf(state.average);
          point.ap50 = score.ap50;
          if (score.ap > best.score.ap)
            Object.assign(best, { weights: state.average.slice(), score, step: optimiser.step });
        }
        state.curve.push(point);
        const now = performance.now();
        [state.seconds, mark] = [state.seconds + (now - mark) / 1000, now];
        if (judging) await options.onState?.(state);
      }
      const secondsLeft = timing.after(optimiser.step - first);
      options.onStep?.({
        step: optimiser.step,
        steps: plan.steps,
        loss,
        curve: state.curve,
        ...(secondsLeft === undefined ? {} : { secondsLeft }),
      });
      if (judging && optimiser.step - best.step >= PATIENCE * every && best.step > 0) break;
    }
    const improved = best.step > 0;
    return {
      model: improved ? withWeights(model, trained, best.weights) : model,
      before: state.before,
      after: best.score,
      improved,
      judgedOn: sets.judge.length > 0 ? 'held-back' : 'training-images',
      step: best.step,
      steps: optimiser.step,
      images: images.length,
      cells: prepared.reduce((total, { count: cells }) => total + cells, 0),
      curve: state.curve,
      seconds: state.seconds,
    };
  } finally {
    await step.release();
  }

  async function begin(): Promise<TrainingState> {
    const weights = gatherWeights(trained);
    const before = await scoreOf(weights);
    return {
      optimiser: step.begin(weights),
      average: weights.slice(),
      best: { weights, score: before, step: 0 },
      before,
      curve: [{ step: 0, loss: Number.NaN, ap50: before.ap50 }],
      seconds: 0,
    };
  }
}

/** Moves the running average toward the weights; in the first steps it follows them closely. */
function follow(average: Float32Array, weights: Float32Array, step: number): void {
  const kept = Math.min(0.5 ** (1 / HALF_LIFE), step / (step + 9));
  for (let i = 0; i < average.length; i++) average[i] = weights[i] + (average[i] - weights[i]) * kept;
}
