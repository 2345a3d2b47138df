import { expect } from '@open-wc/testing';
import { colorDistance, LabelTints, LEAST_DISTANCE, labelColor } from 'cytopane/core.js';
import { scene } from './viewer-harness.ts';

/** 4×4 pixels in a square pane with a margin of 2 % on each side: middle of pixel i in parts of the pane. */
const middle = (i: number, n = 4) => 0.02 + (0.96 * (i + 0.5)) / n;

const near = (found: number[], wanted: number[], tolerance = 2) => {
  wanted.forEach((value, i) => {
    expect(found[i], `${found} and ${wanted}`).to.be.closeTo(value, tolerance);
  });
};

const contrast = { contrast: '0 255' };

afterEach(() => document.body.replaceChildren());

describe('the picture of a plane', () => {
  it('shows every pixel where it belongs, crisp', async () => {
    const data = Uint8Array.from({ length: 16 }, (_, i) => i * 16);
    const view = await scene({ images: [{ data, shape: [4, 4], attributes: contrast }] });
    for (const [x, y] of [
      [0, 0],
      [3, 0],
      [1, 2],
      [3, 3],
    ]) {
      near(view.color(middle(x), middle(y)), [...new Array(3).fill((y * 4 + x) * 16), 255]);
    }
    // Just inside the border of a pixel there is no trace of its neighbour.
    near(view.color(0.02 + 0.96 * 0.257, middle(0)), [16, 16, 16, 255]);
    near(view.color(0.02 + 0.96 * 0.243, middle(0)), [0, 0, 0, 255]);
  });

  for (const type of [
    Int8Array,
    Uint16Array,
    Int16Array,
    Uint32Array,
    Int32Array,
    Float32Array,
    Float64Array,
  ]) {
    it(`shows ${type.name} samples through window and gamma`, async () => {
      const data = type.of(-5, 0, 50, 100);
      if (data[0] > 100) data[0] = 0;
      const attributes = { contrast: '0 100', gamma: '2' };
      const view = await scene({ images: [{ data, shape: [2, 2], attributes }] });
      near(view.color(0.25, 0.25), [0, 0, 0]);
      near(view.color(0.25, 0.75), [64, 64, 64]);
      near(view.color(0.75, 0.75), [255, 255, 255]);
    });
  }

  it('shows what is not a number as the low end', async () => {
    const view = await scene({
      images: [
        { data: Float32Array.of(Number.NaN, 1, 0, 1), shape: [2, 2], attributes: { contrast: '0 1' } },
      ],
    });
    near(view.color(0.25, 0.25), [0, 0, 0, 255]);
    near(view.color(0.75, 0.25), [255, 255, 255]);
  });

  it('shows RGB as it is', async () => {
    const data = Uint8Array.of(255, 0, 10, 20, 0, 255, 10, 20, 7, 9, 10, 20);
    const view = await scene({ images: [{ data, shape: [3, 1, 2, 2], rgb: true }] });
    near(view.color(0.25, 0.25), [255, 0, 7]);
    near(view.color(0.75, 0.25), [0, 255, 9]);
  });

  it('adds channels up', async () => {
    const data = Uint8Array.of(200, 200, 200, 200, 100, 100, 100, 100);
    const view = await scene({ images: [{ data, shape: [2, 1, 2, 2], attributes: contrast }] });
    near(view.color(0.5, 0.5), [100, 200, 100, 255]);
  });

  for (const [blending, wanted] of [
    ['translucent', 150],
    ['additive', 250],
    ['minimum', 100],
    ['opaque', 100],
  ] as const) {
    it(`blends ${blending}`, async () => {
      const flat = (value: number, attributes: Record<string, string>) => ({
        data: new Uint8Array(4).fill(value),
        shape: [2, 2],
        attributes: { ...contrast, ...attributes },
      });
      const opacity = blending === 'minimum' ? '1' : '0.5';
      const view = await scene({ images: [flat(200, {}), flat(100, { blending, opacity })] });
      near(view.color(0.5, 0.5), [wanted, wanted, wanted, 255]);
    });
  }

  it('keeps physical proportions in every plane', async () => {
    const shape = [2, 4, 8];
    const calibration = { spacing: [3, 1, 1] as const, unit: 'µm', calibrated: true };
    const data = new Uint8Array(64).fill(255);
    for (const [layout, share] of [
      ['xy', 4 / 8],
      ['xz', 6 / 8],
      ['yz', 4 / 6],
    ] as const) {
      const view = await scene({
        images: [{ data, shape, calibration, attributes: contrast }],
        attributes: { layout },
      });
      expect(view.litShare(layout), layout).to.be.closeTo(0.96 ** 2 * share, 0.01);
    }
  });

  it('shows the plane of the cursor', async () => {
    const data = Uint8Array.of(10, 10, 20, 20, 30, 30);
    const view = await scene({
      images: [{ data, shape: [3, 1, 2], attributes: contrast }],
      attributes: { z: '2' },
    });
    near(view.color(0.5, 0.5), [30, 30, 30]);
    view.element.model.setCursor({ z: 0 });
    await view.element.settled();
    near(view.color(0.5, 0.5), [10, 10, 10]);
  });

  it('interpolates between the middles of pixels where that is wanted', async () => {
    const view = await scene({
      images: [
        { data: Uint8Array.of(0, 200), shape: [1, 2], attributes: { ...contrast, interpolation: 'linear' } },
      ],
    });
    near(view.color(0.5, 0.5), [100, 100, 100, 255], 3);
    near(view.color(0.25, 0.5), [0, 0, 0, 255], 3);
    near(view.color(0.375, 0.5), [48, 48, 48, 255], 6);
    near(view.color(0.95, 0.5), [200, 200, 200, 255], 3);
  });

  it('averages what a pixel covers when reduced', async () => {
    const data = Uint8Array.from({ length: 800 * 800 }, (_, i) => ((i % 800) % 2) * 255);
    const view = await scene({ images: [{ data, shape: [800, 800], attributes: contrast }] });
    const [value] = view.color(0.5, 0.5);
    expect(value).to.be.within(100, 155);
  });
});

