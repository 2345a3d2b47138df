import { setAssetBase } from '../../core/assets.ts';
import { CytoError } from '../../core/errors.ts';
import type { NpyArray } from '../../core/npy.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { blobFolder, builtInFolder, heldFile, heldFolder, vanished } from '../models/model-folder.ts';
import { chooseKernels } from '../segmentation/kernels/choose-kernels.ts';
import type { MaskKernels } from '../segmentation/kernels/kernels.ts';
import { averagePrecision, matchedIous } from '../segmentation/masks/metrics.ts';
import { renumber } from '../segmentation/masks/renumber.ts';
import { loadModel } from '../segmentation/network/model-files.ts';
import { serve } from '../serve.ts';
import { Checkpoint, type TrainingRequest, type UnfinishedTraining } from './checkpoint.ts';
import { labelsOf } from './judge.ts';
import { fingerprint, newModelFiles } from './new-model.ts';
import type { TrainingSettings } from './settings.ts';
import { estimateBytes, type TrainingOutcome, train } from './train.ts';
import { trainedCheckpoint } from './trained-checkpoint.ts';
import { openTrainee, type TraineeSizes } from './trainee.ts';
import { partOf, type TrainingImage } from './training-set.ts';

/** A trained model that waits to be accepted: its folder's files by name, and how it was made. */
export interface TrainedModel extends Omit<TrainingOutcome, 'model' | 'styles'> {
  id: string;
  name: string;
  files: Map<string, Blob>;
}

const checkpoint = new Checkpoint();
let kernels: Promise<MaskKernels> | undefined;

/** The model whose sizes were looked at last, by the hash of its weights, and the crops that it brings. */
let estimated: { key: string; sizes: TraineeSizes; known: NpyArray | undefined } | undefined;

/** Resolved when the training may go on; set while it is paused. */
let paused: { wait: Promise<void>; go: () => void } | undefined;

/** How one model does on an image. */
export interface ComparedLabels {
  /** Uint32 [y, x] of a run with default parameters. */
  labels: Uint32Array;
  /** Average precision at IoU 0.5 against the corrected labels; NaN where neither has a cell. */
  ap50: number;
  /** Labels of the model that match a corrected one, and corrected labels that were missed, at IoU 0.5. */
  matched: Uint32Array;
  missed: Uint32Array;
}

/** An image as the model before and the one after a training see it. */
export interface Comparison {
  before: ComparedLabels;
  after: ComparedLabels;
}

/** Which model a call is about. */
export type ModelFiles = Pick<TrainingRequest, 'model' | 'checked' | 'assetBase'>;

/** The part of an image that counts, as an image of its own. */
const wholeOf = (image: TrainingImage): TrainingImage => (image.region ? partOf(image, image.region) : image);

async function compare(
  model: ModelFiles['model'],
  checked: boolean,
  image: TrainingImage,
  options: TaskOptions,
): Promise<ComparedLabels> {
  const parent = await loadModel(folderOf({ model, checked }), options);
  const trainee = await openTrainee(parent, options);
  const network = await trainee.open(trainee.start);
  try {
    kernels ??= chooseKernels();
    const labels = await labelsOf(image, network.run, parent.card, await kernels, options);
    const truth = image.labels.slice();
    renumber(truth);
    const { iou, predicted } = matchedIous(truth, labels);
    const found = [...iou.keys()].filter((k) => iou[k] >= 0.5);
    const original = new Map([...truth.keys()].map((i) => [truth[i], image.labels[i]]));
    return {
      labels,
      ap50: averagePrecision(image.labels, labels, [0.5]).ap[0],
      matched: Uint32Array.from(found, (k) => predicted[k]),
      missed: Uint32Array.from(
        [...iou.keys()].filter((k) => !(iou[k] >= 0.5)),
        (k) => original.get(k + 1) ?? 0,
      ),
    };
  } finally {
    await network.release();
    await trainee.release();
  }
}

function folderOf({ model, checked }: Pick<TrainingRequest, 'model' | 'checked'>) {
  return typeof model === 'string' ? builtInFolder(model) : blobFolder(model, undefined, checked);
}

/**
 * A request whose model does not depend on where its files lie: in private windows a database keeps no copy of files of
 * the browser's storage, but refers to them.
 */
async function withHeldFiles(request: TrainingRequest): Promise<TrainingRequest> {
  const { model } = request;
  if (typeof model === 'string') return request;
  const files = await Promise.all(
    [...model].map(async ([name, file]) => [name, await heldFile(file)] as const),
  );
  return { ...request, model: new Map(files) };
}

