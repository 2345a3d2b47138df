import { expect, waitUntil } from '@open-wc/testing';
import 'cytopane/define/export-menu.js';
import type { CytoExportMenu } from 'cytopane/export-menu.js';
import type { CytoLabelTable } from 'cytopane/label-table.js';
import { nextEvent, scene } from './viewer-harness.ts';

const cells = () => {
  const data = new Uint32Array(256);
  for (let i = 0; i < 60; i++) data[i] = 1 + (i >> 5);
  return { data, shape: [16, 16], attributes: { name: 'Cells' } };
};
const image = () => ({ data: new Uint8Array(256).fill(9), shape: [16, 16], name: 'plate.tif' });

async function menu(labels = true): Promise<CytoExportMenu> {
  await scene({ images: [image()], ...(labels ? { labels: [cells()] } : {}) });
  const element = document.createElement('cyto-export-menu') as unknown as CytoExportMenu;
  document.body.append(element);
  await element.updateComplete;
  return element;
}

const part = (element: CytoExportMenu, selector: string) =>
  (element.renderRoot as ShadowRoot).querySelector<HTMLElement>(selector);

async function open(element: CytoExportMenu): Promise<void> {
  part(element, '[part=button]')?.click();
  await element.updateComplete;
}

/** No test is to leave files behind or to open pickers. */
before(() => Object.assign(globalThis, { showSaveFilePicker: undefined }));
afterEach(() => document.body.replaceChildren());

describe('export menu', () => {
  it('hands files to the page, which may keep them', async () => {
    const element = await menu();
    await open(element);
    const told = new Promise<{ name: string; blob: Blob }>((resolve) => {
      document.addEventListener(
        'cyto-save',
        (event) => {
          event.preventDefault();
          resolve((event as CustomEvent).detail);
        },
        { once: true },
      );
    });
    part(element, '[data-format=csv]')?.click();
    const { name, blob } = await told;
    expect(name).to.equal('plate_labels.csv');
    expect(await blob.text()).to.match(/# source: plate\.tif\n[\s\S]*\n1,32,/);
    await waitUntil(() => part(element, '.menu') === null);
  });

  it('makes files for scripts', async () => {
    const element = await menu();
    const file = await element.make('geojson');
    expect(JSON.parse(await file.text()).features.length).to.equal(2);
    const picture = await createImageBitmap(await element.make('png', { scale: 3, overlays: false }));
    expect(picture.width).to.equal(600 * devicePixelRatio);
  });

  it('says that there are no labels', async () => {
    const element = await menu(false);
    await open(element);
    expect((part(element, '[data-format=tiff]') as HTMLButtonElement).disabled).to.equal(true);
    expect((part(element, '[data-format=png]') as HTMLButtonElement).disabled).to.equal(false);
    let kind = '';
    await element.make('tiff').catch((error: { kind: string }) => {
      kind = error.kind;
    });
    expect(kind).to.equal('bad-input');
  });

  it('can be cancelled, and made again afterwards', async () => {
    const element = await menu();
    const stop = new AbortController();
    const made = element.make('ome-zarr-0.5', { signal: stop.signal });
    stop.abort();
    let kind = '';
    await made.catch((error: { kind: string }) => {
      kind = error.kind;
    });
    expect(kind).to.equal('aborted');
    expect((await element.make('ome-zarr-0.5')).size).to.be.above(500);
  });

  it('closes by Escape with the focus on its button, and has no violations that axe knows', async () => {
    const element = await menu();
    await open(element);
    await expect(element as unknown as Element).to.be.accessible();
    const entry = part(element, '[data-format=tiff]');
    entry?.focus();
    entry?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, composed: true }));
    await element.updateComplete;
    expect(part(element, '.menu')).to.equal(null);
    expect((element.renderRoot as ShadowRoot).activeElement).to.equal(part(element, '[part=button]'));
  });

  it('is the table’s CSV too', async () => {
    await import('cytopane/define/label-table.js');
    await scene({ images: [image()], labels: [cells()] });
    const table = document.createElement('cyto-label-table');
    document.body.append(table);
    await nextEvent(table, 'cyto-measure');
    expect((table as unknown as CytoLabelTable).csv()).to.match(/# layer: Cells\n[\s\S]*\nlabel,area_px2,/);
  });
});
