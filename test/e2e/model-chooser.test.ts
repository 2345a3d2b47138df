/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { openStage, repository, type Stage, shown } from './browser.ts';
import { type ModelServer, startModelServer } from './model-server.ts';

/** Megabytes of the default model's weights as the page tells them. */
const megabytes = (locale: string) =>
  (statSync(`${repository}models/default/model.onnx`).size / 1e6).toLocaleString(locale, {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });

/** The chooser in the demo's workbench, by mouse and keyboard. */
describe('model chooser', () => {
  let stage: Stage;
  let server: ModelServer;
  const chooser = () => stage.page.locator('cyto-model-chooser');
  const select = () => chooser().locator('#model');

  before(async () => {
    server = await startModelServer({
      conv3: `${repository}test/workers/models/conv3`,
      default: `${repository}models/default`,
    });
    stage = await openStage();
    stage.page.setDefaultTimeout(20_000);
    await stage.page.addInitScript({ path: `${repository}node_modules/axe-core/axe.min.js` });
    await stage.page.goto(`${stage.origin}/demo/`);
    await shown(stage.page, 'nuclei-2d.png');
    await stage.page.evaluate(() => {
      Object.assign(globalThis, { reports: [] });
      document.addEventListener('cyto-backend', (event) =>
        (globalThis as unknown as { reports: unknown[] }).reports.push((event as CustomEvent).detail),
      );
    });
  });
  after(async () => {
    await stage.close();
    await server.close();
  });

  const problems = () =>
    stage.page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: {
          run(
            context: unknown,
          ): Promise<{ violations: Array<{ id: string; nodes: Array<{ html: string }> }> }>;
        };
      };
      const { violations } = await axe.run(
        [['cyto-workbench', 'cyto-segmenter', 'cyto-model-chooser']].map((fromShadowDom) => ({
          fromShadowDom,
        }))[0],
      );
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
    });
  const press = async (...keys: string[]) => {
    for (const key of keys) await stage.page.keyboard.press(key);
  };

  it('shows name, licence, size and state of the model that ships', async () => {
    await select().locator('option[value=default]').waitFor({ state: 'attached' });
    assert.match((await select().locator('option:checked').textContent()) ?? '', /Cyto/);
    const card = (await chooser().locator('[part=card]').textContent()) ?? '';
    assert.match(card, new RegExp(`Apache-2\\.0\\s+${megabytes('en')} MB\\s+built in`));
    assert.deepEqual(await problems(), []);
  });

  it('adds a model from an address by keyboard alone; licence and size come first', async () => {
    await select().focus();
    await press('Tab', 'Tab', 'Enter'); // licence, "Add a model…"
    await press('Tab', 'Tab', 'Tab'); // files, folder, address
    await stage.page.keyboard.type(`${server.origin}/ok/conv3/`);
    await press('Enter');
    const offer = chooser().locator('[part=offer]');
    await offer.waitFor();
    assert.match((await offer.textContent()) ?? '', /Convolution of tests.*CC0-1\.0.*1 kB.*not downloaded/s);
    assert.deepEqual(server.requests, ['GET rdf.yaml'], 'nothing else is loaded yet');
    assert.deepEqual(await problems(), []);
    await press('Enter'); // the focus is on "Download"
    await select().locator('option[value=conv3]').waitFor({ state: 'attached' });
    await stage.page.waitForFunction(
      () => document.querySelector('cyto-workbench')?.segmenter.modelId === 'conv3',
    );
    assert.match(
      (await chooser().locator('[part=card]').textContent()) ?? '',
      /CC0-1\.0.*on this device.*Forget/s,
    );
  });

  it('runs the chosen model and announces where', async () => {
    const done = stage.page.evaluate(
      () =>
        new Promise<string>((resolve, reject) => {
          document.addEventListener('cyto-run', () => resolve('run'), { once: true });
          document.addEventListener('error', (event) =>
            reject(new Error((event as Event as CustomEvent).detail?.message)),
          );
        }),
    );
    await stage.page.locator('cyto-segmenter [part=run]').click();
    await done;
    const reports = await stage.page.evaluate(
      () =>
        (
          globalThis as unknown as {
            reports: Array<{ kind: string; verified: boolean; refusals: Array<{ reason: string }> }>;
          }
        ).reports,
    );
    assert.equal(reports.length, 1);
    assert.equal(reports[0].kind, 'wasm');
    assert.equal(reports[0].verified, true);
    assert.match(reports[0].refusals[0].reason, /^no-/);
    assert.match(
      (await stage.page.locator('cyto-segmenter [part=summary]').textContent()) ?? '',
      /on WASM, 1 thread\s+Not on the graphics card: no GPU is available to this page\./,
    );
  });

  it('forgets it after asking, and goes back to the default one', async () => {
    await chooser().getByRole('button', { name: 'Forget', exact: true }).click();
    await chooser().locator('button:focus', { hasText: 'Keep' }).waitFor();
    await press('Shift+Tab', 'Enter');
    await select().locator('option[value=conv3]').waitFor({ state: 'detached' });
    assert.equal(await select().inputValue(), 'default');
    assert.equal(
      await stage.page.evaluate(() => document.querySelector('cyto-workbench')?.segmenter.modelId),
      'default',
    );
  });

  it('adds the files of a folder', async () => {
    const names = ['rdf.yaml', 'model.onnx', 'model.onnx.data', 'test_input.npy', 'test_output.npy'];
    await chooser().locator('summary').click();
    await chooser()
      .locator('#files')
      .setInputFiles(
        await Promise.all(
          names.map(async (name) => ({
            name,
            mimeType: 'application/octet-stream',
            buffer: await readFile(`${repository}test/workers/models/conv3/${name}`),
          })),
        ),
      );
    await chooser().locator('[part=offer]').getByRole('button', { name: 'Add' }).click();
    await stage.page.waitForFunction(
      () => document.querySelector('cyto-workbench')?.segmenter.modelId === 'conv3',
    );
  });

  it('offers models of the page for download and says why one cannot be had, in German too, in the dark', async () => {
    await stage.page.emulateMedia({ colorScheme: 'dark' });
    await stage.page.evaluate((models) => {
      document.documentElement.lang = 'de';
      const { segmenter } = document.querySelector(
        'cyto-workbench',
      ) as HTMLElementTagNameMap['cyto-workbench'];
      segmenter.models = models;
    }, `${server.origin}/wrong/default/`);
    const option = select().locator(`option[value="${server.origin}/wrong/default/"]`);
    await option.waitFor({ state: 'attached' });
    assert.match((await option.textContent()) ?? '', /nicht geladen/);
    await select().selectOption(`${server.origin}/wrong/default/`);
    await chooser()
      .getByRole('button', { name: `Laden (${megabytes('de')} MB)` })
      .click();
    const alert = chooser().getByRole('alert');
    await alert.waitFor();
    assert.match((await alert.textContent()) ?? '', /model\.onnx.*SHA-256/);
    assert.deepEqual(await problems(), []);
  });

  it('ends without an error in the page', () => assert.deepEqual(stage.problems, []));
});
