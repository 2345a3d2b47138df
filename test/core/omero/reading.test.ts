import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  imageDetails,
  imagesOf,
  OmeroConnection,
  objectsOfAddress,
  openPixels,
} from '../../../core/omero/index.ts';
import { startServer } from '../../../scripts/static-server.mjs';
import { cookieFetch } from '../../omero-server/cookie-fetch.ts';
import { connected, nodeOpener, startLab } from '../../omero-server/lab.ts';
import { omeTiff } from '../../omero-server/pixels.ts';
import type { OmeroServer } from '../../omero-server/server.ts';

describe('OMERO: session', () => {
  let server: OmeroServer;
  before(async () => {
    server = await startLab({ prefix: '/omero/', delay: 5 });
  });
  after(() => server.close());

  it('logs in, knows the user, and says the server’s words when it refuses', async () => {
    const connection = new OmeroConnection({ root: server.root, fetch: cookieFetch() });
    assert.equal(await connection.user(), undefined);
    await assert.rejects(connection.logIn({ username: 'user-1', password: 'wrong' }), {
      kind: 'login',
      message: /check your user name/,
    });
    await assert.rejects(connection.json('api/v0/m/images/101/'), { kind: 'login' });
    await connection.logIn({ username: 'user-1', password: 'secret' });
    assert.equal((await connection.user())?.userName, 'user-1');
  });

  it('asks once for a login when the session has ended, however many requests wait, and goes on', async () => {
    const connection = await connected(server);
    let asked = 0;
    connection.onLoginNeeded = async () => {
      asked++;
      await connection.logIn({ username: 'user-1', password: 'secret' });
    };
    server.expireSessions();
    const names = await Promise.all(
      [101, 102, 103].map(async (id) => (await imageDetails(connection, id)).name),
    );
    assert.deepEqual(names, ['nuclei.ome.tiff', 'stack', 'slide']);
    assert.equal(asked, 1);
  });

  it('repeats reads after a broken connection and names what is missing', async () => {
    const connection = await connected(server);
    server.breakNext(/images\/104/, 'before');
    assert.equal((await imageDetails(connection, 104)).name, 'float');
    await assert.rejects(imageDetails(connection, 999), {
      kind: 'not-found',
      message: /Image 999 not found/,
    });
  });

  it('never has more than four requests in flight', async () => {
    const connection = await connected(server);
    await Promise.all(Array.from({ length: 30 }, () => connection.json('api/v0/m/images/102/')));
    assert.ok(server.mostInFlight() <= 4, `${server.mostInFlight()} requests in flight`);
  });

  it('keeps the session alive until told to stop', async () => {
    let pings = 0;
    const cookies = cookieFetch();
    const counted: typeof fetch = (input, init) => {
      if (/keepalive_ping\/$/.test(String(input))) pings++;
      return cookies(input, init);
    };
    const connection = new OmeroConnection({ root: server.root, fetch: counted });
    const stop = connection.keepAlive(5);
    while (pings < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    stop();
    const before = pings;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(pings, before);
  });

  it('lists images of datasets, wells and images named by a page’s address', async () => {
    const connection = await connected(server);
    const objects = objectsOfAddress(new URLSearchParams('image=104,101&dataset=11&well=7'));
    const found = await imagesOf(connection, objects);
    assert.deepEqual(
      found.map(({ id }) => id),
      [104, 101, 103, 102],
    );
    assert.equal((await imagesOf(connection, [{ kind: 'well', id: 7 }]))[0].name, 'B3 · slide');
  });
});

describe('OMERO: pixels', () => {
  const route = async (options: Parameters<typeof startLab>[0], id: number, level = 0) => {
    const server = await startLab(options);
    try {
      const connection = await connected(server);
      const source = await openPixels(connection, nodeOpener, await imageDetails(connection, id));
      return { volume: await source.readVolume(level), image: server.store.images.get(id)!, source };
    } finally {
      await server.close();
    }
  };

  for (const [name, options] of [
    ['omero-cytopane tiles', { plugin: true, pixelBuffer: true }],
    ['omero-ms-pixel-buffer', { pixelBuffer: true }],
    ['omero-web-zarr', { webZarr: true }],
    ['OME-TIFF export', {}],
  ] as const) {
    it(`reads raw samples by ${name}`, async () => {
      for (const id of [101, 104]) {
        const { volume, image } = await route(options, id);
        assert.equal(volume.provenance?.pixels, name);
        assert.equal(volume.dtype, image.type === 'float' ? 'float32' : image.type);
        assert.deepEqual([...volume.data], [...image.data]);
      }
    });
  }

  it('has OMERO’s names, colours, windows and sizes', async () => {
    for (const options of [{ pixelBuffer: true }, { webZarr: true }]) {
      const { volume, image } = await route(options, 102);
      assert.deepEqual(volume.shape, image.shape);
      assert.deepEqual([...volume.data], [...image.data]);
      assert.deepEqual(volume.calibration, { spacing: [1000, 325, 325], unit: 'nm', calibrated: true });
      assert.deepEqual(volume.channels[1], { name: 'GFP', color: '#00ff00', window: [101, 3900] });
    }
  });

  it('reads every resolution of a pyramid and regions across tiles', async () => {
    for (const options of [{ plugin: true }, { pixelBuffer: true }, { webZarr: true }]) {
      const server = await startLab(options);
      const connection = await connected(server);
      const source = await openPixels(connection, nodeOpener, await imageDetails(connection, 103));
      assert.deepEqual(
        source.levels.map(({ shape }) => shape.slice(3)),
        [
          [1500, 1100],
          [750, 550],
          [375, 275],
        ],
      );
      const part = await source.read({ y: [1000, 1040], x: [1010, 1050] }, 0);
      assert.deepEqual(
        [...part.data.subarray(0, 40)],
        Array.from({ length: 40 }, (_, k) => (1010 + k) & 255),
      );
      const small = await source.readVolume(2);
      assert.deepEqual([...small.data.subarray(0, 5)], [0, 4, 8, 12, 16]);
      await server.close();
    }
  });

  it('leaves the smaller resolutions of omero-web-zarr whose bytes are mixed up to the next way', async () => {
    const server = await startLab({ webZarr: true });
    const wide = Uint16Array.from({ length: 1500 * 1100 }, (_, k) => k % 60_000);
    const image = { ...server.store.images.get(103)!, type: 'uint16' as const, data: wide };
    server.store.images.set(103, image);
    const connection = await connected(server);
    const source = await openPixels(connection, nodeOpener, await imageDetails(connection, 103));
    assert.equal(source.provenance?.pixels, 'rendered JPEG');
    await server.close();
  });

  it('asks for a login when the session ends between chunks, and has no black ones', async () => {
    const server = await startLab({ webZarr: true });
    const connection = await connected(server);
    const source = await openPixels(connection, nodeOpener, await imageDetails(connection, 102));
    server.expireSessions();
    await assert.rejects(source.readVolume(), { kind: 'login' });
    connection.onLoginNeeded = async () => {
      await connection.logIn({ username: 'user-1', password: 'secret' });
    };
    const onProgress = ({ value }: { value: number }) => {
      if (value === 2) server.expireSessions();
    };
    const { data } = await source.readVolume(0, { onProgress });
    assert.deepEqual([...data], [...server.store.images.get(102)!.data]);
    await server.close();
  });

  describe('registered as OME-Zarr', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cytopane-lsid-'));
    let files: Awaited<ReturnType<typeof startServer>>;
    before(async () => {
      files = await startServer(folder);
    });
    after(async () => {
      await files.close();
      rmSync(folder, { recursive: true });
    });

    /** Opens image 104, whose pixels are said to be at an address. */
    const registered = async (Lsid: string, entity = 'com.glencoesoftware.ngff:multiscales') => {
      const server = await startLab();
      try {
        const image = server.store.images.get(104)!;
        image.externalInfo = { EntityType: entity, EntityId: 3, Lsid };
        const connection = await connected(server);
        const source = await openPixels(connection, nodeOpener, await imageDetails(connection, 104));
        return { volume: await source.readVolume(), image };
      } finally {
        await server.close();
      }
    };
    const write = (name: string, width: number, data: Float32Array) => {
      const root = join(folder, name);
      mkdirSync(join(root, '0/0'), { recursive: true });
      const layout = { compressor: null, filters: null, order: 'C', dimension_separator: '/', fill_value: 0 };
      const shape = [20, width];
      const axes = ['y', 'x'].map((axis) => ({ name: axis, type: 'space', unit: 'micrometer' }));
      const transformation = { type: 'scale', scale: [7, 7] };
      const datasets = [{ path: '0', coordinateTransformations: [transformation] }];
      const put = (path: string, value: unknown) => writeFileSync(join(root, path), JSON.stringify(value));
      put('.zgroup', { zarr_format: 2 });
      put('.zattrs', { multiscales: [{ version: '0.4', axes, datasets }] });
      put('0/.zarray', { zarr_format: 2, shape, chunks: shape, dtype: '<f4', ...layout });
      writeFileSync(join(root, '0/0/0'), new Uint8Array(data.buffer));
    };

    it('is read from there, with OMERO’s name and sizes', async () => {
      const samples = Float32Array.from({ length: 600 }, (_, k) => k / 7 - 10);
      write('float.zarr', 30, samples);
      const { volume, image } = await registered(`${files.origin}/float.zarr`);
      assert.equal(volume.provenance?.pixels, 'OME-Zarr');
      assert.deepEqual([...volume.data], [...image.data]);
      assert.equal(volume.name, 'float');
      assert.equal(volume.calibration.calibrated, false);
      assert.deepEqual(volume.notes, []);
    });

    it('is read another way when the address is no use, and the notes say why', async () => {
      const gone = await registered(`${files.origin}/nothing.zarr`);
      assert.equal(gone.volume.provenance?.pixels, 'OME-TIFF export');
      assert.match(gone.volume.notes.join(' '), /Not read by OME-Zarr: .*no OME-Zarr image/);
      write('other.zarr', 10, new Float32Array(200));
      const other = await registered(`${files.origin}/other.zarr`);
      assert.equal(other.volume.provenance?.pixels, 'OME-TIFF export');
      assert.match(other.volume.notes.join(' '), /has 1×1×1×20×10 samples/);
      assert.deepEqual([...other.volume.data], [...other.image.data]);
      // Folders of the server, and externalInfo of other kinds, are no addresses.
      for (const [lsid, entity] of [['/OMERO/zarr/float.zarr'], [`${files.origin}/float.zarr`, 'other']])
        assert.equal((await registered(lsid, entity)).volume.provenance?.pixels, 'OME-TIFF export');
    });
  });

  it('reads the original file where nothing else gives raw samples', async () => {
    const server = await startLab({ omeTiff: false });
    const image = server.store.images.get(104)!;
    image.original = { name: 'float.ome.tif', bytes: omeTiff(image) };
    const connection = await connected(server);
    const source = await openPixels(connection, nodeOpener, await imageDetails(connection, 104));
    assert.equal(source.provenance?.pixels, 'original file');
    assert.deepEqual([...(await source.readVolume()).data], [...image.data]);
    // What cannot be read here is not loaded.
    image.original.name = 'float.czi';
    const unknown = await openPixels(connection, nodeOpener, await imageDetails(connection, 104));
    assert.deepEqual([unknown.provenance?.pixels, unknown.notes.length], ['rendered JPEG', 1]);
    image.original.name = 'float.ome.tif';
    // A file of several images is not taken for the one that was asked for.
    image.original.bytes = omeTiff(server.store.images.get(105)!);
    const lossy = await openPixels(connection, nodeOpener, await imageDetails(connection, 104));
    assert.deepEqual(
      [lossy.provenance?.pixels, lossy.provenance?.pixel_quality],
      ['rendered JPEG', '8-bit, lossy'],
    );
    await server.close();
  });

  it('stops when asked to', async () => {
    const server = await startLab({ pixelBuffer: true, delay: 20 });
    const connection = await connected(server);
    const source = await openPixels(connection, nodeOpener, await imageDetails(connection, 102));
    const controller = new AbortController();
    const reading = source.readVolume(0, { signal: controller.signal });
    setTimeout(() => controller.abort(), 30);
    await assert.rejects(reading, { kind: 'aborted' });
    await server.close();
  });

  it('reads for a visitor without a session where the server is public', async () => {
    const server = await startLab({ publicUser: true, pixelBuffer: true });
    const connection = new OmeroConnection({ root: server.root, fetch: cookieFetch() });
    const source = await openPixels(connection, nodeOpener, await imageDetails(connection, 104));
    assert.equal((await source.readVolume()).data.length, 600);
    await server.close();
  });
});
