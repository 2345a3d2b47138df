import { setAssetBase } from '../../core/assets.ts';
import { CytoError } from '../../core/errors.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type {
  BackendReport,
  NetworkOutput,
  OutputKind,
  SegmentationParameters,
  SegmentationResult,
} from '../../core/segmentation-parameters.ts';
import { blobFolder, builtInFolder } from '../models/model-folder.ts';
import { letMessagesIn, moving, serve } from '../serve.ts';
import { offeredSamples, type StreamedInput } from './block-run.ts';
import { chooseKernels } from './kernels/choose-kernels.ts';
import type { MaskKernels } from './kernels/kernels.ts';
import { type BackendChoice, type Network, openNetwork } from './network/backend.ts';
import { CARD } from './network/model-card.ts';
import { loadModel, type Model } from './network/model-files.ts';
import { isLarge } from './run-plan.ts';
import { Segmentation, type SegmentationInput, type StreamOptions } from './segmentation.ts';

/** What a run needs besides its parameters. */
export interface RunRequest {
  /** The caller: its flows are kept until its next run or until it is forgotten. */
  owner: string;
  input: SegmentationInput | StreamedInput;
  parameters: SegmentationParameters;
  /** Id of a built-in model, or the files of another one by name. */
  model: string | ReadonlyMap<string, Blob>;
  /** Whether hashes of those files were checked when they were stored. */
  checked: boolean;
  backend: BackendChoice;
  /** Address of the model on an inference server, for the backend `remote`. */
  server?: string;
  assetBase: string;
}

interface Kept {
  segmentation: Segmentation;
  result: Pick<SegmentationResult, 'shape' | 'backend' | 'model'>;
}

/** Cells of larger planes are not rated: the heat that it takes is 12 bytes a pixel. */
const MOST_RATED = 32e6;

const kept = new Map<string, Kept>();
let opened: { key: string; model: Model; network: Network } | undefined;

/** Lets go of the flows of an owner's last run. */
function forget(owner: string): void {
  kept.get(owner)?.segmentation.dispose();
  kept.delete(owner);
}

/** Chosen at the first run. */
let kernels: Promise<MaskKernels> | undefined;

/** One run at a time: a GPU or a WASM heap holds one session. */
let turn: Promise<unknown> = Promise.resolve();
function inTurn<T>(task: () => Promise<T>): Promise<T> {
  const mine = turn.then(task, task);
  turn = mine.catch(() => undefined);
  return mine;
}

/** Hears of a tile that was computed again on another rung; set by the run under way. */
let onBackend: (report: BackendReport) => void = () => {};

async function openModel(request: RunRequest, options: TaskOptions) {
  const { model: named, backend, server, checked } = request;
  const folder = typeof named === 'string' ? builtInFolder(named) : blobFolder(named, undefined, checked);
  // A card names its weights by their hash: the same text is the same model.
  const name = typeof named === 'string' ? named : await (await folder.open(CARD)).text();
  const key = `${backend} ${server ?? ''} ${name}`;
  if (opened?.key === key) return opened;
  await opened?.network.release();
  opened = undefined;
  options.onProgress?.({ phase: 'load-model', value: 0, total: 1 });
  const model = await loadModel(folder, options);
  const network = await openNetwork(model, backend, {
    ...options,
    ...(server ? { server } : {}),
    onChange: (report) => onBackend(report),
  });
  opened = { key, model, network };
  return opened;
}

async function finish(
  { segmentation, result }: Kept,
  parameters: SegmentationParameters,
  started: number,
  options: TaskOptions,
): Promise<SegmentationResult> {
  const task = { ...options, pause: letMessagesIn };
  const labelled = await segmentation.labels(parameters, task);
  const rated = parameters.mode !== '2d' || labelled.labels.length <= MOST_RATED;
  const confidence = rated
    ? { confidence: await segmentation.confidence(labelled.labels, parameters, task) }
    : {};
  const milliseconds = performance.now() - started;
  const used = { ...parameters, anisotropy: parameters.anisotropy ?? segmentation.estimatedAnisotropy ?? 1 };
  return moving({ ...result, ...labelled, ...confidence, milliseconds, parameters: used }, [
    labelled.labels.buffer,
  ]);
}

serve({
  run(request: RunRequest, options: TaskOptions): Promise<SegmentationResult> {
    return inTurn(async () => {
      const { owner, parameters } = request;
      const { shape } = request.input;
      setAssetBase(request.assetBase);
      const { model, network } = await openModel(request, options);
      const tell = (backend: BackendReport) =>
        options.onProgress?.({ phase: 'load-model', value: 1, total: 1, backend });
      onBackend = tell;
      tell(network.report);
      kernels ??= chooseKernels();
      const started = performance.now();
      // Large flows of the last run make room; small ones stay in case that this run is cancelled.
      if (isLarge(shape)) forget(owner);
      const { input } = request;
      const run: StreamOptions = {
        ...options,
        tile: model.card.tile,
        batch: network.batch,
        ...(model.card.diameter.rescale ? { sizes: model.card.diameter.rescale } : {}),
        ...(model.card.sides ? { sides: model.card.sides } : {}),
        kernels: await kernels,
        pause: letMessagesIn,
      };
      const segmentation =
        'port' in input
          ? await Segmentation.stream(offeredSamples(input), parameters, network.run, run)
          : await Segmentation.run(input, parameters, network.run, run);
      if ('channels' in input && !('port' in input)) input.channels = []; // The samples are not needed any more.
      const entry: Kept = {
        segmentation,
        result: {
          shape,
          backend: network.report,
          ...(segmentation.estimatedDiameter === undefined
            ? {}
            : { estimatedDiameter: segmentation.estimatedDiameter }),
          ...(segmentation.estimatedAnisotropy === undefined
            ? {}
            : { estimatedAnisotropy: segmentation.estimatedAnisotropy }),
          model: { id: model.card.id, sha256: model.card.weights.sha256 },
        },
      };
      forget(owner);
      kept.set(owner, entry);
      return finish(entry, parameters, started, options);
    });
  },

  rethreshold(
    owner: string,
    parameters: SegmentationParameters,
    options: TaskOptions,
  ): Promise<SegmentationResult> {
    return inTurn(async () => {
      const entry = kept.get(owner);
      if (!entry)
        throw new CytoError('bad-input', 'There are no flows to make labels of: run the segmentation first.');
      return finish(entry, parameters, performance.now(), options);
    });
  },

  output(owner: string, kind: OutputKind, options: TaskOptions): Promise<NetworkOutput> {
    return inTurn(async () => {
      const entry = kept.get(owner);
      if (!entry)
        throw new CytoError('bad-input', 'There is no output of the network: run the segmentation first.');
      const output = await entry.segmentation.output(kind, { ...options, pause: letMessagesIn });
      return moving(output, [output.data.buffer]);
    });
  },

  forget,
});
