/**
 * `npm run evaluate:training -- --protocol yeast,usiigaci [--data DIR] --json FILE`: trains models on random choices of
 * images, in headless Chromium with the built package, and prints AP@0.5 on other images before and after, also on images
 * of other kinds. First five choices of five images, then the curve over 1, 2 and 10. A training that is in the file
 * already (same model and settings) is not made again, so that an evaluation can be made in pieces; one that fails is
 * told, the next one begins, and the exit code is 1.
 *
 * Instead of a protocol: `--images DIR --masks DIR [--learn FILE.json:KEY] [--judge FILE.json:KEY]
 * [--also NAME=IMAGES,MASKS[,FILE.json:KEY]]… [--base FOLDER]`. Images without a cell are left out. Without `--judge` the
 * images that were not learned from judge. Of stacks the plane in the middle is taken. `--base` is the folder of the model
 * that is started from, by default the one that ships.
 *
 * `--counts 5,1,2,10`, the first one first; `--choices 5`, `--from 0`: number of the first choice; `--rows N`: ends after so
 * many trainings; `--settings JSON`; `--also-most 8`: images of each other kind, spread over their list; `--one-thread`:
 * without cross-origin isolation, which is faster where other work keeps the cores busy.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { randomNumbers } from '../../workers/training/random.ts';
import { openStage, repository, type Stage } from '../e2e/browser.ts';
import { referenceData } from '../reference-data.ts';
import { ImageSet, spread } from './image-set.ts';
import { trainInPage } from './training-in-page.ts';
import { plannedRows, type Row, RowFile, type RowKey, table } from './training-rows.ts';

const { values } = parseArgs({
  options: {
    protocol: { type: 'string' },
    data: { type: 'string', default: referenceData('data').path },
    json: { type: 'string' },
    images: { type: 'string' },
    masks: { type: 'string' },
    learn: { type: 'string' },
    judge: { type: 'string' },
    counts: { type: 'string', default: '5,1,2,10' },
    choices: { type: 'string', default: '5' },
    from: { type: 'string', default: '0' },
    rows: { type: 'string' },
    settings: { type: 'string', default: '{}' },
    base: { type: 'string' },
    also: { type: 'string', multiple: true, default: [] },
    'also-most': { type: 'string', default: '8' },
    'one-thread': { type: 'boolean', default: false },
  },
});

/** What is learned from, what judges, and the model that is started from. */
interface Protocol {
  name: string;
  images: string;
  masks: string;
  learn?: string | undefined;
  judge?: string | undefined;
  /** `NAME=IMAGES,MASKS[,FILE.json:KEY]` */
  also: string[];
  base?: string | undefined;
}

/** The domains by which training in the page is judged: the default model has seen neither (usiigaci: with its own base). */
function protocolNamed(name: string): Protocol {
  const folder = (set: string) => `${values.data}/${set}`;
  const other = (label: string, set: string) =>
    `${label}=${folder(set)}/images,${folder(set)}/masks,${folder(set)}/splits.json:val`;
  const nuclei = [other('DSB 2018', 'dsb2018'), other('BBBC039', 'bbbc039')];
  const images = (set: string) => ({ images: `${folder(set)}/images`, masks: `${folder(set)}/masks` });
  if (name === 'yeast') {
    const also = [...nuclei, other('Usiigaci', 'usiigaci_phase')];
    return { name, ...images('baby_yeast_brightfield'), also };
  }
  if (name === 'usiigaci') {
    const lists = `${folder('usiigaci_phase')}/splits.json`;
    return {
      name,
      ...images('usiigaci_phase'),
      learn: `${lists}:train`,
      judge: `${lists}:val`,
      also: nuclei,
      base: `${repository}test/evaluate/cyto-s1-without-usiigaci`,
    };
  }
  console.error(`There is no protocol "${name}"; use yeast, usiigaci, or both with a comma.`);
  process.exit(2);
}

function protocols(): Protocol[] {
  const { protocol, images, masks, learn, judge, also, base } = values;
  if (protocol) return protocol.split(',').map(protocolNamed);
  if (images && masks) return [{ name: images, images, masks, learn, judge, also, base }];
  console.error(
    'Say what is learned: npm run evaluate:training -- --protocol yeast, or --images DIR --masks DIR',
  );
  process.exit(2);
}

