import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flowColor, networkOutput } from '../../workers/segmentation/network-output.ts';

describe('output of the network as samples', () => {
  it('has the colours of the wheel of Cellpose', () => {
    // dx_to_circ of cellpose 4.2.1.1 for flows of length 1 where the 99th percentile is 1.
    const expected: Array<[number, number, number[]]> = [
      [0.1987, 0.9801, [102, 248, 31]],
      [0.8335, 0.5525, [21, 241, 119]],
      [0.9801, -0.1987, [2, 168, 211]],
      [0.5525, -0.8335, [57, 70, 254]],
      [-0.1987, -0.9801, [152, 6, 223]],
      [-0.8335, -0.5525, [233, 13, 135]],
      [-0.9801, 0.1987, [252, 86, 43]],
      [-0.5525, 0.8335, [197, 184, 0]],
    ];
    for (const [dY, dX, color] of expected) {
      flowColor(dY, dX, [0, 1]).forEach((value, c) => {
        assert.ok(Math.abs(value - color[c]) <= 1, `${dY} ${dX}: ${value} and ${color[c]}`);
      });
    }
    assert.deepEqual(flowColor(0, 0, [0, 1]), [0, 0, 0]);
  });

  it('keeps the planes in place', async () => {
    const planes = {
      shape: [2, 1, 2] as const,
      cellprob: (z: number) => [z * 10, z * 10 + 1],
      flows: (z: number) =>
        [
          [z === 0 ? 1 : 0, 0],
          [0, z === 0 ? 0 : 1],
        ] as const,
    };
    const { data } = await networkOutput(planes, 'cellprob');
    assert.deepEqual([...data], [0, 1, 10, 11]);
    const colors = await networkOutput(planes, 'flows');
    assert.equal(colors.data.length, 12);
    const voxel = (i: number) => [colors.data[i], colors.data[4 + i], colors.data[8 + i]];
    assert.deepEqual(voxel(0), flowColor(1, 0, [0, 1]));
    assert.deepEqual(voxel(1), [0, 0, 0]);
    assert.deepEqual(voxel(3), flowColor(0, 1, [0, 1]));
  });
});
