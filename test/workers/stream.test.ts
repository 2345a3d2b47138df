import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';
import type { Shape3, VolumeData } from '../../core/volume.ts';
import type { VoxelBox } from '../../core/voxel-box.ts';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { completeParameters } from '../../workers/segmentation/parameters.ts';
import { type RunOptions, Segmentation } from '../../workers/segmentation/segmentation.ts';
import { partsAlong, type SampleSource } from '../../workers/segmentation/volume/sample-source.ts';
import { StoredFlows, storedBytes } from '../../workers/segmentation/volume/stored-flows.ts';
import { openFile } from './file-on-disk.ts';
import { gradientNetwork, samplesOfBox } from './gradient-network.ts';

const kernels = await WasmKernels.create();
const SHAPE: Shape3 = [28, 40, 36];

/** Balls of several sizes with dim rims on an uneven ground, some of them cut by the border. */
function balls([nz, ny, nx]: Shape3): Uint16Array {
  const image = new Uint16Array(nz * ny * nx);
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        const cell = [z + 4, y + 5, x].map((p) => Math.floor(p / 13));
        const [a, b, c] = [z + 4, y + 5, x].map((p, axis) => p - 13 * cell[axis] - 6);
        const radius = 4 + ((cell[0] + 2 * cell[1] + 3 * cell[2]) % 3);
        const rim = Math.max(0, 1 - Math.hypot(a, b, c) / (radius + 1));
        image[i] = 100 + 900 * rim + ((7 * x + 3 * y + 5 * z) % 23);
      }
  return image;
}

function source(image: Uint16Array, shape: Shape3): SampleSource & { largest: number } {
  const [, ny, nx] = shape;
  return {
    shape,
    channels: 1,
    // As if a sample took so much memory that a part is seven planes thick.
    bytesPerSample: 2 ** 28 / (7 * ny * nx),
    largest: 0,
    async read(box: VoxelBox): Promise<VolumeData[]> {
      const samples = samplesOfBox(image, [ny, nx], box);
      this.largest = Math.max(this.largest, samples.length);
      return [samples];
    },
  };
}

const network = gradientNetwork(8, 0.3);

const SIDES = { tile: 64, sides: { step: 16, largest: 64 }, kernels };

async function both(parameters: Partial<SegmentationParameters>, options: RunOptions = SIDES) {
  const full = completeParameters(parameters, 1);
  const image = balls(SHAPE);
  const read = source(image, SHAPE);
  const whole = await Segmentation.run({ channels: [image], shape: SHAPE }, full, network, options);
  const streamed = await Segmentation.stream(read, full, network, {
    ...options,
    openFile: async (bytes) => openFile(bytes),
  });
  return { whole, streamed, full, read };
}

for (const [name, parameters] of [
  ['full 3D', { mode: '3d', anisotropy: 1.5, niter: 40 }],
  ['full 3D at half the scale', { mode: '3d', anisotropy: 1.3, diameter: 60, niter: 40 }],
  ['full 3D with summed views', { mode: '3d', anisotropy: 2.3, combineViews: 'sum', niter: 40 }],
  ['planes stitched', { mode: 'stitch', niter: 40 }],
] as const) {
  test(`${name}: read part by part with flows on disk, everything is that of a run on the whole`, async () => {
    const { whole, streamed, full, read } = await both(parameters);
    // Parts of this small stack are read with the planes around them that theirs are averaged with.
    assert.ok(read.largest < SHAPE[0] * SHAPE[1] * SHAPE[2] * 0.75, 'never the whole');
    const [a, b] = [await whole.labels(full), await streamed.labels(full)];
    assert.ok(a.count > 8, `${a.count} cells`);
    assert.deepEqual(b, a);
    // Where points ended is read from the file again.
    const larger = { ...full, minSize: 120 };
    assert.deepEqual(await streamed.labels(larger), await whole.labels(larger));
    const stricter = { ...full, cellprobThreshold: full.cellprobThreshold + 1 };
    assert.deepEqual(await streamed.labels(stricter), await whole.labels(stricter));
    assert.deepEqual(await streamed.confidence(b.labels, full), await whole.confidence(a.labels, full));
    assert.deepEqual(await streamed.output('cellprob'), await whole.output('cellprob'));
    streamed.dispose();
  });
}

test('the scale by the size of the cells is that of a run on the whole', async () => {
  const sizes = { below: 24, above: 60 };
  const { whole, streamed, full } = await both({ mode: 'stitch', niter: 40 }, { ...SIDES, sizes });
  assert.ok(whole.estimatedDiameter! < 24);
  assert.equal(streamed.estimatedDiameter, whole.estimatedDiameter);
  // The least size is that of cells in voxels, more than any has pixels in a plane.
  const larger = await both({ mode: 'stitch', niter: 40, minSize: 150 }, { ...SIDES, sizes });
  assert.equal(larger.whole.estimatedDiameter, whole.estimatedDiameter);
  larger.streamed.dispose();
  assert.deepEqual(await streamed.labels(full), await whole.labels(full));
  streamed.dispose();
});

test('flows in a file: boxes are written and read wherever they lie', () => {
  const shape: Shape3 = [20, 37, 33];
  const file = openFile(storedBytes(shape, 'half'));
  const flows = new StoredFlows(shape, 'half', file);
  const all = Float32Array.from({ length: 20 * 37 * 33 }, (_, i) => (i % 2048) - 1024);
  const boxes: VoxelBox[] = [
    { from: [0, 0, 0], to: [20, 37, 17] },
    { from: [0, 0, 17], to: [20, 37, 33] },
  ];
  const part = ({ from, to }: VoxelBox) => {
    const out: number[] = [];
    for (let z = from[0]; z < to[0]; z++)
      for (let y = from[1]; y < to[1]; y++)
        for (let x = from[2]; x < to[2]; x++) out.push(all[(z * 37 + y) * 33 + x]);
    return Float32Array.from(out);
  };
  for (const box of boxes) flows.write(2, box, part(box));
  for (const box of [...boxes, { from: [3, 15, 2], to: [18, 16, 32] }] as const)
    assert.deepEqual(flows.cut(2, box), part(box));
  assert.ok(flows.cut(1, boxes[0]).every((value) => value === 0));
  file.close();
});

test('parts follow each other, cover all, and are whole bricks where memory allows', () => {
  const image = source(new Uint16Array(0), [50, 300, 200]);
  const parts = partsAlong({ ...image, bytesPerSample: 2 ** 28 / (40 * 50 * 200) }, 1, 0, 16);
  assert.deepEqual(
    parts.map(({ from, to }) => [from[1], to[1]]),
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288].map((at) => [at, Math.min(300, at + 32)]),
  );
  for (const { from, to } of parts) assert.deepEqual([from[0], from[2], to[0], to[2]], [0, 0, 50, 200]);
});
