import { aTimeout, expect } from '@open-wc/testing';
import { CytoError, createVolume, imageLayer } from 'cytopane/core.js';
import type { CytoImage } from 'cytopane/image.js';
import { CytoViewer } from 'cytopane/viewer.js';
import { nextEvent, scene, ViewerHarness, wait } from './viewer-harness.ts';

const stack = () => ({
  data: Uint8Array.from({ length: 5 * 8 * 8 }, (_, i) => (i >> 6) * 50),
  shape: [5, 8, 8],
  calibration: { spacing: [2, 1, 1] as const, unit: 'µm', calibrated: true },
  attributes: { contrast: '0 255' },
});
const cells = () => {
  const data = new Uint32Array(5 * 64);
  for (let z = 0; z < 5; z++) {
    for (let y = 1; y < 4; y++) for (let x = 1; x < 4; x++) data[z * 64 + y * 8 + x] = 70_000;
  }
  return { data, shape: [5, 8, 8] };
};

/** Counts the WebGL contexts that the page asks for. */
const contexts: WebGL2RenderingContext[] = [];
const originalGetContext = HTMLCanvasElement.prototype.getContext;
before(() => {
  HTMLCanvasElement.prototype.getContext = function (
    this: HTMLCanvasElement,
    type: string,
    ...rest: unknown[]
  ) {
    const context = Reflect.apply(originalGetContext, this, [type, ...rest]);
    if (type === 'webgl2' && context && !contexts.includes(context)) contexts.push(context);
    return context;
  } as typeof originalGetContext;
});
after(() => {
  HTMLCanvasElement.prototype.getContext = originalGetContext;
});
afterEach(() => document.body.replaceChildren());

/** vtk.js tries 16-bit textures once per page on a tiny canvas of its own, which is not counted. */
const alive = () => contexts.filter((gl) => !gl.isContextLost() && gl.canvas.width > 16);

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

describe('layers as elements', () => {
  it('stand in document order, leave with their element and come back as the user left them', async () => {
    const view = await scene({ images: [stack(), stack()], labels: [cells()] });
    const { model } = view.element;
    const [first, second, labels] = [...view.element.children] as CytoImage[];
    const ids = () => model.layers.map(({ id }) => id);
    const order = [first.layerId, second.layerId, labels.layerId];
    expect(ids()).to.deep.equal(order);
    model.update(second.layerId, { colormap: 'inferno' }, 'user');
    second.remove();
    await view.element.settled();
    expect(ids()).to.deep.equal([order[0], order[2]]);
    view.element.insertBefore(second, labels);
    await view.element.settled();
    expect(ids()).to.deep.equal(order);
    expect(model.images[1].colormap).to.equal('inferno');
    view.element.append(first);
    await view.element.settled();
    expect(ids()).to.deep.equal([order[1], order[2], order[0]]);
  });

  it('move from one viewer to another', async () => {
    const one = await scene({ images: [stack()] });
    const two = await scene({});
    const [image] = one.element.children;
    two.element.append(image);
    await two.element.settled();
    await one.element.settled();
    expect([one.element.model.layers.length, two.element.model.layers.length]).to.deep.equal([0, 1]);
    expect(two.litShare()).to.be.greaterThan(0.5);
    expect(one.litShare()).to.equal(0);
  });

  it('follow attributes; what no value is, is reported', async () => {
    const view = await scene({ images: [stack()] });
    const image = view.element.firstElementChild as CytoImage;
    image.setAttribute('colormap', 'magenta');
    image.setAttribute('opacity', '0.5');
    image.toggleAttribute('hidden', true);
    await view.element.settled();
    const [layer] = view.element.model.images;
    expect([layer.colormap, layer.opacity, layer.visible]).to.deep.equal(['magenta', 0.5, false]);
    const error = nextEvent<{ message: string }>(view.element, 'error');
    image.setAttribute('colormap', 'beige');
    expect((await error).message).to.contain('beige');
    expect(layer.colormap).to.equal('magenta');
  });

  it('empty labels take the size of the first image', async () => {
    const viewer = document.createElement('cyto-viewer');
    viewer.innerHTML = '<cyto-labels id="cells" name="Cells" editable></cyto-labels>';
    document.body.append(viewer);
    await viewer.settled();
    expect(viewer.model.layers).to.have.length(0);
    await viewer.add(imageLayer('img', createVolume(stack())), { index: 0 });
    await viewer.settled();
    const [labels] = viewer.model.labels;
    expect([labels.id, labels.name, labels.editable]).to.deep.equal(['cells', 'Cells', true]);
    expect(labels.labels.shape).to.deep.equal([5, 8, 8]);
    expect(labels.labels.calibration.unit).to.equal('µm');
  });

  it('a property set before the element is known is kept', async () => {
    class LateViewer extends CytoViewer {}
    const viewer = document.createElement('late-viewer') as CytoViewer;
    viewer.layout = 'xz';
    viewer.alt = 'Late';
    customElements.define('late-viewer', LateViewer);
    document.body.append(viewer);
    customElements.upgrade(viewer);
    await viewer.updateComplete;
    expect(viewer.model.layout).to.equal('xz');
    expect(new ViewerHarness(viewer).pane('xz').getAttribute('aria-label')).to.equal('Late, xz');
  });
});

