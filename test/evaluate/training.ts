/**
 * `npm run evaluate:training -- --images DIR --masks DIR [--learn FILE.json:KEY] [--judge FILE.json:KEY] [--choices 5] [--from 0]
 * [--counts 1,2,5,10] [--settings JSON] [--base FOLDER] [--also IMAGES,MASKS[,FILE.json:KEY]]… [--also-most 6]`: trains a
 * model on random choices of images, in headless Chromium with the built package, and prints AP@0.5 on other images before
 * and after. Images without a cell are left out. Without `--judge` the images that were not learned from judge. Of stacks
 * the plane in the middle is taken. `--base` is the folder of the model that is started from, by default the one that
 * ships. `--from` is the number of the first choice. `--also` names image sets of other kinds, of which `--also-most`, spread
 * over their list, show what was unlearned.
 * `--one-thread` serves the page without cross-origin isolation, which is faster where other work keeps the cores busy.
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
    from: { type: 'string', default: '0' },
    counts: { type: 'string', default: '1,2,5,10' },
    settings: { type: 'string', default: '{}' },
    base: { type: 'string' },
    also: { type: 'string', multiple: true, default: [] },
    'also-most': { type: 'string', default: '6' },
    'one-thread': { type: 'boolean', default: false },
  },
});
if (!values.images || !values.masks) {
  console.error('Give the folders: npm run evaluate:training -- --images DIR --masks DIR');
  process.exit(2);
}
const mounts: Record<string, string> = {};
const stem = (file: string) => file.replace(/(\.ome)?\.(tiff?|\w+)$/i, '');

/** Images with masks of the same name, served to the page. */
class ImageSet {
  readonly #images: Map<string, string>;
  readonly #masks: Map<string, string>;
  readonly #mount: string;
  readonly #maskFolder: string;

  constructor(images: string, masks: string) {
    const byStem = (folder: string) => new Map(readdirSync(folder).map((file) => [stem(file), file]));
    this.#mount = `/set${Object.keys(mounts).length}`;
    this.#maskFolder = `${resolve(masks)}/`;
    mounts[`${this.#mount}/images/`] = `${resolve(images)}/`;
    mounts[`${this.#mount}/masks/`] = this.#maskFolder;
    this.#images = byStem(images);
    this.#masks = byStem(masks);
  }

  /** Those of the listed images that have cells. @param list `FILE.json:KEY`; absent: all */
  async usable(list?: string): Promise<string[]> {
    const names = list ? listed(list) : [...this.#images.keys()].sort();
    const checks = await Promise.all(names.map((name) => this.#hasCells(name)));
    return names.filter((_, i) => checks[i]);
  }

  addresses(names: readonly string[]): { image: string; mask: string }[] {
    return names.map((name) => ({
      image: `${this.#mount}/images/${encodeURIComponent(this.#images.get(name) ?? '')}`,
      mask: `${this.#mount}/masks/${encodeURIComponent(this.#masks.get(name) ?? '')}`,
    }));
  }

  async #hasCells(name: string): Promise<boolean> {
    const file = this.#masks.get(name);
    if (!file || !this.#images.has(name)) return false;
    const blob = new Blob([readFileSync(`${this.#maskFolder}${file}`)]);
    const volume = await (await openImage({ name: file, path: file, blob })).readVolume();
    return volume.data.some((label) => label > 0);
  }
}

/** At most so many of a list, evenly spread over it. */
function spread<T>(list: readonly T[], most: number): T[] {
  const count = Math.min(most, list.length);
  return Array.from({ length: count }, (_, k) => list[Math.floor((k * list.length) / count)]);
}

function listed(option: string): string[] {
  const at = option.lastIndexOf(':');
  const parsed = JSON.parse(readFileSync(option.slice(0, at), 'utf8')) as Record<string, string[]>;
  return parsed[option.slice(at + 1)].map(stem);
}

const set = new ImageSet(values.images, values.masks);
const pool = await set.usable(values.learn);
const judges = values.judge ? await set.usable(values.judge) : undefined;
const also = await Promise.all(
  values.also.map(async (option) => {
    const [images, masks, list] = option.split(',');
    const other = new ImageSet(images, masks);
    const names = spread(await other.usable(list), Number(values['also-most']));
    return { name: images, images: other.addresses(names) };
  }),
);
if (values.base) mounts['/base/'] = `${resolve(values.base)}/`;

const { page, origin, close } = await openStage({ isolated: !values['one-thread'], mounts });
page.setDefaultTimeout(0);
await page.goto(`${origin}/test/evaluate/page.html`);
const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
for (const count of values.counts.split(',').map(Number)) {
  if (count > pool.length - (judges ? 0 : 1)) continue;
  const results: TrainingEvaluation[] = [];
  const first = Number(values.from);
  for (let choice = first; choice < first + Number(values.choices); choice++) {
    const random = randomNumbers(choice, 77);
    const order = pool.map((name) => ({ name, key: random() })).sort((a, b) => a.key - b.key);
    const names = order.map(({ name }) => name);
    const result = await page
      .evaluate(trainInPage, {
        learn: set.addresses(names.slice(0, count)),
        judge: set.addresses(judges ?? names.slice(count)),
        settings: { seed: choice, ...(JSON.parse(values.settings) as object) },
        name: `evaluation ${count} ${choice}`,
        also,
        ...(values.base ? { base: '/base/' } : {}),
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
    for (const other of result.also)
      console.log(`  ${other.name}: ${other.before.toFixed(3)} → ${other.after.toFixed(3)}`);
  }
  if (results.length === 0) continue;
  const [before, after, seconds] = (['before', 'after', 'seconds'] as const).map((key) =>
    mean(results.map((result) => result[key])),
  );
  console.log(
    `${count} images: mean AP@0.5 ${before.toFixed(3)} → ${after.toFixed(3)} over ${results.length} choices, ${seconds.toFixed(0)} s each`,
  );
  for (const [k, { name }] of also.entries()) {
    const [first, last] = (['before', 'after'] as const).map((key) =>
      mean(results.map((result) => result.also[k][key])),
    );
    console.log(`  ${name}: mean ${first.toFixed(3)} → ${last.toFixed(3)}`);
  }
}
await close();
