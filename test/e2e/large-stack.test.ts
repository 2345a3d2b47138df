import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SegmentationResult } from '../../core/segmentation-parameters.ts';
import { openImage } from '../../workers/io/open.ts';
import { openStage, repository, type Stage, shown } from './browser.ts';

const SHAPE = [4, 96, 96] as const;
const CHUNK = [2, 48, 48] as const;

/** A part of the embryo of the demo as an OME-Zarr of uncompressed chunks. */
async function writeZarr(folder: string): Promise<void> {
  const name = 'embryo-3d.tif';
  const blob = new Blob([readFileSync(join(repository, 'demo/data', name))]);
  const { data, shape } = await (await openImage({ name, path: name, blob })).readVolume();
  const put = (path: string, content: object) => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content instanceof Uint8Array ? content : JSON.stringify(content));
  };
  const axes = ['z', 'y', 'x'].map((axis) => ({ name: axis, type: 'space', unit: 'micrometer' }));
  const datasets = [{ path: '0', coordinateTransformations: [{ type: 'scale', scale: [1, 1, 1] }] }];
  put('.zgroup', { zarr_format: 2 });
  put('.zattrs', { multiscales: [{ version: '0.4', axes, datasets }] });
  put('0/.zarray', {
    zarr_format: 2,
    shape: SHAPE,
    chunks: CHUNK,
    dtype: '<u2',
    fill_value: 0,
    compressor: null,
    filters: null,
    order: 'C',
    dimension_separator: '/',
  });
  const middle = SHAPE.map((length, axis) => (shape[axis + 2] - length) >> 1);
  for (let cz = 0; cz < 2; cz++)
    for (let cy = 0; cy < 2; cy++)
      for (let cx = 0; cx < 2; cx++) {
        const samples = Uint16Array.from({ length: CHUNK[0] * CHUNK[1] * CHUNK[2] }, (_, i) => {
          const [z, y, x] = [Math.floor(i / 2304), Math.floor(i / 48) % 48, i % 48];
          const at = [middle[0] + cz * 2 + z, middle[1] + cy * 48 + y, middle[2] + cx * 48 + x];
          return data[(at[0] * shape[3] + at[1]) * shape[4] + at[2]];
        });
        put(`0/${cz}/${cy}/${cx}`, new Uint8Array(samples.buffer));
      }
}

