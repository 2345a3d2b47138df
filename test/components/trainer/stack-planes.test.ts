import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planeOf, planesOf } from '../../../components/trainer/stack-planes.ts';

/** A stack whose samples tell their place: 100 z + 10 y + x; one cell in its middle. */
const stack = (() => {
  const shape = [3, 4, 6] as const;
  const samples = new Float32Array(72);
  const labels = new Uint32Array(72);
  for (let z = 0, i = 0; z < 3; z++)
    for (let y = 0; y < 4; y++)
      for (let x = 0; x < 6; x++, i++) {
        samples[i] = 100 * z + 10 * y + x;
        if (z === 1 && y === 2 && x > 1 && x < 5) labels[i] = 7;
      }
  return { channels: [samples], labels, shape, anisotropy: 2 };
})();

describe('planes of a stack', () => {
  it('are cut in three orientations; planes across z are stretched to square pixels', () => {
    const xy = planeOf(stack, 'xy', 1);
    assert.deepEqual(xy.shape, [4, 6]);
    assert.deepEqual([...xy.channels[0].subarray(0, 7)], [100, 101, 102, 103, 104, 105, 110]);
    const xz = planeOf(stack, 'xz', 2);
    assert.deepEqual(xz.shape, [6, 6]);
    const column = Array.from({ length: 6 }, (_, row) => xz.channels[0][row * 6 + 3]);
    assert.deepEqual(column, [23, 48, 98, 148, 198, 223]);
    assert.deepEqual(
      Array.from({ length: 6 }, (_, row) => xz.labels[row * 6 + 3]),
      [0, 0, 7, 7, 0, 0],
    );
    const yz = planeOf(stack, 'yz', 3);
    assert.deepEqual(yz.shape, [6, 4]);
    assert.deepEqual([...yz.channels[0].subarray(0, 4)], [3, 13, 23, 33]);
  });

  it('are taken where cells are, at most three in each orientation', () => {
    const planes = planesOf(stack);
    assert.deepEqual(
      planes.map(({ orientation, at }) => `${orientation} ${at}`),
      ['xy 1', 'xz 2', 'yz 2', 'yz 4'],
    );
    assert.ok(planes.every(({ labels }) => labels.includes(7)));
  });
});
