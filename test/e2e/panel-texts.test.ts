import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openStage, repository, type Stage, shown } from './browser.ts';

/** What a native select needs beside its text: its arrow and borders. */
const ARROW = 18;

/** Controls whose text is cut off, or breaks although it is a button's, and boxes that they stick out of. */
function cutTexts({ page }: Stage): Promise<string[]> {
  return page.evaluate((arrow) => {
    const context = document.createElement('canvas').getContext('2d') as CanvasRenderingContext2D;
    const cut: string[] = [];
    const look = (root: ParentNode) => {
      for (const element of root.querySelectorAll<HTMLElement>('*')) {
        if (element.shadowRoot) look(element.shadowRoot);
        const style = getComputedStyle(element);
        context.font = style.font;
        const padding = Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.paddingRight);
        const check = (text: string, extra: number) => {
          const wanted = Math.ceil(context.measureText(text).width + padding + extra);
          if (element.offsetWidth > 0 && wanted > element.offsetWidth)
            cut.push(`${element.id || element.localName} "${text}": ${wanted} > ${element.offsetWidth}`);
        };
        if (/^(aside|li)$/.test(element.localName) && element.scrollWidth > element.clientWidth)
          cut.push(`${element.localName} overflows: ${element.scrollWidth} > ${element.clientWidth}`);
        if (element instanceof HTMLSelectElement) check(element.selectedOptions[0]?.text.trim() ?? '', arrow);
        else if (element instanceof HTMLInputElement && /number|text/.test(element.type))
          check(element.value || element.placeholder, 2);
        else if (element instanceof HTMLButtonElement && element.childElementCount === 0)
          check(element.textContent.trim(), 0);
      }
    };
    look(document);
    return cut;
  }, ARROW);
}

for (const [lang, stack] of [
  ['en', 'Stack, planes joined'],
  ['de', 'Schichten verbunden'],
]) {
  describe(`the panels of the workbench, lang=${lang}`, () => {
    let stage: Stage;
    before(async () => {
      stage = await openStage();
      const { page, origin } = stage;
      await page.route(/\/demo\/\?/, async (route) => {
        const response = await route.fetch();
        await route.fulfill({
          response,
          body: (await response.text()).replace('lang="en"', `lang="${lang}"`),
        });
      });
      // A speed that is known, so that the methods tell their times.
      await page.addInitScript('localStorage.setItem("cytopane-speed", \'{"default auto":1e-5}\')');
      await page.goto(`${origin}/demo/?image=data/embryo-3d.tif`);
      await shown(page, 'embryo-3d.tif');
      const labels = page.locator('#labels');
      await labels.setInputFiles(join(repository, 'demo/data/embryo-3d-labels.tif'));
      await page.locator('cyto-edits [data-operation=interpolate]').waitFor();
      for (const panel of ['cyto-segmenter', 'cyto-layer-list'])
        await page.locator(`${panel} details:not([open]) > summary`).evaluateAll((all: HTMLElement[]) => {
          for (const summary of all) summary.click();
        });
    });
    after(() => stage.close());

    it('cut no text off, on a wide page and on a phone, for joined planes and for 3D flows', async () => {
      const { page } = stage;
      await page.locator('#region').selectOption('box');
      for (const mode of ['stitch', '3d']) {
        await page.locator('#mode').selectOption(mode);
        for (const width of [1280, 900, 390]) {
          await page.setViewportSize({ width, height: 900 });
          assert.deepEqual(await cutTexts(stage), [], `${mode}, ${width} px`);
        }
      }
    });

    it('tell the time of a method beside those that are not chosen, and in the line of costs', async () => {
      const { page } = stage;
      await page.locator('#mode').selectOption('stitch');
      const options = (await page.locator('#mode option').allTextContents()).map((text) => text.trim());
      assert.deepEqual(
        options.filter((text) => !/\(\d.* (s|min)\)$/.test(text)),
        [stack],
      );
      assert.match((await page.locator('cyto-segmenter [part=cost]').textContent())!, /\d (s|min)$/);
    });

    it('offer no interpolation between planes where there is one plane', async () => {
      const { page } = stage;
      await page.getByRole('button', { name: 'Nuclei, 2D' }).click();
      await shown(page, 'nuclei-2d.png');
      await page.locator('#labels').setInputFiles(join(repository, 'demo/data/nuclei-2d-labels.png'));
      await page.locator('cyto-edits [data-operation=fill-holes]').waitFor();
      assert.equal(await page.locator('cyto-edits [data-operation=interpolate]').count(), 0);
      assert.deepEqual(stage.problems, []);
    });
  });
}
