import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import * as ort from 'onnxruntime-web/wasm';

/** An inference server of one model that speaks the Open Inference Protocol (KServe v2) and runs ONNX Runtime. */
export interface InferenceServer {
  /** Address of the model, `…/v2/models/NAME`. */
  model: string;
  /** Inferences that were answered. */
  served: number;
  close(): Promise<void>;
}

export interface InferenceServerOptions {
  /** Folder with `model.onnx` and `model.onnx.data`, one input and one output. */
  folder: string;
  /** Answers in JSON although binary tensors were asked for, as servers without the extension do. */
  json?: boolean;
  /** Adds this to every number. */
  error?: number;
  /** Fails from this inference on. */
  failAfter?: number;
  /** Header length that pages of other origins may not read, as without Access-Control-Expose-Headers. */
  hideLength?: boolean;
}

const HEADER = 'inference-header-content-length';

interface InferenceRequest {
  inputs: Array<{
    name: string;
    datatype: string;
    shape: number[];
    data?: number[];
    parameters?: { binary_data_size?: number };
  }>;
  outputs?: Array<{ name: string; parameters?: { binary_data?: boolean } }>;
}

export async function startInferenceServer(options: InferenceServerOptions): Promise<InferenceServer> {
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(await readFile(`${options.folder}/model.onnx`), {
    executionProviders: ['wasm'],
    externalData: [{ path: 'model.onnx.data', data: await readFile(`${options.folder}/model.onnx.data`) }],
  });
  const [input] = session.inputNames;
  const [output] = session.outputNames;
  const state = { served: 0 };
  const cors = {
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Headers': '*',
    ...(options.hideLength ? {} : { 'Access-Control-Expose-Headers': 'Inference-Header-Content-Length' }),
  };
  const json = (response: ServerResponse, status: number, body: unknown) =>
    response.writeHead(status, { ...cors, 'Content-Type': 'application/json' }).end(JSON.stringify(body));

  const infer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const length = request.headers[HEADER] === undefined ? body.length : Number(request.headers[HEADER]);
    const { inputs, outputs } = JSON.parse(body.subarray(0, length).toString()) as InferenceRequest;
    const [tensor] = inputs;
    const count = tensor.shape.reduce((product, side) => product * side, 1);
    const size = tensor.parameters?.binary_data_size;
    if (inputs.length !== 1 || tensor.name !== input || tensor.datatype !== 'FP32' || tensor.shape[1] !== 3) {
      json(response, 400, {
        error: `unexpected input '${tensor.name}' ${tensor.datatype} [${tensor.shape}]`,
      });
      return;
    }
    if (size !== undefined && (size !== 4 * count || body.length - length !== size)) {
      json(response, 400, {
        error: `unexpected total byte size ${body.length - length} for input '${input}'`,
      });
      return;
    }
    if (options.failAfter !== undefined && state.served >= options.failAfter) {
      json(response, 503, { error: 'out of memory' });
      return;
    }
    const samples =
      size === undefined
        ? Float32Array.from(tensor.data ?? [])
        : new Float32Array(Uint8Array.from(body.subarray(length)).buffer);
    const result = await session.run({ [input]: new ort.Tensor('float32', samples, tensor.shape) });
    const data = (result[output].data as Float32Array).map((value) => value + (options.error ?? 0));
    state.served++;
    const binary = outputs?.some(({ name, parameters }) => name === output && parameters?.binary_data);
    const described = { name: output, datatype: 'FP32', shape: result[output].dims };
    const answer = { model_name: 'conv3', model_version: '1' };
    if (!binary || options.json) {
      json(response, 200, { ...answer, outputs: [{ ...described, data: [...data] }] });
      return;
    }
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const header = JSON.stringify({
      ...answer,
      outputs: [{ ...described, parameters: { binary_data_size: bytes.length } }],
    });
    response
      .writeHead(200, {
        ...cors,
        'Content-Type': 'application/octet-stream',
        'Inference-Header-Content-Length': Buffer.byteLength(header),
      })
      .end(Buffer.concat([Buffer.from(header), bytes]));
  };

  const server = createServer((request, response) => {
    if (request.method === 'OPTIONS') response.writeHead(204, cors).end();
    else if (request.method === 'GET' && request.url === '/v2/models/conv3') {
      const shape = [-1, 3, -1, -1];
      json(response, 200, {
        name: 'conv3',
        versions: ['1'],
        platform: 'onnxruntime_onnx',
        inputs: [{ name: input, datatype: 'FP32', shape }],
        outputs: [{ name: output, datatype: 'FP32', shape }],
      });
    } else if (request.method === 'POST' && request.url === '/v2/models/conv3/infer') {
      infer(request, response).catch((error: unknown) => json(response, 500, { error: String(error) }));
    } else json(response, 404, { error: `Request for unknown model: ${request.url}` });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('The server has no port.');
  return {
    model: `http://127.0.0.1:${address.port}/v2/models/conv3`,
    get served() {
      return state.served;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await session.release();
    },
  };
}