describe('opening files', () => {
  const png = async () => {
    const canvas = new OffscreenCanvas(8, 8);
    const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
    context.fillStyle = '#ff0000';
    context.fillRect(0, 0, 8, 8);
    return new File([await canvas.convertToBlob({ type: 'image/png' })], 'red.png', { type: 'image/png' });
  };

  it('a file becomes layers; load says which', async () => {
    const view = await scene({});
    const load = nextEvent<{ layerIds: string[] }>(view.element, 'load');
    const layers = await view.element.open(await png());
    expect((await load).layerIds).to.deep.equal(layers.map(({ id }) => id));
    await view.element.settled();
    expect(layers[0].name).to.contain('red');
    const [r, g] = view.color(0.5, 0.5);
    expect([r, g]).to.deep.equal([255, 0]);
  });

  it('src opens an address; another src replaces it', async () => {
    const view = await scene({});
    view.element.src = URL.createObjectURL(await png());
    await nextEvent(view.element, 'load');
    await view.element.settled();
    const [first] = view.element.model.layers;
    view.element.src = URL.createObjectURL(await png());
    await nextEvent(view.element, 'load');
    await view.element.settled();
    expect(view.element.model.layers).to.have.length(1);
    expect(view.element.model.layers[0].id).not.to.equal(first.id);
  });

  it('what cannot be read is an error event and a rejection, and the viewer goes on', async () => {
    const view = await scene({ images: [stack()] });
    const event = nextEvent<{ kind: string; message: string }>(view.element, 'error');
    const file = new File(['this is no image'], 'notes.tif');
    const failure = await view.element.open(file).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(CytoError);
    const { kind, message } = await event;
    expect(kind).to.equal((failure as CytoError).kind);
    expect(message.length).to.be.greaterThan(20);
    expect(view.element.matches(':state(error)')).to.equal(true);
    await view.element.updateComplete;
    expect(view.root.querySelector('[role="alert"]')?.textContent).to.contain(message);
    expect(view.litShare()).to.be.greaterThan(0.5);
    const missing = nextEvent<{ kind: string }>(view.element, 'error');
    view.element.src = '/no-such-image.png';
    expect((await missing).kind).to.equal('not-found');
    await view.element.open(await png());
    expect(view.element.matches(':state(error)')).to.equal(false);
    expect(view.root.querySelector('[role="alert"]')).to.equal(null);
  });

  it('the page may show errors itself; none reaches the window as a script error', async () => {
    const view = await scene({});
    const seen: EventTarget[] = [];
    const listen = (event: Event) => seen.push(event.currentTarget as EventTarget);
    view.element.addEventListener('error', (event) => event.preventDefault());
    document.addEventListener('error', listen);
    window.addEventListener('error', listen);
    await view.element.open(new File([], 'empty.tif')).catch(() => undefined);
    await view.element.updateComplete;
    document.removeEventListener('error', listen);
    window.removeEventListener('error', listen);
    expect(seen).to.deep.equal([document]);
    expect(view.root.querySelector('[role="alert"]')).to.equal(null);
  });

  it('can be cancelled', async () => {
    const view = await scene({});
    const stop = new AbortController();
    const opening = view.element.open(await png(), { signal: stop.signal });
    stop.abort();
    const failure = await opening.then(
      () => undefined,
      (error: CytoError) => error.kind,
    );
    expect(failure).to.equal('aborted');
    expect(view.element.model.layers).to.have.length(0);
  });
});

