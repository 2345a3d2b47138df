import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SegmentationResult } from '../../core/segmentation-parameters.ts';
import { openImage } from '../../workers/io/open.ts';
import { averagePrecision } from '../../workers/segmentation/masks/metrics.ts';
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

  it('is read and segmented block by block from its OME-Zarr, and is that of the whole', async () => {
    const { whole, blocks, reads } = await stage.page.evaluate(async () => {
      const from = (name: string) => new URL(`/dist/${name}.js`, location.href).href;
      const io: typeof import('../../workers/io/index.ts') = await import(from('io'));
      const { SegmentationClient }: typeof import('../../workers/segmentation/client.ts') = await import(
        from('segmentation-client')
      );
      const reader = new io.ImageReader();
      const source = await reader.open(new URL('/zarr/embryo.zarr', location.href).href);
      const reads: number[] = [];
      const counted = Object.assign(Object.create(source), {
        read: async (...args: Parameters<typeof source.read>) => {
          const region = await source.read(...args);
          reads.push(region.data.length);
          return region;
        },
      });
      const client = new SegmentationClient();
      const parameters = { mode: 'stitch', diameter: 12 } as const;
      const blocks = await client.runBlocks(counted, parameters, { core: [4, 48, 96], margin: 24 });
      const whole = await client.run(await source.readVolume(), parameters);
      client.dispose();
      const plain = ({ labels, shape, count }: SegmentationResult) => ({ labels: [...labels], shape, count });
      return { whole: plain(whole), blocks: plain(blocks), reads };
    });
    assert.deepEqual(blocks.shape, [...SHAPE]);
    assert.ok(Math.max(...reads) <= 4 * 72 * 96, 'no block is the whole');
    assert.ok(whole.count >= 5, `${whole.count} cells`);
    // Not equal: the network sees the seams from one side only, which is why blocks overlap.
    const { ap } = averagePrecision(Uint32Array.from(whole.labels), Uint32Array.from(blocks.labels));
    let [both, sum] = [0, 0];
    whole.labels.forEach((label, i) => {
      both += Number(label > 0 && blocks.labels[i] > 0);
      sum += Number(label > 0) + Number(blocks.labels[i] > 0);
    });
    assert.ok((2 * both) / sum >= 0.9 && ap[0] >= 0.6, `Dice ${(2 * both) / sum}, AP at 0.5 ${ap[0]}`);
  });

  it('runs block by block in the page, and says so before', async () => {
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
    assert.deepEqual(seen.phases, ['blocks']);
    assert.ok(seen.count >= 5);
    assert.equal(new Set((await state()).filter(Boolean)).size, seen.count);
    assert.equal(
      await page.getByRole('slider', { name: 'Cell probability' }).count(),
      0,
      'thresholds need a new run',
    );
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
