import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openStage, type Stage } from './browser.ts';
import {
  CHUNK,
  LEVELS,
  SCANNED,
  SIDE,
  type SlideServer,
  slideSample,
  startSlideServer,
} from './slide-server.ts';
import { lookAt, settled, tileBytes, valueAt } from './slide-view.ts';

describe('a slide of 100,000 × 100,000 pixels', () => {
  let server: SlideServer;
  let stage: Stage;
  before(async () => {
    server = await startSlideServer();
    stage = await openStage();
    await stage.page.setViewportSize({ width: 900, height: 560 });
    await stage.page.goto(
      `${stage.origin}/demo/?image=${encodeURIComponent(`${server.origin}/slide.ome.zarr`)}`,
    );
    await stage.page.waitForFunction(
      () => document.querySelector('cyto-workbench')?.viewer?.model.images.at(0)?.detail,
    );
    await settled(stage.page);
  });
  after(async () => {
    await stage.close();
    await server.close();
  });

  const slide = { side: SIDE, pixelSize: 0.25 };
  const look = (y: number, x: number, scale: number) => lookAt(stage.page, slide, { y, x, scale });
  const levelsAsked = () => [...new Set(server.asked.map((chunk) => Number(chunk[0])))];

  it('is there after a coarse level of it was read', () => {
    assert.equal(levelsAsked().length, 1);
    assert.ok(levelsAsked()[0] >= 4);
    assert.ok(server.asked.length <= 64, `${server.asked.length} chunks`);
  });

  it('shows full resolution where one looks, of the tiles on screen only', async () => {
    server.reset();
    const place = await look(41_003, 30_501, 2);
    await settled(stage.page);
    assert.ok(place.shown > 1);
    assert.equal(await valueAt(stage.page, place), slideSample(41_003, 30_501));
    assert.deepEqual(levelsAsked(), [0]);
    assert.ok(server.asked.length <= 6, `${server.asked.length} chunks`);
    for (const chunk of server.asked) {
      const [row, column] = chunk.slice(2).split('.').map(Number);
      assert.ok(Math.abs(row - 41_003 / CHUNK) < 2 && Math.abs(column - 30_501 / CHUNK) < 2.5, chunk);
    }
    assert.equal(await tileBytes(stage.page), server.asked.length * CHUNK * CHUNK);
  });

  it('shows what was never scanned as the fill value', async () => {
    const place = await look(50_000, SCANNED + 9000, 1);
    await settled(stage.page);
    assert.equal(await valueAt(stage.page, place), slideSample(50_000, SCANNED + 9000));
  });

  it('gives up tiles that are no longer seen, and shows coarser ones until the fine ones come', async () => {
    server.reset();
    server.delay = 400;
    for (let step = 0; step < 5; step++) {
      await look(20_000 + step * 8000, 20_000 + step * 8000, 1);
      await stage.page.waitForTimeout(120);
    }
    const lit = await stage.page.evaluate(() => {
      const canvas = document.querySelector('cyto-workbench')!.viewer.shadowRoot!.querySelector('canvas')!;
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i] > 20) count++;
      return count / (data.length / 4);
    });
    assert.ok(lit > 0.9, `${lit} of the picture is not black`);
    server.delay = 0;
    await settled(stage.page);
    assert.ok(server.aborted > 0, 'requests were given up');
    assert.ok(server.most <= 6, `${server.most} requests at a time`);
  });

  it('is read level by level while one comes closer, and stays within its memory', async () => {
    for (let level = LEVELS - 2; level >= 0; level -= 3) {
      server.reset();
      await look(SIDE / 3, SIDE / 3, 1 / 2 ** level);
      await settled(stage.page);
      assert.ok(server.asked.length <= 20, `${server.asked.length} chunks`);
      for (const asked of levelsAsked())
        assert.ok(Math.abs(asked - level) <= 1, `level ${asked} for ${level}`);
    }
    assert.ok((await tileBytes(stage.page)) <= 256 * 2 ** 20);
    assert.deepEqual(stage.problems, []);
  });
});
