import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { zlibSync } from 'fflate';
import { tiffFile } from '../../core/exports/tiff-file.ts';
import { openImage } from '../../workers/io/open.ts';
import { averagePrecision } from '../../workers/segmentation/masks/metrics.ts';
import { dropFile, openStage, repository, type Stage, shown } from './browser.ts';

const TIMES = 5;

/** Yeast at five times as one ImageJ hyperstack. */
async function seriesFile(): Promise<Uint8Array> {
  const planes = await Promise.all(
    Array.from({ length: TIMES }, async (_, t) => {
      const name = `tp${t + 1}.png`;
      const bytes = readFileSync(join(repository, 'test/e2e/yeast', name));
      const source = await openImage({ name, path: name, blob: new Blob([bytes]) });
      return source.readVolume();
    }),
  );
  const [, , , height, width] = planes[0].shape;
  return tiffFile({
    pages: planes.map(({ data }) => {
      const samples = Uint16Array.from(data.subarray(0, height * width));
      return zlibSync(new Uint8Array(samples.buffer));
    }),
    width,
    height,
    bits: 16,
    description: new TextEncoder().encode(
      `ImageJ=1.53t\nimages=${TIMES}\nframes=${TIMES}\nhyperstack=true\n\0`,
    ),
    resolution: [1, 1],
  });
}

describe('an image with time points', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage({ isolated: true });
    await stage.page.goto(`${stage.origin}/demo/`);
    await shown(stage.page, 'nuclei-2d.png');
    await dropFile(stage.page, 'yeast.tif', await seriesFile());
    await shown(stage.page, 'yeast.tif');
  });
  after(() => stage.close());

  const nextRun = () =>
    stage.page.evaluate(
      () =>
        new Promise<{ count: number; times: number }>((resolve, reject) => {
          document.addEventListener('cyto-run', (event) => resolve((event as CustomEvent).detail), {
            once: true,
          });
          document.addEventListener(
            'error',
            (event) => reject(new Error((event as Event as CustomEvent).detail?.message)),
            { once: true },
          );
        }),
    );
  const press = async () => {
    const done = nextRun();
    await stage.page.getByRole('button', { name: 'Run', exact: true }).click();
    return done;
  };
  /** Labels of every time point, by its layer. */
  const frames = async () => {
    const found = await stage.page.evaluate(() => {
      const { model } = document.querySelector('cyto-workbench')!.viewer;
      return model.allLabels.map(({ t, labels }) => ({ t, labels: [...labels.data] }));
    });
    return found.map(({ t, labels }) => ({ t, labels: Uint32Array.from(labels) }));
  };
  /** Label that is shown at the middle of a cell of a time point, after its slider was moved there. */
  const goTo = async (t: number) => {
    await stage.page.getByRole('slider', { name: 'Time' }).fill(String(t));
    return stage.page.evaluate(() => {
      const { model } = document.querySelector('cyto-workbench')!.viewer;
      return {
        t: model.cursor.t,
        labels: [...model.labels.at(-1)!.labels.data],
        layers: model.labels.length,
      };
    });
  };

  it('is segmented at all of them, with the number of a cell kept from one to the next', async () => {
    const { page } = stage;
    await page.getByLabel('Cell diameter', { exact: true }).fill('30');
    await page.getByLabel('Cell diameter', { exact: true }).press('Tab');
    await page.getByLabel('Time points').selectOption('all');
    const { count, times } = await press();
    assert.equal(times, TIMES);
    const series = await frames();
    assert.deepEqual(
      series.map(({ t }) => t),
      [0, 1, 2, 3, 4],
    );
    assert.equal(count, new Set(series.flatMap(({ labels }) => [...labels.filter(Boolean)])).size);
    let kept = 0;
    for (let t = 1; t < TIMES; t++) {
      const [before, now] = [series[t - 1].labels, series[t].labels];
      for (const id of new Set(now.filter(Boolean))) {
        const own = (labels: Uint32Array) => labels.map((label) => Number(label === id));
        // A cell that is there twice is one that overlaps itself.
        if (!before.includes(id)) continue;
        const both = own(before).reduce((sum, inside, i) => sum + (inside && now[i] === id ? 1 : 0), 0);
        const either = own(before).reduce((sum, inside, i) => sum + Number(inside || now[i] === id), 0);
        assert.ok(both / either >= 0.25, `cell ${id} at time ${t} has nothing to do with itself before`);
        kept++;
      }
    }
    assert.ok(kept >= TIMES - 1, `${kept} cells were found again`);
  });

  it('shows, edits and rates the labels of the time point that the slider is at', async () => {
    const series = await frames();
    for (const t of [3, 1]) {
      const shownNow = await goTo(t);
      assert.equal(shownNow.t, t);
      assert.equal(shownNow.layers, 1);
      assert.deepEqual(shownNow.labels, [...series[t].labels]);
    }
    const rated = await stage.page.evaluate(() => {
      const { labels } = document.querySelector('cyto-workbench')!.viewer.model.labels.at(-1)!;
      return [...(labels.supplied.get('flow_error') ?? [])].map(([id]) => id);
    });
    assert.deepEqual(new Set(rated), new Set(series[1].labels.filter(Boolean)));
  });

  it('is thresholded again at all time points, and a run on one of them leaves the others', async () => {
    const { page } = stage;
    const before = await frames();
    const again = nextRun();
    await page.getByRole('slider', { name: 'Cell probability' }).fill('3');
    await again;
    const strict = await frames();
    const foreground = (labels: Uint32Array) => labels.reduce((sum, label) => sum + Number(label > 0), 0);
    strict.forEach(({ labels }, t) => {
      assert.ok(foreground(labels) < foreground(before[t].labels), `time ${t} was not thresholded`);
    });
    const back = nextRun();
    await page.getByRole('slider', { name: 'Cell probability' }).fill('0');
    await back;
    await page.getByLabel('Time points').selectOption('one');
    await goTo(2);
    assert.equal((await press()).times, 1);
    const mixed = await frames();
    assert.equal(averagePrecision(before[2].labels, mixed[2].labels).ap[2], 1);
    assert.equal(foreground(mixed[2].labels), foreground(before[2].labels));
    assert.deepEqual(stage.problems, []);
  });
});