describe('the picture of selected labels', () => {
  const three = { data: Uint32Array.of(1, 0, 2, 0, 3), shape: [1, 5] };
  const black = { data: new Uint8Array(5), shape: [1, 5] };

  it('outlines every selected one', async () => {
    const view = await scene({ images: [black], labels: [three], size: [500, 200] });
    const { model } = view.element;
    const corner = (cell: number) =>
      view.color(0.02 + (0.96 * (cell + 0.02 + (cell === 0 ? 0.96 : 0))) / 5, 0.5)[0];
    const before = [0, 2, 4].map(corner);
    model.update(model.labels[0].id, { selected: 1, alsoSelected: [3] });
    await view.element.settled();
    expect(corner(0)).to.equal(255);
    expect(corner(2)).to.equal(before[1]);
    expect(corner(4)).to.be.greaterThan(200).and.not.equal(before[2]);
  });

  it('hides the others on request', async () => {
    const view = await scene({
      images: [black],
      labels: [{ ...three, attributes: { 'only-selected': '', selected: '2' } }],
      size: [500, 200],
    });
    near(view.color(middle(0, 5), 0.5), [0, 0, 0, 255]);
    expect(Math.max(...view.color(middle(2, 5), 0.5).slice(0, 3))).to.be.greaterThan(60);
    const { model } = view.element;
    model.update(model.labels[0].id, { selected: 0 });
    await view.element.settled();
    expect(Math.max(...view.color(middle(0, 5), 0.5).slice(0, 3))).to.be.greaterThan(60);
  });
});