describe('a stack larger than the memory of a run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cytopane-zarr-'));
  let stage: Stage;
  before(async () => {
    await writeZarr(join(folder, 'embryo.zarr'));
    stage = await openStage({ isolated: true, mounts: { '/zarr/': `${folder}/` } });
    await stage.page.goto(`${stage.origin}/demo/`);
    await shown(stage.page, 'nuclei-2d.png');
    await stage.page.evaluate(async () => {
      await document.querySelector('cyto-workbench')!.open(new URL('/zarr/embryo.zarr', location.href).href);
    });
    await shown(stage.page, 'embryo.zarr');
    await stage.page.getByLabel('Cell diameter', { exact: true }).fill('12');
    await stage.page.getByLabel('Cell diameter', { exact: true }).press('Tab');
  });
  after(async () => {
    await stage.close();
    rmSync(folder, { recursive: true });
  });

  /** Labels and settings that the page shows now. */
  const state = () =>
    stage.page.evaluate(() => {
      const { viewer } = document.querySelector('cyto-workbench')!;
      return [...(viewer.model.labels.at(-1)?.labels.data ?? [])];
    });

  it('is read part by part from its OME-Zarr; labels, joins and confidences are those of the whole', async () => {
    const runs = await stage.page.evaluate(async () => {
      const from = (name: string) => new URL(`/dist/${name}.js`, location.href).href;
      const io: typeof import('../../workers/io/index.ts') = await import(from('io'));
      const { SegmentationClient, volumeSource }: typeof import('../../workers/segmentation/client.ts') =
        await import(from('segmentation-client'));
      const reader = new io.ImageReader();
      const source = await reader.open(new URL('/zarr/embryo.zarr', location.href).href);
      const client = new SegmentationClient();
      const plain = ({ labels, shape, count, joins, confidence }: SegmentationResult) => ({
        labels: [...labels],
        shape,
        count,
        joins,
        confidence: confidence && [...confidence.cellprob, ...confidence.flowError].map(String),
      });
      const all = await source.readVolume();
      // A part of it for 3D, which runs many planes.
      const region = { z: [0, 4], y: [24, 64], x: [24, 64] } as const;
      const { data } = await source.read({ t: [0, 1], c: [0, 1], ...region }, 0);
      const part = { ...all, data, shape: [1, 1, 4, 40, 40] as const };
      const runs = [];
      for (const [volume, from, parameters] of [
        [all, source, { mode: 'stitch', diameter: 15 }],
        [part, volumeSource(part), { mode: '3d', diameter: 30 }],
      ] as const) {
        const parts = plain(await client.runBlocks(from, parameters));
        const parts2 = plain(await client.rethreshold({ cellprobThreshold: 0.5 }));
        const whole = plain(await client.run(volume, parameters));
        const whole2 = plain(await client.rethreshold({ cellprobThreshold: 0.5 }));
        runs.push({ parts: [parts, parts2], whole: [whole, whole2] });
      }
      client.dispose();
      return runs;
    });
    assert.deepEqual(runs[0].parts[0].shape, [...SHAPE]);
    for (const { parts, whole } of runs) {
      assert.ok(whole[0].count >= 1, `${whole[0].count} cells`);
      assert.deepEqual(parts, whole);
    }
    const left = await stage.page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('cytopane-flows');
      // Removing the file of the client that was disposed of takes a moment.
      for (let k = 0; k < 50; k++) {
        const names: string[] = [];
        for await (const name of folder.keys()) names.push(name);
        if (names.length === 0) return names;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return ['something'];
    });
    assert.deepEqual(left, [], 'no file stays behind');
  });

  it('runs with flows on disk in the page, says so before, and takes other thresholds afterwards', async () => {
    const { page } = stage;
    const segmenter = page.locator('cyto-segmenter');
    assert.equal(await segmenter.locator('[part=blocks]').count(), 0);
    await page.evaluate(() => {
      document.querySelector('cyto-workbench')!.segmenter.memory = 1.25e6;
    });
    await segmenter.locator('[part=blocks]').waitFor();
    const seen = await page.evaluate(async () => {
      const { segmenter } = document.querySelector('cyto-workbench')!;
      const phases = new Set<string>();
      const { count } = await segmenter.run({ onProgress: ({ phase }) => phases.add(phase) });
      return { count, phases: [...phases] };
    });
    for (const phase of ['network', 'masks', 'stitch', 'confidence'])
      assert.ok(seen.phases.includes(phase), `${phase} is not among ${seen.phases}`);
    assert.ok(seen.count >= 5);
    assert.equal(new Set((await state()).filter(Boolean)).size, seen.count);
    assert.equal(await page.getByRole('slider', { name: 'Cell probability' }).count(), 1);
  });

  it('is refused with ways out where blocks do not help', async () => {
    const { page } = stage;
    const before = await state();
    await page.evaluate(() => {
      const { segmenter } = document.querySelector('cyto-workbench')!;
      segmenter.memory = 1.25e6;
      segmenter.box = { from: [0, 0, 0], to: [4, 96, 96] };
    });
    await page.getByText('Choose a box, stitch planes').waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page
      .getByText(/This run would need .* of memory.*box of at most \d of its 4 planes.*coarser scale/)
      .waitFor();
    assert.deepEqual(await state(), before);
    await page.getByLabel('Region').selectOption('all');
  });

  it('can be cancelled at any moment: the labels stay, and the next run works', async () => {
    const { page } = stage;
    await page.evaluate(() => {
      document.querySelector('cyto-workbench')!.segmenter.memory = undefined;
    });
    const full = await page.evaluate(async () => {
      const phases: string[] = [];
      const { segmenter } = document.querySelector('cyto-workbench')!;
      const { count } = await segmenter.run({
        onProgress: ({ phase }) => {
          if (!phases.includes(phase)) phases.push(phase);
        },
      });
      return { count, phases };
    });
    for (const phase of ['network', 'masks', 'stitch', 'confidence'])
      assert.ok(full.phases.includes(phase), `${phase} is not among ${full.phases}`);
    const before = await state();
    for (const phase of full.phases) {
      const kind = await page.evaluate(async (wanted) => {
        const { segmenter } = document.querySelector('cyto-workbench')!;
        const run = segmenter.run({
          onProgress: (progress) => {
            if (progress.phase === wanted) segmenter.cancel();
          },
        });
        return run.then(
          () => 'not cancelled',
          (error: { kind: string }) => error.kind,
        );
      }, phase);
      assert.equal(kind, 'aborted', `cancelled in ${phase}`);
      assert.deepEqual(await state(), before, `labels after a run that was cancelled in ${phase}`);
      await page.getByText('Cancelled. The labels are as they were before.').waitFor();
    }
    const again = await page.evaluate(
      async () => (await document.querySelector('cyto-workbench')!.segmenter.run()).count,
    );
    assert.equal(again, full.count);
    assert.deepEqual(await state(), before);
    assert.deepEqual(stage.problems, []);
  });
});
