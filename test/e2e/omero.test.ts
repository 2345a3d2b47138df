import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumFlags, findChromium } from '../../scripts/chromium.mjs';
import { startLab } from '../omero-server/lab.ts';
import type { OmeroServer } from '../omero-server/server.ts';
import type { OmeroServerOptions } from '../omero-server/store.ts';
import { repository, run } from './browser.ts';

/** Screenshots are kept when asked for. */
const SHOTS = process.env.CYTOPANE_SHOTS;
const PAGE = '/static/cytopane/omero/index.html';
const mounts = { '/static/cytopane/': join(repository, 'dist/') };

describe('OMERO in the browser', () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: findChromium(), args: chromiumFlags });
  });
  after(() => browser.close());

  async function visit(
    options: OmeroServerOptions,
    task: (page: Page, server: OmeroServer) => Promise<void>,
  ) {
    const server = await startLab({ mounts, ...options });
    const context = await browser.newContext({ viewport: { width: 1440, height: 860 }, locale: 'en-GB' });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    await page.addInitScript('globalThis.__name = (named) => named');
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    try {
      await task(page, server);
      assert.deepEqual(problems, []);
    } finally {
      await context.close();
      await server.close();
    }
  }

  /** What axe finds wrong, in both colour schemes; a screenshot of each is kept when asked for. */
  const checked = async (page: Page, name: string) => {
    await page.evaluate(readFileSync(join(repository, 'node_modules/axe-core/axe.min.js'), 'utf8'));
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: Array<{ id: string; nodes: Array<{ html: string }> }> }> };
        };
        return (await axe.run()).violations.map(({ id, nodes }) => [id, ...nodes.map((node) => node.html)]);
      });
      assert.deepEqual(violations, [], `${name}, ${colorScheme}`);
      await shot(page, `${name}-${colorScheme}`);
    }
  };
  const logIn = async (page: Page) => {
    await page.getByLabel('User name').fill('user-1');
    await page.getByLabel('Password').fill('secret');
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
  };
  const shown = (page: Page, name: string) => page.getByRole('heading', { name, level: 3 }).waitFor();
  const ready = (page: Page) =>
    page.waitForFunction(
      () => (document.querySelector('cyto-workbench')?.viewer?.model.images.length ?? 0) > 0,
    );
  const shot = async (page: Page, name: string) => {
    if (!SHOTS) return;
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: join(SHOTS, `${name}.png`) });
  };
  const saved = (page: Page) =>
    page.evaluate(
      () =>
        new Promise<{ objects: number; roiIds: number[] }>((resolve) => {
          document.addEventListener('cyto-omero-save', (event) => resolve((event as CustomEvent).detail), {
            once: true,
          });
        }),
    );

  /** A layer of labels by hand, with one cell. */
  const drawCell = (page: Page) =>
    page.evaluate(async () => {
      const { labelsLayer, LabelVolume } = (await import(
        new URL('../core.js', location.href).href
      )) as typeof import('../../core/index.ts');
      const model = document.querySelector('cyto-workbench')!.viewer.model;
      const [, , nz, ny, nx] = model.images[0].volume.shape;
      const labels = new LabelVolume([nz, ny, nx], model.images[0].volume.calibration);
      labels.data.fill(1, 10, 20);
      model.add(labelsLayer('cells', labels, { name: 'Cells', editable: true }));
    });

  it('logs in, opens, segments, saves, is reloaded, shows the ROIs and removes them; a session ends meanwhile', () =>
    visit({ prefix: '/omero/' }, async (page, server) => {
      await page.goto(`${server.origin}${PAGE}?server=/omero/&image=101`);
      await page.getByText('Log in to OMERO').waitFor();
      await checked(page, 'login');
      // By keyboard alone.
      await page.getByLabel('User name').focus();
      await page.keyboard.type('user-1');
      await page.keyboard.press('Tab');
      await page.keyboard.type('secret');
      await page.keyboard.press('Enter');
      await shown(page, 'nuclei.ome.tiff');
      await ready(page);
      await page.getByText('OME-TIFF export').waitFor();
      await page.getByText('325 × 325 nm').waitFor();
      const running = run(page);
      server.expireSessions();
      const { labels, count } = await running;
      assert.ok(count > 3, `${count} cells`);
      const done = saved(page);
      await page.getByLabel('GeoJSON').check();
      await page.getByRole('button', { name: 'Save cells' }).click();
      await logIn(page);
      const { objects, roiIds } = await done;
      assert.equal(objects, count);
      assert.equal(server.store.roisOf(101).length, roiIds.length);
      await page.getByText(`${count} cells saved in OMERO.`).waitFor();
      const files = [...server.store.annotations.values()].filter(({ kind }) => kind === 'file');
      assert.deepEqual(
        files.map(({ file }) => file?.name),
        ['nuclei_labels.tif', 'nuclei_labels.geojson'],
      );
      const pairs = new Map(
        [...server.store.annotations.values()].find(({ kind }) => kind === 'map')?.values,
      );
      assert.equal(pairs.get('pixels'), 'OME-TIFF export');
      assert.ok(pairs.get('model') && pairs.get('parameters'));

      await page.reload();
      await shown(page, 'nuclei.ome.tiff');
      await ready(page);
      await page.getByRole('button', { name: 'Show', exact: true }).click();
      await page.waitForFunction(
        () => document.querySelector('cyto-workbench')?.viewer.model.labels.length === 1,
      );
      const read = await page.evaluate(() => [
        ...(document.querySelector('cyto-workbench')?.viewer.model.labels[0].labels.data ?? []),
      ]);
      assert.deepEqual(read, labels);
      await page.getByRole('button', { name: 'Remove this result' }).press('Enter');
      await checked(page, 'asking');
      const focused = page.locator('cyto-omero-panel button:focus');
      assert.equal(await focused.textContent(), 'Remove for good?');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      assert.equal(await focused.textContent(), 'Remove this result');
      assert.equal(server.store.roisOf(101).length, roiIds.length);
      await page.keyboard.press('Enter');
      await page.keyboard.press('Enter');
      await page.getByText('The result was removed from OMERO.').waitFor();
      assert.deepEqual([server.store.rois.size, server.store.annotations.size], [0, 0]);
    }));

  it('is offered by Open with for images and datasets, not for others, and opens what was chosen', () =>
    visit({ prefix: '/omero/', publicUser: true }, async (page, server) => {
      await page.goto(`${server.root}webclient/`);
      const entry = page.getByRole('button', { name: 'Cytopane' });
      await entry.waitFor();
      assert.ok(await entry.isDisabled(), 'nothing is chosen');
      await page.getByLabel('project').check();
      assert.ok(await entry.isDisabled(), 'projects are not offered');
      await page.getByLabel('project').uncheck();
      await page.getByLabel('stack').check();
      await page.getByLabel('dataset').check();
      const [opened] = await Promise.all([page.waitForEvent('popup'), entry.click()]);
      await shown(opened, 'stack');
      await ready(opened);
      assert.deepEqual(
        await opened.getByLabel('Image', { exact: true }).locator('option').allTextContents(),
        ['stack', 'nuclei.ome.tiff', 'slide'],
      );
    }));

  it('offers several images, says when the user may not save and when pixels are lossy', () =>
    visit({ omeTiff: false, publicUser: true }, async (page, server) => {
      await page.goto(`${server.origin}${PAGE}?image=103&image=101&lang=de`);
      await shown(page, 'slide');
      await ready(page);
      await page.getByText('8 Bit, verlustbehaftet').waitFor();
      await page.getByText(/nicht annotieren/).waitFor();
      await checked(page, 'lossy');
      await page.getByLabel('Bild', { exact: true }).selectOption('101');
      await shown(page, 'nuclei.ome.tiff');
    }));

  it('says in what it saves that the pixels were lossy', () =>
    visit({ omeTiff: false }, async (page, server) => {
      await page.goto(`${server.origin}${PAGE}?image=104`);
      await logIn(page);
      await shown(page, 'float');
      await ready(page);
      await drawCell(page);
      const done = saved(page);
      await page.getByRole('button', { name: 'Save cells' }).click();
      assert.equal((await done).objects, 1);
      const notes = [...server.store.annotations.values()].find(({ kind }) => kind === 'map')?.values;
      assert.deepEqual(
        notes?.find(([key]) => key === 'pixel_quality'),
        ['pixel_quality', '8-bit, lossy'],
      );
    }));

  it('saves objects of several planes as one ROI each by the plug-in', () =>
    visit({ plugin: true }, async (page, server) => {
      await page.goto(`${server.origin}${PAGE}?image=102`);
      await logIn(page);
      await shown(page, 'stack');
      await ready(page);
      await page.getByText('omero-cytopane tiles').waitFor();
      await page.evaluate(async () => {
        const { labelsLayer, LabelVolume } = (await import(
          new URL('../core.js', location.href).href
        )) as typeof import('../../core/index.ts');
        const model = document.querySelector('cyto-workbench')!.viewer.model;
        const labels = new LabelVolume([3, 48, 64], model.images[0].volume.calibration);
        for (let z = 0; z < 3; z++) labels.data.fill(4, z * 48 * 64 + 100, z * 48 * 64 + 120);
        labels.data.fill(9, 0, 10);
        model.add(labelsLayer('cells', labels, { name: 'Cells', editable: true }));
      });
      const done = saved(page);
      await page.getByRole('button', { name: 'Save cells' }).click();
      assert.equal((await done).objects, 2);
      const rois = server.store.roisOf(102);
      assert.deepEqual(
        rois.map(({ name, shapes }) => [name, shapes.length]),
        [
          ['4', 3],
          ['9', 1],
        ],
      );
      const second = page.locator('cyto-omero-panel').getByRole('button', { name: 'Show', exact: true });
      await second.click();
      await page.waitForFunction(
        () => document.querySelector('cyto-workbench')?.viewer.model.labels.length === 2,
      );
      const equal = await page.evaluate(() => {
        const [drawn, read] = document.querySelector('cyto-workbench')!.viewer.model.labels;
        return drawn.labels.data.every((id, k) => id === read.labels.data[k]);
      });
      assert.ok(equal);
    }));
});
