import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openStage, type Stage } from './browser.ts';
import { LEVELS, PIXEL_SIZE, pyramidSample, pyramidTiff, SIDE, STEP, TILE } from './pyramid-tiff.ts';
import { lookAt, settled, tileBytes, valueAt } from './slide-view.ts';

const slide = { side: SIDE, pixelSize: PIXEL_SIZE };

describe('a pyramidal OME-TIFF of 40,000 × 40,000 pixels from the disk', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage();
    await stage.page.setViewportSize({ width: 900, height: 560 });
    await stage.page.goto(`${stage.origin}/demo/`);
    await stage.page.waitForFunction(() => document.querySelector('cyto-workbench')?.viewer);
    await stage.page
      .locator('cyto-workbench input#files')
      .first()
      .setInputFiles({
        name: 'slide.ome.tif',
        mimeType: 'image/tiff',
        buffer: Buffer.from(pyramidTiff()),
      });
    await stage.page.waitForFunction(
      () => document.querySelector('cyto-workbench')?.viewer?.model.images.at(-1)?.detail,
    );
    await settled(stage.page);
  });
  after(() => stage.close());

  it('has its physical size, at a resolution that fits into memory', async () => {
    const { shape, spacing, unit } = await stage.page.evaluate(
      () => document.querySelector('cyto-workbench')!.viewer.model.dims,
    );
    assert.ok(shape[2] < SIDE / STEP);
    assert.ok(Math.abs(shape[2] * spacing[2] - SIDE * PIXEL_SIZE) < SIDE * PIXEL_SIZE * 1e-3);
    assert.equal(unit, 'µm');
  });

  it('shows full resolution where one looks, of the tiles on screen only', async () => {
    for (const [y, x] of [
      [20_003, 30_501],
      [39_990, 39_985],
    ]) {
      const before = await tileBytes(stage.page);
      const place = await lookAt(stage.page, slide, { y, x, scale: 2 });
      await settled(stage.page);
      assert.ok(place.shown > 1);
      assert.equal(await valueAt(stage.page, place), pyramidSample(y, x));
      const tiles = ((await tileBytes(stage.page)) - before) / TILE ** 2;
      assert.ok(tiles > 0 && tiles <= 12, `${tiles} tiles`);
    }
  });

  it('shows every level in its place', async () => {
    for (let level = 1; level < LEVELS - 1; level++) {
      const factor = STEP ** level;
      const [y, x] = [17_000, 23_000].map((place) => Math.floor(place / factor) * factor);
      // The middle of a pixel of the level that is about as large as one of the screen.
      const place = await lookAt(stage.page, slide, {
        y: y + factor / 2,
        x: x + factor / 2,
        scale: 1 / factor,
      });
      await settled(stage.page);
      const fine = Number(await valueAt(stage.page, place));
      assert.ok(
        Math.abs(fine - pyramidSample(y, x)) <= 3,
        `level ${level}: ${fine}, not ${pyramidSample(y, x)}`,
      );
    }
  });

  it('is not cut out while more is in view than can be held; the panel says so', async () => {
    await stage.page.evaluate(() => document.querySelector('cyto-workbench')!.viewer.fit());
    await stage.page.getByRole('button', { name: 'Cut out this view' }).click();
    const message = await stage.page.locator('cyto-cut-out [role="alert"]').textContent();
    assert.match(message ?? '', /^What is in view has 1×40000×40000 voxels .* Come closer/);
  });

  it('is cut out at full resolution where one looks, and comes back whole', async () => {
    await lookAt(stage.page, slide, { y: 9000, x: 14_000, scale: 1 });
    await settled(stage.page);
    await stage.page.getByRole('button', { name: 'Cut out this view' }).click();
    const back = stage.page.getByRole('button', { name: 'Back to the whole image' });
    await back.waitFor();
    await settled(stage.page);
    const part = await stage.page.evaluate(() => {
      const { model } = document.querySelector('cyto-workbench')!.viewer;
      const { volume, detail } = model.images[0];
      const { name, shape, data, calibration } = volume;
      const row = [...data.subarray(shape[4] * 5, shape[4] * 6)] as number[];
      return {
        name,
        shape,
        row,
        held: detail === undefined,
        layers: model.layers.length,
        spacing: calibration.spacing,
      };
    });
    assert.equal(part.layers, 1);
    assert.ok(part.held);
    assert.deepEqual(part.spacing.slice(1), [PIXEL_SIZE, PIXEL_SIZE]);
    assert.ok(part.shape[4] > 300 && part.shape[4] < 2000, `${part.shape}`);
    const [, x, y] = /\(x (\d+), y (\d+)\)$/.exec(part.name)!.map(Number);
    assert.ok(x < 14_000 && x + part.shape[4] > 14_000 && y < 9000 && y + part.shape[3] > 9000, part.name);
    assert.deepEqual(
      part.row,
      part.row.map((_, k) => pyramidSample(y + 5, x + k)),
    );
    await back.click();
    await stage.page.getByRole('button', { name: 'Cut out this view' }).waitFor();
    const place = await lookAt(stage.page, slide, { y: 20_003, x: 30_501, scale: 2 });
    await settled(stage.page);
    assert.equal(await valueAt(stage.page, place), pyramidSample(20_003, 30_501));
    await stage.page.getByRole('button', { name: 'Cut out this view' }).waitFor();
    assert.deepEqual(stage.problems, []);
  });
});
