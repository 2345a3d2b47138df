import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openImage } from '../../workers/io/open.ts';
import { averagePrecision } from '../../workers/segmentation/masks/metrics.ts';
import { dropFile, openStage, run, type Stage, shown } from './browser.ts';

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
  await page.getByText('Improve the model').click();
  await page.getByRole('button', { name: 'Add this image with its labels' }).waitFor();
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
    for (const name of ['tp1', 'tp2', 'tp3', 'tp4']) await correct(stage, name);
    await setRounds(stage, 10);
    await page.getByLabel('Name', { exact: true }).fill('Yeast in traps');
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    await page.getByText('Training, step').waitFor({ timeout: 240_000 });
    const keep = page.getByRole('button', { name: 'Keep and use' });
    await keep.waitFor({ timeout: 400_000 });
    const outcome = await page.evaluate(async () => {
      const trainer = document.querySelector('cyto-workbench')?.shadowRoot?.querySelector('cyto-trainer');
      return trainer?.shadowRoot?.querySelector('[part=outcome]')?.textContent ?? '';
    });
    const [was, is] = [...outcome.matchAll(/\d\.\d\d/g)].map(([value]) => Number(value));
    assert.ok(is > was, `on what was held back AP@0.5 went from ${was} to ${is}`);
    await keep.click();
    await page.getByText('is now among the models').waitFor();
    const second = await scoreOfRun(stage);
    assert.ok(second > first, `AP@0.5 of the next image went from ${first} to ${second}`);
    const chosen = await page.evaluate(() => document.querySelector('cyto-workbench')?.segmenter.modelId);
    assert.match(chosen ?? '', /^yeast-in-traps-/);
  });
});