describe('the picture of labels', () => {
  const square = (id: number) => {
    const data = new Uint32Array(64);
    for (let y = 2; y < 6; y++) for (let x = 2; x < 6; x++) data[y * 8 + x] = id;
    return data;
  };
  const black = { data: new Uint8Array(64), shape: [8, 8] };

  for (const id of [1, 255, 65_536, 70_001, 4_294_967_294]) {
    it(`gives ${id} the colour that the table has, on the device too`, async () => {
      const view = await scene({
        images: [black],
        labels: [{ data: square(id), shape: [8, 8], attributes: { opacity: '1', seed: '5' } }],
      });
      near(view.color(0.5, 0.5), [...labelColor(id, 5), 255]);
      near(view.color(0.05, 0.05), [0, 0, 0]);
    });
  }

  it('gives labels that touch colours that differ, also where their ids have nearly the same', async () => {
    let other = 2;
    while (colorDistance(labelColor(1), labelColor(other)) >= 0.03) other++;
    const data = Uint32Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 1 : other));
    const view = await scene({
      images: [black],
      labels: [{ data, shape: [8, 8], attributes: { opacity: '1' } }],
    });
    const [left, right] = [view.color(0.25, 0.5), view.color(0.75, 0.5)];
    near(left, labelColor(1));
    const [layer] = view.element.model.labels;
    near(right, LabelTints.of(layer.labels, 0).color(other));
    expect(colorDistance(left, right)).to.be.greaterThan(LEAST_DISTANCE - 0.01);
  });

  it('draws contours of their width in screen pixels with a weaker interior', async () => {
    const attributes = { opacity: '1', contour: '3', 'fill-opacity': '0.5' };
    const view = await scene({ images: [black], labels: [{ data: square(9), shape: [8, 8], attributes }] });
    const own = labelColor(9);
    near(
      view.color(0.5, 0.5),
      own.map((c) => c / 2),
    );
    // The square begins at a quarter of the picture.
    const left = 0.02 + 0.96 * 0.25;
    near(view.color(left + 1.5 / 200, 0.5), own);
    near(
      view.color(left + 5.5 / 200, 0.5),
      own.map((c) => c / 2),
    );
    near(view.color(left - 1.5 / 200, 0.5), [0, 0, 0]);
  });

  it('outlines the selected label', async () => {
    const view = await scene({ images: [black], labels: [{ data: square(9), shape: [8, 8] }] });
    view.element.model.update(view.element.model.labels[0].id, { selected: 9 });
    await view.element.settled();
    near(view.color(0.02 + 0.96 * 0.25 + 1 / 200, 0.5), [255, 255, 255]);
  });

  it('follows edits, in every plane', async () => {
    const calibration = { spacing: [1, 1, 1] as const, unit: 'µm', calibrated: true };
    const view = await scene({
      images: [{ data: new Uint8Array(512), shape: [8, 8, 8], calibration }],
      labels: [{ data: new Uint32Array(512), shape: [8, 8, 8], attributes: { opacity: '1' } }],
      attributes: { layout: 'quad' },
      size: [400, 400],
    });
    const { labels } = view.element.model.labels[0];
    for (let z = 2; z < 6; z++) {
      for (let y = 2; y < 6; y++) for (let x = 2; x < 6; x++) labels.data[(z * 8 + y) * 8 + x] = 3;
    }
    labels.touch([2, 2, 2, 6, 6, 6]);
    await view.element.settled();
    for (const kind of ['xy', 'xz', 'yz']) near(view.color(0.4, 0.4, kind), [...labelColor(3), 255]);
    labels.data.fill(0);
    labels.touch([2, 2, 2, 6, 6, 6]);
    await view.element.settled();
    for (const kind of ['xy', 'xz', 'yz']) near(view.color(0.4, 0.4, kind), [0, 0, 0]);
  });
});

describe('the 3D picture', () => {
  const ball = (value: number) =>
    Uint8Array.from({ length: 16 ** 3 }, (_, i) => {
      const [z, y, x] = [i >> 8, (i >> 4) & 15, i & 15].map((v) => v - 7.5);
      return Math.hypot(z, y, x) < 5 ? value : 0;
    });

  for (const rendering of ['mip', 'attenuated-mip', 'translucent', 'iso']) {
    it(`shows a bright ball in the middle (${rendering})`, async () => {
      const view = await scene({
        images: [
          {
            data: ball(255),
            shape: [16, 16, 16],
            attributes: { contrast: '0 255', colormap: 'green', rendering },
          },
        ],
        attributes: { layout: '3d' },
        size: [120, 120],
      });
      const [r, g, b] = view.color(0.5, 0.5, '3d');
      expect(g).to.be.greaterThan(60);
      expect(Math.max(r, b)).to.be.lessThan(g / 1.5);
      expect(view.litShare('3d')).to.be.within(0.03, 0.6);
    });
  }

  it('says so where graphics memory is too small for every voxel', async () => {
    const data = new Uint8Array(2 * 4 * 5000).fill(200);
    const view = await scene({ images: [{ data, shape: [2, 4, 5000] }], attributes: { layout: '3d' } });
    const note = () => view.pane('3d').querySelector('.note')?.textContent ?? '';
    expect(note()).to.match(/3 × 1 × 1/);
    view.element.model.update(view.element.model.layers[0].id, { visible: false });
    await view.element.settled();
    expect(note()).to.equal('');
  });

  it('shows labels as bodies in their colour', async () => {
    const view = await scene({
      labels: [{ data: Uint32Array.from(ball(7)), shape: [16, 16, 16], attributes: { opacity: '1' } }],
      attributes: { layout: '3d' },
      size: [120, 120],
    });
    const own = labelColor(7);
    const found = view.color(0.5, 0.5, '3d');
    const strongest = own.indexOf(Math.max(...own));
    expect(found.indexOf(Math.max(...found.slice(0, 3)))).to.equal(strongest);
    expect(found[3]).to.be.greaterThan(200);
  });
});

