import { expect } from '@open-wc/testing';
import 'cytopane/define/layer-list.js';
import type { CytoHistogram } from 'cytopane/histogram.js';
import type { CytoLayerList } from 'cytopane/layer-list.js';
import { scene, type ViewerHarness } from './viewer-harness.ts';

const ramp = () => ({ data: Uint16Array.from({ length: 64 * 64 }, (_, i) => i), shape: [64, 64] });

async function listOf(harness: ViewerHarness): Promise<CytoLayerList> {
  const list = document.createElement('cyto-layer-list') as unknown as CytoLayerList;
  list.style.width = '270px';
  list.viewer = harness.element;
  document.body.append(list);
  await list.updateComplete;
  return list;
}

async function withHistogram(options: Parameters<typeof scene>[0]) {
  const harness = await scene(options);
  const list = await listOf(harness);
  const histogram = list.renderRoot.querySelector('cyto-histogram') as unknown as CytoHistogram;
  await histogram.updateComplete;
  const handles = [...histogram.renderRoot.querySelectorAll<HTMLElement>('[role=slider]')];
  return { harness, list, histogram, handles, layer: harness.element.model.images[0] };
}

const press = (element: HTMLElement, key: string, init: KeyboardEventInit = {}) =>
  element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init }));

const choose = (list: CytoLayerList, start: string, value: string) => {
  const select = list.renderRoot.querySelector<HTMLSelectElement>(`select[id^=${start}]`)!;
  select.value = value;
  select.dispatchEvent(new Event('change'));
};

afterEach(() => document.body.replaceChildren());

describe('the histogram of an image layer', () => {
  it('shows the window and moves its ends by keys, which never meet', async () => {
    const { handles, layer, histogram } = await withHistogram({
      images: [{ ...ramp(), attributes: { contrast: '1000 2000' } }],
    });
    expect(
      handles.map((handle) => handle.ariaValueNow ?? handle.getAttribute('aria-valuenow')),
    ).to.deep.equal(['1000', '2000']);
    press(handles[0], 'ArrowRight');
    expect(layer.contrast).to.deep.equal([1020, 2000]);
    press(handles[0], 'ArrowLeft', { shiftKey: true });
    expect(layer.contrast).to.deep.equal([815, 2000]);
    press(handles[1], 'End');
    expect(layer.contrast).to.deep.equal([815, 4095]);
    for (let k = 0; k < 30; k++) press(handles[0], 'ArrowRight', { shiftKey: true });
    expect(layer.contrast).to.deep.equal([4094, 4095]);
    histogram.renderRoot.querySelector('.plot')!.dispatchEvent(new MouseEvent('dblclick'));
    expect(layer.contrast).to.equal('auto');
  });

  it('moves an end, or the whole window, with the pointer', async () => {
    const { handles, layer, histogram } = await withHistogram({
      images: [{ ...ramp(), attributes: { contrast: '1000 2000' } }],
    });
    const plot = histogram.renderRoot.querySelector<HTMLElement>('.plot')!;
    const perPixel = 4095 / plot.clientWidth;
    const drag = (target: HTMLElement, by: number) => {
      const at = (type: string, clientX: number) =>
        new PointerEvent(type, { pointerId: 1, bubbles: true, cancelable: true, clientX });
      plot.setPointerCapture = () => undefined;
      target.dispatchEvent(at('pointerdown', 100));
      plot.dispatchEvent(at('pointermove', 100 + by));
      plot.dispatchEvent(at('pointerup', 100 + by));
    };
    drag(handles[1], 20);
    expect((layer.contrast as readonly number[])[1]).to.be.closeTo(2000 + 20 * perPixel, 1);
    await histogram.updateComplete;
    const before = layer.contrast as readonly number[];
    drag(plot, -10);
    expect((layer.contrast as readonly number[])[0]).to.be.closeTo(before[0] - 10 * perPixel, 1);
    expect((layer.contrast as readonly number[])[1]).to.be.closeTo(before[1] - 10 * perPixel, 1);
  });
});

describe('the layer list', () => {
  it('sets colours, blending, gamma, interpolation and 3D mode of an image', async () => {
    const { list, layer } = await withHistogram({ images: [{ ...ramp(), shape: [2, 32, 64] }] });
    choose(list, 'colormap', 'cividis');
    choose(list, 'blending', 'minimum');
    choose(list, 'rendering', 'iso');
    choose(list, 'clipped', '2');
    const gamma = list.renderRoot.querySelector<HTMLInputElement>('input[id^=gamma]')!;
    gamma.value = '0.5';
    gamma.dispatchEvent(new Event('input'));
    list.renderRoot.querySelector<HTMLInputElement>('input[id^=smooth]')!.click();
    expect(layer).to.include({
      colormap: 'cividis',
      blending: 'minimum',
      rendering: 'iso',
      clipped: 2,
      gamma: 2.24,
      interpolation: 'linear',
    });
  });

  it('takes numbers for the window and refuses an empty one', async () => {
    const { list, layer } = await withHistogram({
      images: [{ ...ramp(), attributes: { contrast: '10 20' } }],
    });
    const [low, high] = list.renderRoot.querySelectorAll<HTMLInputElement>('input[type=number]');
    low.value = '15';
    low.dispatchEvent(new Event('change'));
    expect(layer.contrast).to.deep.equal([15, 20]);
    high.value = '3';
    high.dispatchEvent(new Event('change'));
    expect(layer.contrast).to.deep.equal([15, 20]);
    expect(high.value).to.equal('20');
  });

  it('sets outline, fill and what is shown of labels, and their order', async () => {
    const harness = await scene({
      images: [ramp()],
      labels: [{ data: new Uint32Array(64 * 64).fill(3), shape: [64, 64] }],
    });
    const list = await listOf(harness);
    const { model } = harness.element;
    const [labels] = model.labels;
    const set = (start: string, value: string) => {
      const input = list.renderRoot.querySelector<HTMLInputElement>(`input[id^=${start}]`)!;
      input.value = value;
      input.dispatchEvent(new Event('input'));
    };
    set('contour', '2.5');
    await list.updateComplete;
    set('fill', '0.5');
    list.renderRoot.querySelector<HTMLInputElement>('input[id^=only]')!.click();
    expect(labels).to.include({ contour: 2.5, fillOpacity: 0.5, onlySelected: true });
    list.renderRoot.querySelector<HTMLButtonElement>('button[aria-label^="Move labels down" i]')!.click();
    expect(model.layers[0]).to.equal(labels);
  });

  it('passes axe with everything unfolded', async () => {
    const harness = await scene({
      images: [{ ...ramp(), shape: [2, 32, 64], attributes: { rendering: 'iso' } }],
      labels: [{ data: new Uint32Array(64 * 64).fill(3), shape: [2, 32, 64] }],
    });
    const list = await listOf(harness);
    for (const fold of list.renderRoot.querySelectorAll('details')) fold.open = true;
    await expect(list).to.be.accessible();
    list.lang = 'de';
    list.requestUpdate();
    await list.updateComplete;
    await expect(list).to.be.accessible();
    expect(list.renderRoot.textContent).to.contain('Überlagerung');
  });
});
