import { CytoError } from '../../core/errors.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { descriptionOf, idOf, LICENCE, noticeOf, titleOf } from '../../models/cpsam/card.ts';
import { isArchive } from '../../models/cpsam/checkpoint/archive.ts';
import { type ByteSource, blobSource } from '../../models/cpsam/checkpoint/byte-source.ts';
import {
  conversionKey,
  convert,
  convertedSize,
  openNetworkFile,
  type Recognised,
} from '../../models/cpsam/convert.ts';
import type { Precision } from '../../models/cpsam/network/weights.ts';
import { type GpuObstacle, type GpuProbe, probeGpu } from '../segmentation/network/gpu.ts';
import type { ModelCard } from '../segmentation/network/model-card.ts';
import { runGraph } from '../segmentation/network/run-graph.ts';
import { needRoom } from './add-model.ts';
import { hasCheckpointEnding } from './checkpoint-names.ts';
import { urlSource } from './checkpoint-url.ts';
import type { ModelEntry } from './model-entry.ts';
import type { ModelStore } from './model-store.ts';
import type { SourceRequest } from './models.worker.ts';

/** The checkpoint that a request names, or undefined if its address is of a model folder. See `mayBeCheckpoint`. */
export async function checkpointOf(
  source: SourceRequest,
  signal?: AbortSignal,
): Promise<ByteSource | undefined> {
  if ('files' in source) {
    const [file] = source.files;
    return blobSource(file.blob, file.path);
  }
  const url = new URL(source.url, globalThis.location?.href);
  if (hasCheckpointEnding(url.pathname)) return urlSource(url, signal);
  try {
    const file = await urlSource(url, signal);
    return (await isArchive(file, signal)) ? file : undefined;
  } catch (error) {
    // It may be the address of a folder, which has no file of its own.
    if (error instanceof CytoError && error.kind === 'not-found') return undefined;
    throw error;
  }
}

/** Half floats, which take half the room, unless the GPU has none: then single ones, which it can run. */
export function precisionFor(gpu: Pick<GpuProbe, 'shaderF16'> | GpuObstacle): Precision {
  return typeof gpu === 'string' || gpu.shaderF16 ? 'float16' : 'float32';
}

const precisionHere = async (): Promise<Precision> => precisionFor(await probeGpu(false));

/** What a checkpoint will be: only names and shapes of its weights are read. */
export async function inspectCheckpoint(
  source: ByteSource,
  id: string,
  signal?: AbortSignal,
): Promise<ModelEntry> {
  const recognised = await openNetworkFile(source, signal);
  const precision = await precisionHere();
  const { vit } = recognised;
  return {
    id,
    name: titleOf(vit, source.name),
    description: descriptionOf({ kind: vit.kind, checkpoint: source.name, precision }),
    version: '1.0.0',
    license: LICENCE,
    notice: noticeOf(vit),
    size: convertedSize(recognised, precision),
    diameter: { mean: 30, min: 7.5, max: 120 },
    network: { tile: 256 },
    state: 'remote',
    origin: source.name,
    isDefault: false,
  };
}

/**
 * Converts a checkpoint into the store. One that was stopped, or whose server fell silent, goes on where it was.
 * @throws CytoError `model`, `unsupported`, `corrupt-file`, `quota`, `network`, `aborted`
 */
export async function addCheckpoint(
  source: ByteSource,
  store: ModelStore,
  refuseId: (id: string, name: string) => Promise<void>,
  options: TaskOptions = {},
): Promise<ModelCard> {
  const recognised: Recognised = await openNetworkFile(source, options.signal);
  const name = titleOf(recognised.vit, source.name);
  await refuseId(idOf(source.name), name);
  const precision = await precisionHere();
  await needRoom(name, convertedSize(recognised, precision));
  const sink = await store.begin(conversionKey(recognised, precision));
  try {
    await convert(recognised, sink, { ...options, precision, run: runGraph });
    return await sink.commit(source.name);
  } catch (error) {
    const goesOn = error instanceof CytoError && (error.kind === 'network' || error.kind === 'aborted');
    if (!goesOn) await sink.discard();
    throw error;
  }
}
