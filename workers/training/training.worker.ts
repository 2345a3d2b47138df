import { setAssetBase } from '../../core/assets.ts';
import { CytoError } from '../../core/errors.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { blobFolder, builtInFolder } from '../models/model-folder.ts';
import { chooseKernels } from '../segmentation/kernels/choose-kernels.ts';
import type { MaskKernels } from '../segmentation/kernels/kernels.ts';
import { loadModel } from '../segmentation/network/model-files.ts';
import { serve } from '../serve.ts';
import { Checkpoint, type TrainingRequest, type UnfinishedTraining } from './checkpoint.ts';
import { newModelFiles } from './new-model.ts';
import { readOnnx } from './onnx/onnx-model.ts';
import { type TrainingOutcome, train } from './train.ts';

/** A trained model that waits to be accepted: its folder's files by name, and how it was made. */
export interface TrainedModel extends Omit<TrainingOutcome, 'model'> {
  id: string;
  name: string;
  files: Map<string, Blob>;
}

const checkpoint = new Checkpoint();
let kernels: Promise<MaskKernels> | undefined;

/** Resolved when the training may go on; set while it is paused. */
let paused: { wait: Promise<void>; go: () => void } | undefined;

function folderOf({ model, checked }: Pick<TrainingRequest, 'model' | 'checked'>) {
  return typeof model === 'string' ? builtInFolder(model) : blobFolder(model, undefined, checked);
}

async function run(request: TrainingRequest, resumed: boolean, options: TaskOptions): Promise<TrainedModel> {
  const { signal, onProgress } = options;
  const quiet = signal ? { signal } : {};
  setAssetBase(request.assetBase);
  paused?.go();
  paused = undefined;
  onProgress?.({ phase: 'load-model', value: 0, total: 1 });
  const folder = folderOf(request);
  const parent = await loadModel(folder, quiet);
  const { graph } = await parent.weights(quiet);
  const model = readOnnx(new Uint8Array(await graph.arrayBuffer()));
  const { sha256 } = parent.card.weights;
  const state = resumed ? await checkpoint.state(sha256) : undefined;
  kernels ??= chooseKernels();
  const outcome = await train(model, parent.card, request.images, request.settings, {
    ...quiet,
    kernels: await kernels,
    ...(state ? { state } : {}),
    pause: async () => paused?.wait,
    onState: (kept) => checkpoint.keep(kept, sha256),
    onStep: ({ step, steps, loss, secondsLeft, curve }) =>
      onProgress?.({
        phase: 'train',
        value: step,
        total: steps,
        training: { loss, curve },
        ...(secondsLeft === undefined ? {} : { secondsLeft }),
      }),
  });
  const files = await newModelFiles(parent, folder, outcome, request.settings, request);
  await checkpoint.end();
  const { model: _, ...rest } = outcome;
  return { ...rest, id: request.id, name: request.name, files };
}

serve({
  async train(request: TrainingRequest, options: TaskOptions): Promise<TrainedModel> {
    await checkpoint.begin(request);
    return run(request, false, options);
  },

  async resume(options: TaskOptions): Promise<TrainedModel> {
    const request = await checkpoint.request();
    if (!request) throw new CytoError('not-found', 'There is no training to go on with.');
    return run(request, true, options);
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
