/**
 * `npm run evaluate -- --images DIR --masks DIR [--mode 2d|stitch|3d] [--model ID] [--json FILE]`: segments every image
 * that has a label mask of the same name, in headless Chromium with the built package, and prints AP@0.5/0.75/0.9.
 *
 * `npm run evaluate -- --3d [--data DIR] [--set NAME] [--limit N] [--model ID] [--json FILE]`: the volumes of
 * ../shared/data (or DIR) that are held back for validation (all of a set that holds none back), or the first N of each
 * set, in every mode for stacks; FILE gets the figures of each volume.
 *
 * Further options: --names FILE.json:KEY (only the names listed there), --parameters JSON (any of the segmentation
 * parameters), --backend auto|webgpu|wasm, --limit N. Stacks are stitched, planes run in 2D, unless --mode says so.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { SegmentationMode } from '../../core/segmentation-parameters.ts';
import { webgpuFlags } from '../../scripts/chromium.mjs';
import { openStage } from '../e2e/browser.ts';
import { referenceData } from '../reference-data.ts';
import { type Evaluation, type EvaluationTask, evaluateInPage } from './in-page.ts';
import { evaluateVolumes } from './volumes.ts';

const { values } = parseArgs({
  options: {
    images: { type: 'string' },
    masks: { type: 'string' },
    mode: { type: 'string' },
    model: { type: 'string' },
    json: { type: 'string' },
    names: { type: 'string' },
    parameters: { type: 'string' },
    backend: { type: 'string' },
    limit: { type: 'string' },
    '3d': { type: 'boolean' },
    data: { type: 'string', default: referenceData('data').path },
    set: { type: 'string' },
  },
});
if (values['3d']) {
  const complete = await evaluateVolumes(values.data, {
    ...(values.limit ? { limit: Number(values.limit) } : {}),
    ...(values.set ? { only: values.set } : {}),
    ...(values.json ? { json: values.json } : {}),
    ...(values.model ? { model: values.model } : {}),
  });
  process.exit(complete ? 0 : 1);
}
if (!values.images || !values.masks) {
  console.error('Give the folders: npm run evaluate -- --images DIR --masks DIR [--json FILE]');
  process.exit(2);
}
if (values.mode !== undefined && !['2d', 'stitch', '3d'].includes(values.mode)) {
  console.error(`"${values.mode}" is not a mode; use 2d, stitch or 3d.`);
  process.exit(2);
}
const folders = { '/images/': `${resolve(values.images)}/`, '/masks/': `${resolve(values.masks)}/` };

const stem = (file: string) => file.replace(/(\.ome)?\.(tiff?|nii\.gz|\w+)$/i, '');
function byStem(folder: string): Map<string, string> {
  return new Map(
    readdirSync(folder)
      .filter((file) => !file.startsWith('.'))
      .map((file) => [stem(file), file]),
  );
}
const images = byStem(folders['/images/']);
const masks = byStem(folders['/masks/']);

function listed(option: string): string[] {
  const at = option.lastIndexOf(':');
  const parsed: unknown = JSON.parse(readFileSync(option.slice(0, at), 'utf8'));
  const list = (parsed as Record<string, unknown>)[option.slice(at + 1)];
  if (!Array.isArray(list)) throw new Error(`${option} is no list of names.`);
  return list.map((name: unknown) => stem(String(name)));
}
const wanted = values.names ? listed(values.names) : [...images.keys()].sort();
const names = wanted
  .filter((name) => images.has(name) && masks.has(name))
  .slice(0, values.limit ? Number(values.limit) : undefined);
for (const name of wanted.filter((each) => !masks.has(each))) console.log(`${name}: no mask of this name`);
if (names.length === 0) {
  console.error('No image has a mask of the same name.');
  process.exit(2);
}

const { page, origin, close } = await openStage({
  isolated: true,
  mounts: folders,
  flags: values.backend === 'webgpu' ? webgpuFlags : [],
});
page.setDefaultTimeout(0);
await page.goto(`${origin}/test/evaluate/page.html`);
await page.addScriptTag({ content: 'globalThis.__name = (value) => value;' }); // of tsx

const parameters: EvaluationTask['parameters'] = {
  ...(values.mode ? { mode: values.mode as SegmentationMode } : {}),
  ...(values.parameters ? (JSON.parse(values.parameters) as EvaluationTask['parameters']) : {}),
};
const results: ({ name: string } & Partial<Evaluation> & { error?: string })[] = [];
const shown = (value: number | null | undefined) =>
  value === null || value === undefined ? '  –  ' : value.toFixed(3);
for (const name of names) {
  try {
    const evaluation = await page.evaluate(evaluateInPage, {
      image: `/images/${encodeURIComponent(images.get(name) ?? '')}`,
      mask: `/masks/${encodeURIComponent(masks.get(name) ?? '')}`,
      parameters,
      ...(values.model ? { model: values.model } : {}),
      ...(values.backend ? { backend: values.backend as 'auto' } : {}),
    });
    results.push({ name, ...evaluation });
    const { ap, cells, truth, seconds } = evaluation;
    console.log(
      `${ap.map(shown).join('  ')}  ${String(cells).padStart(5)} cells (${truth})  ${seconds.toFixed(1)} s  ${name}`,
    );
  } catch (error) {
    const message = (error as Error).message.split('\n')[0];
    results.push({ name, error: message });
    console.log(`failed  ${name}: ${message}`);
  }
}
await close();

// An image that failed counts as 0; one without cells in truth and result does not count.
const scored = results.filter(({ ap, error }) => error || ap?.some((value) => value !== null));
const mean = [0, 1, 2].map(
  (k) => scored.reduce((sum, { ap }) => sum + (ap?.[k] ?? 0), 0) / Math.max(1, scored.length),
);
const failed = results.filter(({ error }) => error).length;
const report = {
  thresholds: [0.5, 0.75, 0.9],
  mean: { ap50: mean[0], ap75: mean[1], ap90: mean[2] },
  images: results.map(({ ap, ...rest }) => ({ ...rest, ap50: ap?.[0], ap75: ap?.[1], ap90: ap?.[2] })),
};
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
console.log(
  `\nmean AP@0.5 ${mean[0].toFixed(3)}, @0.75 ${mean[1].toFixed(3)}, @0.9 ${mean[2].toFixed(3)} over ${scored.length} images` +
    `${failed ? `, ${failed} failed` : ''}; ${results.find(({ backend }) => backend)?.model}, ${results.find(({ backend }) => backend)?.backend}`,
);
process.exit(failed === 0 ? 0 : 1);
