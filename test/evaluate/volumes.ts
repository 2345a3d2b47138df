import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';
import { openStage } from '../e2e/browser.ts';
import { type Evaluation, evaluateInPage } from './in-page.ts';

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

/** What is measured of one volume in one mode. */
interface VolumeFigure extends Partial<Omit<Evaluation, 'ap'>> {
  set: string;
  image: string;
  mode: string;
  ap50?: number | null | undefined;
  ap75?: number | null | undefined;
  ap90?: number | null | undefined;
  /** What went wrong; the volume counts as 0. */
  error?: string;
}

/** Mean AP@0.5 of a set in each mode. */
interface SetMean {
  set: string;
  volumes: number;
  ap50: number[];
}

/** Mean AP@0.5: a volume that failed counts as 0, one without cells in truth and result does not count. */
function meanOf(figures: readonly VolumeFigure[]): number {
  const scored = figures.filter(({ ap50, error }) => error !== undefined || typeof ap50 === 'number');
  return scored.reduce((sum, { ap50 }) => sum + (ap50 ?? 0), 0) / Math.max(1, scored.length);
}

const COLUMN = 7;
const columns = (cells: readonly string[]) => cells.map((cell) => cell.padStart(COLUMN)).join('  ');

/**
 * Prints AP@0.5 of volumes, their means by set and the mean of the sets, with summed views as Cellpose does them, stitched,
 * and with the defaults of full 3D, each in headless Chromium as a user's page would run them.
 * @param options.limit volumes of each set; all by default
 * @param options.only the one set that is run
 * @param options.model id of the model; the default one if absent
 * @param options.json file that gets every figure, written after each volume
 * @returns whether every volume could be run
 */
export async function evaluateVolumes(
  folder: string,
  { limit, only, json, model }: { limit?: number; only?: string; json?: string; model?: string },
): Promise<boolean> {
  const data = resolve(folder);
  const chosen = sets(data).filter((set) => !only || set.name === only);
  if (chosen.length === 0) {
    const names = sets(data).map(({ name }) => name);
    console.error(`There is no set "${only}"; there are ${names.join(', ')}.`);
    return false;
  }
  const { page, origin, close } = await openStage({ isolated: true, mounts: { '/data/': `${data}/` } });
  page.setDefaultTimeout(0);
  await page.goto(`${origin}/test/evaluate/page.html`);
  const figures: VolumeFigure[] = [];
  const means = (): SetMean[] =>
    chosen.flatMap(({ name }) => {
      const own = figures.filter(({ set }) => set === name);
      const volumes = new Set(own.map(({ image }) => image)).size;
      const ap50 = MODES.map((mode) => meanOf(own.filter((figure) => figure.mode === mode.name)));
      return volumes > 0 ? [{ set: name, volumes, ap50 }] : [];
    });
  const write = () => {
    if (json)
      writeFileSync(json, `${JSON.stringify({ modes: MODES, sets: means(), volumes: figures }, null, 2)}\n`);
  };
  const figureRow = (name: string, values: readonly number[], end: string) =>
    console.log(`${name.padEnd(44)} ${columns(values.map((value) => value.toFixed(3)))}   ${end}`);
  console.log(`${'AP@0.5'.padEnd(44)} ${columns(MODES.map(({ name }) => name))}   seconds`);
  for (const { name, pairs } of chosen) {
    for (const { image, mask } of pairs.slice(0, limit)) {
      const own: VolumeFigure[] = [];
      for (const mode of MODES) {
        const what = { set: name, image, mode: mode.name };
        try {
          const { ap, ...rest } = await page.evaluate(evaluateInPage, {
            image: `/data/${image}`,
            mask: `/data/${mask}`,
            parameters: mode.parameters,
            ...(model ? { model } : {}),
          });
          own.push({ ...what, ap50: ap[0], ap75: ap[1], ap90: ap[2], ...rest });
        } catch (error) {
          const message = (error as Error).message.split('\n')[0];
          own.push({ ...what, error: message });
          console.log(`failed  ${image}, ${mode.name}: ${message}`);
        }
      }
      figures.push(...own);
      write();
      figureRow(
        image,
        own.map((figure) => meanOf([figure])),
        own.map(({ seconds }) => (seconds === undefined ? '–' : seconds.toFixed(0))).join(' / '),
      );
    }
    const { volumes, ap50 } = means().find(({ set }) => set === name)!;
    figureRow(`${name}, mean`, ap50, `${volumes} volume${volumes === 1 ? '' : 's'}`);
  }
  await close();
  const all = means();
  figureRow(
    'mean of the sets',
    MODES.map((_, k) => all.reduce((sum, { ap50 }) => sum + ap50[k], 0) / all.length),
    figures.find((figure) => figure.model)?.model ?? '',
  );
  return figures.every(({ error }) => error === undefined);
}
