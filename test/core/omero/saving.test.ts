import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  attachFile,
  groupedRois,
  idRanges,
  idsOf,
  labelShapes,
  listResults,
  listRois,
  type OmeroResult,
  OmeroSaving,
  packedColor,
  removeResult,
  roiLabels,
} from '../../../core/omero/index.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { connected, startLab } from '../../omero-server/lab.ts';
import { BODY_LIMIT } from '../../omero-server/routes.ts';
import type { OmeroServer } from '../../omero-server/server.ts';

/** Labels with holes, a hole in a hole's island, parts that touch at a corner, and the image's edge. */
function awkwardLabels([nz, ny, nx]: Shape3): Uint32Array {
  const labels = new Uint32Array(nz * ny * nx);
  const fill = (id: number, z: number, y0: number, y1: number, x0: number, x1: number) => {
    for (let y = y0; y < y1; y++) labels.fill(id, (z * ny + y) * nx + x0, (z * ny + y) * nx + x1);
  };
  for (let z = 0; z < nz; z++) {
    fill(3, z, 0, 20, 0, 20);
    fill(0, z, 3, 17, 3, 17);
    fill(3, z, 6, 14, 6, 14);
    fill(5, z, 8, 10, 8, 10);
    fill(0, z, 11, 13, 7, 9);
    fill(7, z, 24, 27, 5, 9);
    fill(7, z, 27, 30, 9, 12);
    fill(9, z, ny - 4, ny, nx - 6, nx);
  }
  fill(11, 0, 30, 36, 30, 40);
  // Scattered pixels: rings of every shape.
  let seed = 1;
  for (let y = 22; y < ny - 6; y++)
    for (let x = 44; x < nx - 6; x++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      if (seed >>> 31) labels[y * nx + x] = 13;
    }
  return labels;
}

const sizesOf = (labels: Uint32Array) => {
  const sizes: Record<string, number> = {};
  for (const id of labels) if (id) sizes[id] = (sizes[id] ?? 0) + 1;
  return sizes;
};

const request = (imageId: number, labels: Uint32Array, shape: Shape3) => ({
  imageId,
  labels,
  shape,
  t: 0,
  provenance: { software: 'Cytopane', model: 'default' },
  rois: true,
  files: [],
});

const STACK: Shape3 = [3, 48, 64];

async function inLab(options: Parameters<typeof startLab>[0], task: (server: OmeroServer) => Promise<void>) {
  const server = await startLab(options);
  try {
    await task(server);
  } finally {
    await server.close();
  }
}

describe('OMERO: shapes', () => {
  it('packs colours as signed integers', () => {
    assert.equal(packedColor([255, 255, 0], 255), -65281);
    assert.equal(packedColor([0, 255, 0], 255), 16711935);
    assert.equal(packedColor([0, 0, 255], 255), 65535);
    assert.equal(packedColor([255, 255, 0], 100), -65436);
  });

  it('packs masks highest bit first without padding of rows', () => {
    const labels = Uint32Array.from([1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1]);
    const [roi] = groupedRois(labels, [1, 3, 5], { t: 0 });
    assert.equal(roi.shapes[0].bits, 'q74=');
    assert.deepEqual([roi.shapes[0].width, roi.shapes[0].height], [5, 3]);
  });

  it('writes points as whole numbers with one space between pairs', () => {
    const labels = awkwardLabels(STACK);
    for (const { Points } of labelShapes(labels, STACK, { t: 0 }))
      assert.match(Points, /^\d+,\d+( \d+,\d+)+$/);
  });

  it('writes ids as ranges', () => {
    assert.equal(idRanges([503, 501, 502, 510]), '501-503,510');
    assert.deepEqual(idsOf('501-503,510'), [501, 502, 503, 510]);
    assert.deepEqual(idsOf('nonsense,-5'), []);
  });
});

