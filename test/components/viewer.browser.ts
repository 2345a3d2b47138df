import { expect } from '@open-wc/testing';
import { cells, nextEvent, scene, stack, wait } from './viewer-harness.ts';

afterEach(() => document.body.replaceChildren());

describe('layouts', () => {
  for (const [layout, kinds] of [
    ['xy', ['xy']],
    ['xz', ['xz']],
    ['yz', ['yz']],
    ['3d', ['3d']],
    ['ortho', ['xy', 'yz', 'xz', '3d']],
    ['quad', ['xy', 'yz', 'xz', '3d']],
  ] as const) {
    it(`${layout} has its panes`, async () => {
      const view = await scene({ images: [stack()], attributes: { layout }, size: [160, 160] });
      expect(view.panes.map((pane) => pane.dataset.kind)).to.deep.equal(kinds);
      for (const kind of kinds) expect(view.litShare(kind), kind).to.be.greaterThan(0.05);
      expect(view.root.querySelector('[part~="scale-bar"] text')?.textContent).to.match(/µm$/);
    });
  }

  it('ortho planes share one camera: zooming one zooms all', async () => {
    const view = await scene({ images: [stack()], attributes: { layout: 'ortho' }, size: [300, 300] });
    const before = view.litShare('xz');
    await view.wheel(-400, { ctrlKey: true });
    expect(view.litShare('xz')).to.be.greaterThan(before * 1.2);
    expect(view.root.querySelectorAll('[part~="crosshair"]')).to.have.length(3);
  });

  it('an unknown one is reported and the old one kept', async () => {
    const view = await scene({ images: [stack()] });
    const error = nextEvent<{ kind: string; message: string }>(view.element, 'error');
    view.element.setAttribute('layout', 'sideways');
    expect((await error).kind).to.equal('bad-input');
    expect(view.panes).to.have.length(1);
  });
});

describe('pointer, wheel and keys', () => {
  it('wheel goes through planes of a stack, and zooms with ctrl or in a single plane', async () => {
    const view = await scene({ images: [stack()] });
    const { model } = view.element;
    expect(model.cursor.z).to.equal(2);
    await view.wheel(120);
    expect(model.cursor.z).to.equal(3);
    await view.wheel(-120);
    expect(model.cursor.z).to.equal(2);
    const before = view.litShare();
    await view.wheel(300, { ctrlKey: true });
    expect(view.litShare()).to.be.lessThan(before * 0.5);
    expect(model.cursor.z).to.equal(2);

    const flat = await scene({ images: [{ ...stack(), data: new Uint8Array(64).fill(200), shape: [8, 8] }] });
    await flat.wheel(300);
    expect(flat.litShare()).to.be.lessThan(0.5);
  });

  it('dragging pans, double click and Home fit again', async () => {
    const view = await scene({ images: [stack()] });
    const whole = view.litShare();
    await view.drag([0.5, 0.5], [0.9, 0.5]);
    expect(view.color(0.2, 0.5)[3]).to.equal(0);
    view.pane().dispatchEvent(new MouseEvent('dblclick', { bubbles: true }));
    await view.element.settled();
    expect(view.litShare()).to.be.closeTo(whole, 0.001);
    await view.key('ArrowRight');
    await view.key('+');
    expect(view.litShare()).not.to.be.closeTo(whole, 0.001);
    await view.key('Home');
    expect(view.litShare()).to.be.closeTo(whole, 0.001);
  });

  it('a click moves the cursor and selects the label, once', async () => {
    const view = await scene({ images: [stack()], labels: [cells()] });
    const { model } = view.element;
    const layerId = model.labels[0].id;
    const selected = nextEvent(view.element, 'cyto-select');
    await view.click(0.3, 0.3);
    expect(await selected).to.deep.equal({ layerId, ids: [70_000], source: 'user' });
    expect(model.labels[0].selected).to.equal(70_000);
    expect([model.cursor.y, model.cursor.x]).to.deep.equal([2, 2]);
    await view.click(0.9, 0.9);
    expect(model.labels[0].selected).to.equal(0);
  });

  it('hovering tells voxel, values and label, and that the pointer has left', async () => {
    const view = await scene({ images: [stack()], labels: [cells()] });
    const [image, labels] = view.element.model.layers;
    const hover = nextEvent(view.element, 'cyto-hover');
    view.pointer('pointermove', 0.3, 0.3, 'xy', { buttons: 0 });
    expect(await hover).to.deep.equal({
      voxel: [2, 2, 2],
      world: [4, (0.3 - 0.02) / 0.12 - 0.5, (0.3 - 0.02) / 0.12 - 0.5].map((v) => v),
      values: [
        { layerId: image.id, value: 100 },
        { layerId: labels.id, value: 70_000 },
      ],
      label: { layerId: labels.id, id: 70_000 },
    });
    const left = nextEvent(view.element, 'cyto-hover');
    view.pane().dispatchEvent(new PointerEvent('pointerleave'));
    expect(await left).to.deep.equal({});
    const at = view.at(0.3, 0.3);
    const pick = await view.element.pick(at.clientX, at.clientY);
    expect(pick?.voxel).to.deep.equal([2, 2, 2]);
    expect(await view.element.pick(-10, -10)).to.equal(undefined);
  });

  it('keys step through planes, outline and hide labels', async () => {
    const view = await scene({ images: [stack()], labels: [cells()] });
    const { model } = view.element;
    await view.key('.');
    expect(model.cursor.z).to.equal(3);
    await view.key(',');
    await view.key(',');
    expect(model.cursor.z).to.equal(1);
    await view.key('o');
    expect(model.labels[0].contour).to.be.greaterThan(0);
    await view.key('O');
    expect(model.labels[0].contour).to.equal(0);
    await view.key('h');
    expect(model.labels[0].visible).to.equal(false);
  });

  it('dragging turns the 3D picture, shift-dragging moves it', async () => {
    const view = await scene({ images: [stack()], attributes: { layout: '3d' }, size: [100, 100] });
    const picture = () => view.canvas('3d').toDataURL();
    const first = picture();
    await view.drag([0.5, 0.5], [0.7, 0.6], '3d');
    await wait(400);
    const turned = picture();
    expect(turned).not.to.equal(first);
    await view.drag([0.5, 0.5], [0.8, 0.5], '3d', { shiftKey: true });
    await wait(400);
    expect(picture()).not.to.equal(turned);
  });
});
