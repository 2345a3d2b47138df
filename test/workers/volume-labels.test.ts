import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Shape3 } from '../../core/volume.ts';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { flowsFromLabels } from '../../workers/segmentation/masks/flows-from-labels.ts';
import { labelsFromFlows } from '../../workers/segmentation/masks/labels-from-flows.ts';
import { maxLabel, renumber } from '../../workers/segmentation/masks/renumber.ts';
import { smoothFlows } from '../../workers/segmentation/preprocess/gaussian.ts';
import { EndFile, endBytes } from '../../workers/segmentation/volume/end-file.ts';
import { StoredFlows, storedBytes } from '../../workers/segmentation/volume/stored-flows.ts';
import { VolumeFlows } from '../../workers/segmentation/volume/volume-flows.ts';
import { VolumeLabels } from '../../workers/segmentation/volume/volume-labels.ts';
import { openFile } from './file-on-disk.ts';
import { randomOf } from './kernels-comparison.ts';

const kernels = await WasmKernels.create();
const SHAPE: Shape3 = [24, 36, 32];
const [NZ, NY, NX] = SHAPE;
const VOXELS = NZ * NY * NX;

/** Boxes in which volumes are followed: seams in all directions, at cells of {@link atSeams}, thinner than their margin. */
const BOXES: readonly Shape3[] = [
  [12, 36, 32],
  [24, 9, 16],
  [8, 18, 8],
  [7, 10, 13],
  [24, 36, 3],
];

/** A cell for each place, by a rule. */
const cellsBy = (cell: (z: number, y: number, x: number) => number): Uint32Array => {
  const labels = Uint32Array.from({ length: VOXELS }, (_, i) =>
    cell(Math.floor(i / (NY * NX)), Math.floor(i / NX) % NY, i % NX),
  );
  renumber(labels);
  return labels;
};

/** Cells of several sizes that fill the whole, nearest centre by nearest centre, those far from any left out. */
function crowd(seed: number, cells: number, radius: number): Uint32Array {
  const random = randomOf(seed);
  const centres = Array.from({ length: cells }, () => [
    random() * NZ,
    random() * NY,
    random() * NX,
    0.6 + random(),
  ]);
  return cellsBy((z, y, x) => {
    let [nearest, least] = [0, radius];
    centres.forEach(([a, b, c, size], k) => {
      const distance = Math.hypot(z - a, y - b, x - c) / size;
      if (distance < least) [nearest, least] = [k + 1, distance];
    });
    return nearest;
  });
}

/** Bricks that touch one another exactly at the seams of boxes of these lengths. */
const atSeams = (lengths: Shape3): Uint32Array =>
  cellsBy(
    (z, y, x) =>
      1 + (Math.floor(z / lengths[0]) * 64 + Math.floor(y / lengths[1])) * 64 + Math.floor(x / lengths[2]),
  );

/** Rods and sheets through the whole: ways longer than any box, cells without an end inside one. */
const long = cellsBy((z, y, x) => {
  if (z % 10 < 2) return z < 20 ? 1000 + Math.floor(z / 10) : 0;
  return y % 11 < 6 && z % 10 > 3
    ? 1 + Math.floor(z / 10) * 20 + Math.floor(y / 11) + (x > 30 && y > 20 ? 100 : 0)
    : 0;
});

/** Flows of cells as a network gives them, with so much noise. */
function flowsOf(labels: Uint32Array, seed: number, noise: number): Float32Array[] {
  const random = randomOf(seed);
  const unit = flowsFromLabels(labels, SHAPE);
  const components = [0, 1, 2].map((axis) =>
    Float32Array.from(labels, (_, i) => 5 * unit[axis * VOXELS + i] + noise * (random() - 0.5)),
  );
  components.push(
    Float32Array.from(labels, (label) => (label > 0 ? 3 : -3) + 1.4 * noise * (random() - 0.5)),
  );
  return components;
}

const VOLUMES: ReadonlyArray<[name: string, labels: Uint32Array]> = [
  ['many small cells', crowd(1, 220, 5)],
  ['cells of several sizes', crowd(2, 40, 8)],
  ['a few cells larger than a box', crowd(3, 5, 40)],
  ['cells that touch at seams', atSeams([12, 9, 16])],
  ['cells that touch at seams in other places', atSeams([8, 18, 8])],
  ['rods and sheets through the whole', long],
];

describe('labels of flows on disk, followed box by box, are those of the whole', () => {
  for (const [k, [name, cells]] of VOLUMES.entries()) {
    it(`${name}: every voxel, in boxes of any shape`, async () => {
      let found = 0;
      for (const [noise, sigma] of [
        [0, 0],
        [6, 1],
      ]) {
        const components = flowsOf(cells, 10 + k, noise);
        const file = openFile(storedBytes(SHAPE, 'single') + endBytes(VOXELS));
        const stored = new StoredFlows(SHAPE, 'single', file);
        components.forEach((component, c) => {
          stored.write(c, { from: [0, 0, 0], to: SHAPE }, component);
        });
        const held = new VolumeFlows(SHAPE, 'single');
        components.forEach((component, c) => {
          held.components[c].set(component);
        });
        const parameters = {
          cellprobThreshold: noise > 0 ? -1 : 0,
          flowThreshold: 0,
          minSize: 15,
          maxSizeFraction: 0.1,
          niter: 60,
        };
        const larger = { ...parameters, minSize: 60 };
        const smoothing = [sigma, sigma, sigma] as const;
        const dP = new Float32Array(3 * VOXELS);
        for (let axis = 0; axis < 3; axis++) dP.set(components[axis], axis * VOXELS);
        smoothFlows(dP, SHAPE, smoothing);
        const whole = labelsFromFlows(dP, components[3], SHAPE, parameters, { kernels });
        const wholeLarger = labelsFromFlows(dP, components[3], SHAPE, larger, { kernels });
        found += maxLabel(whole);
        const ends = new EndFile(file, storedBytes(SHAPE, 'single'));
        for (const box of BOXES) {
          const onDisk = new VolumeLabels(stored, kernels, ends);
          const inBoxes = await onDisk.labels(parameters, smoothing, { box });
          assert.deepEqual(inBoxes, whole, `on disk, boxes of ${box}, noise ${noise}`);
          assert.deepEqual(await onDisk.labels(larger, smoothing), wholeLarger, 'ends read again');
        }
        const inMemory = new VolumeLabels(held, kernels);
        const box = BOXES[k % BOXES.length];
        assert.deepEqual(await inMemory.labels(parameters, smoothing, { box }), whole);
        file.close();
      }
      assert.ok(found > 0, `${found} cells in all`);
    });
  }
});