describe('OMERO: saving', () => {
  it('stores polygons whose area by the server’s rule is the label’s, and reads the same labels back', () =>
    inLab({}, async (server) => {
      const connection = await connected(server);
      const labels = awkwardLabels(STACK);
      const result = await new OmeroSaving(connection, request(102, labels, STACK)).run();
      const rois = server.store.roisOf(102);
      const areas: Record<string, number> = {};
      const ids = rois.flatMap(({ shapes }) => shapes.map((shape) => shape['@id']));
      const stats = await connection.json<Record<string, Array<{ points: number }>>>(
        `iviewer/shape_stats/?ids=${ids.join(',')}&z=0&t=0&cs=0`,
      );
      for (const { shapes } of rois)
        for (const shape of shapes)
          areas[String(shape.Text)] = (areas[String(shape.Text)] ?? 0) + stats[shape['@id']][0].points;
      assert.deepEqual(areas, sizesOf(labels));
      assert.equal(result.state, 'complete');
      assert.deepEqual(new Set(result.roiIds), new Set(rois.map(({ id }) => id)));
      const read = await roiLabels(await listRois(connection, 102), STACK, 0, connection);
      assert.deepEqual(read.labels, labels);
    }));

  it('stores one ROI of masks per object by the plug-in, and reads the same labels back', () =>
    inLab({ plugin: true }, async (server) => {
      const connection = await connected(server);
      const labels = awkwardLabels(STACK);
      const result = await new OmeroSaving(connection, request(102, labels, STACK)).run();
      assert.equal(result.roiIds.length, 6);
      assert.equal(server.store.roisOf(102)[0].shapes.length, 3);
      const read = await roiLabels(await listRois(connection, 102), STACK, 0, connection);
      assert.deepEqual(read.labels, labels);
    }));

  it('removes exactly what it made', () =>
    inLab({}, async (server) => {
      const connection = await connected(server);
      const labels = awkwardLabels(STACK);
      const others = await connected(server, 'user-2');
      await new OmeroSaving(others, request(102, labels, STACK)).run();
      await attachFile(others, 102, { name: 'notes.txt', type: 'text/plain', bytes: new Uint8Array([1]) });
      const before = [server.store.roisOf(102).length, server.store.annotations.size];
      const files = [{ name: 'labels.tif', type: 'image/tiff', bytes: new Uint8Array([1, 2, 3]) }];
      await new OmeroSaving(connection, { ...request(102, labels, STACK), files }).run();
      const mine = (await listResults(connection, 102)).find(({ canDelete }) => canDelete) as OmeroResult;
      assert.equal(mine.provenance.model, 'default');
      assert.equal(mine.objects, 6);
      await removeResult(connection, mine);
      assert.deepEqual([server.store.roisOf(102).length, server.store.annotations.size], before);
      const [theirs] = await listResults(connection, 102);
      await assert.rejects(removeResult(connection, theirs), { kind: 'forbidden' });
      assert.deepEqual([server.store.roisOf(102).length, server.store.annotations.size], before);
    }));

  it('removes single ROIs where there is no OMERO.iviewer, and can still attach files there', () =>
    inLab({ iviewer: false }, async (server) => {
      const connection = await connected(server);
      const labels = awkwardLabels(STACK);
      await assert.rejects(new OmeroSaving(connection, request(102, labels, STACK)).run(), {
        kind: 'unsupported',
        message: /neither OMERO.iviewer nor the plug-in/,
      });
      const files = [{ name: 'labels.tif', type: 'image/tiff', bytes: new Uint8Array([1, 2, 3]) }];
      await new OmeroSaving(connection, { ...request(102, labels, STACK), rois: false, files }).run();
      for (const result of await listResults(connection, 102)) await removeResult(connection, result);
      assert.equal(server.store.annotations.size, 0);
    }));

  it('says that the user may not annotate, and leaves nothing behind', () =>
    inLab({}, async (server) => {
      const connection = await connected(server);
      const labels = new Uint32Array(1500 * 1100).fill(1, 0, 10);
      await assert.rejects(new OmeroSaving(connection, request(103, labels, [1, 1500, 1100])).run(), {
        kind: 'forbidden',
      });
      assert.deepEqual([server.store.rois.size, server.store.annotations.size], [0, 0]);
    }));

  for (const when of ['before', 'after'] as const) {
    it(`stores nothing twice when the connection breaks ${when} a batch is stored`, () =>
      inLab({}, async (server) => {
        const connection = await connected(server);
        const labels = awkwardLabels(STACK);
        const saving = new OmeroSaving(connection, request(102, labels, STACK));
        server.breakNext(/persist_rois/, when);
        if (when === 'before') await assert.rejects(saving.run(), { kind: 'network' });
        const result = await saving.run();
        const wanted = [...labelShapes(labels, STACK, { t: 0 })].length;
        assert.equal(server.store.roisOf(102).length, wanted);
        assert.equal(result.roiIds.length, wanted);
        assert.equal((await listResults(connection, 102)).length, 1);
      }));
  }

  it('goes on after a session that ended in the middle', () =>
    inLab({}, async (server) => {
      const connection = await connected(server);
      connection.onLoginNeeded = async () => {
        await connection.logIn({ username: 'user-1', password: 'secret' });
      };
      const labels = awkwardLabels(STACK);
      const saving = new OmeroSaving(connection, request(102, labels, STACK));
      const result = await saving.run({ onProgress: () => server.expireSessions() });
      assert.equal(result.state, 'complete');
      assert.equal(server.store.roisOf(102).length, result.roiIds.length);
    }));

  it('stores 5,000 cells in requests below the server’s limit', () =>
    inLab({}, async (server) => {
      const connection = await connected(server);
      const size = 1200;
      const labels = new Uint32Array(size * size);
      let id = 0;
      for (let y = 2; y + 14 < size && id < 5000; y += 16)
        for (let x = 2; x + 14 < size && id < 5000; x += 16) {
          id++;
          for (let row = 0; row < 12; row++) {
            const inset = Math.abs(row - 6) >> 1;
            labels.fill(id, (y + row) * size + x + inset, (y + row) * size + x + 13 - inset);
          }
        }
      assert.equal(id, 5000);
      const shape: Shape3 = [1, size, size];
      const result = await new OmeroSaving(connection, request(105, labels, shape)).run();
      assert.equal(result.roiIds.length, 5000);
      const [listed] = await listResults(connection, 105);
      assert.equal(listed.roiIds.length, 5000);
      const read = await roiLabels(await listRois(connection, 105), shape, 0, connection);
      assert.deepEqual(read.labels, labels);
      await removeResult(connection, listed);
      assert.equal(server.store.rois.size, 0);
    }));

  it('cuts batches of long outlines by bytes', () =>
    inLab({}, async (server) => {
      const connection = await connected(server);
      // Combs with toothed teeth: half a megabyte of corners each.
      const labels = new Uint32Array(1200 * 1200);
      for (let y = 0; y < 1200; y++)
        for (let x = 0; x < 1200; x++)
          if (y % 100 < 4 || (y % 100 < 90 && (x % 4 < 2 || (x % 4 === 2 && y % 2 === 0))))
            labels[y * 1200 + x] = 1 + Math.floor(y / 100);
      const bytes = [...labelShapes(labels, [1, 1200, 1200], { t: 0 })].reduce(
        (sum, { Points }) => sum + Points.length,
        0,
      );
      const repeated = { ...request(105, labels, [1, 1200, 1200] as Shape3) };
      const result = await new OmeroSaving(connection, repeated).run();
      assert.equal(result.state, 'complete');
      assert.ok(bytes > BODY_LIMIT, 'all at once would be refused');
    }));
});
