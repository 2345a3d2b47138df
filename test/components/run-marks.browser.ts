import { expect } from '@open-wc/testing';
import type { CytoRunMarks } from 'cytopane/run-marks.js';
import 'cytopane/define/run-marks.js';
import { nextEvent, scene } from './viewer-harness.ts';

/** A viewer of 200 × 200 pixels over an image of 100 × 100, 0.5 µm each, with marks over it. */
async function marks() {
  const view = await scene({
    images: [
      {
        data: new Uint8Array(100 * 100).fill(90),
        shape: [100, 100],
        calibration: { spacing: [1, 0.5, 0.5], unit: 'µm', calibrated: true },
      },
    ],
  });
  const element = document.createElement('cyto-run-marks') as unknown as CytoRunMarks;
  element.viewer = view.element as unknown as CytoRunMarks['viewer'];
  element.ring = true;
  element.diameter = 20;
  view.element.append(element);
  await view.element.settled();
  await element.updateComplete;
  const ring = element.renderRoot.querySelector('[role=slider]') as SVGCircleElement;
  return { view, element, ring };
}

const pointer = (type: string, clientX: number, clientY: number) =>
  new PointerEvent(type, { pointerId: 1, clientX, clientY, bubbles: true, composed: true, cancelable: true });

describe('run marks', () => {
  afterEach(() => document.body.replaceChildren());

  it('show the diameter as large as it is on the image, in pixels and in µm', async () => {
    const { view, ring } = await marks();
    const { scale } = view.element.planeView('xy')?.camera ?? { scale: 0 };
    expect(ring.r.baseVal.value).to.be.closeTo(10 * 0.5 * scale, 1e-6);
    expect(ring.getAttribute('aria-valuetext')).to.equal('20 px · 10 µm');
  });

  it('change it by keys and by dragging the line', async () => {
    const { view, element, ring } = await marks();
    let told = nextEvent<{ diameter: number }>(element, 'input');
    ring.dispatchEvent(new KeyboardEvent('keydown', { key: 'PageUp', bubbles: true }));
    expect((await told).diameter).to.equal(30);
    const box = ring.getBoundingClientRect();
    const { scale } = view.element.planeView('xy')?.camera ?? { scale: 0 };
    const [right, middle] = [box.right, box.top + box.height / 2];
    // A synthetic pointer cannot be captured; the events go where they would.
    ring.setPointerCapture = () => {};
    ring.dispatchEvent(pointer('pointerdown', right, middle));
    told = nextEvent(element, 'input');
    ring.dispatchEvent(pointer('pointermove', right + 8 * 0.5 * scale, middle));
    expect((await told).diameter).to.equal(36);
    const done = nextEvent(element, 'change');
    ring.dispatchEvent(pointer('pointerup', right, middle));
    await done;
  });

  it('follow the picture, and are gone where there is no xy plane', async () => {
    const { view, element } = await marks();
    const radius = () =>
      (element.renderRoot.querySelector('.line') as SVGCircleElement | null)?.r.baseVal.value;
    const before = radius() ?? 0;
    await view.key('+');
    await element.updateComplete;
    expect(radius()).to.be.closeTo(before * 1.25, 1e-6);
    view.element.model.setLayout('3d');
    await view.element.settled();
    await element.updateComplete;
    expect(radius()).to.equal(undefined);
  });

  it('draw a box of whole voxels within the image', async () => {
    const { view, element } = await marks();
    element.drawing = true;
    await element.updateComplete;
    const sheet = element.renderRoot.querySelector('.catch') as HTMLElement;
    sheet.setPointerCapture = () => {};
    const { left, top, size, camera } = view.element.planeView('xy')!;
    const origin = view.element.getBoundingClientRect();
    const at = (y: number, x: number): [number, number] => [
      origin.left + left + size.width / 2 + (x * 0.5 - camera.center[2]) * camera.scale,
      origin.top + top + size.height / 2 + (y * 0.5 - camera.center[1]) * camera.scale,
    ];
    sheet.dispatchEvent(pointer('pointerdown', ...at(80.5, 70.5)));
    const told = nextEvent<{ box: object }>(element, 'input');
    sheet.dispatchEvent(pointer('pointermove', ...at(-30, 20.5)));
    expect((await told).box).to.deep.equal({ from: [0, 0, 20], to: [1, 81, 71] });
  });

  it('have no violations that axe knows', async () => {
    const { element } = await marks();
    await expect(element as unknown as Element).to.be.accessible();
  });
});
