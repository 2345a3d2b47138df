import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumFlags, findChromium } from '../../scripts/chromium.mjs';
import { startLab } from '../omero-server/lab.ts';
import type { OmeroServer } from '../omero-server/server.ts';
import { repository } from './browser.ts';

const text = readFileSync(join(repository, 'docs/embedding.md'), 'utf8');
/** Examples of a language, as they are written. */
const examples = (language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, code]) => code);

describe('docs/embedding.md', () => {
  let browser: Browser;
  let server: OmeroServer;
  const [file, omero, panel] = examples('html');
  const [provider] = examples('js');

  before(async () => {
    server = await startLab({ publicUser: true, mounts: { '/cytopane/': join(repository, 'dist/') } });
    browser = await chromium.launch({ executablePath: findChromium(), args: chromiumFlags });
  });
  after(async () => {
    await browser.close();
    await server.close();
  });

  /** A page of an example, beside OMERO.web on one server. */
  async function visit(example: string, task: (page: Page) => Promise<unknown>) {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    const elsewhere: string[] = [];
    page.on('request', (request) => {
      const { origin, protocol, href } = new URL(request.url());
      if (protocol.startsWith('http') && origin !== server.origin) elsewhere.push(href);
    });
    const image = readFileSync(join(repository, 'demo/data/embryo-3d.tif'));
    await page.route('**/data/embryo.ome.tif', (route) => route.fulfill({ body: image }));
    const body = `<!doctype html><meta charset="utf-8">${example}`;
    await page.route('**/portal.html', (route) => route.fulfill({ contentType: 'text/html', body }));
    await page.route('https://archive.example.org/**', (route) => route.fulfill({ status: 404, body: '' }));
    await page.goto(`${server.origin}/portal.html`);
    await task(page);
    assert.deepEqual(problems, []);
    if (example !== provided) assert.deepEqual(elsewhere, []);
    else assert.ok(elsewhere[0].startsWith('https://archive.example.org/S1/7.zarr/'), elsewhere[0]);
    await page.close();
  }
  const shows = (page: Page, name: RegExp) =>
    page.waitForFunction(
      (pattern) =>
        new RegExp(pattern).test(
          document.querySelector('cyto-workbench')?.viewer?.model.images.at(0)?.volume.name ?? '',
        ),
      name.source,
    );
  const provided = `<script type="module" src="/cytopane/cytopane.js"></script>
    <script type="module">${provider}</script>
    <cyto-workbench style="block-size: 80vh"></cyto-workbench>
    <script type="module">document.querySelector('cyto-workbench').src = 'archive:S1/7';</script>`;

  it('shows a file', () => visit(file, (page) => shows(page, /embryo/)));
  it('shows an image of OMERO', () => visit(omero, (page) => shows(page, /nuclei\.ome\.tiff/)));
  it('shows the panel, whose first image is opened', () =>
    visit(panel, async (page) => {
      await page.getByRole('heading', { name: 'nuclei.ome.tiff', level: 3 }).waitFor();
      await shows(page, /nuclei\.ome\.tiff/);
    }));
  it('asks another archive', () =>
    visit(provided, async (page) => {
      await page
        .getByRole('alert')
        .filter({ hasText: /OME-Zarr|no file/ })
        .first()
        .waitFor();
    }));
});
