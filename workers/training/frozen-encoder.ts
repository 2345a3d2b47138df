import { CytoError } from '../../core/errors.ts';
import { hashOf } from '../../core/sha256.ts';
import { loadOrt, type OrtSession, threadCount } from '../segmentation/network/ort.ts';
import type { OpenedNetwork } from '../segmentation/network/run-graph.ts';
import { type OnnxModel, type OnnxTensor, writeOnnx } from './onnx/onnx-model.ts';

/** Tokens between the blocks of a converted transformer (models/cpsam); the last ones go into neck and readout. */
const STATE = /^state_(\d+)$/;

/** Tiles whose features are kept at most: of ViT-L each takes 4 MB. */
const MOST_TILES = 160;

/** What an encoder makes of a tile. */
export interface Features {
  data: Float32Array;
  /** [1, tokens, width] */
  dims: readonly number[];
}

/** The constants that nodes refer to. */
function constantsOf(nodes: OnnxModel['nodes'], constants: OnnxModel['constants']): Map<string, OnnxTensor> {
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  return new Map([...constants].filter(([name]) => used.has(name)));
}

/**
 * Parts a network where its last block ends: the encoder, and neck and readout, whose weights are read.
 * @throws CytoError `unsupported` for other networks
 */
export async function partAtLastBlock(
  model: OnnxModel,
  data: Blob,
): Promise<{ encoder: OnnxModel; head: OnnxModel }> {
  const at = model.nodes.findLastIndex(({ outputs }) => STATE.test(outputs[0]));
  if (at < 0 || at === model.nodes.length - 1) {
    throw new CytoError(
      'unsupported',
      'This model cannot be trained here: its weights lie in a second file, and it is no converted Cellpose-SAM.',
    );
  }
  const tokens = { name: model.nodes[at].outputs[0], type: 1, dims: ['batch', 'tokens', 'width'] };
  const [first, last] = [model.nodes.slice(0, at + 1), model.nodes.slice(at + 1)];
  const constants = constantsOf(last, model.constants);
  for (const [name, tensor] of constants) {
    if (!tensor.external) continue;
    const { offset, length } = tensor.external;
    const bytes = new Uint8Array(await data.slice(offset, offset + length).arrayBuffer());
    const { external: _, ...rest } = tensor;
    constants.set(name, { ...rest, bytes });
  }
  return {
    encoder: { ...model, nodes: first, constants: constantsOf(first, model.constants), outputs: [tokens] },
    head: { ...model, nodes: last, constants, inputs: [tokens] },
  };
}

/** The encoder of a large network, which stays as it is; what it makes of a tile is computed once and kept. */
export class FrozenEncoder {
  /** Neck and readout, which learn. */
  readonly head: OnnxModel;
  readonly tile: number;
  /** [1, tokens, width] of what the encoder makes of a tile. */
  readonly tokens: readonly number[];
  /** Bytes that encoder and kept features take at most. */
  readonly bytes: number;
  readonly #model: OnnxModel;
  readonly #session: OrtSession;
  readonly #known = new Map<string, Features>();

  private constructor(
    model: OnnxModel,
    head: OnnxModel,
    session: OrtSession,
    { tile, tokens, bytes }: Pick<FrozenEncoder, 'tile' | 'tokens' | 'bytes'>,
  ) {
    this.#model = model;
    this.head = head;
    this.#session = session;
    this.tile = tile;
    this.tokens = tokens;
    this.bytes = bytes;
  }

  /** @param weights the file beside the graph @param tile side in pixels of the tiles that it takes */
  static async open(
    model: OnnxModel,
    weights: { path: string; data: Blob },
    tile: number,
  ): Promise<FrozenEncoder> {
    const { encoder, head } = await partAtLastBlock(model, weights.data);
    const ort = await loadOrt('wasm', threadCount());
    const session = await ort.InferenceSession.create(writeOnnx(encoder), {
      executionProviders: ['wasm'],
      externalData: [weights],
    });
    const image = new ort.Tensor('float32', new Float32Array(3 * tile ** 2), [1, 3, tile, tile]);
    const output = await session.run({ [session.inputNames[0]]: image });
    const tokens = output[session.outputNames[0]].dims;
    const kept = MOST_TILES * 4 * tokens.reduce((product, length) => product * length, 1);
    return new FrozenEncoder(model, head, session, { tile, tokens, bytes: weights.data.size + kept });
  }

  /** @param image Float32 [1, 3, tile, tile] */
  async features(image: Float32Array): Promise<Features> {
    const key = await hashOf(new Blob([image as Float32Array<ArrayBuffer>]));
    const known = this.#known.get(key);
    if (known) return known;
    const ort = await loadOrt('wasm', threadCount());
    const [input] = this.#session.inputNames;
    const tensor = new ort.Tensor('float32', image.slice(), [1, 3, this.tile, this.tile]);
    const output = (await this.#session.run({ [input]: tensor }))[this.#session.outputNames[0]];
    const features = { data: output.data as Float32Array, dims: output.dims };
    if (this.#known.size >= MOST_TILES) this.#known.delete(this.#known.keys().next().value ?? '');
    this.#known.set(key, features);
    return features;
  }

  /** The whole network with another neck and readout. */
  async openWith(head: OnnxModel): Promise<OpenedNetwork> {
    const ort = await loadOrt('wasm', threadCount());
    const session = await ort.InferenceSession.create(writeOnnx(head), { executionProviders: ['wasm'] });
    const [input, output] = [session.inputNames[0], session.outputNames[0]];
    return {
      run: async (tiles, batch, height, width) => {
        const size = 3 * height * width;
        const flows = new Float32Array(batch * size);
        for (let n = 0; n < batch; n++) {
          const { data, dims } = await this.features(tiles.subarray(n * size, (n + 1) * size));
          const result = await session.run({ [input]: new ort.Tensor('float32', data, dims) });
          flows.set(result[output].data as Float32Array, n * size);
        }
        return flows;
      },
      release: () => session.release(),
    };
  }

  /** The file of weights with those of another neck and readout; nothing is copied but these. */
  patched(head: OnnxModel, data: Blob): Blob {
    const places = [...head.constants].flatMap(([name, { bytes }]) => {
      const external = this.#model.constants.get(name)?.external;
      return external ? [{ ...external, bytes }] : [];
    });
    const parts: BlobPart[] = [];
    let at = 0;
    for (const { offset, length, bytes } of places.sort((a, b) => a.offset - b.offset)) {
      parts.push(data.slice(at, offset), bytes as Uint8Array<ArrayBuffer>);
      at = offset + length;
    }
    return new Blob([...parts, data.slice(at)]);
  }

  release(): Promise<void> {
    this.#known.clear();
    return this.#session.release();
  }
}
