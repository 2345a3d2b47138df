/**
 * `npm run conformance -- DIR`: reads every file that DIR/manifest.json lists, in headless Chromium with the built
 * package, and compares shape, type, spacing and samples with it. The last line is `N passed, N failed` (units).
 * OME-Zarr is read both over HTTP and as a dropped folder. VERBOSE=1 shows the errors of those that must fail.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStage } from '../e2e/browser.ts';
import { ALL_AXES, judge, levelPaths, orderOf } from './compare.ts';
import { readInPage, type Task } from './in-page.ts';
import type { ExpectedArrays, ExpectedImage, Reading, Unit } from './manifest.ts';

const TIMEOUT = 60_000;
const folder = resolve(process.argv[2] ?? fileURLToPath(new URL('../../../shared/data/io', import.meta.url)));
const manifest = join(folder, 'manifest.json');
if (!existsSync(manifest)) {
  console.error(`There is no manifest.json in ${folder}. Give the folder: npm run conformance -- DIR`);
  process.exit(2);
}
const { units } = JSON.parse(readFileSync(manifest, 'utf8')) as { units: Unit[] };

const address = (file: string) => `/data/${file.split('/').map(encodeURIComponent).join('/')}`;

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)));
}

function tasksOf(unit: Unit): Task[] {
  const { expected } = unit;
  const rois = unit.format.startsWith('ImageJ ROI');
  let levels: Task['levels'] = [];
  if (expected && 'arrays' in expected) {
    const { arrays } = expected as ExpectedArrays;
    levels = levelPaths(expected as ExpectedArrays).map((path) => ({
      order: ALL_AXES,
      dtype: arrays[path].dtype,
    }));
  } else if (expected && 'shape' in expected) {
    const image = expected as ExpectedImage;
    levels = [{ order: orderOf(image), dtype: image.dtype }];
  }
  const files = unit.files.flatMap((file) => filesIn(join(folder, file)));
  // A dropped folder gives each file the path from that folder on; single files have none.
  const base = unit.is_directory ? dirname(join(folder, unit.files[0])) : undefined;
  const dropped = files.map((file) => ({
    url: address(relative(folder, file)),
    path: relative(base ?? dirname(file), file),
  }));
  const task: Task = { files: dropped, rois, levels, timeout: TIMEOUT };
  return unit.is_directory ? [task, { ...task, files: `${address(unit.files[0])}/` }] : [task];
}

const { page, origin, problems, close } = await openStage({ mounts: { '/data/': `${folder}/` } });
await page.goto(`${origin}/test/conformance/page.html`);
await page.addScriptTag({ content: 'globalThis.__name = (value) => value;' }); // of tsx

let passed = 0;
let failed = 0;
for (const unit of units) {
  const found: string[] = [];
  let reading: Reading | undefined;
  for (const task of tasksOf(unit)) {
    const hung: Promise<Reading> = new Promise((done) =>
      setTimeout(
        () => done({ error: { kind: 'untagged', message: 'did not come back' }, milliseconds: 2 * TIMEOUT }),
        2 * TIMEOUT,
      ).unref(),
    );
    reading = await Promise.race([page.evaluate(readInPage, task), hung]);
    const where = typeof task.files === 'string' ? 'over HTTP: ' : '';
    found.push(...judge(unit, reading).map((problem) => `${where}${problem}`));
  }
  const labels =
    unit.expected && 'arrays' in unit.expected
      ? Object.entries((unit.expected as ExpectedArrays).arrays)
      : [];
  for (const [path, array] of labels.filter(([path]) => path.startsWith('labels/'))) {
    const group = path.replace(/\/[^/]+$/, '');
    const read = await page.evaluate(readInPage, {
      files: `${address(unit.files[0])}/${group}/`,
      rois: false,
      levels: [{ order: ALL_AXES, dtype: array.dtype }],
      timeout: TIMEOUT,
    } satisfies Task);
    found.push(...judge({ ...unit, expected: array }, read).map((problem) => `${path}: ${problem}`));
  }
  if (found.length === 0) passed++;
  else failed++;
  const time = `${Math.round(reading?.milliseconds ?? 0)} ms`;
  console.log(
    `${found.length === 0 ? 'ok    ' : 'FAILED'} ${unit.level.padEnd(7)} ${unit.id.padEnd(48)} ${time}`,
  );
  for (const problem of found) console.log(`         ✗ ${problem}`);
  if (process.env.VERBOSE && found.length === 0 && reading?.error)
    console.log(`         ${reading.error.kind}: ${reading.error.message}`);
}
for (const problem of problems) console.log(`uncaught in the page: ${problem}`);
await close();
console.log(`\n${passed} passed, ${failed + problems.length} failed`);
process.exit(failed + problems.length === 0 && passed > 0 ? 0 : 1);
