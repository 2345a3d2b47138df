import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { CytoViewer } from '../../components/viewer/viewer.ts';
import { labelTiff } from '../../core/exports/label-tiff.ts';
import { openImage } from '../../workers/io/open.ts';
import { averagePrecision } from '../../workers/segmentation/masks/metrics.ts';
import { dropFile, openStage, repository, run, type Stage, shown } from './browser.ts';

const data = (name: string) => readFileSync(join(repository, 'demo/data', name));

async function truth(name: string): Promise<Uint32Array> {
  const source = await openImage({ name, path: name, blob: new Blob([data(name)]) });
  return Uint32Array.from((await source.readVolume()).data);
}

/** A plane of whole numbers as a TIFF file. */
async function asTiff(name: string): Promise<Uint8Array> {
  const source = await openImage({ name, path: name, blob: new Blob([data(name)]) });
  const { data: samples, shape } = await source.readVolume();
  return labelTiff(Uint32Array.from(samples.subarray(0, shape[3] * shape[4])), [1, shape[3], shape[4]], {
    spacing: [1, 1, 1],
    unit: 'px',
    calibrated: false,
  });
}

describe('the demo, served without special headers', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage();
    await stage.page.goto(`${stage.origin}/demo/`);
    await shown(stage.page, 'nuclei-2d.png');
  });
  after(() => stage.close());

  it('keeps the layers in sight, and every panel within reach on a phone', async () => {
    const { page } = stage;
    const before = page.viewportSize()!;
    const places = async (width: number) => {
      await page.setViewportSize({ width, height: 800 });
      const boxes = ['cyto-layer-list', 'cyto-viewer', 'cyto-segmenter'].map((tag) =>
        page.locator(tag).boundingBox(),
      );
      const [layers, viewer, segmenter] = await Promise.all(boxes);
      assert.ok(layers && viewer && segmenter);
      return { layers, viewer, segmenter };
    };
    const wide = await places(1280);
    assert.ok(wide.layers.x + wide.layers.width <= wide.viewer.x);
    assert.ok(wide.viewer.x + wide.viewer.width <= wide.segmenter.x);
    const narrow = await places(900);
    assert.ok(narrow.layers.x > narrow.viewer.x && narrow.layers.y < 700);
    const phone = await places(390);
    assert.ok(phone.layers.y > phone.segmenter.y && phone.segmenter.y > phone.viewer.y);
    const end = await page.evaluate(() => document.documentElement.scrollHeight);
    assert.ok(phone.layers.y + phone.layers.height <= end, `${end} px`);
    await page.setViewportSize(before);
  });

  it('tells the time of a run before the first, from a timed tile', async () => {
    const { page } = stage;
    const cost = page.locator('cyto-segmenter [part="cost"]');
    assert.doesNotMatch((await cost.textContent())!, /about/);
    const ask = page.getByRole('button', { name: 'Estimate the time' });
    await ask.click();
    await cost.filter({ hasText: /about/ }).waitFor({ timeout: 60_000 });
    assert.equal(await ask.count(), 0);
    assert.ok(await page.getByRole('button', { name: 'Run' }).isEnabled());
    const kinds = await page
      .locator('cyto-viewer')
      .evaluate((viewer: CytoViewer) => viewer.model.layers.map(({ kind }) => kind));
    assert.deepEqual(kinds, ['image'], 'no labels of the tile');
  });

  it('segments dropped TIFFs of the bundled 2D images with a mean AP@0.5 of at least 0.70', async () => {
    const scores: number[] = [];
    for (const name of ['nuclei-2d', 'nuclei-large-2d', 'nuclei-small-2d']) {
      await dropFile(stage.page, `${name}.tif`, await asTiff(`${name}.png`));
      await shown(stage.page, `${name}.tif`);
      const { labels, count, threads } = await run(stage.page);
      assert.equal(threads, 1);
      const { ap, tp, fp } = averagePrecision(await truth(`${name}-labels.png`), Uint32Array.from(labels));
      assert.equal(count, tp[0] + fp[0]);
      scores.push(ap[0]);
    }
    const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
    assert.ok(mean >= 0.7, `mean AP@0.5 ${mean.toFixed(3)} of ${scores.map((s) => s.toFixed(3)).join(', ')}`);
  });

  it('segments a box alone, with thresholds tried on it, and leaves what lies around it', async () => {
    const { page } = stage;
    const state = () =>
      page.evaluate(() => {
        const { segmenter, viewer } = document.querySelector('cyto-workbench')!;
        const { data, shape } = viewer.model.labels.at(-1)!.labels;
        const [, y0, x0, , y1, x1] = [...segmenter.box!.from, ...segmenter.box!.to];
        const parts: { inside: number[]; outside: number[] } = { inside: [], outside: [] };
        data.forEach((label, i) => {
          const [y, x] = [Math.floor(i / shape[2]), i % shape[2]];
          parts[y >= y0 && y < y1 && x >= x0 && x < x1 ? 'inside' : 'outside'].push(label);
        });
        return parts;
      });
    await page.getByLabel('Region').selectOption('box');
    await page.getByLabel('x to').fill('150');
    await page.getByLabel('x to').press('Tab');
    const before = await state();
    const { count } = await run(page);
    const after = await state();
    assert.deepEqual(after.outside, before.outside);
    const cells = new Set(after.inside.filter(Boolean));
    assert.equal(cells.size, count);
    assert.ok(
      after.outside.every((label) => !cells.has(label)),
      'ids are not used twice',
    );
    const again = page.evaluate(
      () => new Promise((resolve) => document.addEventListener('cyto-run', resolve, { once: true })),
    );
    await page.getByRole('slider', { name: 'Cell probability' }).fill('4');
    await again;
    const strict = await state();
    assert.deepEqual(strict.outside, before.outside);
    assert.ok(strict.inside.filter(Boolean).length < after.inside.filter(Boolean).length);
    await page.getByRole('slider', { name: 'Cell probability' }).fill('0');
    await page.getByLabel('Region').selectOption('all');
  });

  it('shows flows and cell probability as layers while they are wanted', async () => {
    const { page } = stage;
    const layer = (name: string) => page.locator('cyto-layer-list').getByTitle(name, { exact: true });
    const wish = (name: string) => page.getByRole('checkbox', { name, exact: true });
    await wish('Flows').check();
    await wish('Cell probability').check();
    await layer('Flows').waitFor();
    await layer('Cell probability').waitFor();
    await page.getByRole('button', { name: 'Remove Flows' }).click();
    await page.locator('#show-flows:not(:checked)').waitFor();
    assert.ok(await wish('Cell probability').isChecked());

    await dropFile(page, 'another.tif', await asTiff('nuclei-small-2d.png'));
    await shown(page, 'another.tif');
    await layer('Cell probability').waitFor({ state: 'detached' });
    await run(page);
    await layer('Cell probability').waitFor();
    assert.equal(await layer('Flows').count(), 0);
    await wish('Cell probability').uncheck();
    await layer('Cell probability').waitFor({ state: 'detached' });
  });

  it('opens a dropped TIFF', async () => {
    const calibration = { spacing: [1, 0.5, 0.5] as const, unit: 'µm', calibrated: true };
    const cells = await truth('nuclei-small-2d-labels.png');
    await dropFile(stage.page, 'dropped.tif', labelTiff(cells, [1, 256, 256], calibration));
    await shown(stage.page, 'dropped.tif');
    const spacing = await stage.page.evaluate(
      () => document.querySelector('cyto-workbench')?.viewer.model.dims,
    );
    assert.deepEqual(spacing?.spacing.slice(1), [0.5, 0.5]);
    assert.equal(spacing?.unit, 'µm');
  });

  it('segments the stack to within 15 % of the true number of cells', async () => {
    await stage.page.getByRole('button', { name: 'Mouse embryo, 3D' }).click();
    await shown(stage.page, 'embryo-3d.tif');
    const { labels, count } = await run(stage.page);
    const cells = new Set(await truth('embryo-3d-labels.tif')).size - 1;
    assert.ok(Math.abs(count - cells) <= 0.15 * cells, `${count} cells, ${cells} in truth`);
    const planes = new Set(labels.flatMap((label, i) => (label === 0 ? [] : [Math.floor(i / (132 * 134))])));
    assert.ok(planes.size > 10, `labels in ${planes.size} planes`);
  });

  it('reviews the doubtful joins of the stack by keys; a split is one step that can be undone', async () => {
    const { page } = stage;
    const state = () =>
      page.evaluate(() => {
        const { segmenter, viewer } = document.querySelector('cyto-workbench')!;
        const review = segmenter.renderRoot.querySelector('cyto-join-review')!;
        const layer = viewer.model.labels.at(-1)!;
        return {
          z: viewer.model.cursor.z,
          selected: layer.selected,
          cells: new Set(layer.labels.data).size - 1,
          open: review.joins!.open,
          join: review.current,
          labels: review.current && review.joins!.labelsOf(review.current),
          pictures: [...review.renderRoot.querySelectorAll('canvas')].map((canvas) =>
            canvas
              .getContext('2d')!
              .getImageData(0, 0, canvas.width, canvas.height)
              .data.some((v) => v > 128 && v < 255),
          ),
        };
      });
    await page.getByRole('listbox', { name: 'Doubtful joins' }).focus();
    const before = await state();
    assert.ok(before.open > 1, `${before.open} doubtful joins`);
    await page.keyboard.press('j');
    const first = await state();
    assert.equal(first.z, first.join?.upper);
    assert.equal(first.selected, first.labels?.[0]);
    assert.deepEqual(first.pictures, [true, true]);

    await page.keyboard.press('s');
    const split = await state();
    assert.equal(split.cells, before.cells + 1);
    assert.equal(split.open, before.open - 1);
    assert.ok(split.join!.confidence >= first.join!.confidence, 'the next is no worse');

    // In a pane of the viewer the same keys work.
    await page.evaluate(() => {
      const { viewer } = document.querySelector('cyto-workbench')!;
      viewer.renderRoot.querySelector<HTMLElement>('[part~="pane-xy"]')!.focus();
    });
    await page.keyboard.press('Enter');
    assert.equal((await state()).open, before.open - 2);
    await page.keyboard.press('Control+z');
    const undone = await state();
    assert.equal(undone.cells, before.cells);
    assert.equal(undone.open, before.open - 1);
  });

  it('cancels at once, within 100 ms on an idle machine, and keeps the labels', async () => {
    const revision = () =>
      stage.page.evaluate(
        () => document.querySelector('cyto-workbench')?.viewer.model.labels.at(-1)?.labels.revision,
      );
    const before = await revision();
    const outcome = await stage.page.evaluate(async () => {
      const { segmenter } = document.querySelector('cyto-workbench')!;
      let tiles = 0;
      const started = performance.now();
      const firstTiles = new Promise<number>((resolve) => {
        segmenter.addEventListener('progress', (event) => {
          const { phase, value } = (event as Event as CustomEvent<{ phase: string; value: number }>).detail;
          if (phase === 'network' && value > tiles) tiles = value;
          if (tiles > 0) resolve(performance.now() - started);
        });
      });
      const running = segmenter.run().then(
        () => 'finished',
        (error: { kind: string }) => error.kind,
      );
      const untilFirstTiles = await firstTiles;
      await new Promise((resolve) => setTimeout(resolve, 50));
      const asked = performance.now();
      segmenter.cancel();
      const kind = await running;
      return { kind, untilFirstTiles, milliseconds: performance.now() - asked };
    });
    console.log(`cancelled in ${Math.round(outcome.milliseconds)} ms`);
    assert.equal(outcome.kind, 'aborted');
    // A run that is cancelled does not wait for the tiles on the device.
    assert.ok(outcome.milliseconds < outcome.untilFirstTiles, JSON.stringify(outcome));
    assert.equal(await revision(), before);
  });

  it('runs again after a cancel', async () => {
    const { count } = await run(stage.page);
    assert.ok(count > 0);
  });

  it('ends without an error in the page', () => assert.deepEqual(stage.problems, []));
});

