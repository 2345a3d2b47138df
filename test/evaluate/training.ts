/**
 * `npm run evaluate:training -- --images DIR --masks DIR [--learn FILE.json:KEY] [--judge FILE.json:KEY] [--choices 5]
 * [--counts 1,2,5,10] [--settings JSON]`: trains the default model on random choices of images, in headless Chromium
 * with the built package, and prints AP@0.5 on other images before and after. Images without a cell are left out.
 * Without `--judge` the images that were not learned from judge. Of stacks the plane in the middle is taken.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openImage } from '../../workers/io/open.ts';
import { randomNumbers } from '../../workers/training/random.ts';
import { openStage } from '../e2e/browser.ts';
import { type TrainingEvaluation, trainInPage } from './training-in-page.ts';

const { values } = parseArgs({
  options: {
    images: { type: 'string' },
    masks: { type: 'string' },
    learn: { type: 'string' },
    judge: { type: 'string' },
    choices: { type: 'string', default: '5' },
    counts: { type: 'string', default: '1,2,5,10' },
    settings: { type: 'string', default: '{}' },
  },
});
if (!values.images || !values.masks) {
  console.error('Give the folders: npm run evaluate:training -- --images DIR --masks DIR');
  process.exit(2);
}
const folders = { '/images/': `${resolve(values.images)}/`, '/masks/': `${resolve(values.masks)}/` };
const stem = (file: string) => file.replace(/(\.ome)?\.(tiff?|\w+)$/i, '');
const byStem = (folder: string) => new Map(readdirSync(folder).map((file) => [stem(file), file]));
const images = byStem(folders['/images/']);
const masks = byStem(folders['/masks/']);

function listed(option: string): string[] {
  const at = option.lastIndexOf(':');
  const parsed = JSON.parse(readFileSync(option.slice(0, at), 'utf8')) as Record<string, string[]>;
  return parsed[option.slice(at + 1)].map(stem);
}

async function hasCells(name: string): Promise<boolean> {
  const file = masks.get(name);
  if (!file || !images.has(name)) return false;
  const blob = new Blob([readFileSync(`${folders['/masks/']}${file}`)]);
  const volume = await (await openImage({ name: file, path: file, blob })).readVolume();
  return volume.data.some((label) => label > 0);
}

async function usable(names: string[]): Promise<string[]> {
  const checks = await Promise.all(names.map(hasCells));
  return names.filter((_, i) => checks[i]);
}

const pool = await usable(values.learn ? listed(values.learn) : [...images.keys()].sort());
const judges = values.judge ? await usable(listed(values.judge)) : undefined;
const addresses = (names: readonly string[]) =>
  names.map((name) => ({
    image: `/images/${encodeURIComponent(images.get(name) ?? '')}`,
    mask: `/masks/${encodeURIComponent(masks.get(name) ?? '')}`,
  }));

const { page, origin, close } = await openStage({ isolated: true, mounts: folders });
page.setDefaultTimeout(0);
await page.goto(`${origin}/test/evaluate/page.html`);
const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
for (const count of values.counts.split(',').map(Number)) {
  if (count > pool.length - (judges ? 0 : 1)) continue;
  const results: TrainingEvaluation[] = [];
  for (let choice = 0; choice < Number(values.choices); choice++) {
    const random = randomNumbers(choice, 77);
    const order = pool.map((name) => ({ name, key: random() })).sort((a, b) => a.key - b.key);
    const names = order.map(({ name }) => name);
    const result = await page
      .evaluate(trainInPage, {
        learn: addresses(names.slice(0, count)),
        judge: addresses(judges ?? names.slice(count)),
        settings: { seed: choice, ...(JSON.parse(values.settings) as object) },
        name: `evaluation ${count} ${choice}`,
      })
      .catch((error: Error) => error.message.split('\n')[0]);
    if (typeof result === 'string') {
      console.log(`${count} images, choice ${choice}: ${result}`);
      continue;
    }
    results.push(result);
    const { before, after, seconds, steps, improved } = result;
    console.log(
      `${count} images, choice ${choice}: AP@0.5 ${before.toFixed(3)} → ${after.toFixed(3)}, ${steps} steps, ${seconds.toFixed(0)} s` +
        `${improved ? '' : ' (nothing better was found)'}  ${names.slice(0, count).join(' ')}`,
    );
  }
  if (results.length === 0) continue;
  const [before, after, seconds] = (['before', 'after', 'seconds'] as const).map((key) =>
    mean(results.map((result) => result[key])),
  );
  console.log(
    `${count} images: mean AP@0.5 ${before.toFixed(3)} → ${after.toFixed(3)} over ${results.length} choices, ${seconds.toFixed(0)} s each`,
  );
}
await close();
