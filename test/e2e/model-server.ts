import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** A server of model folders on another origin that misbehaves as asked. */
export interface ModelServer {
  origin: string;
  /** `path range` of every request for a file, in order. */
  requests: string[];
  close(): Promise<void>;
}

/**
 * Addresses are `/<fault>/<folder>/<file>`. Faults: `ok`; `cut` ends every first answer for weights after a third;
 * `hang` sends a third of the weights and then nothing, until asked for a range; `wrong` changes a byte of the
 * weights; `wrong-once` only in the first half and only the first time; `no-cors`; `no-range`; `missing` has no weights.
 */
export async function startModelServer(folders: Record<string, string>): Promise<ModelServer> {
  const requests: string[] = [];
  const seen = new Set<string>();
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const [, fault, folder, name] = pathname.split('/');
    const cors = fault === 'no-cors' ? {} : { 'Access-Control-Allow-Origin': '*' };
    if (request.method === 'OPTIONS') {
      response
        .writeHead(fault === 'no-cors' ? 403 : 204, { ...cors, 'Access-Control-Allow-Headers': 'Range' })
        .end();
      return;
    }
    const range = request.headers.range;
    requests.push(`${request.method} ${name} ${range ?? ''}`.trim());
    const weights = /\.(onnx|data)$/.test(name ?? '');
    const bytes = await readFile(`${folders[folder]}/${name}`).catch(() => undefined);
    if (!bytes || (weights && fault === 'missing')) {
      response.writeHead(404, cors).end();
      return;
    }
    const first = !seen.has(pathname);
    seen.add(pathname);
    const body = Uint8Array.from(bytes);
    if (weights && (fault === 'wrong' || (fault === 'wrong-once' && first))) body[100] ^= 1;
    const asked = fault === 'no-range' ? null : /^bytes=(\d*)-(\d*)$/.exec(range ?? '');
    let [start, end] = [0, body.length];
    if (asked?.[1]) [start, end] = [Number(asked[1]), asked[2] ? Number(asked[2]) + 1 : body.length];
    else if (asked) start = Math.max(0, body.length - Number(asked[2]));
    if (start >= body.length) {
      response.writeHead(416, cors).end();
      return;
    }
    end = Math.min(end, body.length);
    response.writeHead(asked ? 206 : 200, {
      ...cors,
      'Content-Type': 'application/octet-stream',
      'Content-Length': end - start,
      ...(asked ? { 'Content-Range': `bytes ${start}-${end - 1}/${body.length}` } : {}),
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const breaks = weights && first && (fault === 'cut' || fault === 'wrong-once' || fault === 'no-range');
    const hangs = weights && fault === 'hang' && !asked;
    if (!breaks && !hangs) {
      response.end(body.subarray(start, end));
      return;
    }
    response.write(body.subarray(start, start + Math.floor((end - start) / 3)), () => {
      if (breaks) setTimeout(() => response.destroy(), 50);
    });
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('The server has no port.');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    requests,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
