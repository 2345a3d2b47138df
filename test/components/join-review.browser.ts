import { expect } from '@open-wc/testing';
import { DoubtfulJoins } from 'cytopane/core.js';
import 'cytopane/define/join-review.js';
import type { CytoJoinReview } from 'cytopane/join-review.js';
import { nextEvent, scene } from './viewer-harness.ts';

/** A cell of three planes whose outline jumps between the second and the third. */
async function review() {
  const shape = [3, 16, 16];
  const data = new Uint32Array(3 * 16 * 16);
  const image = new Uint8Array(data.length);
  for (let z = 0; z < 3; z++)
    for (let y = 4; y < 10; y++)
      for (let x = 0; x < 6; x++) data[(z * 16 + y) * 16 + x + (z === 2 ? 6 : 4)] = 1;
  data.forEach((label, i) => {
    image[i] = label * 200;
  });
  const view = await scene({ images: [{ data: image, shape }], labels: [{ data, shape }] });
  const layer = view.element.model.labels[0];
  view.element.model.update(layer.id, { editable: true });
  const join = (upper: number, confidence: number) => ({
    ...{ label: 1, upper, lower: upper + 1, y: 5, x: 7, iou: 0.5, rival: 0.2, confidence },
  });
  const element = document.createElement('cyto-join-review') as unknown as CytoJoinReview;
  element.joins = new DoubtfulJoins([join(0, 0.5), join(1, 0.1)], layer.labels);
  document.body.append(element);
  await element.updateComplete;
  return { view, layer, element };
}

describe('join review', () => {
  afterEach(() => document.body.replaceChildren());

  it('shows both planes of the worst join first and splits it by S', async () => {
    const { view, layer, element } = await review();
    await view.key('j');
    expect(element.current?.upper).to.equal(1);
    expect(view.element.model.cursor.z).to.equal(1);
    expect(layer.selected).to.equal(1);
    const told = nextEvent<{ state: string; lower: number }>(element, 'cyto-join');
    await view.key('s');
    expect(await told).to.include({ state: 'split', lower: 2 });
    expect([layer.labels.at(1, 5, 7), layer.labels.at(2, 5, 7)]).to.deep.equal([1, 2]);
    expect(element.current?.upper, 'goes on').to.equal(0);
  });

  it('leaves Enter and S to a tool that is in use, and labels that are for looking only alone', async () => {
    const { view, layer, element } = await review();
    await view.key('j');
    view.element.tool = 'paint';
    await view.key('s');
    expect(layer.labels.at(2, 5, 7)).to.equal(1);
    view.element.tool = 'pan';
    view.element.readonly = true;
    await view.key('s');
    expect(layer.labels.at(2, 5, 7)).to.equal(1);
    expect(element.joins?.open).to.equal(2);
  });

  it('has no violations that axe knows', async () => {
    const { view, element } = await review();
    await view.key('j');
    await element.updateComplete;
    await expect(element as unknown as Element).to.be.accessible();
  });
});