describe('the element on a page', () => {
  it('thirty viewers share one WebGL context and all show their picture', async () => {
    const views = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        scene({
          images: [
            { data: new Uint8Array(64).fill(100 + i), shape: [8, 8], attributes: { contrast: '0 255' } },
          ],
          size: [60, 20],
        }),
      ),
    );
    for (const view of views) view.element.scrollIntoView();
    for (const [i, view] of views.entries()) {
      view.element.scrollIntoView();
      await wait(50);
      await view.element.settled();
      expect(view.color(0.5, 0.5).slice(0, 3)).to.deep.equal(new Array(3).fill(100 + i));
    }
    expect(alive()).to.have.length(1);
  });

  it('removed and re-added it keeps layers and picture', async () => {
    const view = await scene({ images: [stack()], labels: [cells()] });
    const before = view.canvas().toDataURL();
    for (const pause of [0, 400]) {
      view.element.remove();
      await wait(pause);
      document.body.append(view.element);
      await view.element.settled();
      await wait(50);
      await view.element.settled();
      expect(view.element.model.layers).to.have.length(2);
      expect(view.canvas().toDataURL()).to.equal(before);
    }
  });

  it('removed for good it gives the context back', async () => {
    await scene({ images: [stack()] });
    document.body.replaceChildren();
    await wait(1800);
    expect(alive()).to.have.length(0);
  });

  it('removed while others stay it leaves nothing on the device', async () => {
    const { prototype } = WebGL2RenderingContext;
    const { createTexture, deleteTexture } = prototype;
    const textures = new Set<WebGLTexture | null>();
    prototype.createTexture = function () {
      const texture = createTexture.call(this);
      textures.add(texture);
      return texture;
    };
    prototype.deleteTexture = function (texture) {
      textures.delete(texture);
      deleteTexture.call(this, texture);
    };
    try {
      await scene({ images: [stack()] });
      const before = textures.size;
      const other = await scene({
        images: [stack()],
        labels: [cells()],
        attributes: { layout: 'ortho' },
        size: [160, 160],
      });
      expect(textures.size).to.be.greaterThan(before);
      other.element.remove();
      await wait(600);
      expect(textures.size).to.equal(before);
    } finally {
      Object.assign(prototype, { createTexture, deleteTexture });
    }
  });

  it('draws again after the context was lost', async () => {
    const view = await scene({
      images: [stack()],
      labels: [cells()],
      attributes: { layout: 'ortho' },
      size: [240, 240],
    });
    const before = view.canvas('xy').toDataURL();
    alive()[0].getExtension('WEBGL_lose_context')?.loseContext();
    await wait(500);
    await view.element.settled();
    expect(alive()).to.have.length(1);
    expect(view.canvas('xy').toDataURL()).to.equal(before);
    await view.wheel(120);
    expect(view.canvas('xy').toDataURL()).not.to.equal(before);
  });

  it('display:none, then shown and resized', async () => {
    const view = await scene({ images: [stack()] });
    view.element.style.display = 'none';
    view.element.model.setCursor({ z: 4 });
    await wait(100);
    view.element.style.display = '';
    view.element.style.width = '300px';
    view.element.style.height = '300px';
    await wait(150);
    await view.element.settled();
    expect(view.color(0.5, 0.5)[0]).to.equal(200);
    expect(view.canvas().width).to.equal(Math.round(300 * devicePixelRatio));
    expect(view.litShare()).to.be.closeTo(0.96 ** 2, 0.02);
  });

  it('makes a PNG at any scale', async () => {
    const view = await scene({ images: [stack()], attributes: { layout: 'quad' } });
    const bitmap = await createImageBitmap(await view.element.toBlob({ scale: 2 }));
    expect([bitmap.width, bitmap.height]).to.deep.equal([400 * devicePixelRatio, 400 * devicePixelRatio]);
  });

  it('saves and restores its view', async () => {
    const view = await scene({ images: [stack()] });
    const { model } = view.element;
    model.update(model.images[0].id, { colormap: 'viridis' });
    const state = JSON.parse(JSON.stringify(model.toJSON()));
    model.update(model.images[0].id, { colormap: 'gray' });
    model.setLayout('quad');
    model.restore(state);
    await view.element.settled();
    expect(view.element.layout).to.equal('xy');
    expect(model.images[0].colormap).to.equal('viridis');
    expect(view.panes).to.have.length(1);
  });

  it('has no accessibility violations that axe knows', async () => {
    const view = await scene({
      images: [stack()],
      attributes: { layout: 'ortho', alt: 'Embryo' },
      size: [240, 240],
    });
    await expect(view.element).to.be.accessible();
    view.pane('xz').focus();
    expect(view.root.activeElement).to.equal(view.pane('xz'));
  });

  it('a second registration keeps the first', async () => {
    const { CytoViewer: First } = await import('cytopane/viewer.js');
    expect(customElements.get('cyto-viewer')).to.equal(First);
    await aTimeout(0);
  });
});
