import { CytoError } from '../../core/errors.ts';
import type { FileSink, FolderSink } from '../../core/folder-sink.ts';
import { encodeNpy } from '../../core/npy.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { Sha256 } from '../../core/sha256.ts';
import { VERSION } from '../../core/version.ts';
import { sampleCount } from '../../core/volume.ts';
import { cardText, type WrittenFile } from './card.ts';
import type { ByteSource } from './checkpoint/byte-source.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint/checkpoint.ts';
import { recognise } from './network/recognise.ts';
import type { Vit } from './network/vit.ts';
import { type Precision, WeightFile } from './network/weights.ts';
import { encodeModel } from './onnx/encode.ts';
import { chain, type Stage } from './onnx/graph.ts';
import { type Done, StageJournal } from './stage-journal.ts';
import { testImage } from './test-image.ts';

/**
 * Computes a graph with one input and one output.
 * @param graph ONNX file; its weights lie in `weights`, which it knows as `file`
 */
export type RunGraph = (
  graph: Uint8Array,
  weights: { file: string; bytes: Uint8Array },
  input: { name: string; data: Float32Array; dims: readonly number[] },
  output: string,
) => Promise<Float32Array>;

/** A checkpoint whose network is known. */
export interface Recognised {
  checkpoint: Checkpoint;
  vit: Vit;
}

export interface ConversionOptions extends TaskOptions {
  /** Number format of the large matrices; `float16` halves the size and needs `shader-f16` on a GPU. */
  precision: Precision;
  /** Computes the test tensors. */
  run: RunGraph;
}

const GRAPH = 'model.onnx';
const WEIGHTS = 'model.onnx.data';

/**
 * Reads names and shapes of a checkpoint and finds its network.
 * @throws CytoError `unsupported` for other files and what a checkpoint may not name, `corrupt-file`, `model` for other
 * networks, `network`, `aborted`
 */
export async function openNetworkFile(source: ByteSource, signal?: AbortSignal): Promise<Recognised> {
  const checkpoint = await openCheckpoint(source, signal);
  return { checkpoint, vit: await recognise(checkpoint, signal) };
}

/** Bytes that the converted weights take, to a few per cent: what is not a matrix stays in single floats. */
export function convertedSize({ checkpoint }: Recognised, precision: Precision): number {
  const numbers = checkpoint.names
    .filter((name) => name.startsWith('encoder.'))
    .reduce((sum, name) => sum + sampleCount(checkpoint.shape(name)), 0);
  return numbers * (precision === 'float16' ? 2 : 4);
}

/** Tells one conversion from any other: content and name of the checkpoint, number format, version of the converter. */
export function conversionKey({ checkpoint }: Recognised, precision: Precision): string {
  const hash = new Sha256();
  hash.update(
    new TextEncoder().encode([checkpoint.fingerprint, checkpoint.name, precision, VERSION].join('\n')),
  );
  return hash.hex().slice(0, 32);
}

/**
 * Turns a checkpoint into a model folder: graph, weights, test tensors and card. The network is written and computed
 * stage by stage, so that only one block of it is ever in memory; the backend that later opens the whole graph must
 * reproduce what the stages gave. In a folder that an interrupted conversion of the same checkpoint has left it goes on
 * after the last whole stage. Progress phase: `convert` (bytes of the weights).
 * @throws CytoError `model` if weights are missing or have other shapes, `corrupt-file`, `quota`, `network`, `aborted`
 */
export async function convert(
  recognised: Recognised,
  sink: FolderSink,
  { precision, run, signal, onProgress }: ConversionOptions,
): Promise<string> {
  const { checkpoint, vit } = recognised;
  const { tile } = vit;
  const expected = convertedSize(recognised, precision);
  const image = testImage(tile);
  const shape = [1, 3, tile, tile];
  const journal = new StageJournal(sink, conversionKey(recognised, precision));
  const { target, done } = await begin(sink, journal);
  const stages: Stage[] = [...(done?.stages ?? [])];
  let state: Float32Array = done?.state ?? image;
  let written: { size: number; sha256: string } | undefined;
  try {
    const file = new WeightFile(checkpoint, target, precision, signal);
    for (const make of vit.stages.slice(stages.length)) {
      onProgress?.({ phase: 'convert', value: target.size, total: Math.max(expected, target.size) });
      const stage = await make(file);
      stages.push(stage);
      const { start, bytes } = file.takeStage();
      const alone = encodeModel(moved(stage, -start), stage.output.name, WEIGHTS);
      const dims = stage.input.dims.map((length) => (typeof length === 'number' ? length : 1));
      const input = { name: stage.input.name, data: state, dims };
      state = await run(alone, { file: WEIGHTS, bytes }, input, stage.output.name);
      await journal.write({ stages, size: target.size, state });
    }
  } catch (error) {
    throw stages.length > 0 && error instanceof CytoError && error.kind === 'network' ? kept(error) : error;
  } finally {
    written = await target.close();
  }
  const put = async (source: string, bytes: Uint8Array): Promise<WrittenFile> => {
    const out = await sink.file(source);
    await out.write(bytes);
    return { source, ...(await out.close()) };
  };
  const card = cardText({
    vit,
    checkpoint: checkpoint.name,
    precision,
    graph: await put(GRAPH, encodeModel(chain(stages), 'cellpose', WEIGHTS)),
    weights: { source: WEIGHTS, ...written },
    testInput: await put('test_input.npy', encodeNpy(image, shape)),
    testOutput: await put('test_output.npy', encodeNpy(state, shape)),
  });
  onProgress?.({ phase: 'convert', value: written.size, total: written.size });
  await put('rdf.yaml', new TextEncoder().encode(card));
  await journal.remove();
  return card;
}

const kept = (error: CytoError) =>
  new CytoError(
    'network',
    `${error.message} What is converted so far is kept; start again to go on from there.`,
    { cause: error },
  );

/** Opens the weights after what an earlier attempt has written, or empty. */
async function begin(sink: FolderSink, journal: StageJournal): Promise<{ target: FileSink; done?: Done }> {
  const done = await journal.read();
  const target = await sink.file(WEIGHTS, { keep: done?.size ?? 0 });
  if (!done) return { target };
  if (target.size === done.size) return { target, done };
  await target.close();
  return { target: await sink.file(WEIGHTS) };
}

/** A stage whose weights lie elsewhere in their file. */
function moved(stage: Stage, by: number): Stage {
  return { ...stage, external: stage.external.map((tensor) => ({ ...tensor, offset: tensor.offset + by })) };
}
