import type { TaskOptions } from '../../core/progress.ts';
import type { Model } from '../segmentation/network/model-files.ts';
import { type OpenedNetwork, openGraph } from '../segmentation/network/run-graph.ts';
import { FrozenEncoder } from './frozen-encoder.ts';
import { ungated } from './graph/gate.ts';
import { type OnnxModel, readOnnx, writeOnnx } from './onnx/onnx-model.ts';

/** The files of a trained network. */
export interface NetworkFiles {
  graph: Blob;
  /** Weights beside the graph, and the name by which it knows them. */
  external?: { source: string; data: Blob };
}

/** What the memory of a training depends on. */
export interface TraineeSizes {
  /** The part that learns. */
  readonly model: OnnxModel;
  /** Set where an encoder in front of that part stays as it is. */
  readonly frozen?: Pick<FrozenEncoder, 'tile' | 'tokens' | 'bytes'>;
}

/** A network in training: the part whose weights may change, and how the rest is used. */
export interface Trainee extends TraineeSizes {
  readonly frozen?: FrozenEncoder;
  /** The part that learns as it is used before it has learned: with a gate, if the network has learned before. */
  readonly start: OnnxModel;
  /** The part that learns as it was before it ever learned here; the same graph as `model`. */
  readonly known: OnnxModel;
  /** Opens the whole network with other weights in the part that learns. */
  open(model: OnnxModel): Promise<OpenedNetwork>;
  /** The files of the whole network with other weights in the part that learns. */
  files(model: OnnxModel): Promise<NetworkFiles>;
  release(): Promise<void>;
}

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

/** A network of which everything may learn. */
export function wholeTrainee(model: OnnxModel): Trainee {
  const { known, learned } = ungated(model);
  return {
    model: learned,
    start: model,
    known,
    open: (changed) => openGraph(writeOnnx(changed)),
    files: async (changed) => ({ graph: new Blob([writeOnnx(changed) as Uint8Array<ArrayBuffer>]) }),
    release: async () => {},
  };
}

/**
 * Opens a model for training. Of a converted Cellpose-SAM, whose weights lie beside its graph, neck and readout learn; of
 * others everything may.
 * @throws CytoError `unsupported` for models that cannot be trained, `corrupt-file`, `not-found`, `network`, `aborted`
 */
export async function openTrainee(parent: Model, options: TaskOptions = {}): Promise<Trainee> {
  const { graph, externalData } = await parent.weights(options);
  const model = readOnnx(await bytesOf(graph));
  const [external] = externalData;
  if (!external) return wholeTrainee(model);
  const frozen = await FrozenEncoder.open(model, external, parent.card.tile);
  return {
    model: frozen.head,
    start: frozen.head,
    known: frozen.head,
    frozen,
    open: (changed) => frozen.openWith(changed),
    files: async (changed) => ({
      graph,
      external: { source: external.path, data: frozen.patched(changed, external.data) },
    }),
    release: () => frozen.release(),
  };
}
