import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GraphBuilder } from '../../../workers/training/graph/graph-builder.ts';
import { checkMemory, peakBytes, trainingBytes } from '../../../workers/training/memory.ts';

describe('memory of a training', () => {
  it('is that of the tensors that are alive at once', () => {
    const graph = new GraphBuilder();
    graph.shapes.set('in', [10]);
    const constant = graph.floats(new Float32Array(5), [5]);
    assert.equal(constant.length > 0, true);
    // in → a → b → c: `a` is gone when `c` is made, `in` and the constant stay.
    const a = graph.add('Expand', ['in'], [100]);
    const b = graph.add('ReduceSum', [a], [20]);
    graph.add('Expand', [b], [60], {}, 'c');
    assert.equal(peakBytes(graph, ['in'], ['c']), 4 * (10 + 5 + 100 + 20));
  });

  it('grows with the part of the images that counts', () => {
    const image = {
      name: '',
      channels: [new Uint8Array()],
      shape: [1000, 1000] as const,
      labels: new Uint32Array(),
    };
    const step = { peak: 0, weights: 0 };
    const whole = trainingBytes([image, image], step);
    const region = { y: 0, x: 0, height: 100, width: 100 };
    assert.equal(whole, 36e6);
    assert.equal(trainingBytes([{ ...image, region }], step), 4e6 + 16e4);
  });

  it('is refused above the limit, with the way out', () => {
    checkMemory(1e9, 2e9);
    assert.throws(() => checkMemory(3e9, 2e9), { kind: 'too-large', message: /3\.0 GB.*2\.0 GB.*regions/ });
  });
});
