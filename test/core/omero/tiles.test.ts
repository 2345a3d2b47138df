import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ImageSource } from '../../../core/image-source.ts';
import { imageDetails, openPixels } from '../../../core/omero/index.ts';
import { placesOf, tilesWithin, type WindowPlane } from '../../../core/tile-window.ts';
import { TiledImage, type TileGrid, TileMemory, tileSize } from '../../../core/tiled-image.ts';
import { connected, nodeOpener, startLab } from '../../omero-server/lab.ts';

const XY = { right: 2, down: 1, across: 0 } as const;
const plane: WindowPlane = { axes: XY, t: 0, c: 0, depth: 0.5 };

/** The slide of 1500 × 1100 pixels, whose samples are their x modulo 256, through one way of the server. */
async function slide(options: Parameters<typeof startLab>[0], task: (source: ImageSource) => Promise<void>) {
  const server = await startLab(options);
  try {
    const connection = await connected(server);
    await task(await openPixels(connection, nodeOpener, await imageDetails(connection, 103)));
  } finally {
    await server.close();
  }
}

const tiled = (source: ImageSource) =>
  new TiledImage(source, { overview: 2, rgb: source.rgb, memory: new TileMemory() });

async function complete(image: TiledImage): Promise<void> {
  while (image.missing > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('OMERO: tiles of a slide as they are looked at', () => {
  for (const options of [{ plugin: true }, { pixelBuffer: true }, { webZarr: true }]) {
    it(`come of every level, of what is in view alone (${Object.keys(options)})`, async () => {
      await slide(options, async (source) => {
        const image = tiled(source);
        const asker = {};
        let bytes = 0;
        let problems = 0;
        image.addEventListener('problem', () => problems++);
        for (const level of [0, 1]) {
          const grid = image.grid(level, XY) as TileGrid;
          assert.deepEqual([grid.height, grid.width], source.levels[level].shape.slice(3));
          const view = [600, 800, 700, 900].map((place) => place / 2 ** level);
          const places = placesOf(image, level, plane, tilesWithin(grid, view as never));
          image.want(asker, places);
          await complete(image);
          for (const place of places) {
            const samples = image.get(place);
            assert.ok(samples, `a tile of level ${level}`);
            const { width, height } = tileSize(grid, place.column, place.row);
            assert.equal(samples.length, width * height);
            bytes += samples.length;
            const x = place.column * grid.tileWidth;
            const row = samples.subarray((height - 1) * width, height * width);
            assert.deepEqual(
              [...row],
              Array.from({ length: width }, (_, k) => ((x + k) * 2 ** level) & 255),
            );
          }
        }
        assert.equal(problems, 0);
        assert.equal(image.bytes, bytes);
        image.close();
      });
    });
  }

  it('of the session that has ended are asked for again after a new login', async () => {
    const server = await startLab({ plugin: true });
    try {
      const connection = await connected(server);
      connection.onLoginNeeded = async () => {
        await connection.logIn({ username: 'user-1', password: 'secret' });
      };
      const image = tiled(await openPixels(connection, nodeOpener, await imageDetails(connection, 103)));
      server.expireSessions();
      const grid = image.grid(0, XY) as TileGrid;
      const [place] = placesOf(image, 0, plane, tilesWithin(grid, [0, 0, 50, 50]));
      image.want({}, [place]);
      await complete(image);
      assert.equal(image.get(place)?.[17], 17);
      image.close();
    } finally {
      await server.close();
    }
  });
});
