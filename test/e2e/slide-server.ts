import { createServer } from 'node:http';

export const SIDE = 100_000;
export const CHUNK = 512;
export const LEVELS = 8;
/** Pixels beyond this column were never scanned: their chunks are missing. */
export const SCANNED = 80_000;
export const UNSCANNED = 12;

/** Sample of the slide at a full-resolution pixel: cells of 40 pixels on a lattice over an uneven ground. */
export function slideSample(y: number, x: number): number {
  if (x >= SCANNED) return UNSCANNED;
  const [column, row] = [Math.floor(x / 64), Math.floor(y / 64)];
  const shift = ((column * 7 + row * 13) % 17) - 8;
  const inside = ((x % 64) - 32 - shift) ** 2 + ((y % 64) - 32 + shift) ** 2 < 400;
  return inside ? 120 + ((column * 31 + row * 17) % 100) : 40 + (((x >> 13) + (y >> 13)) % 3) * 14;
}

/** Whole pixels of the full resolution to a side of a pixel of a level. */
const factor = (level: number) => 2 ** level;
export const levelSide = (level: number) => Math.ceil(SIDE / factor(level));

/** A zarr 2 hierarchy whose chunks are made when asked for; counts what is asked for. */
export interface SlideServer {
  origin: string;
  /** Chunks asked for since the last {@link SlideServer.reset}, `level/row.column`. */
  asked: string[];
  /** Requests that the page gave up before they were answered. */
  aborted: number;
  /** Most requests under way at a time. */
  most: number;
  /** Milliseconds before a chunk is sent. */
  delay: number;
  reset(): void;
  close(): Promise<void>;
}

export async function startSlideServer(): Promise<SlideServer> {
  let open = 0;
  const state = { asked: [] as string[], aborted: 0, most: 0, delay: 0 };
  const datasets = Array.from({ length: LEVELS }, (_, level) => ({
    path: String(level),
    coordinateTransformations: [{ type: 'scale', scale: [0.25 * factor(level), 0.25 * factor(level)] }],
  }));
  const axes = ['y', 'x'].map((name) => ({ name, type: 'space', unit: 'micrometer' }));
  const documents: Record<string, unknown> = {
    '.zgroup': { zarr_format: 2 },
    '.zattrs': { multiscales: [{ version: '0.4', name: 'slide', axes, datasets }] },
  };
  for (let level = 0; level < LEVELS; level++) {
    documents[`${level}/.zarray`] = {
      zarr_format: 2,
      shape: [levelSide(level), levelSide(level)],
      chunks: [CHUNK, CHUNK],
      dtype: '|u1',
      compressor: null,
      filters: null,
      order: 'C',
      fill_value: UNSCANNED,
    };
  }
  const server = createServer((request, response) => {
    const headers = { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' };
    const path = new URL(request.url ?? '/', 'http://localhost').pathname.replace('/slide.ome.zarr/', '');
    const document = documents[path];
    if (document) {
      response
        .writeHead(200, { ...headers, 'Content-Type': 'application/json' })
        .end(JSON.stringify(document));
      return;
    }
    const chunk = /^(\d)\/(\d+)\.(\d+)$/.exec(path);
    if (!chunk) {
      response.writeHead(404, headers).end();
      return;
    }
    const [level, row, column] = chunk.slice(1).map(Number);
    state.asked.push(`${level}/${row}.${column}`);
    state.most = Math.max(state.most, ++open);
    response.on('close', () => {
      open--;
      if (!response.writableFinished) state.aborted++;
    });
    setTimeout(() => {
      if (response.destroyed) return;
      if (column * CHUNK * factor(level) >= SCANNED) response.writeHead(404, headers).end();
      else response.writeHead(200, headers).end(chunkOf(level, row, column));
    }, state.delay);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return Object.assign(state, {
    origin: `http://127.0.0.1:${port}`,
    reset: () => {
      state.asked.length = 0;
      state.aborted = 0;
      state.most = 0;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

function chunkOf(level: number, row: number, column: number): Uint8Array {
  const bytes = new Uint8Array(CHUNK * CHUNK);
  const size = factor(level);
  for (let y = 0, at = 0; y < CHUNK; y++) {
    for (let x = 0; x < CHUNK; x++, at++) {
      bytes[at] = slideSample((row * CHUNK + y) * size, (column * CHUNK + x) * size);
    }
  }
  return bytes;
}
