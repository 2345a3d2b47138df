/**
 * Inference on a server that speaks the Open Inference Protocol (KServe v2) with its binary tensor extension, as
 * Triton, KServe and OpenVINO Model Server do.
 * https://github.com/kserve/open-inference-protocol, docs/protocol/extension_binary_data.md of Triton
 */
import { CytoError } from '../../../core/errors.ts';
import type { TileNetwork } from '../preprocess/run-tiles.ts';
import type { ModelCard } from './model-card.ts';
import { type Rung, RungFailure } from './rung.ts';

/** Length of the JSON part of a message that goes on with binary tensors. */
const HEADER = 'Inference-Header-Content-Length';

/** A server that does not answer for so long has failed. */
const PATIENCE_MS = 120_000;

interface TensorMetadata {
  name: string;
  datatype: string;
  shape: number[];
}

interface ModelMetadata {
  name: string;
  versions?: string[];
  inputs: TensorMetadata[];
  outputs: TensorMetadata[];
}

interface OutputTensor extends TensorMetadata {
  data?: number[];
  parameters?: { binary_data_size?: number };
}

/** A model on a server. @param address `https://host/v2/models/NAME`, with `/versions/N` if wanted */
export function remoteRung(address: string): Rung {
  const base = address.replace(/\/+$/, '');
  return {
    kind: 'remote',
    threads: 1,
    name: `The server ${hostOf(base)}`,
    open: async ({ card }) => {
      const response = await ask(base);
      const metadata = (await response.json()) as ModelMetadata;
      const input = tensorNamed(metadata.inputs, card.input, card);
      const output = tensorNamed(metadata.outputs, card.output, card);
      // A server may change its model at any time: its verdict is not remembered.
      const run = remoteNetwork(base, input.name, output.name, card);
      return { batch: 1, run, release: async () => {} };
    },
  };
}

function hostOf(address: string): string {
  try {
    return new URL(address).host;
  } catch (cause) {
    throw new CytoError('bad-input', `"${address}" is not the address of a model on a server.`, { cause });
  }
}

function tensorNamed(tensors: TensorMetadata[] | undefined, name: string, card: ModelCard): TensorMetadata {
  const tensor =
    tensors?.find((one) => one.name === name) ?? (tensors?.length === 1 ? tensors[0] : undefined);
  if (tensor?.datatype === 'FP32') return tensor;
  throw new RungFailure('failed', `its model has no FP32 tensor "${name}", which "${card.name}" needs`);
}

async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
  if (response.ok) return response;
  const text = await response.text();
  let reason = text.slice(0, 200);
  try {
    reason = (JSON.parse(text) as { error?: string }).error ?? reason;
  } catch {
    // Proxies answer in other formats.
  }
  throw new Error(`it answered with status ${response.status}${reason ? ` (${reason})` : ''}`);
}

function remoteNetwork(base: string, input: string, output: string, card: ModelCard): TileNetwork {
  return async (tiles, batch, height, width) => {
    const header = new TextEncoder().encode(
      JSON.stringify({
        inputs: [
          {
            name: input,
            datatype: 'FP32',
            shape: [batch, 3, height, width],
            parameters: { binary_data_size: tiles.byteLength },
          },
        ],
        outputs: [{ name: output, parameters: { binary_data: true } }],
      }),
    );
    const samples = new Uint8Array(tiles.buffer, tiles.byteOffset, tiles.byteLength);
    const response = await ask(`${base}/infer`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/octet-stream', [HEADER]: String(header.length) },
      body: new Blob([header, samples as Uint8Array<ArrayBuffer>]),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const data = outputOf(bytes, response.headers, output, tiles.byteLength);
    if (data.length === tiles.length) return data;
    throw new CytoError(
      'model',
      `The server gives ${data.length} numbers for a tile of "${card.name}", not the ${tiles.length} of three maps.`,
    );
  };
}

/**
 * The output tensor of an answer, binary or as JSON.
 * @param expected bytes it should have; tells where it begins if the server does not let the page read the header
 */
function outputOf(bytes: Uint8Array, headers: Headers, name: string, expected: number): Float32Array {
  const json = headers.get('content-type')?.startsWith('application/json') === true;
  const stated = headers.get(HEADER);
  const end = stated !== null ? Number(stated) : json ? bytes.length : bytes.length - expected;
  let answer: { outputs?: OutputTensor[] };
  try {
    answer = JSON.parse(new TextDecoder().decode(bytes.subarray(0, Math.max(0, end))));
  } catch (cause) {
    throw new Error('its answer cannot be read', { cause });
  }
  // Binary tensors follow each other in the order of the outputs.
  let at = end;
  for (const tensor of answer.outputs ?? []) {
    const size = tensor.parameters?.binary_data_size ?? 0;
    if (tensor.name === name) {
      if (tensor.data) return Float32Array.from(tensor.data);
      return new Float32Array(bytes.slice(at, at + size - (size % 4)).buffer);
    }
    at += size;
  }
  throw new Error(`its answer has no tensor "${name}"`);
}
