import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VoxelBox } from '../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../core/volume.ts';
import { BlockLabels, planBlocks, segmentBlocks } from '../../workers/segmentation/volume/blocks.ts';

const SHAPE: Shape3 = [36, 72, 60];

function cut(all: Uint32Array, [, ny, nx]: Shape3, { from, to }: VoxelBox): Uint32Array {
  const out: number[] = [];
  for (let z = from[0]; z < to[0]; z++)
    for (let y = from[1]; y < to[1]; y++)
      for (let x = from[2]; x < to[2]; x++) out.push(all[(z * ny + y) * nx + x]);
  return Uint32Array.from(out);
}

const lengths = ({ from, to }: VoxelBox) => to.map((at, axis) => at - from[axis]) as unknown as Shape3;

test('a cell in several blocks is one, cells that only touch at a seam stay two', () => {
  const shape: Shape3 = [1, 8, 8];
  const blocks = planBlocks(shape, [1, 4, 4], 2);
  // A ring through all four blocks, and in the right half a cell that ends at the seam.
  const truth = new Uint32Array(64);
  for (let y = 1; y < 7; y++)
    for (let x = 1; x < 7; x++) if (y === 1 || y === 6 || x === 1 || x === 6) truth[y * 8 + x] = 1;
  for (let x = 2; x < 4; x++) truth[3 * 8 + x] = 2;
  for (let x = 4; x < 6; x++) truth[3 * 8 + x] = 3;
  const labels = new BlockLabels(shape);
  blocks.forEach((block, k) => {
    // Every block numbers its cells in its own way.
    const own = cut(truth, shape, block.box).map((label) => (label === 0 ? 0 : 1 + ((label + k) % 3)));
    labels.add(block, own);
  });
  assert.deepEqual([...labels.finish().labels], [...truth]);
});

test('cancelling between blocks is heard', async () => {
  const stop = new AbortController();
  let runs = 0;
  const work = segmentBlocks(
    SHAPE,
    planBlocks(SHAPE, [18, 40, 40], 4),
    async ({ box }) => {
      if (++runs === 3) stop.abort();
      return new Uint32Array(lengths(box).reduce((product, n) => product * n, 1));
    },
    { signal: stop.signal },
  );
  await assert.rejects(work, { kind: 'aborted' });
  assert.equal(runs, 3);
});