async function run(request: TrainingRequest, resumed: boolean, options: TaskOptions): Promise<TrainedModel> {
  const { signal, onProgress } = options;
  const quiet = signal ? { signal } : {};
  setAssetBase(request.assetBase);
  paused?.go();
  paused = undefined;
  // A training that is cancelled while it is paused ends as well.
  signal?.addEventListener('abort', () => paused?.go(), { once: true });
  onProgress?.({ phase: 'load-model', value: 0, total: 1 });
  const folder = heldFolder(folderOf(request));
  const parent = await loadModel(folder, quiet);
  const trainee = await openTrainee(parent, quiet);
  const sha256 = fingerprint(parent.card);
  const state = resumed ? await checkpoint.state(sha256) : undefined;
  kernels ??= chooseKernels();
  const rehearsal = await parent.rehearsal(quiet);
  const styles = await parent.styles(quiet);
  try {
    const outcome = await train(trainee, parent.card, request.images, request.settings, {
      ...quiet,
      kernels: await kernels,
      ...(rehearsal ? { rehearsal } : {}),
      ...(styles ? { styles } : {}),
      ...(state ? { state } : {}),
      pause: async () => paused?.wait,
      onState: (kept) => checkpoint.keep(kept, sha256),
      onStep: ({ step, steps, loss, secondsLeft, curve, resumed: wentOn }) =>
        onProgress?.({
          phase: 'train',
          value: step,
          total: steps,
          training: { loss, curve, ...(resumed && !wentOn ? { anew: true } : {}) },
          ...(secondsLeft === undefined ? {} : { secondsLeft }),
        }),
    });
    const files = await newModelFiles(parent, folder, trainee, outcome, request.settings, request);
    await checkpoint.end();
    const { model: _, styles: __, ...rest } = outcome;
    return { ...rest, id: request.id, name: request.name, files };
  } catch (error) {
    throw vanished(error, folder.where) ?? error;
  } finally {
    await trainee.release();
  }
}

serve({
  async train(request: TrainingRequest, options: TaskOptions): Promise<TrainedModel> {
    const held = await withHeldFiles(request);
    await checkpoint.begin(held);
    return run(held, false, options);
  },

  async resume(options: TaskOptions): Promise<TrainedModel> {
    const request = await checkpoint.request();
    if (!request) throw new CytoError('not-found', 'There is no training to go on with.');
    return run(request, true, options);
  },

  /** Bytes that a training takes at most. */
  async estimate(
    { model, checked, assetBase }: ModelFiles,
    images: readonly TrainingImage[],
    settings: TrainingSettings,
    options: TaskOptions,
  ): Promise<number> {
    setAssetBase(assetBase);
    const parent = await loadModel(folderOf({ model, checked }), options);
    const key = fingerprint(parent.card);
    if (estimated?.key !== key) {
      const trainee = await openTrainee(parent, options);
      const { frozen } = trainee;
      const { tile = 0, tokens = [], bytes = 0 } = frozen ?? {};
      const sizes = { model: trainee.model, ...(frozen ? { frozen: { tile, tokens, bytes } } : {}) };
      await trainee.release();
      estimated = { key, sizes, known: frozen ? undefined : await parent.rehearsal(options) };
    }
    return estimateBytes(estimated.sizes, images, settings, estimated.known);
  },

  async compare(
    { model, checked, assetBase }: ModelFiles,
    trained: ReadonlyMap<string, Blob>,
    image: TrainingImage,
    options: TaskOptions,
  ): Promise<Comparison> {
    setAssetBase(assetBase);
    const part = wholeOf(image);
    return {
      before: await compare(model, checked, part, options),
      after: await compare(trained, true, part, options),
    };
  },

  /** A checkpoint of Cellpose with the trained weights in place of its own. */
  async checkpoint(trained: ReadonlyMap<string, Blob>, original: File, options: TaskOptions): Promise<Blob> {
    const parent = await loadModel(blobFolder(trained, undefined, true), options);
    return trainedCheckpoint(await parent.weights(options), original, options);
  },

  unfinished: (): Promise<UnfinishedTraining | undefined> => checkpoint.unfinished(),

  forget: (): Promise<void> => checkpoint.end(),

  pause(): void {
    if (paused) return;
    let go = () => {};
    const wait = new Promise<void>((resolve) => {
      go = resolve;
    });
    paused = { wait, go };
  },

  goOn(): void {
    paused?.go();
    paused = undefined;
  },
});
