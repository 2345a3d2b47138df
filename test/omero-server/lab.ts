import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decode } from 'fast-png';
import type { ImageOpener } from '../../core/image-provider.ts';
import { OmeroConnection } from '../../core/omero/index.ts';
import { openImage } from '../../workers/io/open.ts';
import { cookieFetch } from './cookie-fetch.ts';
import { type OmeroServer, startOmeroServer } from './server.ts';
import type { OmeroServerOptions } from './store.ts';

const demoData = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../demo/data/${name}`, import.meta.url)));

const named = (file: File) => ({ name: file.name, path: file.name, blob: file });

/** Reads files as the reading worker does, in Node. */
export const nodeOpener: ImageOpener = {
  open: (input, options) =>
    openImage(
      input instanceof URL ? input : input instanceof File ? named(input) : input.map(named),
      options,
    ),
};

/** A server with images of every kind, and nobody logged in. */
export async function startLab(options: OmeroServerOptions = {}): Promise<OmeroServer> {
  const server = await startOmeroServer(options);
  const { images } = server.store;
  const nuclei = decode(demoData('nuclei-small-2d.png'));
  const size = { unit: 'NANOMETER', symbol: 'nm', z: 1000, y: 325, x: 325 };
  const dapi = { name: 'DAPI', color: '0000FF', window: [0, 180] as [number, number] };
  const wide = Uint16Array.from(nuclei.data as Uint8Array, (value) => value * 257);
  images.set(101, {
    id: 101,
    name: 'nuclei.ome.tiff',
    shape: [1, 1, 1, nuclei.height, nuclei.width],
    type: 'uint16',
    data: wide,
    size,
    channels: [{ ...dapi, window: [0, 180 * 257] }],
    canAnnotate: true,
    dataset: 11,
    busy: 1,
  });
  const stack = Uint16Array.from({ length: 2 * 3 * 48 * 64 }, (_, k) => (k * 7) % 60_000);
  images.set(102, {
    id: 102,
    name: 'stack',
    shape: [1, 2, 3, 48, 64],
    type: 'uint16',
    data: stack,
    size,
    channels: [dapi, { name: 'GFP', color: '00FF00', window: [101, 3900] }],
    canAnnotate: true,
    dataset: 11,
  });
  images.set(103, {
    id: 103,
    name: 'slide',
    shape: [1, 1, 1, 1500, 1100],
    type: 'uint8',
    data: Uint8Array.from({ length: 1500 * 1100 }, (_, k) => (k % 1100) & 255),
    channels: [{ ...dapi, name: '0' }],
    levels: 3,
    canAnnotate: false,
    dataset: 11,
    wellSample: { well: 7, row: 1, column: 2 },
  });
  images.set(104, {
    id: 104,
    name: 'float',
    shape: [1, 1, 1, 20, 30],
    type: 'float',
    data: Float32Array.from({ length: 600 }, (_, k) => k / 7 - 10),
    channels: [{ ...dapi, window: [-10, 75] }],
    canAnnotate: true,
    dataset: 12,
    wellSample: { well: 7, row: 1, column: 2 },
  });
  images.set(105, {
    id: 105,
    name: 'mosaic',
    shape: [1, 1, 1, 1200, 1200],
    type: 'uint8',
    data: new Uint8Array(1200 * 1200),
    channels: [dapi],
    canAnnotate: true,
    dataset: 12,
  });
  return server;
}

/** A connection with a user's session. */
export async function connected(server: OmeroServer, username = 'user-1'): Promise<OmeroConnection> {
  const connection = new OmeroConnection({ root: server.root, fetch: cookieFetch() });
  await connection.logIn({ username, password: 'secret' });
  return connection;
}
