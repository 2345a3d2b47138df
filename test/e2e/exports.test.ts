import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { decode } from 'fast-png';
import { openStage, repository, type Stage, shown } from './browser.ts';

const LABEL_FORMATS = [
  'tiff',
  'ome-tiff',
  'ome-zarr-0.4',
  'ome-zarr-0.5',
  'imagej-rois',
  'geojson',
  'cellpose-seg',
] as const;

describe('saving and opening', () => {
  let stage: Stage;

  before(async () => {
    stage = await openStage();
    const { page, origin } = stage;
    // A browser without file pickers: files go to the downloads.
    await page.addInitScript(() => {
      Object.assign(window, { showSaveFilePicker: undefined });
    });
    await page.goto(`${origin}/demo/index.html`);
    await shown(page, 'nuclei-2d.png');
    await openLabels('nuclei-2d-labels.png', await readFile(`${repository}/demo/data/nuclei-2d-labels.png`));
  });
  after(() => stage.close());

  /** Chooses a file as a user does after pressing "Open labels…". */
  async function openLabels(name: string, buffer: Buffer): Promise<void> {
    const { page } = stage;
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Open labels…' }).click();
    await (await chooser).setFiles({ name, mimeType: '', buffer });
    await page.waitForFunction(
      (wanted) => document.querySelector('cyto-workbench')?.viewer.model.labels.at(-1)?.name === wanted,
      name,
    );
  }

  /** A number that tells the topmost labels. */
  const topLabels = () =>
    stage.page.evaluate(() => {
      const model = document.querySelector('cyto-workbench')?.viewer.model;
      const data = model?.labels.at(-1)?.labels.data ?? new Uint32Array(0);
      let hash = 0;
      for (const label of data) hash = (Math.imul(hash, 31) + label) | 0;
      return `${data.length} ${hash}`;
    });

  async function save(format: string): Promise<{ name: string; bytes: Buffer }> {
    const { page } = stage;
    const menu = page.locator('cyto-export-menu');
    await menu.getByRole('button', { name: 'Export' }).click();
    const download = page.waitForEvent('download');
    await menu.locator(`[data-format="${format}"]`).click();
    const file = await download;
    const bytes = await readFile(await file.path());
    await menu.locator('.menu').waitFor({ state: 'detached' });
    return { name: file.suggestedFilename(), bytes };
  }

  for (const format of LABEL_FORMATS) {
    it(`${format}: labels are the same when they are opened again`, async () => {
      const wanted = await topLabels();
      const { name, bytes } = await save(format);
      assert.match(name, /^nuclei-2d_/);
      await openLabels(name, bytes);
      assert.equal(await topLabels(), wanted);
      await stage.page.evaluate(() => {
        const model = document.querySelector('cyto-workbench')?.viewer.model;
        model?.remove(model.labels.at(-1)?.id ?? '');
      });
    });
  }

  it('every file says where it comes from', async () => {
    for (const format of ['geojson', 'csv', 'tiff', 'ome-tiff', 'cellpose-seg']) {
      const text = (await save(format)).bytes.toString('latin1');
      for (const word of ['nuclei-2d.png', 'Cytopane', 'edits'])
        assert.ok(text.includes(word), `${format} ${word}`);
    }
  });

  it('CSV has a row for every cell and the intensities of the image', async () => {
    const lines = (await save('csv')).bytes.toString().split('\n');
    const header = lines.findIndex((line) => line.startsWith('label,'));
    assert.match(lines[header], /,mean_[^,]+,/);
    assert.equal(lines.length - header - 2, 90);
  });

  it('PNG is a picture of the view at the chosen size', async () => {
    const { page } = stage;
    const menu = page.locator('cyto-export-menu');
    await menu.getByRole('button', { name: 'Export' }).click();
    await menu.locator('select').selectOption('1');
    await menu.getByRole('button', { name: 'Export' }).click();
    const { width, height } = decode((await save('png')).bytes);
    const box = await page.locator('cyto-viewer').boundingBox();
    assert.ok(box && Math.abs(width - box.width) < 2 && Math.abs(height - box.height) < 2);
  });

  it('a project reopens the same, with layers, view and parameters', async () => {
    const { page } = stage;
    const state = () =>
      page.evaluate(() => {
        const workbench = document.querySelector('cyto-workbench');
        const { diameter, allTimes, linkThreshold, cellprobThreshold } = workbench?.segmenter ?? {};
        const settings = [diameter, allTimes, linkThreshold, cellprobThreshold];
        return JSON.stringify([workbench?.viewer.model, settings]);
      });
    await page.evaluate(() => {
      const workbench = document.querySelector('cyto-workbench');
      const { model } = workbench?.viewer ?? {};
      const top = model?.labels.at(-1);
      if (workbench) {
        const settings = { diameter: 17, allTimes: true, linkThreshold: 0.4, cellprobThreshold: -0.2 };
        Object.assign(workbench.segmenter, settings);
      }
      model?.update(top?.id ?? '', { contour: 2, opacity: 0.9, selected: 5 });
      model?.setCursor({ y: 33, x: 44 });
    });
    const [wanted, labels] = [await state(), await topLabels()];
    const { name, bytes } = await save('project');
    await page.reload();
    await shown(page, 'nuclei-2d.png');
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Open…' }).click();
    await (await chooser).setFiles({ name, mimeType: '', buffer: bytes });
    await page.waitForFunction(() => {
      const workbench = document.querySelector('cyto-workbench');
      return (workbench?.viewer.model.labels.length ?? 0) > 0;
    });
    assert.equal(await state(), wanted);
    assert.equal(await topLabels(), labels);
  });

  it('goes where the user picks, a file or a folder', async () => {
    const { page } = stage;
    // The private file system stands for the disk: the same handles as those a picker gives.
    await page.evaluate(`Object.assign(window, {
      showSaveFilePicker: async ({ suggestedName }) =>
        (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true }),
      showDirectoryPicker: () => navigator.storage.getDirectory(),
    })`);
    const menu = page.locator('cyto-export-menu');
    for (const format of ['ome-tiff', 'folder']) {
      await menu.getByRole('button', { name: 'Export' }).click();
      await menu.locator(`[data-format="${format}"]`).click();
      await menu.locator('.menu').waitFor({ state: 'detached' });
    }
    const found = await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const file = await (await root.getFileHandle('nuclei-2d_labels.ome.tif')).getFile();
      const zarr = await root.getDirectoryHandle('nuclei-2d_labels.ome.zarr');
      const metadata = await (await zarr.getFileHandle('zarr.json')).getFile();
      return { size: file.size, ome: JSON.parse(await metadata.text()).attributes.ome.version };
    });
    assert.ok(found.size > 1000);
    assert.equal(found.ome, '0.5');
  });

  it('refuses what is neither image nor labels, by name', async () => {
    const { page } = stage;
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Open labels…' }).click();
    await (await chooser).setFiles({ name: 'notes.txt', mimeType: '', buffer: Buffer.from('hello') });
    await page.getByRole('alert').filter({ hasText: 'notes.txt' }).waitFor();
  });

  it('has raised no errors on the page', () => assert.deepEqual(stage.problems, []));
});
