import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  imageDetails,
  imagesOf,
  OmeroConnection,
  objectsOfAddress,
  openPixels,
} from '../../../core/omero/index.ts';
import { cookieFetch } from '../../omero-server/cookie-fetch.ts';
import { connected, nodeOpener, startLab } from '../../omero-server/lab.ts';
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
    const { volume, image } = await route({ pixelBuffer: true }, 102);
    assert.deepEqual(volume.shape, image.shape);
    assert.deepEqual([...volume.data], [...image.data]);
    assert.deepEqual(volume.calibration, { spacing: [1000, 325, 325], unit: 'nm', calibrated: true });
    assert.deepEqual(volume.channels[1], { name: 'GFP', color: '#00ff00', window: [101, 3900] });
  });

  it('reads every resolution of a pyramid and regions across tiles', async () => {
    for (const options of [{ plugin: true }, { pixelBuffer: true }]) {
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
