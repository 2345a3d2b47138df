import { expect } from '@open-wc/testing';
import { scene, type ViewerHarness } from './viewer-harness.ts';

afterEach(() => document.body.replaceChildren());

describe('fingers and pens', () => {
  // Pointers that no device has made cannot be captured.
  const free = (view: ViewerHarness) => {
    view.pane().setPointerCapture = () => undefined;
  };
  const touch = { pointerType: 'touch' } as const;

  it('pinch to zoom without selecting or painting', async () => {
    const view = await scene({
      images: [
        { data: new Uint8Array(64 * 64).fill(200), shape: [64, 64], attributes: { contrast: '0 255' } },
      ],
      labels: [{ data: new Uint32Array(64 * 64), shape: [64, 64], attributes: { editable: '' } }],
      size: [300, 300],
    });
    const before = view.litShare();
    free(view);
    await view.element.editing();
    view.element.tool = 'paint';
    await view.element.updateComplete;
    view.pointer('pointerdown', 0.45, 0.5, 'xy', { ...touch, pointerId: 1 });
    view.pointer('pointerdown', 0.55, 0.5, 'xy', { ...touch, pointerId: 2, isPrimary: false });
    view.pointer('pointermove', 0.48, 0.5, 'xy', { ...touch, pointerId: 1 });
    view.pointer('pointermove', 0.51, 0.5, 'xy', { ...touch, pointerId: 2, isPrimary: false });
    view.pointer('pointerup', 0.48, 0.5, 'xy', { ...touch, pointerId: 1 });
    view.pointer('pointerup', 0.51, 0.5, 'xy', { ...touch, pointerId: 2, isPrimary: false });
    await view.element.settled();
    expect(view.litShare()).to.be.lessThan(before * 0.5);
    expect(view.element.model.labels[0].labels.data.some(Boolean)).to.equal(false);
  });

  it('paint with a pen, not with the hand beside it, and erase with its far end', async () => {
    const view = await scene({
      images: [{ data: new Uint8Array(64 * 64), shape: [64, 64] }],
      labels: [
        { data: new Uint32Array(64 * 64), shape: [64, 64], attributes: { editable: '', selected: '3' } },
      ],
      size: [300, 300],
    });
    const { data } = view.element.model.labels[0].labels;
    const painted = () => data.reduce((sum, id) => sum + (id === 3 ? 1 : 0), 0);
    free(view);
    await view.element.editing();
    view.element.tool = 'paint';
    await view.element.updateComplete;
    const pen = { pointerType: 'pen', pointerId: 5 } as const;
    view.pointer('pointerdown', 0.3, 0.3, 'xy', pen);
    view.pointer('pointerdown', 0.8, 0.8, 'xy', { ...touch, pointerId: 6 });
    view.pointer('pointermove', 0.5, 0.3, 'xy', pen);
    view.pointer('pointerup', 0.5, 0.3, 'xy', pen);
    const stroke = painted();
    expect(stroke).to.be.greaterThan(60);
    expect(data[51 * 64 + 51], 'under the hand').to.equal(0);
    await view.drag([0.3, 0.3], [0.5, 0.3], 'xy', { ...pen, button: 5, buttons: 32 });
    expect(painted()).to.be.lessThan(stroke * 0.1);
  });
});
