import { aTimeout, expect } from '@open-wc/testing';
import { cells, scene, stack, wait } from './viewer-harness.ts';

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
