import { expect } from '@open-wc/testing';
import { scene } from './viewer-harness.ts';

/** Two cells side by side, a third below of which nothing is known. */
function cells(): Uint32Array {
  const data = new Uint32Array(64);
  for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) data[y * 8 + x] = y >= 4 ? 7 : x < 4 ? 2 : 5;
  return data;
}

describe('labels coloured by how sure the network was', () => {
  it('in planes: sure ones dark, doubtful ones bright, unknown ones grey; and by their ids again', async () => {
    const view = await scene({
      images: [{ data: new Uint8Array(64), shape: [8, 8] }],
      labels: [{ data: cells(), shape: [8, 8], attributes: { opacity: '1' } }],
    });
    const { model } = view.element;
    const { id, labels } = model.labels[0];
    const seen = () => [view.color(0.25, 0.25), view.color(0.75, 0.25), view.color(0.5, 0.75)];
    const before = seen();
    labels.supplied.set(
      'flow_error',
      new Map([
        [2, 0.1],
        [5, 0.8],
      ]),
    );
    labels.touch();
    model.update(id, { colorBy: 'flow_error' });
    await view.element.settled();
    const [sure, doubtful, unknown] = seen();
    expect(sure[2]).above(sure[0]);
    expect(doubtful[0] + doubtful[1]).above(440);
    for (const channel of unknown.slice(0, 3)) expect(channel).within(125, 130);
    model.update(id, { colorBy: 'cellprob' });
    await view.element.settled();
    expect(seen(), 'a column that is not there says nothing of any cell').eql(before);
    model.update(id, { colorBy: 'id' });
    await view.element.settled();
    expect(seen()).eql(before);
  });
});