const file = new RowFile(values.json);
let left = values.rows ? Number(values.rows) : Number.POSITIVE_INFINITY;
let failed = 0;

async function evaluate(protocol: Protocol): Promise<void> {
  const set = new ImageSet(protocol.images, protocol.masks, '/set/');
  const pool = await set.usable(protocol.learn);
  const judges = protocol.judge ? await set.usable(protocol.judge) : undefined;
  const others = await Promise.all(
    protocol.also.map(async (option, k) => {
      const at = option.indexOf('=');
      const [images, masks, list] = option.slice(at + 1).split(',');
      const other = new ImageSet(images, masks, `/other${k}/`);
      const names = spread(await other.usable(list), Number(values['also-most']));
      return { name: at < 0 ? images : option.slice(0, at), set: other, images: other.addresses(names) };
    }),
  );
  const base = protocol.base ? `${resolve(protocol.base)}/` : undefined;
  const weights = readFileSync(`${base ?? `${repository}models/default/`}model.onnx`);
  const model = createHash('sha256').update(weights).digest('hex');
  file.start[model] ??= {};
  const mounts = Object.assign(
    {},
    set.mounts,
    ...others.map((other) => other.set.mounts),
    base ? { '/base/': base } : {},
  );

  const open = async () => {
    const stage = await openStage({ isolated: !values['one-thread'], mounts });
    stage.page.setDefaultTimeout(0);
    await stage.page.goto(`${stage.origin}/test/evaluate/page.html`);
    return stage;
  };
  const train = async ({ page }: Stage, key: RowKey): Promise<Row> => {
    const { count, choice } = key;
    const random = randomNumbers(choice, 77);
    const order = pool.map((name) => ({ name, key: random() })).sort((a, b) => a.key - b.key);
    const names = order.map(({ name }) => name);
    const { known, ...result } = await page.evaluate(trainInPage, {
      learn: set.addresses(names.slice(0, count)),
      judge: set.addresses(judges ?? names.slice(count)),
      settings: { seed: choice, ...(JSON.parse(values.settings) as object) },
      name: `evaluation ${count} ${choice}`,
      also: others.map(({ name, images }) => ({ name, images })),
      known: knownOf(model, protocol.name),
      ...(base ? { base: '/base/' } : {}),
    });
    keepKnown(model, protocol.name, known);
    return { ...key, ...result, model, settings: values.settings, images: names.slice(0, count) };
  };

  const counts = values.counts.split(',').map(Number);
  const choices = { from: Number(values.from), count: Number(values.choices) };
  const rows: Row[] = [];
  let stage: Stage | undefined;
  for (const key of plannedRows(protocol.name, counts, choices, pool.length - (judges ? 0 : 1))) {
    const done = file.find(key, model, values.settings);
    if (done) rows.push(done);
    if (done || left <= 0) continue;
    left--;
    const title = `${key.set}, ${key.count} images, choice ${key.choice}`;
    try {
      stage ??= await open();
      const row = await train(stage, key);
      file.add(row);
      rows.push(row);
      const also = row.also.map(({ name, before, after }) => `${name} ${(after - before).toFixed(3)}`);
      console.log(
        `${title}: AP@0.5 ${row.before.toFixed(3)} → ${row.after.toFixed(3)}, ${row.steps} steps, ${row.seconds.toFixed(0)} s, ` +
          `share ${row.share}${row.improved ? '' : ' (nothing better was found)'}; ${also.join(', ')}`,
      );
    } catch (error) {
      failed++;
      console.error(`${title} failed: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
      // The page may be what is broken: the next training gets another.
      await stage?.close();
      stage = undefined;
    }
  }
  await stage?.close();
  if (rows.length > 0) console.log(`\n${table(rows)}\n`);
}

/** Scores of the model that was started from stand in the file by set and address, since addresses are those of a server. */
function knownOf(model: string, set: string): Record<string, number> {
  const prefix = `${set} `;
  const own = Object.entries(file.start[model]).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, score]) => [name.slice(prefix.length), score]));
}

function keepKnown(model: string, set: string, known: Record<string, number>): void {
  for (const [address, score] of Object.entries(known)) file.start[model][`${set} ${address}`] = score;
}

for (const protocol of protocols()) await evaluate(protocol);
if (failed > 0) console.error(`${failed} training${failed === 1 ? '' : 's'} failed`);
process.exit(failed > 0 ? 1 : 0);
