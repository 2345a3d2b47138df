import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../../scripts/static-server.mjs';
import { openImage } from '../../workers/io/open.ts';

/** Castagnoli's CRC of bytes, which ends the index of a shard. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

const SIDE = 64;
const INNER = 16;
const sampleAt = (y: number, x: number) => (y * SIDE + x) % 65_521;

/** One shard of 4×4 inner chunks of uint16, uncompressed. */
function shard(): Uint8Array {
  const inner = INNER * INNER * 2;
  const index = new BigUint64Array(32);
  const bytes = new Uint8Array(16 * inner + 256 + 4);
  for (let k = 0; k < 16; k++) {
    const chunk = Uint16Array.from({ length: INNER * INNER }, (_, i) =>
      sampleAt((k >> 2) * INNER + (i >> 4), (k & 3) * INNER + (i & 15)),
    );
    bytes.set(new Uint8Array(chunk.buffer), k * inner);
    index.set([BigInt(k * inner), BigInt(inner)], k * 2);
  }
  bytes.set(new Uint8Array(index.buffer), 16 * inner);
  new DataView(bytes.buffer).setUint32(16 * inner + 256, crc32c(new Uint8Array(index.buffer)), true);
  return bytes;
}

const space = (name: string) => ({ name, type: 'space', unit: 'micrometer' });
const multiscales = (scale: number[], axes: string[]) => [
  { axes: axes.map(space), datasets: [{ path: '0', coordinateTransformations: [{ type: 'scale', scale }] }] },
];

describe('OME-Zarr by address', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cytopane-zarr-'));
  let server: Awaited<ReturnType<typeof startServer>>;
  const put = (path: string, content: unknown) => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content instanceof Uint8Array ? content : JSON.stringify(content));
  };

  /** An image of version 0.4 whose every sample has one value. */
  const flat = (path: string, value: number, extra: object = {}) => {
    put(`${path}/.zgroup`, { zarr_format: 2 });
    put(`${path}/.zattrs`, {
      multiscales: [{ version: '0.4', ...multiscales([0.5, 0.5], ['y', 'x'])[0] }],
      ...extra,
    });
    const layout = { compressor: null, filters: null, order: 'C', dimension_separator: '/' };
    put(`${path}/0/.zarray`, {
      zarr_format: 2,
      shape: [4, 4],
      chunks: [4, 4],
      dtype: '<u2',
      fill_value: value,
      ...layout,
    });
  };

  before(async () => {
    const group = (ome: object) => ({
      zarr_format: 3,
      node_type: 'group',
      attributes: { ome: { version: '0.5', ...ome } },
    });
    put('sharded.zarr/zarr.json', group({ multiscales: multiscales([0.5, 0.5], ['y', 'x']) }));
    put('sharded.zarr/0/zarr.json', {
      zarr_format: 3,
      node_type: 'array',
      shape: [SIDE, SIDE],
      data_type: 'uint16',
      chunk_grid: { name: 'regular', configuration: { chunk_shape: [SIDE, SIDE] } },
      chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
      fill_value: 0,
      dimension_names: ['y', 'x'],
      codecs: [
        {
          name: 'sharding_indexed',
          configuration: {
            chunk_shape: [INNER, INNER],
            codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
            index_codecs: [{ name: 'bytes', configuration: { endian: 'little' } }, { name: 'crc32c' }],
            index_location: 'end',
          },
        },
      ],
    });
    put('sharded.zarr/0/c/0/0', shard());

    put('plate.zarr/.zgroup', { zarr_format: 2 });
    const wells = ['A/1', 'B/3'].map((path, k) => ({ path, rowIndex: k, columnIndex: 2 * k }));
    put('plate.zarr/.zattrs', {
      plate: {
        version: '0.4',
        rows: [{ name: 'A' }, { name: 'B' }],
        columns: [1, 2, 3].map((n) => ({ name: `${n}` })),
        wells,
      },
    });
    for (const [k, { path }] of wells.entries()) {
      put(`plate.zarr/${path}/.zgroup`, { zarr_format: 2 });
      put(`plate.zarr/${path}/.zattrs`, { well: { version: '0.4', images: [{ path: '0' }, { path: '1' }] } });
      for (const field of [0, 1]) flat(`plate.zarr/${path}/${field}`, 10 * k + field + 1);
    }
    put('collection.zarr/.zgroup', { zarr_format: 2 });
    put('collection.zarr/.zattrs', { 'bioformats2raw.layout': 3 });
    flat('collection.zarr/0', 31);
    flat('collection.zarr/1', 32);
    flat('collection.zarr/1/labels/cells', 7, { 'image-label': { version: '0.4' } });
    server = await startServer(folder);
  });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  const first = async (path: string) => {
    const source = await openImage(new URL(path, `${server.origin}/`));
    return { value: (await source.readVolume()).data[0], notes: source.notes.join(' ') };
  };

  it('reads a part of a shard of version 0.5 by ranges', async () => {
    const source = await openImage(new URL('/sharded.zarr', server.origin));
    assert.equal(source.calibration.unit, 'µm');
    const { data } = await source.read({ y: [20, 22], x: [33, 36] }, 0);
    assert.deepEqual(
      [...data],
      [20, 21].flatMap((y) => [33, 34, 35].map((x) => sampleAt(y, x))),
    );
    const whole = await source.readVolume();
    assert.equal(whole.data[SIDE * SIDE - 1], sampleAt(SIDE - 1, SIDE - 1));
  });

  it('opens plates, wells and fields, and says which field of a plate is shown', async () => {
    const plate = await first('plate.zarr');
    assert.equal(plate.value, 1);
    assert.match(plate.notes, /first field of well A\/1/);
    assert.equal((await first('plate.zarr/B/3/')).value, 11);
    assert.equal((await first('plate.zarr/B/3/1/')).value, 12);
  });

  it('opens images of a bioformats2raw collection and their labels', async () => {
    assert.equal((await first('collection.zarr')).value, 31);
    assert.equal((await first('collection.zarr/1/')).value, 32);
    assert.equal((await first('collection.zarr/1/labels/cells/')).value, 7);
  });
});
