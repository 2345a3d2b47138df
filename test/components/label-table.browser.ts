import { expect, waitUntil } from '@open-wc/testing';
import 'cytopane/define/label-table.js';
import type { CytoLabelTable } from 'cytopane/label-table.js';
import { nextEvent, scene, type ViewerHarness } from './viewer-harness.ts';

interface Selection {
  layerId: string;
  ids: number[];
  source: string;
}

/** `across` × `down` square cells of 6 × 6 pixels in a grid of 8, numbered from 1; brightness grows with the number. */
function grid(across: number, down: number) {
  const [nx, ny] = [across * 8, down * 8];
  const labels = new Uint32Array(nx * ny);
  const image = new Uint8Array(nx * ny);
  for (let i = 0; i < labels.length; i++) {
    const [x, y] = [i % nx, Math.floor(i / nx)];
    if (x % 8 >= 6 || y % 8 >= 6) continue;
    labels[i] = (y >> 3) * across + (x >> 3) + 1;
    image[i] = labels[i] % 256;
  }
  return { labels, image, shape: [ny, nx] };
}

async function table(
  across: number,
  down: number,
  attributes: Record<string, string> = {},
): Promise<{ view: ViewerHarness; element: CytoLabelTable }> {
  const { labels, image, shape } = grid(across, down);
  const view = await scene({
    images: [{ data: image, shape }],
    labels: [{ data: labels, shape, attributes: { name: 'Cells' } }],
  });
  const element = document.createElement('cyto-label-table') as unknown as CytoLabelTable;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.style.width = '800px';
  document.body.append(element);
  await nextEvent(element, 'cyto-measure');
  await element.updateComplete;
  return { view, element };
}

const root = (element: CytoLabelTable) => element.renderRoot as ShadowRoot;
const rowsOf = (element: CytoLabelTable) => [
  ...root(element).querySelectorAll<HTMLElement>('.body [role=row]'),
];
const cell = (row: HTMLElement, column: number) => row.children[column].textContent?.trim();
const gridOf = (element: CytoLabelTable) => root(element).querySelector('[role=grid]') as HTMLElement;

async function key(element: CytoLabelTable, name: string, init: KeyboardEventInit = {}): Promise<void> {
  gridOf(element).dispatchEvent(
    new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true, ...init }),
  );
  await element.updateComplete;
}

const labelsOf = ({ element }: ViewerHarness) => element.model.labels[0];

afterEach(() => document.body.replaceChildren());

