/**
 * The page with the real plug-in: its Django app answers for tiles, ROIs and the files of the page, the other test
 * server for the rest of OMERO.web. Run by `npm run test:plugin`, which names the Python in CYTOPANE_PYTHON.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { imageDetails, openPixels } from '../../core/omero/index.ts';
import { chromiumFlags, findChromium } from '../../scripts/chromium.mjs';
import { repository } from '../e2e/browser.ts';
import { connected, nodeOpener, startLab } from '../omero-server/lab.ts';
import type { OmeroServer } from '../omero-server/server.ts';
import type { StoredShape } from '../omero-server/store.ts';

const PLUGIN = join(repository, 'demo/omero/plugin');
const MASK = 'http://www.openmicroscopy.org/Schemas/OME/2016-06#Mask';

interface SavedRoi {
  id: number;
  imageId: number;
  name: string;
  group: number;
  shapes: Array<Omit<StoredShape, '@id' | '@type'>>;
}

describe('OMERO with the real plug-in', () => {
  let django: ChildProcess;
  let server: OmeroServer;
  let browser: Browser;
  const saved: SavedRoi[] = [];

  before(async () => {
    const program = join(PLUGIN, 'tests/live_server.py');
    django = spawn(process.env.CYTOPANE_PYTHON ?? 'python3', [program, join(repository, 'dist')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: django.stdout! });
    const [port] = (await once(lines, 'line')) as [string];
    server = await startLab({ prefix: '/omero/', plugin: `http://127.0.0.1:${port}` });
    lines.on('line', (line) => {
      const roi = JSON.parse(line) as SavedRoi;
      saved.push(roi);
      const shapes = roi.shapes.map((shape) => ({ ...shape, '@id': server.store.id(), '@type': MASK }));
      server.store.rois.set(roi.id, { ...roi, owner: 2, shapes });
    });
    browser = await chromium.launch({ executablePath: findChromium(), args: chromiumFlags });
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    django?.kill();
  });

  async function visit(task: (page: Page) => Promise<void>) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 860 }, locale: 'en-GB' });
    const { id, csrf } = server.store.newSession(2);
    await context.addCookies([
      { name: 'sessionid', value: id, url: server.origin, httpOnly: true },
      { name: 'csrftoken', value: csrf, url: server.origin },
    ]);
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    await page.addInitScript('globalThis.__name = (named) => named');
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    try {
      await task(page);
      assert.deepEqual(problems, []);
    } finally {
      await context.close();
    }
  }

  it('reads raw tiles of every plane and channel', async () => {
    const connection = await connected(server);
    const source = await openPixels(connection, nodeOpener, await imageDetails(connection, 102));
    assert.equal(source.provenance?.pixels, 'omero-cytopane tiles');
    assert.deepEqual([...(await source.readVolume()).data], [...server.store.images.get(102)!.data]);
  });

  it('has an isolated page that saves a ROI of masks per cell and shows them again', () =>
    visit(async (page) => {
      await page.goto(`${server.root}cytopane/?image=102`);
      await page.getByText('omero-cytopane tiles').waitFor();
      assert.ok(await page.evaluate(() => globalThis.crossOriginIsolated));
      await page.evaluate(async () => {
        const { labelsLayer, LabelVolume } = (await import(
          new URL('../core.js', location.href).href
        )) as typeof import('../../core/index.ts');
        const model = document.querySelector('cyto-workbench')!.viewer.model;
        const labels = new LabelVolume([3, 48, 64], model.images[0].volume.calibration);
        for (let z = 0; z < 3; z++) labels.data.fill(4, z * 48 * 64 + 100, z * 48 * 64 + 220);
        labels.data.fill(9, 0, 10);
        model.add(labelsLayer('cells', labels, { name: 'Cells', editable: true }));
      });
      await page.getByRole('button', { name: 'Save cells' }).click();
      await page.getByText('2 cells saved in OMERO.').waitFor();
      assert.deepEqual(
        saved.map(({ name, imageId, group, shapes }) => [name, imageId, group, shapes.length]),
        [
          ['4', 102, 3, 3],
          ['9', 102, 3, 1],
        ],
      );
      await page.getByRole('button', { name: 'Show', exact: true }).click();
      await page.waitForFunction(
        () => document.querySelector('cyto-workbench')?.viewer.model.labels.length === 2,
      );
      const equal = await page.evaluate(() => {
        const [drawn, read] = document.querySelector('cyto-workbench')!.viewer.model.labels;
        return drawn.labels.data.every((id, k) => id === read.labels.data[k]);
      });
      assert.ok(equal);
    }));

  it('shows the chosen image in the tab of the right-hand panel', () =>
    visit(async (page) => {
      const template = readFileSync(
        join(PLUGIN, 'omero_cytopane/templates/omero_cytopane/right_panel.js.html'),
        'utf8',
      );
      const html = template
        .replace(/\{#.*?#\}/g, '')
        .replace(/\{% url 'cytopane_asset' '([^']+)' %\}/g, '/omero/cytopane/assets/$1')
        .replace("{% url 'cytopane_index' %}", '/omero/cytopane/')
        .replace("{% url 'index' %}", '/omero/');
      assert.doesNotMatch(html, /\{%/);
      const jquery = `<script>
        const $ = (what) => typeof what === 'function' ? what() : { omeroweb_right_plugin: (given) => { globalThis.tab = given; } };
      </script>`;
      const body = `<!doctype html>${jquery}${html}<div id="cytopane_tab" style="width: 340px"></div>`;
      await page.route('**/omero/webclient/', (route) =>
        route.fulfill({ contentType: 'text/html; charset=utf-8', body }),
      );
      await page.goto(`${server.root}webclient/`);
      await page.evaluate(() => {
        const { tab } = globalThis as unknown as {
          tab: { load_plugin_content(selected: unknown, type: string, object: string): void };
        };
        const panel = document.querySelector('#cytopane_tab')!;
        const target = {
          html: (text: string) => {
            panel.innerHTML = text;
          },
        };
        tab.load_plugin_content.call(target, [{ id: 'image-102' }], 'image', 'image-102');
      });
      await page.getByRole('heading', { name: 'stack', level: 3 }).waitFor();
      await page.waitForFunction(() => document.querySelector('cyto-viewer')?.model.images.length === 2);
      assert.equal(
        await page.getByRole('link', { name: 'Segment with Cytopane' }).getAttribute('href'),
        '/omero/cytopane/?image=102',
      );
    }));
});