describe('slabs', () => {
  it('show several planes as one, images and labels', async () => {
    const view = await scene({
      images: [{ data: Uint8Array.of(10, 10, 200, 20, 30, 30), shape: [3, 1, 2], attributes: contrast }],
      labels: [{ data: Uint32Array.of(0, 0, 0, 0, 0, 9), shape: [3, 1, 2], attributes: { opacity: '1' } }],
      attributes: { z: '1' },
    });
    const { model } = view.element;
    near(view.color(0.75, 0.5), [20, 20, 20]);
    model.setView({ slab: 3 });
    await view.element.settled();
    near(view.color(0.25, 0.5), [200, 200, 200]);
    near(view.color(0.75, 0.5), labelColor(9));
    model.setView({ projection: 'min' });
    await view.element.settled();
    near(view.color(0.25, 0.5), [10, 10, 10]);
  });
});

describe('labels in 3D', () => {
  const ball = (size: number, radius: number, id: number) => {
    const data = new Uint32Array(size ** 3);
    const middle = (size - 1) / 2;
    for (let i = 0; i < data.length; i++) {
      const [z, y, x] = [Math.floor(i / size ** 2), Math.floor(i / size) % size, i % size];
      if (Math.hypot(z - middle, y - middle, x - middle) <= radius) data[i] = id;
    }
    return data;
  };
  const stack = async () =>
    scene({
      images: [{ data: new Uint8Array(24 ** 3), shape: [24, 24, 24], attributes: { hidden: '' } }],
      labels: [
        { data: ball(24, 9, 70_000), shape: [24, 24, 24], attributes: { editable: '', opacity: '1' } },
      ],
      attributes: { layout: '3d' },
    });
  /** Red, green and blue in parts of the strongest. */
  const hue = (rgb: readonly number[]) => rgb.slice(0, 3).map((c) => c / Math.max(...rgb.slice(0, 3)));

  it('are lit bodies in their colours, picked where they are seen', async () => {
    const view = await stack();
    const wanted = hue(labelColor(70_000));
    for (const [i, part] of hue(view.color(0.5, 0.5, '3d')).entries()) {
      expect(part).to.be.closeTo(wanted[i], 0.2);
    }
    expect(view.color(0.5, 0.05, '3d').slice(0, 3)).to.deep.equal([0, 0, 0]);
    const share = view.litShare('3d');
    expect(share).to.be.within(0.08, 0.3);
    await view.click(0.5, 0.5, '3d');
    const { model } = view.element;
    expect(model.labels[0].selected).to.equal(70_000);
    const { z, y, x } = model.cursor;
    expect(Math.hypot(z - 11.5, y - 11.5, x - 11.5)).to.be.closeTo(9, 1.2);
    await view.click(0.5, 0.05, '3d');
    expect(model.labels[0].selected, 'nothing is seen there').to.equal(70_000);
  });

  it('follow edits', async () => {
    const view = await stack();
    const { labels } = view.element.model.labels[0];
    const before = view.litShare('3d');
    labels.data.fill(0, 0, 12 * 24 * 24);
    labels.touch([0, 0, 0, 12, 24, 24]);
    await view.element.settled();
    expect(view.litShare('3d')).to.be.lessThan(before * 0.95);
    labels.data.fill(0);
    labels.touch();
    await view.element.settled();
    expect(view.litShare('3d')).to.equal(0);
  });

  it('end at the crop box', async () => {
    const view = await stack();
    view.element.model.setView({ crop: [0, 0, 0, 24, 24, 4] });
    await view.element.settled();
    const share = view.litShare('3d');
    expect(share).to.be.within(0.001, 0.08);
    await view.click(0.5, 0.5, '3d');
    expect(view.element.model.labels[0].selected).to.equal(0);
  });

  it('are painted on with a ball', async () => {
    const view = await stack();
    const editor = await view.element.editing();
    const { model } = view.element;
    model.update(model.labels[0].id, { selected: 5 });
    view.element.tool = 'paint';
    await view.element.updateComplete;
    editor.brush = 5;
    await view.drag([0.5, 0.5], [0.52, 0.5], '3d');
    const painted = model.labels[0].labels.data.filter((id) => id === 5).length;
    expect(painted).to.be.within(40, 400);
    await view.element.undo();
    expect(model.labels[0].labels.data.includes(5)).to.equal(false);
  });
});
