import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SegmentationMode, VoxelBox } from '../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../core/volume.ts';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { flowsFromLabels } from '../../workers/segmentation/masks/flows-from-labels.ts';
import { completeParameters } from '../../workers/segmentation/parameters.ts';
import { percentileMap, type SampleMap } from '../../workers/segmentation/preprocess/normalise.ts';
import type { TileNetwork } from '../../workers/segmentation/preprocess/run-tiles.ts';
import { Segmentation } from '../../workers/segmentation/segmentation.ts';
import { BlockLabels, planBlocks, segmentBlocks } from '../../workers/segmentation/volume/blocks.ts';
import { sampleMaps } from '../../workers/segmentation/volume/sample-maps.ts';

const kernels = await WasmKernels.create();
const SHAPE: Shape3 = [36, 72, 60];

/**
 * Balls that do not touch, as labels, none cut by the border: there the rounding of coordinates, which depends on the size
 * of what is segmented, decides about single pixels.
 */
function balls([nz, ny, nx]: Shape3): Uint32Array {
  const labels = new Uint32Array(nz * ny * nx);
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        const cell = [z, y, x].map((p) => Math.floor(p / 12));
        const [a, b, c] = [z, y, x].map((p, axis) => p - 12 * cell[axis] - 5.5);
        const radius = 4 + ((cell[0] + 2 * cell[1] + 3 * cell[2]) % 3) / 2;
        if (Math.hypot(a, b, c) < radius) labels[i] = 1 + cell[2] + 6 * (cell[1] + 6 * cell[0]);
      }
  return labels;
}

function cut<T extends Float32Array | Uint32Array>(all: T, [, ny, nx]: Shape3, { from, to }: VoxelBox): T {
  const out: number[] = [];
  for (let z = from[0]; z < to[0]; z++)
    for (let y = from[1]; y < to[1]; y++)
      for (let x = from[2]; x < to[2]; x++) out.push(all[(z * ny + y) * nx + x]);
  return (all instanceof Float32Array ? Float32Array : Uint32Array).from(out) as T;
}

const lengths = ({ from, to }: VoxelBox) => to.map((at, axis) => at - from[axis]) as unknown as Shape3;

/** An image that is its own flows and cellprob, and a network that says what it sees. */
function idealImage(labels: Uint32Array): Float32Array[] {
  const [nz, ny, nx] = SHAPE;
  const size = nz * ny * nx;
  const channels = [0, 1, 2].map(() => new Float32Array(size));
  for (let z = 0; z < nz; z++) {
    const plane = labels.slice(z * ny * nx, (z + 1) * ny * nx);
    const ids = [...new Set(plane)].sort((a, b) => a - b);
    if (ids[0] !== 0) ids.unshift(0);
    const flows = flowsFromLabels(
      plane.map((label) => ids.indexOf(label)),
      [ny, nx],
    );
    for (let i = 0; i < ny * nx; i++) {
      channels[0][z * ny * nx + i] = 5 * flows[i];
      channels[1][z * ny * nx + i] = 5 * flows[ny * nx + i];
      channels[2][z * ny * nx + i] = plane[i] > 0 ? 4 : -4;
    }
  }
  return channels;
}
const identity: TileNetwork = async (tiles) => tiles;

/** Differences of neighbours as flows and the sample itself as logit. */
const gradient: TileNetwork = async (tiles, batch, height, width) => {
  const area = height * width;
  const out = new Float32Array(tiles.length);
  for (let b = 0; b < batch; b++) {
    const image = tiles.subarray(3 * b * area, (3 * b + 1) * area);
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++) {
        const at = 3 * b * area + i;
        out[at] = 8 * ((image[i + (y + 1 < height ? width : 0)] ?? 0) - image[i - (y > 0 ? width : 0)]);
        out[at + area] = 8 * (image[i + (x + 1 < width ? 1 : 0)] - image[i - (x > 0 ? 1 : 0)]);
        out[at + 2 * area] = 8 * (image[i] - 0.2);
      }
  }
  return out;
};

async function compare(
  mode: SegmentationMode,
  channels: Float32Array[],
  network: TileNetwork,
  maps?: SampleMap[],
) {
  const parameters = completeParameters({ mode, niter: 60 }, channels.length);
  const run = async (part: readonly Float32Array[], shape: Shape3, all: readonly SampleMap[]) => {
    const options = { tile: 128, kernels, maps: all };
    const segmentation = await Segmentation.run({ channels: part, shape }, parameters, network, options);
    return (await segmentation.labels(parameters)).labels;
  };
  const blocks = planBlocks(SHAPE, [18, 40, 40], 14);
  assert.equal(blocks.length, 8);
  const read = async (box: VoxelBox) => channels.map((channel) => cut(channel, SHAPE, box));
  const known = maps ?? (await sampleMaps(blocks, read, parameters));
  if (!maps)
    assert.deepEqual(
      known,
      channels.map((channel) => percentileMap(channel, SHAPE)),
    );
  const whole = await run(channels, SHAPE, known);
  const parts = await segmentBlocks(SHAPE, blocks, async ({ box }) =>
    run(await read(box), lengths(box), known),
  );
  return { whole, parts };
}

test('stitched block by block, an ideal network gives the labels of the whole, seams included', async () => {
  const truth = balls(SHAPE);
  const maps = [0, 1, 2].map(() => ({ low: 0, scale: 1, invert: false }));
  const { whole, parts } = await compare('stitch', idealImage(truth), identity, maps);
  assert.equal(parts.count, new Set(truth).size - 1);
  assert.deepEqual(parts.labels, whole);
});

test('full 3D block by block gives the labels of the whole', async () => {
  const truth = balls(SHAPE);
  const [, ny, nx] = SHAPE;
  const image = Float32Array.from(truth, (label, i) => {
    if (label === 0) return 0;
    const p = [Math.floor(i / (ny * nx)), Math.floor(i / nx) % ny, i % nx].map((at) => (at % 12) - 5.5);
    return 1 - Math.hypot(...p) / 7;
  });
  const { whole, parts } = await compare('3d', [image], gradient);
  assert.equal(parts.count, new Set(truth).size - 1);
  assert.deepEqual(parts.labels, whole);
});

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
