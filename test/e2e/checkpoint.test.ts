/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { openCheckpoint } from '../../models/cpsam/checkpoint/checkpoint.ts';
import { sourceOf } from '../models/cpsam/sinks.ts';
import { openStage, repository, type Stage, shown } from './browser.ts';
import { type ModelServer, startModelServer } from './model-server.ts';

const REFERENCE = `${repository}test/models/cpsam/reference`;

/** A PyTorch checkpoint of Cellpose-SAM becomes a model in the page. */
describe('Cellpose checkpoint in the page', () => {
  let stage: Stage;
  let server: ModelServer;
  const chooser = () => stage.page.locator('cyto-model-chooser');

  before(async () => {
    server = await startModelServer({ reference: REFERENCE });
    stage = await openStage();
    stage.page.setDefaultTimeout(60_000);
    await stage.page.goto(`${stage.origin}/demo/`);
    await shown(stage.page, 'nuclei-2d.png');
    await chooser().locator('summary').click();
  });
  after(async () => {
    await stage.close();
    await server.close();
  });

  const chosen = (id: string) =>
    stage.page.waitForFunction(
      (wanted) => document.querySelector('cyto-workbench')?.segmenter.modelId === wanted,
      id,
    );

  it('says before anything is converted that the weights are for research only', async () => {
    await chooser().locator('#files').setInputFiles(`${REFERENCE}/mini.pth`);
    const offer = chooser().locator('[part=offer]');
    await offer.waitFor();
    assert.match(
      (await offer.textContent()) ?? '',
      /Cellpose-SAM \(mini\).*converted from the PyTorch checkpoint "mini\.pth".*BSD-3-Clause.*research only.*CC-BY-NC/s,
    );
  });

  it('converts the file, stores it and shows the notice with the choice', async () => {
    await chooser().locator('[part=offer]').getByRole('button', { name: 'Add' }).click();
    await chosen('mini');
    assert.match((await chooser().locator('[part=card]').textContent()) ?? '', /on this device/);
    assert.match((await chooser().locator('[part=notice]').textContent()) ?? '', /research only/);
  });

  it('runs it, once it has reproduced what the conversion computed', async () => {
    const report = await stage.page.evaluate(
      () =>
        new Promise<{ kind: string; verified: boolean }>((resolve, reject) => {
          document.addEventListener('cyto-backend', (event) => resolve((event as CustomEvent).detail));
          document.addEventListener('error', (event) =>
            reject(new Error((event as Event as CustomEvent).detail?.message)),
          );
          const run = document
            .querySelector('cyto-workbench')
            ?.segmenter.renderRoot.querySelector('[part=run]') as HTMLButtonElement;
          run.click();
        }),
    );
    assert.deepEqual([report.kind, report.verified], ['wasm', true]);
    await stage.page.waitForFunction(() =>
      document
        .querySelector('cyto-workbench')
        ?.segmenter.renderRoot.querySelector('[part=summary]')
        ?.textContent?.includes('WASM'),
    );
  });

  it('reads a checkpoint on a server in parts, and names what is wrong with another file', async () => {
    await chooser().locator('details:not([open]) summary').click();
    await chooser().locator('#address').fill(`${server.origin}/ok/reference/mini_bf16.pth`);
    await chooser().locator('form button').click();
    const offer = chooser().locator('[part=offer]');
    await offer.getByText('Cellpose-SAM (mini_bf16)').waitFor();
    assert.ok(
      server.requests.every((request) => /^HEAD| bytes=\d+-\d+$/.test(request)),
      server.requests.join('\n'),
    );
    await offer.getByRole('button', { name: 'Download' }).click();
    await chosen('mini_bf16');

    await chooser().locator('details:not([open]) summary').click();
    await chooser().locator('#files').setInputFiles(`${repository}demo/data/nuclei-large-2d.png`);
    const alert = chooser().getByRole('alert');
    await alert.waitFor();
    assert.match((await alert.textContent()) ?? '', /rdf\.yaml/);
    const text = { name: 'model.pt', mimeType: 'text/plain', buffer: Buffer.from('not a model') };
    await chooser().locator('#files').setInputFiles(text);
    await chooser().getByText('"model.pt" is not a checkpoint of PyTorch').waitFor();
  });

  it('leaves a trained one as a checkpoint that has the tensors of the original', async () => {
    const { page } = stage;
    await page.getByText('Improve the model').click();
    await page.locator('cyto-trainer').getByRole('button', { name: 'Add this image' }).waitFor();
    // Trained weights are tested where seconds do not matter: here the model as it was converted leaves.
    await page.evaluate(async () => {
      const address = new URL('/dist/model-library.js', location.href).href;
      const { ModelLibrary }: typeof import('../../workers/models/client.ts') = await import(address);
      const library = new ModelLibrary();
      const files = await library.files('mini');
      library.dispose();
      const score = { ap50: 0.5, ap: 0.5 };
      const outcome = {
        id: 'mini-trained',
        name: 'Mini',
        files,
        before: score,
        after: score,
        improved: true,
      };
      const trainer = document.querySelector('cyto-workbench')?.shadowRoot?.querySelector('cyto-trainer');
      Object.assign(trainer as object, { outcome: { ...outcome, judgedOn: 'held-back' } });
    });
    const chooserOpens = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Save for Cellpose…' }).click();
    const download = page.waitForEvent('download');
    await (await chooserOpens).setFiles(`${REFERENCE}/mini.pth`);
    const file = await download;
    assert.equal(file.suggestedFilename(), 'mini-trained.pth');
    const open = (path: string) => openCheckpoint(sourceOf(readFileSync(path)));
    const [before, after] = [await open(`${REFERENCE}/mini.pth`), await open(await file.path())];
    assert.deepEqual(after.names, before.names);
    for (const name of before.names) {
      const [was, is] = [await before.read(name), await after.read(name)];
      // The converted model holds half floats.
      assert.ok(
        was.every((value, i) => Math.abs(value - is[i]) <= 1e-3 * Math.max(1, Math.abs(value))),
        name,
      );
    }
  });

  it('ends without an error in the page', () => assert.deepEqual(stage.problems, []));
});
