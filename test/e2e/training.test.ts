import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { openImage } from '../../workers/io/open.ts';
import { averagePrecision } from '../../workers/segmentation/masks/metrics.ts';
import { dropFile, openStage, repository, run, type Stage, shown } from './browser.ts';

const yeast = new URL('yeast/', import.meta.url);
const bytesOf = (name: string) => readFileSync(new URL(name, yeast));

async function truth(name: string): Promise<Uint32Array> {
  const source = await openImage({ name, path: name, blob: new Blob([bytesOf(name)]) });
  return Uint32Array.from((await source.readVolume()).data);
}

/** Drops an image, opens its labels, and adds both to the trainer's list. */
async function correct({ page }: Stage, name: string): Promise<void> {
  await dropFile(page, `${name}.png`, bytesOf(`${name}.png`));
  await shown(page, `${name}.png`);
  await page.locator('#labels').setInputFiles(fileURLToPath(new URL(`${name}-labels.png`, yeast)));
  const add = page.getByRole('button', { name: 'Add this image with its labels' });
  await add.click();
  await page.getByRole('list', { name: 'Corrected images' }).getByText(`${name}.png`).waitFor();
}

async function openTrainer({ page }: Stage): Promise<void> {
  if (await page.locator('cyto-trainer').isVisible()) return;
  await page.getByText('Improve the model').click();
  await page.getByRole('button', { name: 'Add this image with its labels' }).waitFor();
}

/** Whether the browser's database holds a point from which a training can go on. */
function keptState({ page }: Stage): Promise<boolean> {
  return page.evaluate(
    () =>
      new Promise<boolean>((resolve, reject) => {
        const open = indexedDB.open('cytopane-training');
        open.onerror = () => reject(open.error);
        open.onsuccess = () => {
          const get = open.result.transaction('training').objectStore('training').getKey('state');
          get.onsuccess = () => {
            open.result.close();
            resolve(get.result !== undefined);
          };
        };
      }),
  );
}

/** Makes the kept point one of a training that went otherwise. */
function ageState({ page }: Stage): Promise<void> {
  return page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const open = indexedDB.open('cytopane-training');
        open.onerror = () => reject(open.error);
        open.onsuccess = () => {
          const store = open.result.transaction('training', 'readwrite').objectStore('training');
          const get = store.get('state');
          get.onsuccess = () => {
            const kept = get.result as { state: { scheme: string } };
            kept.state.scheme = 'of an older version';
            const put = store.put(kept, 'state');
            put.onsuccess = () => {
              open.result.close();
              resolve();
            };
          };
        };
      }),
  );
}

async function setRounds({ page }: Stage, rounds: number): Promise<void> {
  const field = page.getByLabel('Rounds');
  if (!(await field.isVisible())) await page.locator('cyto-trainer').getByText('More options').click();
  await field.fill(String(rounds));
  await field.blur();
}

/** AP at IoU 0.5 of a run on an image that no training has seen. */
async function scoreOfRun({ page }: Stage): Promise<number> {
  await dropFile(page, 'tp5.png', bytesOf('tp5.png'));
  await shown(page, 'tp5.png');
  const { labels } = await run(page);
  return averagePrecision(await truth('tp5-labels.png'), Uint32Array.from(labels)).ap[0];
}

/** Looks at the pictures of both models: what is drawn differs, and the figures are those of a better model. */
async function compare({ page }: Stage): Promise<void> {
  await page.getByRole('button', { name: 'Compare…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Before and after' });
  await dialog.locator('figcaption b').first().filter({ hasText: /\d/ }).waitFor({ timeout: 60_000 });
  const [was, is] = (await dialog.locator('figcaption b').allTextContents()).map(Number);
  assert.ok(is > was, `AP@0.5 of the compared image went from ${was} to ${is}`);
  const pictures = await dialog
    .locator('canvas')
    .evaluateAll((canvases) => canvases.map((canvas) => (canvas as HTMLCanvasElement).toDataURL()));
  assert.notEqual(pictures[0], pictures[1]);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
}

/** Pixels of the two lines of the learning curve: the loss is orange, the precision is blue. */
function curvePixels({ page }: Stage): Promise<{ loss: number; precision: number }> {
  return page.locator('cyto-trainer .curve canvas').evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    const drawn = { loss: 0, precision: 0 };
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] < 128) continue;
      if (data[i] > data[i + 2] + 80) drawn.loss++;
      if (data[i + 2] > data[i] + 80) drawn.precision++;
    }
    return drawn;
  });
}