describe('the same page with cross-origin isolation', () => {
  it('gives identical labels', async () => {
    const outcomes = [];
    for (const isolated of [false, true]) {
      const stage = await openStage({ isolated });
      try {
        await stage.page.goto(`${stage.origin}/demo/`);
        await shown(stage.page, 'nuclei-2d.png');
        assert.equal(await stage.page.evaluate(() => crossOriginIsolated), isolated);
        outcomes.push(await run(stage.page));
      } finally {
        await stage.close();
      }
    }
    assert.deepEqual(outcomes[1].labels, outcomes[0].labels);
  });
});

describe('the portal page', () => {
  it('segments through its tags alone', async () => {
    const stage = await openStage();
    try {
      await stage.page.goto(`${stage.origin}/demo/portal.html`);
      await stage.page.waitForFunction(
        () => (document.querySelector('cyto-viewer')?.model.layers.length ?? 0) === 2,
      );
      await stage.page.getByRole('button', { name: 'Run', exact: true }).click();
      await stage.page.locator('[part=summary]').waitFor();
      const layers = await stage.page.evaluate(() =>
        document.querySelector('cyto-viewer')?.model.layers.map(({ name }) => name),
      );
      assert.deepEqual(layers, ['H2B-mRFP1', 'Expert', 'Cells']);
      assert.deepEqual(stage.problems, []);
    } finally {
      await stage.close();
    }
  });
});

describe('the demo, while its first image is on the way', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage();
  });
  after(() => stage.close());

  it('shows another one that is asked for, without an error', async () => {
    const { page } = stage;
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/data/nuclei-2d.png', async (route) => {
      answer();
      await shown(page, 'embryo-3d.tif');
      await route.continue().catch(() => {}); // The page has given it up.
    });
    await page.goto(`${stage.origin}/demo/`);
    await asked;
    await page.getByRole('button', { name: 'Mouse embryo, 3D' }).click();
    await shown(page, 'embryo-3d.tif');
    await page.unrouteAll({ behavior: 'wait' });
    const names = await page.evaluate(() =>
      document.querySelector('cyto-workbench')!.viewer.model.images.map(({ volume }) => volume.name),
    );
    assert.deepEqual(names, ['embryo-3d.tif']);
    assert.deepEqual(stage.problems, []);
  });
});
