/** A static file server with range requests and, if asked for, the headers of cross-origin isolation. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.ts': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.tif': 'image/tiff',
};

/**
 * @param {string | Record<string, string>} roots folder to serve, or address prefix → folder
 * @param {{ port?: number, isolated?: boolean, headers?: Record<string, string> }} options port 0 takes any free one
 * @returns {Promise<{ origin: string, close(): Promise<void> }>}
 */
export async function startServer(roots, { port = 0, isolated = false, headers = {} } = {}) {
  const mounts = typeof roots === 'string' ? { '/': roots } : roots;
  const isolation = isolated
    ? { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
    : {};
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const prefix = Object.keys(mounts)
      .filter((mount) => path.startsWith(mount))
      .sort((a, b) => b.length - a.length)[0];
    let file =
      prefix === undefined ? undefined : join(mounts[prefix], normalize(sep + path.slice(prefix.length)));
    let info = file && (await stat(file).catch(() => undefined));
    if (info?.isDirectory() && path.endsWith('/')) {
      file = join(file, 'index.html');
      info = await stat(file).catch(() => undefined);
    }
    const common = { ...isolation, ...headers, 'Cache-Control': 'no-cache', 'Accept-Ranges': 'bytes' };
    if (!info?.isFile()) {
      response.writeHead(404, { ...common, 'Content-Type': 'text/plain' }).end('Not found\n');
      return;
    }
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
    let start = 0;
    let end = info.size - 1;
    if (range && (range[1] || range[2])) {
      start = range[1] ? Number(range[1]) : Math.max(0, info.size - Number(range[2]));
      end = range[1] && range[2] ? Math.min(Number(range[2]), end) : end;
      if (start > end) {
        response.writeHead(416, { ...common, 'Content-Range': `bytes */${info.size}` }).end();
        return;
      }
    }
    const partial = range !== null;
    response.writeHead(partial ? 206 : 200, {
      ...common,
      'Content-Type': type,
      'Content-Length': info.size === 0 ? 0 : end - start + 1,
      ...(partial ? { 'Content-Range': `bytes ${start}-${end}/${info.size}` } : {}),
    });
    if (request.method === 'HEAD' || info.size === 0) response.end();
    else createReadStream(file, { start, end }).pipe(response);
  });
  await new Promise((resolve, reject) => server.on('error', reject).listen(port, '127.0.0.1', resolve));
  const { port: actual } = server.address();
  return {
    origin: `http://127.0.0.1:${actual}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
