import { CytoError } from '../../../core/errors.ts';
import { type NpyArray, parseNpy } from '../../../core/npy.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import { hashOf } from '../../../core/sha256.ts';
import type { ModelFolder } from '../../models/model-folder.ts';
import { wrongFile } from '../../models/model-store.ts';
import { CARD, type ModelCard, type ModelFile, parseModelCard } from './model-card.ts';

/** What a session is made of. */
export interface ModelWeights {
  /** The ONNX graph. */
  graph: Blob;
  /** Weights beside the graph; `path` is the name by which the graph knows them. */
  externalData: ReadonlyArray<{ path: string; data: Blob }>;
}

/** A model ready to be opened. */
export interface Model {
  card: ModelCard;
  /**
   * The weights, loaded when first asked for: a server that has the model needs none. Progress is in bytes.
   * @throws CytoError `corrupt-file`, `not-found`, `network`, `aborted`
   */
  weights(options?: TaskOptions): Promise<ModelWeights>;
  /**
   * Crops of images the model knows, uint8 [n, 3, y, x]; undefined if it brings none.
   * @throws CytoError `model` if the file is no such array, `corrupt-file`, `not-found`, `network`, `aborted`
   */
  rehearsal(options?: TaskOptions): Promise<NpyArray | undefined>;
  /**
   * Styles of what it was trained on here, float32 [n, values]; undefined if it brings none.
   * @throws CytoError `model` if the file is no such array, `corrupt-file`, `not-found`, `network`, `aborted`
   */
  styles(options?: TaskOptions): Promise<NpyArray | undefined>;
  /** Float32 [batch, 3, y, x]: an input and the output it must give. */
  testInput: NpyArray;
  testOutput: NpyArray;
}

/** Reads the card of a folder. @throws CytoError `model`, `not-found`, `network` */
export async function loadCard(folder: ModelFolder, options: TaskOptions = {}): Promise<ModelCard> {
  const blob = await folder.open(CARD, options.signal ? { signal: options.signal } : {});
  return parseModelCard(await blob.text());
}

/**
 * Loads a model's card and test tensors, and its weights when they are asked for; sizes and hashes are checked, unless that
 * was done when the folder was stored. The weights stay blobs: a stored model of any size is not held in memory.
 * @throws CytoError `corrupt-file` if a file is not the one the card describes, `model` for a card or test tensors of
 * another contract, `not-found`, `network`, `aborted`
 */
export async function loadModel(folder: ModelFolder, options: TaskOptions = {}): Promise<Model> {
  const quiet = options.signal ? { signal: options.signal } : {};
  const card = await loadCard(folder, quiet);
  const read = async (file: ModelFile, task: TaskOptions): Promise<Blob> => {
    const blob = await folder.open(file.source, task);
    const right = blob.size === (file.size ?? blob.size);
    const hashed = right && file.sha256 !== undefined && !folder.checked;
    if (!right || (hashed && (await hashOf(blob, task.signal)) !== file.sha256))
      throw wrongFile(card, file, folder.where);
    return blob;
  };
  const [input, output] = await Promise.all([read(card.test.input, quiet), read(card.test.output, quiet)]);
  let weights: ModelWeights | undefined;
  return {
    card,
    weights: async (task = {}) => {
      const { externalData } = card;
      weights ??= {
        graph: await read(card.weights, task),
        externalData: externalData
          ? [{ path: externalData.source, data: await read(externalData, task) }]
          : [],
      };
      return weights;
    },
    rehearsal: async (task = {}) => {
      if (!card.rehearsal) return;
      const array = await readNpy(await read(card.rehearsal, task));
      if (array.data instanceof Uint8Array && array.shape.length === 4 && array.shape[1] === 3) return array;
      throw new CytoError(
        'model',
        `The crops "${card.rehearsal.source}" of "${card.name}" are not uint8 of n × 3 × y × x.`,
      );
    },
    styles: async (task = {}) => {
      if (!card.styles) return;
      const array = await readNpy(await read(card.styles, task));
      if (array.data instanceof Float32Array && array.shape.length === 2) return array;
      throw new CytoError(
        'model',
        `The styles "${card.styles.source}" of "${card.name}" are not float32 of n × values.`,
      );
    },
    testInput: await testTensor(input, card, card.test.input.source),
    testOutput: await testTensor(output, card, card.test.output.source),
  };
}

const readNpy = async (blob: Blob): Promise<NpyArray> => parseNpy(new Uint8Array(await blob.arrayBuffer()));

async function testTensor(blob: Blob, card: ModelCard, name: string): Promise<NpyArray> {
  const array = await readNpy(blob);
  const { shape, data } = array;
  if (shape.length === 4 && shape[1] === 3 && data instanceof Float32Array) return array;
  throw new CytoError(
    'model',
    `The test tensor "${name}" of "${card.name}" is ${shape.join('×')}, not float32 of batch × 3 × y × x.`,
  );
}
