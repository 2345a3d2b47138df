import { expect } from '@open-wc/testing';
import { CytoError, createVolume, imageLayer } from 'cytopane/core.js';
import type { CytoImage } from 'cytopane/image.js';
import { CytoViewer } from 'cytopane/viewer.js';
import { cells, nextEvent, scene, stack, ViewerHarness } from './viewer-harness.ts';

afterEach(() => document.body.replaceChildren());

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