describe('training in the page', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage({ isolated: true });
    await stage.page.goto(`${stage.origin}/demo/`);
    await shown(stage.page, 'nuclei-2d.png');
  });
  after(() => stage.close());

  it('learns from four corrected images and segments the next one better than before', async () => {
    const { page } = stage;
    const first = await scoreOfRun(stage);
    await openTrainer(stage);
    await page.getByRole('button', { name: 'Show where the model was least sure' }).click();
    await page.getByText(/Place 1 of \d+, most doubtful first: \d+ cells/).waitFor();
    for (const name of ['tp1', 'tp2', 'tp3', 'tp4']) await correct(stage, name);
    await setRounds(stage, 10);
    await page.getByLabel('Name', { exact: true }).fill('Yeast in traps');
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    await page.getByText('Training, step').waitFor({ timeout: 240_000 });
    const keep = page.getByRole('button', { name: 'Keep and segment' });
    await keep.waitFor({ timeout: 400_000 });
    const { loss, precision } = await curvePixels(stage);
    assert.ok(loss > 50 && precision > 50, `${loss} pixels of the loss, ${precision} of the precision`);
    const outcome = await page.evaluate(async () => {
      const trainer = document.querySelector('cyto-workbench')?.shadowRoot?.querySelector('cyto-trainer');
      return trainer?.shadowRoot?.querySelector('[part=outcome]')?.textContent ?? '';
    });
    const [was, is] = [...outcome.matchAll(/\d\.\d\d/g)].map(([value]) => Number(value));
    assert.ok(is > was, `on what was held back AP@0.5 went from ${was} to ${is}`);
    await compare(stage);
    await keep.click();
    await page.getByText('is now among the models').waitFor();
    // The image that is shown is segmented with it at once.
    await page.waitForFunction(
      () => {
        const layers = document.querySelector('cyto-workbench')?.viewer?.model.labels ?? [];
        return layers.some(({ labels }) => String(labels.origin.model ?? '').startsWith('yeast-in-traps-'));
      },
      undefined,
      { timeout: 60_000 },
    );
    const second = await scoreOfRun(stage);
    assert.ok(second > first, `AP@0.5 of the next image went from ${first} to ${second}`);
    const chosen = await page.evaluate(() => document.querySelector('cyto-workbench')?.segmenter.modelId);
    assert.match(chosen ?? '', /^yeast-in-traps-/);
    // A gate keeps what the model knew; for the next training it says what has been learned.
    const files = await page.evaluate(async (id) => {
      const { ModelLibrary }: typeof import('../../workers/models/client.ts') = await import(
        new URL('/dist/model-library.js', location.href).href
      );
      const library = new ModelLibrary();
      const names = [...(await library.files(id)).keys()];
      library.dispose();
      return names;
    }, chosen ?? '');
    assert.ok(files.includes('styles.npy'), files.join());
  });

  it('offers to go on with a training that a reload has interrupted', async () => {
    const { page } = stage;
    await openTrainer(stage);
    await correct(stage, 'tp1');
    await correct(stage, 'tp2');
    await setRounds(stage, 12);
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    while (!(await keptState(stage))) await page.waitForTimeout(500);
    await page.reload();
    await shown(page, 'nuclei-2d.png');
    await openTrainer(stage);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText(/Training, step/).waitFor({ timeout: 240_000 });
    const at = await page.getByText(/Training, step \d+/).textContent();
    assert.ok(Number(/step (\d+)/.exec(at ?? '')?.[1]) > 1, `it began at ${at}`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Pause', pressed: true }).waitFor();
    await page.locator('cyto-trainer').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Forget it' }).waitFor();
    await page.reload();
    await shown(page, 'nuclei-2d.png');
    await openTrainer(stage);
    // An update of the page may have changed how it is trained.
    await ageState(stage);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('It begins anew with the same images').waitFor({ timeout: 240_000 });
    await page.locator('cyto-trainer').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Forget it' }).click();
    assert.deepEqual(stage.problems, []);
  });

  it('saves the corrected images as one file and opens them again', async () => {
    const { page } = stage;
    await correct(stage, 'tp1');
    await correct(stage, 'tp2');
    await page.evaluate(() => {
      // The browser's own dialog cannot be answered here; without it the file is downloaded.
      Object.assign(window, { showSaveFilePicker: undefined });
    });
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save set…' }).click();
    const file = await (await download).path();
    const entries = Object.keys(unzipSync(readFileSync(file))).sort();
    assert.deepEqual(
      entries.filter((name) => name.startsWith('01')),
      ['01-tp1_png.tif', '01-tp1_png_masks.tif', '01-tp1_png_seg.npy'],
    );
    const list = page.getByRole('list', { name: 'Corrected images' });
    const before = await list.textContent();
    for (const name of ['tp1', 'tp2'])
      await page
        .locator('cyto-trainer')
        .getByRole('button', { name: `Remove ${name}.png` })
        .click();
    await list.waitFor({ state: 'detached' });
    await page.locator('#set').setInputFiles(file);
    await list.waitFor();
    assert.equal(await list.textContent(), before);
  });

  it('takes planes of a stack in three orientations, with their cells', async () => {
    const { page } = stage;
    const trainer = page.locator('cyto-trainer');
    await openTrainer(stage);
    const remove = trainer.getByRole('button', { name: /^Remove / });
    while ((await remove.count()) > 0) await remove.first().click();
    const stack = (name: string) => new URL(`../../demo/data/${name}`, import.meta.url);
    await dropFile(page, 'embryo-3d.tif', readFileSync(stack('embryo-3d.tif')));
    await shown(page, 'embryo-3d.tif');
    await page.locator('#labels').setInputFiles(fileURLToPath(stack('embryo-3d-labels.tif')));
    await trainer.getByRole('button', { name: 'Add planes of this stack' }).click();
    const list = page.getByRole('list', { name: 'Corrected images' });
    const entries = list.getByRole('listitem');
    await entries.nth(8).waitFor();
    for (const orientation of ['xy', 'xz', 'yz']) {
      const planes = entries.filter({ hasText: new RegExp(`embryo-3d\\.tif · ${orientation} \\d+`) });
      assert.equal(await planes.count(), 3, orientation);
      for (const text of await planes.allTextContents())
        assert.ok(Number(/(\d+) cell/.exec(text)?.[1]) > 0, text);
    }
    // The worker tells what a training on them would take.
    await trainer.getByText(/\d+ MB/).waitFor();
  });

  it('axe finds nothing in the panel', async () => {
    const { page } = stage;
    await page.evaluate(readFileSync(`${repository}node_modules/axe-core/axe.min.js`, 'utf8'));
    const violations = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: { run(element: Element): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      const { violations } = await axe.run(document.querySelector('cyto-workbench') as Element);
      return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
    });
    assert.deepEqual(violations, []);
  });
});
