import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';
import { openStage } from '../e2e/browser.ts';
import { evaluateInPage } from './in-page.ts';

/** Where the volumes of a set lie: those held back for validation, or all where none is. */
interface VolumeSet {
  name: string;
  pairs: Array<{ image: string; mask: string }>;
}

const MODES: ReadonlyArray<{ name: string; parameters: Partial<SegmentationParameters> }> = [
  { name: 'flows', parameters: { mode: '3d', combineViews: 'sum', flowSmoothing: 0 } },
  { name: 'stitch', parameters: { mode: 'stitch' } },
  { name: 'default', parameters: { mode: '3d' } },
];

function sets(data: string): VolumeSet[] {
  const folder = (name: string): VolumeSet => {
    const split = `${data}/${name}/splits.json`;
    const { entries } = JSON.parse(readFileSync(split, 'utf8')) as {
      entries: { id: string; split: string }[];
    };
    const held = entries.filter((entry) => entry.split === 'val');
    const files = (held.length > 0 ? held : entries).map(({ id }) => `${id}.tif`);
    return {
      name,
      pairs: files.map((file) => ({ image: `${name}/images/${file}`, mask: `${name}/masks/${file}` })),
    };
  };
  return [
    folder('bbbc050_3d'),
    folder('gonuclear_3d'),
    folder('plantseg_ovule_3d'),
    {
      name: 'stardist_samples',
      pairs: [{ image: 'stardist_samples/img3d.tif', mask: 'stardist_samples/mask3d.tif' }],
    },
  ];
}

/**
 * Prints AP@0.5 of the sets of volumes with summed views as Cellpose does them, stitched, and with the defaults of full
 * 3D, each in headless Chromium as a user's page would run them.
 * @returns whether every volume could be run
 */
export async function evaluateVolumes(
  folder: string,
  { limit = 1, only, json }: { limit?: number; only?: string; json?: string },
): Promise<boolean> {
  const data = resolve(folder);
  const { page, origin, close } = await openStage({ isolated: true, mounts: { '/data/': `${data}/` } });
  page.setDefaultTimeout(0);
  await page.goto(`${origin}/test/evaluate/page.html`);
  const rows: Array<Record<string, string | number>> = [];
  let complete = true;
  console.log(
    `${'set'.padEnd(20)} volumes  ${MODES.map(({ name }) => name.padStart(7)).join('  ')}   seconds`,
  );
  for (const { name, pairs } of sets(data).filter((set) => !only || set.name === only)) {
    const chosen = pairs.slice(0, limit);
    const row: Record<string, string | number> = { set: name, volumes: chosen.length };
    const seconds: number[] = [];
    for (const mode of MODES) {
      let sum = 0;
      const before = performance.now();
      for (const { image, mask } of chosen) {
        try {
          const { ap } = await page.evaluate(evaluateInPage, {
            image: `/data/${image}`,
            mask: `/data/${mask}`,
            parameters: mode.parameters,
          });
          sum += ap[0] ?? 1;
        } catch (error) {
          complete = false;
          console.log(`failed  ${image}, ${mode.name}: ${(error as Error).message.split('\n')[0]}`);
        }
      }
      row[mode.name] = sum / chosen.length;
      seconds.push((performance.now() - before) / 1000);
    }
    rows.push(row);
    const figures = MODES.map((mode) => Number(row[mode.name]).toFixed(3).padStart(7));
    console.log(
      `${name.padEnd(20)} ${String(chosen.length).padStart(7)}  ${figures.join('  ')}   ${seconds.map((each) => each.toFixed(0)).join(' / ')}`,
    );
  }
  await close();
  if (json) writeFileSync(json, `${JSON.stringify(rows, null, 2)}\n`);
  return complete;
}
