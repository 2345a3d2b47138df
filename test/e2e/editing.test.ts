import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openStage, repository, type Stage, shown } from './browser.ts';

interface Edit {
  kind: string;
  name: string;
  voxels: number;
  box: number[];
}

describe('editing labels with pointer and keys', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage();
    await stage.page.addInitScript(() => {
      // Counts the samples of label textures that are uploaded.
      const counts = { uploaded: 0, calls: 0 };
      Object.assign(globalThis, { uploads: counts });
      const original = WebGL2RenderingContext.prototype.texSubImage2D;
      WebGL2RenderingContext.prototype.texSubImage2D = function (
        this: WebGL2RenderingContext,
        ...args: unknown[]
      ) {
        if (args[6] === this.RED_INTEGER) {
          counts.uploaded += (args[4] as number) * (args[5] as number);
          counts.calls++;
        }
        return Reflect.apply(original, this, args);
      } as typeof original;
    });
    await stage.page.goto(`${stage.origin}/demo/?image=data/embryo-3d.tif`);
    await shown(stage.page, 'embryo-3d.tif');
  });
  after(() => stage.close());

  const pane = (kind: string) => stage.page.locator(`cyto-viewer [part~="pane-${kind}"]`);
  const counts = () =>
    stage.page.evaluate(() => {
      const labels = document.querySelector('cyto-workbench')!.viewer.model.labels.at(-1)!.labels;
      const found: Record<string, number> = {};
      for (const label of labels.data) if (label !== 0) found[label] = (found[label] ?? 0) + 1;
      return found;
    });
  const settled = () => stage.page.evaluate(() => document.querySelector('cyto-workbench')!.viewer.settled());
  const edits = () => stage.page.evaluate(() => (globalThis as unknown as { edits: Edit[] }).edits);

  it('a stroke in the xz pane is painted in space, uploads its box only, is undone and redone', async () => {
    const { page } = stage;
    await page.evaluate(() => {
      Object.assign(globalThis, { edits: [] });
      document.addEventListener('cyto-edit', (event) => {
        (globalThis as unknown as { edits: unknown[] }).edits.push((event as CustomEvent).detail);
      });
    });
    await page.getByRole('button', { name: 'Brush', exact: true }).click();
    const box = (await pane('xz').boundingBox())!;
    const [x, y] = [box.x + box.width / 2 - 30, box.y + box.height / 2];
    const dot = async () => {
      await page.mouse.move(x, y);
      await page.mouse.down();
      await page.mouse.up();
      await settled();
    };
    await dot(); // makes the layer and its textures
    await page.evaluate(() =>
      Object.assign((globalThis as unknown as { uploads: object }).uploads, { uploaded: 0, calls: 0 }),
    );
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 60, y, { steps: 12 });
    await page.mouse.up();
    await settled();
    const uploads = await page.evaluate(
      () => (globalThis as unknown as { uploads: { uploaded: number; calls: number } }).uploads,
    );
    const list = await edits();
    const stroke = list.at(-1)!;
    assert.equal(stroke.kind, 'commit');
    assert.equal(stroke.name, 'Brush');
    assert.equal(stroke.box[4] - stroke.box[1], 1, 'one row of the xz plane');
    assert.ok(stroke.box[5] - stroke.box[2] > 15, `wide stroke ${stroke.box}`);
    const planes = 134 * 132 + 134 * 21 * 2;
    assert.ok(
      uploads.calls > 0 && uploads.uploaded < planes / 2,
      `${uploads.uploaded} samples in ${uploads.calls} uploads`,
    );

    const painted = await counts();
    assert.deepEqual(Object.keys(painted), ['1']);
    await page.keyboard.press('Control+z');
    const undone = await counts();
    assert.equal(undone[1], painted[1] - stroke.voxels);
    await page.keyboard.press('Control+z');
    assert.deepEqual(await counts(), {});
    await page.keyboard.press('Control+y');
    await page.keyboard.press('Control+Shift+Z');
    assert.deepEqual(await counts(), painted);
    assert.deepEqual(
      (await edits()).map(({ kind }) => kind),
      ['commit', 'commit', 'undo', 'undo', 'redo', 'redo'],
    );
  });

  it('a ball, the eraser by the wheel’s size, the policy and Escape', async () => {
    const { page } = stage;
    const before = await counts();
    await pane('xy').focus();
    await page.keyboard.press('m');
    await page.keyboard.press('t');
    const box = (await pane('xy').boundingBox())!;
    const at = [box.x + box.width / 3, box.y + box.height / 3] as const;
    await page.mouse.move(...at);
    await page.mouse.down();
    await page.mouse.up();
    const list = await edits();
    const ball = list.at(-1)!;
    assert.ok(ball.box[3] - ball.box[0] > 1, `several planes: ${ball.box}`);
    assert.equal((await counts())[2], ball.voxels);

    await page.keyboard.press('e');
    await page.keyboard.press('b'); // only the chosen cell
    await page.keyboard.down('Shift');
    for (let k = 0; k < 20; k++) await page.mouse.wheel(0, -100);
    await page.keyboard.up('Shift');
    await page.mouse.down();
    await page.mouse.move(at[0] + 30, at[1] + 30, { steps: 4 });
    await page.keyboard.press('Escape');
    await page.mouse.up();
    assert.equal((await counts())[2], ball.voxels, 'Escape takes the stroke back');
    await page.mouse.move(...at);
    await page.mouse.down();
    await page.mouse.up();
    assert.deepEqual(await counts(), before, 'one touch of the larger eraser takes the ball');
    await page.keyboard.press('t');
    await page.keyboard.press('b');
    await page.keyboard.press('b');
  });

  it('all by keys: paint at the cursor, split with a line of points, preview and accept', async () => {
    const { page } = stage;
    await pane('xy').focus();
    await page.keyboard.press('m');
    await page.keyboard.press('p');
    for (let n = 0; n < 20; n++) await page.keyboard.press('[');
    await page.keyboard.press('Enter');
    const painted = await counts();
    const [id] = Object.keys(painted).filter((key) => key !== '1');
    assert.ok(painted[id] > 20, JSON.stringify(painted));
    await page.keyboard.press('k');
    for (let n = 0; n < 9; n++) await page.keyboard.press('Shift+ArrowUp');
    await page.keyboard.press('Enter');
    for (let n = 0; n < 18; n++) await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    const split = await counts();
    assert.equal(Object.keys(split).length, Object.keys(painted).length + 1);
    assert.equal((await edits()).at(-1)?.name, 'Split');

    const grow = page.getByRole('button', { name: 'Grow', exact: true });
    await grow.focus();
    await page.keyboard.press('Enter');
    const shownAs = await counts();
    assert.ok(shownAs[id] > split[id], 'the preview is seen');
    await pane('xy').focus();
    await page.keyboard.press('Escape');
    assert.deepEqual(await counts(), split);
    await grow.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Accept' }).focus();
    await page.keyboard.press('Enter');
    assert.deepEqual(await counts(), shownAs);
    assert.equal((await edits()).at(-1)?.name, 'Grow');
  });

  it('the history list goes back to the start; read-only viewers and other keys are respected', async () => {
    const { page } = stage;
    await page.getByRole('button', { name: 'As opened' }).click();
    assert.deepEqual(await counts(), {});
    await page.getByRole('list', { name: 'History' }).getByRole('button').first().click();
    const all = await counts();
    assert.ok(Object.keys(all).length >= 2);
    await page.evaluate(() => {
      document.querySelector('cyto-workbench')!.viewer.shortcuts = { 'edit.undo': ['U'], 'tool.merge': [] };
    });
    await pane('xy').focus();
    await page.keyboard.press('Control+z');
    assert.deepEqual(await counts(), all);
    await page.keyboard.press('u');
    assert.notDeepEqual(await counts(), all);
    await page.evaluate(() => {
      const { viewer } = document.querySelector('cyto-workbench')!;
      viewer.shortcuts = {};
      viewer.readonly = true;
    });
    const before = await counts();
    await page.keyboard.press('Control+z');
    const box = (await pane('xy').boundingBox())!;
    await page.keyboard.press('p');
    await page.mouse.click(box.x + 100, box.y + 100);
    assert.deepEqual(await counts(), before);
    await page.evaluate(() => {
      document.querySelector('cyto-workbench')!.viewer.readonly = false;
    });
  });

  it('a model run replaces the labels as one step that is undone', async () => {
    const { page } = stage;
    await page.evaluate(() => {
      Object.assign(document.querySelector('cyto-workbench')!.segmenter, { mode: '2d', minSize: 15 });
    });
    const drawn = await counts();
    await page.evaluate(() => document.querySelector('cyto-workbench')!.segmenter.run());
    const found = await counts();
    assert.ok(
      Object.keys(found).length > 5,
      `${Object.keys(found).length} cells, ${JSON.stringify(drawn)} before`,
    );
    await page.getByRole('button', { name: 'Undo' }).click();
    assert.deepEqual(await counts(), drawn);
    assert.equal((await edits()).at(-1)?.name, 'Segmentation');
    await page.getByRole('button', { name: 'Redo' }).click();
    assert.deepEqual(await counts(), found);
  });

  it('after a reload the page offers the edits, and restores labels and history', async () => {
    const { page } = stage;
    const before = await counts();
    const steps = await page.getByRole('list', { name: 'History' }).getByRole('listitem').count();
    await page.reload();
    await shown(page, 'embryo-3d.tif');
    const restore = page.getByRole('button', { name: 'Restore' });
    await restore.click();
    assert.deepEqual(await counts(), before);
    assert.equal(await page.getByRole('list', { name: 'History' }).getByRole('listitem').count(), steps);
    await page.getByRole('button', { name: 'As opened' }).click();
    assert.deepEqual(await counts(), {});

    // Undone is restored as undone; what is discarded does not come back.
    await page.reload();
    await shown(page, 'embryo-3d.tif');
    await restore.click();
    assert.deepEqual(await counts(), {});
    await page.getByRole('button', { name: 'Redo' }).click();
    await page.reload();
    await shown(page, 'embryo-3d.tif');
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.waitForFunction(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('cytopane-edits');
      for await (const _ of folder) return false;
      return true;
    });
    await page.reload();
    await shown(page, 'embryo-3d.tif');
    await page.getByRole('button', { name: 'Brush', exact: true }).click();
    assert.equal(await restore.count(), 0);
    assert.deepEqual(stage.problems, []);
  });

  it('axe finds nothing, in both colour schemes', async () => {
    const { page } = stage;
    await pane('xy').focus();
    await page.keyboard.press('p');
    const axe = readFileSync(join(repository, 'node_modules/axe-core/axe.min.js'), 'utf8');
    await page.evaluate(axe);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const violations = await page.evaluate(async () => {
        const { axe: run } = globalThis as unknown as {
          axe: {
            run(on: Element): Promise<{ violations: Array<{ id: string; nodes: Array<{ html: string }> }> }>;
          };
        };
        const result = await run.run(document.querySelector('cyto-workbench')!);
        return result.violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`,
        );
      });
      assert.deepEqual(violations, []);
    }
    assert.deepEqual(stage.problems, []);
  });
});
