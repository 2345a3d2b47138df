import { expect } from '@open-wc/testing';
import { scene, type ViewerHarness } from './viewer-harness.ts';

afterEach(() => document.body.replaceChildren());

/** Bytes of samples given to textures since the last call, once {@link before} has run. */
let uploaded = 0;
const taken = () => {
  const bytes = uploaded;
  uploaded = 0;
  return bytes;
};
const names = ['texImage2D', 'texImage3D', 'texSubImage2D', 'texSubImage3D'] as const;
const prototype = WebGL2RenderingContext.prototype as unknown as Record<
  string,
  (...values: unknown[]) => void
>;
const original = new Map(names.map((name) => [name, prototype[name]]));
before(() => {
  for (const [name, upload] of original) {
    prototype[name] = function (this: WebGL2RenderingContext, ...values: unknown[]) {
      const samples = values.at(-1);
      if (ArrayBuffer.isView(samples)) uploaded += samples.byteLength;
      Reflect.apply(upload, this, values);
    };
  }
});
after(() => {
  for (const [name, upload] of original) prototype[name] = upload;
});

const [NZ, NY, NX] = [12, 128, 160];
const VOXELS = NZ * NY * NX;
const stack = (layout: string): Promise<ViewerHarness> =>
  scene({
    images: [
      {
        data: Uint16Array.from({ length: VOXELS }, (_, i) => Math.floor(i / (NY * NX)) * 20),
        shape: [NZ, NY, NX],
        attributes: { contrast: '0 255' },
      },
    ],
    labels: [
      {
        data: new Uint32Array(VOXELS),
        shape: [NZ, NY, NX],
        attributes: { editable: '', selected: '3', opacity: '1' },
      },
    ],
    attributes: { layout },
    size: [320, 256],
  });
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

describe('the work of drawing', () => {
  it('a brush stroke is seen a frame after the pointer and uploads the box that it has changed', async () => {
    const view = await stack('xy');
    view.pane().setPointerCapture = () => undefined;
    const editor = await view.element.editing();
    view.element.tool = 'paint';
    editor.brush = 9;
    await view.element.updateComplete;
    view.pointer('pointerdown', 0.4, 0.5);
    await view.element.settled();
    const before = view.color(0.5, 0.5);
    taken();
    view.pointer('pointermove', 0.5, 0.5);
    await frame();
    expect(view.color(0.5, 0.5), 'one frame later').not.to.deep.equal(before);
    const bytes = taken();
    expect(bytes).to.be.greaterThan(0);
    // The way of the pointer is 16 voxels, the brush 9 wide, an id takes 4 bytes.
    expect(bytes).to.be.at.most(4 * (16 + 9 + 2) * (9 + 2));
    view.pointer('pointerup', 0.5, 0.5);
  });

  it('a step through the planes uploads one plane of each layer, and draws no other pane', async () => {
    const view = await stack('ortho');
    let drawn = 0;
    view.element.addEventListener('cyto-view', () => drawn++);
    taken();
    view.element.model.setCursor({ z: 2 });
    await view.element.settled();
    expect(taken()).to.equal(NY * NX * (2 + 4));
    expect(drawn).to.equal(1);
  });

  it('moving, zooming and selecting upload nothing', async () => {
    const view = await stack('xy');
    const before = view.color(0.01, 0.5);
    taken();
    await view.key('ArrowRight');
    await view.wheel(-100, { ctrlKey: true });
    view.element.model.update(view.element.model.labels[0].id, { selected: 5 });
    await view.element.settled();
    expect(view.color(0.01, 0.5)).not.to.deep.equal(before);
    expect(taken()).to.equal(0);
  });
});
