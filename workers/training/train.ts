import { throwIfAborted } from '../../core/errors.ts';
import type { NpyArray } from '../../core/npy.ts';
import { type CurvePoint, TimeLeft } from '../../core/progress.ts';
import type { MaskKernels } from '../segmentation/kernels/kernels.ts';
import type { ModelCard } from '../segmentation/network/model-card.ts';
import type { TileNetwork } from '../segmentation/preprocess/run-tiles.ts';
import { letMessagesIn } from '../serve.ts';
import { Batches } from './batches.ts';
import { gated, styleGraph } from './graph/gate.ts';
import {
  gatherWeights,
  type TrainableWeight,
  trainableWeights,
  withWeights,
} from './graph/trainable-weights.ts';
import { type TrainingStep, trainingStep } from './graph/training-step.ts';
import { judge, type Score } from './judge.ts';
import { checkMemory, trainingBytes } from './memory.ts';
import type { OnnxModel } from './onnx/onnx-model.ts';
import type { OptimiserState } from './optimiser.ts';
import { REPEATED, Rehearsal, rehearsalBytes } from './rehearsal.ts';
import { type Plan, planOf, rateAt, schemeOf, type TrainingSettings } from './settings.ts';
import { chooseShare, type ShareTrial } from './share.ts';
import { openFastStep, type StepBackend } from './step-ladder.ts';
import { type StyleGate, type Styles, styleGate } from './styles.ts';
import type { Trainee, TraineeSizes } from './trainee.ts';
import { checkImages, prepare, split, type TrainingImage } from './training-set.ts';

/** A training at some step; what is needed to go on with it. */
export interface TrainingState {
  /** How it goes, see {@link schemeOf}. */
  scheme: string;
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
  /** The part that learned. */
  model: OnnxModel;
  before: Score;
  after: Score;
  /** Whether the new model is better on what was held back; if not, `model` is the one that was started from. */
  improved: boolean;
  /** Share of what was learned that was kept; 0 if none. */
  share: number;
  /** How much of what the model knew is left, 0…1, see `Rehearsal.remembered`; absent where that is not known. */
  remembered?: number;
  /** Of what was learned from, where a gate keeps what the model knew. */
  styles?: Styles;
  /** What the scores were taken on. */
  judgedOn: 'held-back' | 'training-images';
  /** Steps that the kept weights have learned. */
  step: number;
  steps: number;
  images: number;
  cells: number;
  curve: CurvePoint[];
  seconds: number;
  /** Where the last step ran. */
  backend: StepBackend;
}

export interface TrainOptions {
  signal?: AbortSignal;
  kernels: MaskKernels;
  /** Crops of images the model knows, uint8 [n, 3, y, x]: every step repeats some, so that it forgets little. */
  rehearsal?: NpyArray;
  /** Styles of what the model has learned from here before. */
  styles?: NpyArray;
  /** Goes on from here; a training that went otherwise begins anew. */
  state?: TrainingState;
  /** After every step. */
  onStep?: (report: {
    step: number;
    steps: number;
    loss: number;
    secondsLeft?: number;
    curve: CurvePoint[];
    /** Whether it went on from the given state. */
    resumed: boolean;
  }) => void;
  /** Where to wait before a step while the user has paused. */
  pause?: () => Promise<void>;
  /** Asked to keep the state; called with every score and when the training is stopped. */
  onState?: (state: TrainingState) => Promise<void>;
}

