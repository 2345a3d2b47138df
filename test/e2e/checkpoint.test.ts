/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
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

  it('ends without an error in the page', () => assert.deepEqual(stage.problems, []));
});