describe('label table', () => {
  it('lists every cell with its measurements, as a grid that says how many rows there are', async () => {
    const { element } = await table(4, 3, { columns: 'pixels mean_1' });
    expect(rowsOf(element).length).to.equal(12);
    expect(cell(rowsOf(element)[6], 0)).to.equal('7');
    expect(cell(rowsOf(element)[6], 1)).to.equal('36');
    expect(cell(rowsOf(element)[6], 2)).to.equal('7');
    expect(gridOf(element).getAttribute('aria-rowcount')).to.equal('13');
    expect(gridOf(element).getAttribute('aria-label')).to.contain('Cells');
    expect(rowsOf(element)[6].getAttribute('aria-rowindex')).to.equal('8');
  });

  it('draws few of 20,000 rows, and those scrolled to', async () => {
    const { element } = await table(200, 100, { columns: 'pixels mean_1' });
    expect(element.shown.length).to.equal(20_000);
    expect(rowsOf(element).length).to.be.below(60);
    gridOf(element).scrollTop = 10_000 * 26;
    await waitUntil(() => rowsOf(element).some((row) => cell(row, 0) === '10001'));
    expect(rowsOf(element).length).to.be.below(60);
  });

  it('shows what cells are coloured by first, and the colours that are drawn', async () => {
    const { view, element } = await table(3, 1);
    const { labels, id } = labelsOf(view);
    const swatches = () =>
      rowsOf(element).map((row) => getComputedStyle(row.querySelector('.swatch') as Element).backgroundColor);
    const own = swatches();
    const supply = async (second: number) => {
      labels.supplied.set(
        'flow_error',
        new Map([
          [1, 0.125],
          [2, second],
        ]),
      );
      const measured = nextEvent(element, 'cyto-measure');
      labels.touch();
      await measured;
      await element.updateComplete;
    };
    await supply(0.75);
    view.element.model.update(id, { colorBy: 'flow_error' });
    await waitUntil(() => cell(rowsOf(element)[1], 1) === '0.75');
    const [sure, doubtful, unknown] = swatches();
    expect(sure).to.equal('rgb(13, 8, 135)');
    expect(doubtful).to.equal('rgb(240, 249, 33)');
    expect(unknown).to.equal('rgb(128, 128, 128)');
    // Other thresholds: values of the new labels replace those of the old.
    await supply(0.5);
    expect(cell(rowsOf(element)[1], 1)).to.equal('0.5');
    expect(labels.supplied.get('flow_error')?.get(2)).to.equal(0.5);
    view.element.model.update(id, { colorBy: 'id' });
    await waitUntil(() => swatches().join() === own.join());
    expect(cell(rowsOf(element)[1], 1)).not.to.equal('0.5');
  });

  it('sorts by a click on a header and by Enter on it', async () => {
    const { element } = await table(4, 3, { columns: 'pixels mean_1' });
    const headers = [...root(element).querySelectorAll<HTMLElement>('[role=columnheader]')];
    headers[2].click();
    await element.updateComplete;
    expect(headers[2].getAttribute('aria-sort')).to.equal('descending');
    expect(cell(rowsOf(element)[0], 0)).to.equal('12');
    await key(element, 'ArrowUp');
    expect(gridOf(element).getAttribute('aria-activedescendant')).to.equal('cell--1-0');
    await key(element, 'Enter');
    expect(headers[0].getAttribute('aria-sort')).to.equal('ascending');
    expect(cell(rowsOf(element)[0], 0)).to.equal('1');
  });

  it('filters, and names what is wrong with a filter', async () => {
    const { element } = await table(4, 3);
    element.filter = 'mean_1 > 10';
    await element.updateComplete;
    expect(element.shown).to.deep.equal([11, 12]);
    element.filter = 'brightness > 10';
    await element.updateComplete;
    expect(root(element).querySelector('[role=alert]')?.textContent).to.contain('brightness');
    expect(element.shown).to.deep.equal([11, 12]);
  });

  it('selects by keys, in the table, the viewer and the page alike', async () => {
    const { view, element } = await table(4, 3);
    await key(element, 'ArrowDown');
    await key(element, 'ArrowDown');
    const told = nextEvent<Selection>(element, 'cyto-select');
    await key(element, 'Enter');
    expect((await told).ids).to.deep.equal([3]);
    expect((await told).source).to.equal('user');
    expect(labelsOf(view).selected).to.equal(3);
    expect(rowsOf(element)[2].getAttribute('aria-selected')).to.equal('true');
    await view.element.settled();
    const { y, x } = view.element.model.cursor;
    expect([y, x]).to.deep.equal([2, 18]);
    await key(element, 'ArrowDown', { shiftKey: true });
    expect(element.selected).to.deep.equal([3, 4]);
    await key(element, 'a', { ctrlKey: true });
    expect(element.selected.length).to.equal(12);
    await key(element, 'Escape');
    expect(labelsOf(view).selected).to.equal(0);
  });

  it('zooms to a cell on Enter', async () => {
    const { view, element } = await table(20, 20);
    const before = view.root.querySelector('[part~="scale-bar"] text')?.textContent;
    await key(element, 'Enter');
    await view.element.settled();
    expect(view.root.querySelector('[part~="scale-bar"] text')?.textContent).not.to.equal(before);
    // Cell 1 fills the middle now.
    expect(view.color(0.5, 0.5).slice(0, 3)).not.to.deep.equal([0, 0, 0]);
  });

  it('shows the cell that was clicked in the picture, wherever its row is', async () => {
    const { view, element } = await table(20, 20);
    await view.click(0.52, 0.95);
    await element.updateComplete;
    const [id] = element.selected;
    expect(id).to.be.above(300);
    const row = rowsOf(element).find((one) => cell(one, 0) === String(id));
    expect(row?.getAttribute('aria-selected')).to.equal('true');
    const box = (row as HTMLElement).getBoundingClientRect();
    const frame = gridOf(element).getBoundingClientRect();
    expect(box.top).to.be.at.least(frame.top);
    expect(box.bottom).to.be.at.most(frame.bottom + 1);
  });

  it('marks the cell under the pointer, from row to picture and back', async () => {
    const { view, element } = await table(4, 4);
    rowsOf(element)[5].dispatchEvent(new PointerEvent('pointerenter'));
    expect(labelsOf(view).hovered).to.equal(6);
    view.pointer('pointermove', 0.1, 0.1, 'xy', { buttons: 0 });
    await element.updateComplete;
    expect(labelsOf(view).hovered).to.equal(1);
    expect(rowsOf(element)[0].className).to.equal('hovered');
  });

  it('follows edits of the labels', async () => {
    const { view, element } = await table(4, 3, { columns: 'pixels' });
    const { labels } = labelsOf(view);
    for (let i = 0; i < labels.data.length; i++) if (labels.data[i] === 2) labels.data[i] = 1;
    const measured = nextEvent<{ count: number }>(element, 'cyto-measure');
    labels.touch([0, 0, 8, 1, 6, 14]);
    expect((await measured).count).to.equal(11);
    await element.updateComplete;
    expect(cell(rowsOf(element)[0], 1)).to.equal('72');
  });

  it('plots a histogram and points, on which dragging selects', async () => {
    const { element } = await table(4, 3);
    [...root(element).querySelectorAll('button')].find(({ textContent }) => textContent === 'Plot')?.click();
    const patient = { timeout: 20_000 };
    await waitUntil(() => root(element).querySelector('.plot canvas'), 'a plot', patient);
    const choose = async (id: string, value: string) => {
      const select = root(element).querySelector(`#${id}`) as HTMLSelectElement;
      const before = root(element).querySelector('.u-over');
      select.value = value;
      select.dispatchEvent(new Event('change'));
      // A plot of other columns is made anew.
      await waitUntil(
        () => {
          const over = root(element).querySelector('.u-over');
          return over && over !== before;
        },
        'another plot',
        patient,
      );
    };
    const drag = async (from: [number, number], to: [number, number]) => {
      const over = root(element).querySelector('.u-over') as HTMLElement;
      const box = over.getBoundingClientRect();
      const at = ([right, down]: [number, number]) => ({
        clientX: box.left + right * box.width,
        clientY: box.top + down * box.height,
        bubbles: true,
        button: 0,
        // uPlot takes a move by nothing for a quirk of a browser.
        movementX: 1,
        movementY: 1,
      });
      over.dispatchEvent(new MouseEvent('mouseenter', at(from)));
      over.dispatchEvent(new MouseEvent('mousemove', at(from)));
      over.dispatchEvent(new MouseEvent('mousedown', at(from)));
      document.dispatchEvent(new MouseEvent('mousemove', at(to)));
      over.dispatchEvent(new MouseEvent('mousemove', at(to)));
      document.dispatchEvent(new MouseEvent('mouseup', at(to)));
      await element.updateComplete;
    };
    await choose('x-axis', 'mean_1');
    await drag([0.5, 0.5], [0.999, 0.5]);
    expect(element.selected).to.include.members([8, 9, 10, 11, 12]);
    expect(element.selected).not.to.include(3);
    await choose('y-axis', 'centroid_y');
    await drag([0.01, 0.99], [0.999, 0.6]);
    expect(element.selected.toSorted((a, b) => a - b)).to.deep.equal([1, 2, 3, 4]);
    expect(root(element).querySelector('.plot')?.getAttribute('aria-label')).to.contain('Scatter plot');
  });

  it('has no accessibility violations that axe knows', async () => {
    const { element } = await table(4, 3);
    await expect(element as unknown as Element).to.be.accessible();
  });
});