/** What is taken of what was learned. */
interface Taken extends ShareTrial {
  model: OnnxModel;
  styles?: Styles;
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
 * @throws CytoError `bad-input` for images that cannot be used, `too-large` for more of them than memory holds,
 * `unsupported` for a model that cannot be trained, `aborted`
 */
export async function train(
  trainee: Trainee,
  card: ModelCard,
  images: readonly TrainingImage[],
  settings: TrainingSettings,
  options: TrainOptions,
): Promise<TrainingOutcome> {
  const { signal, kernels } = options;
  const quiet = signal ? { signal } : {};
  checkImages(images);
  const { model, start, known, frozen } = trainee;
  checkMemory(estimateBytes(trainee, images, settings, options.rehearsal));
  const sets = split(images);
  const judges = sets.judge.length > 0 ? sets.judge : sets.learn;
  const prepared = sets.learn.map((image) => prepare(image, card.diameter.rescale));
  const plan = planOf(prepared, settings, { fixed: frozen?.tile });
  const trained = trainedBy(trainee, settings);
  const running = async <T>(graph: OnnxModel, task: (network: TileNetwork) => Promise<T>): Promise<T> => {
    throwIfAborted(signal);
    const network = await trainee.open(graph);
    try {
      return await task(network.run);
    } finally {
      await network.release();
    }
  };
  const learned = (weights: Float32Array) => withWeights(model, trained, weights);
  const scoreOf = (graph: OnnxModel): Promise<Score> =>
    running(graph, (network) => judge(judges, network, card, kernels, quiet));

  const rehearsal = frozen ? undefined : await rehearse();
  const batches = new Batches({ images: prepared, side: plan.side, seed: settings.seed, frozen, rehearsal });
  const step = await openFastStep(stepOf(model, trained, plan, batches.size, frozen?.tokens), {
    weights: gatherWeights(trained),
    crops: await batches.of(0),
  });
  try {
    const scheme = schemeOf(plan, batches.size);
    const resumed = options.state?.scheme === scheme;
    const state = options.state && resumed ? options.state : await begin(scheme);
    const { optimiser, best } = state;
    const every = Math.max(1, Math.round(plan.steps / JUDGEMENTS));
    const timing = new TimeLeft(plan.steps - optimiser.step);
    const first = optimiser.step;
    let [sum, count, last, mark] = [0, 0, Number.NaN, performance.now()];
    try {
      while (optimiser.step < plan.steps) {
        await letMessagesIn();
        await options.pause?.();
        throwIfAborted(signal);
        const taken = await batches.of(optimiser.step);
        const rates = { rate: rateAt(optimiser.step, plan, settings), weightDecay: settings.weightDecay };
        const { loss } = await step.run(optimiser, taken, rates);
        follow(state.average, optimiser.weights, optimiser.step);
        [sum, count, last] = [sum + loss, count + 1, loss];
        const judging = optimiser.step % every === 0 || optimiser.step === plan.steps;
        if (judging || optimiser.step % plan.round === 0) {
          const point: CurvePoint = { step: optimiser.step, loss: count > 0 ? sum / count : last };
          [sum, count] = [0, 0];
          if (judging) {
            const score = await scoreOf(learned(state.average));
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
          loss: last,
          curve: state.curve,
          resumed,
          ...(secondsLeft === undefined ? {} : { secondsLeft }),
        });
        if (judging && optimiser.step - best.step >= PATIENCE * every && best.step > 0) break;
      }
    } catch (error) {
      // What was learned since the last score is not lost.
      if (signal?.aborted && optimiser.step > first) await options.onState?.(state);
      throw error;
    }
    const kept = best.step > 0 ? await moderate(state) : undefined;
    return {
      model: kept?.model ?? start,
      before: state.before,
      after: kept?.score ?? state.before,
      improved: kept !== undefined,
      share: kept?.share ?? 0,
      ...(kept?.remembered === undefined ? {} : { remembered: kept.remembered }),
      ...(kept?.styles ? { styles: kept.styles } : {}),
      judgedOn: sets.judge.length > 0 ? 'held-back' : 'training-images',
      step: kept ? best.step : 0,
      steps: optimiser.step,
      images: images.length,
      cells: prepared.reduce((total, { count: cells }) => total + cells, 0),
      curve: state.curve,
      seconds: state.seconds,
      backend: step.backend,
    };
  } finally {
    await step.release();
  }

  async function rehearse(): Promise<Rehearsal | undefined> {
    const { rehearsal } = options;
    return rehearsal && running(start, (network) => Rehearsal.of(rehearsal, network, kernels));
  }

  /**
   * What is taken of what was learned so that little is forgotten: a gate keeps the model as it was for images of other
   * kinds, and the weights go back toward the start as far as is needed.
   */
  async function moderate({ best, before }: TrainingState): Promise<Taken | undefined> {
    const gate = await openGate();
    // Where the two kinds of images look alike a gate may do harm.
    for (const each of gate ? [gate, undefined] : [undefined]) {
      const made = (weights: Float32Array) =>
        each ? gated(known, learned(weights), trained, each.gate) : learned(weights);
      const trial = await chooseShare({
        start: gatherWeights(trained),
        learned: best.weights,
        before,
        score: (weights) => scoreOf(made(weights)),
        remembered:
          rehearsal &&
          ((weights) => running(made(weights), (network) => rehearsal.remembered(network, kernels))),
      });
      if (trial) return { ...trial, model: made(trial.weights), ...(each ? { styles: each.styles } : {}) };
    }
    return;
  }

  /** A gate between the images that are learned from, now and before, and those that the model brings. */
  function openGate(): Promise<StyleGate> | undefined {
    const graph = rehearsal && settings.trains === 'decoder' ? styleGraph(model) : undefined;
    if (!rehearsal || !graph) return;
    return running(graph, (network) => styleGate(prepared, options.styles, rehearsal, card, network));
  }

  async function begin(scheme: string): Promise<TrainingState> {
    const weights = gatherWeights(trained);
    const before = await scoreOf(start);
    return {
      scheme,
      optimiser: step.begin(weights),
      average: weights.slice(),
      best: { weights, score: before, step: 0 },
      before,
      curve: [{ step: 0, loss: Number.NaN, ap50: before.ap50 }],
      seconds: 0,
    };
  }
}

/** The weights that learn: behind a frozen encoder all there are, or biases alone. */
function trainedBy({ model, frozen }: TraineeSizes, { trains }: TrainingSettings): TrainableWeight[] {
  return trainableWeights(model, frozen && trains === 'decoder' ? 'all' : trains);
}

/** @param input what the part that learns takes, if that is no image */
function stepOf(
  model: OnnxModel,
  trained: readonly TrainableWeight[],
  { side }: Plan,
  batch: number,
  input?: readonly number[],
): TrainingStep {
  return trainingStep(model, trained, {
    batch,
    height: side,
    width: side,
    longestGradient: LONGEST_GRADIENT,
    ...(input ? { input } : {}),
  });
}

/**
 * Bytes that a training takes at most, beside the images as the page holds them.
 * @param known crops that the model brings for its training
 */
export function estimateBytes(
  trainee: TraineeSizes,
  images: readonly TrainingImage[],
  settings: TrainingSettings,
  known?: NpyArray,
): number {
  const { model, frozen } = trainee;
  const trained = trainedBy(trainee, settings);
  const plan = planOf(
    images.map(({ shape }) => ({ shape, scale: 1 })),
    settings,
    { fixed: frozen?.tile },
  );
  const repeated = frozen ? undefined : known;
  const step = stepOf(model, trained, plan, repeated ? 1 + REPEATED : 1, frozen?.tokens);
  const weights = gatherWeights(trained).length;
  const rehearsal = repeated ? rehearsalBytes(repeated) : 0;
  return trainingBytes(images, { peak: step.peakBytes, weights, rehearsal }) + (frozen?.bytes ?? 0);
}

/** Moves the running average toward the weights; in the first steps it follows them closely. */
function follow(average: Float32Array, weights: Float32Array, step: number): void {
  const kept = Math.min(0.5 ** (1 / HALF_LIFE), step / (step + 9));
  for (let i = 0; i < average.length; i++) average[i] = weights[i] + (average[i] - weights[i]) * kept;
}
