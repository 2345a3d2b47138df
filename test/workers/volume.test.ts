import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../core/volume.ts';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { flowsFromLabels } from '../../workers/segmentation/masks/flows-from-labels.ts';
import { stitchPlanes } from '../../workers/segmentation/masks/stitch.ts';
import { completeParameters } from '../../workers/segmentation/parameters.ts';
import { smoothFlows } from '../../workers/segmentation/preprocess/gaussian.ts';
import { mapSamples, percentileMap } from '../../workers/segmentation/preprocess/normalise.ts';
import { resizeDepth, resizePlane } from '../../workers/segmentation/preprocess/resize.ts';
import type { TileNetwork } from '../../workers/segmentation/preprocess/run-tiles.ts';
import {
  accumulateViews,
  runThreeViews,
  VIEWS,
  type ViewPlan,
  viewWork,
} from '../../workers/segmentation/preprocess/three-views.ts';
import { boxesOf, endsInOrder } from '../../workers/segmentation/volume/box-dynamics.ts';
import { PlaneReader } from '../../workers/segmentation/volume/plane-reader.ts';
import { VolumeFlows } from '../../workers/segmentation/volume/volume-flows.ts';

const kernels = await WasmKernels.create();

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Differences of neighbours as flows and the sample itself as logit: local, so that tiles and padding matter little. */
const gradient: TileNetwork = async (tiles, batch, height, width) => {
  const area = height * width;
  const out = new Float32Array(tiles.length);
  for (let b = 0; b < batch; b++) {
    const image = tiles.subarray(3 * b * area, (3 * b + 1) * area);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const i = y * width + x;
        const at = 3 * b * area + i;
        out[at] = 10 * ((image[i + (y + 1 < height ? width : 0)] ?? 0) - image[i - (y > 0 ? width : 0)]);
        out[at + area] = 10 * (image[i + (x + 1 < width ? 1 : 0)] - image[i - (x > 0 ? 1 : 0)]);
        out[at + 2 * area] = 8 * (image[i] - 0.4);
      }
    }
  }
  return out;
};

const SHAPE: Shape3 = [9, 40, 52];

/** Bright balls, flat along z by the anisotropy, as 16-bit samples. */
function balls(shape: Shape3, anisotropy: number): Uint16Array {
  const [nz, ny, nx] = shape;
  const next = random(3);
  const centres = Array.from({ length: 9 }, () => [next() * nz, next() * ny, next() * nx]);
  return Uint16Array.from({ length: nz * ny * nx }, (_, i) => {
    const [z, y, x] = [Math.floor(i / (ny * nx)), Math.floor(i / nx) % ny, i % nx];
    const nearest = Math.min(...centres.map(([a, b, c]) => Math.hypot((z - a) * anisotropy, y - b, x - c)));
    return 300 + 4000 * Math.max(0, 1 - nearest / 9) + 40 * next();
  });
}

/** The reference's way (spec §2.6, §7.1): the whole volume resized, run, summed, and resized back. */
async function byTheBook(samples: Uint16Array, shape: Shape3, plan: ViewPlan) {
  const [nz, ny, nx] = shape;
  const [depth, height, width] = plan.grid;
  const map = percentileMap(samples, shape);
  const planes = new Float32Array(nz * height * width);
  const plane = new Float32Array(ny * nx);
  for (let z = 0; z < nz; z++) {
    mapSamples(samples.subarray(z * ny * nx, (z + 1) * ny * nx), map, plane);
    resizePlane(plane, ny, nx, height, width, planes.subarray(z * height * width, (z + 1) * height * width));
  }
  const input = resizeDepth(planes, nz, height * width, depth);
  const tiles = { tile: 64, batch: 1, overlap: 0.1, augment: false };
  const { dP, cellprob } = await runThreeViews([input], plan.grid, gradient, tiles);
  const size = depth * height * width;
  return [0, 1, 2, 3].map((c) => {
    const component = c === 3 ? cellprob : dP.subarray(c * size, (c + 1) * size);
    const back = new Float32Array(depth * ny * nx);
    for (let z = 0; z < depth; z++) {
      const source = component.subarray(z * height * width, (z + 1) * height * width);
      resizePlane(source, height, width, ny, nx, back.subarray(z * ny * nx, (z + 1) * ny * nx));
    }
    return resizeDepth(back, depth, ny * nx, nz);
  });
}

test('views on the image grid are those of a volume that is resized as a whole', async () => {
  const samples = balls(SHAPE, 3);
  const map = percentileMap(samples, SHAPE);
  for (const grid of [
    [9, 40, 52],
    [29, 40, 52],
    [5, 20, 26],
    [40, 60, 78],
  ] as Shape3[]) {
    const plan: ViewPlan = { shape: SHAPE, grid, combine: 'sum', smoothing: [0, 0, 0] };
    const expected = await byTheBook(samples, SHAPE, plan);
    const flows = new VolumeFlows(SHAPE, 'single');
    const reader = new PlaneReader([samples], [map], plan);
    let tiles = 0;
    const counted: TileNetwork = (...args) => {
      tiles++;
      return gradient(...args);
    };
    const options = { tile: 64, batch: 1, overlap: 0.1, augment: false };
    await accumulateViews((view, p) => reader.read(view, p), plan, flows.components, counted, options);
    assert.equal(tiles, viewWork(plan, options).tiles);
    expected.forEach((component, c) => {
      const worst = component.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - flows.components[c][i])),
        0,
      );
      assert.ok(worst < 2e-4, `component ${c} on ${grid.join('×')} differs by ${worst}`);
    });
  }
});

test('planes of the network grid between planes of the image are not run', () => {
  const options = { tile: 64, overlap: 0.1, augment: false };
  const plan: ViewPlan = { shape: [10, 30, 30], grid: [60, 30, 30], combine: 'sum', smoothing: [0, 0, 0] };
  // Of 60 planes, each of 10 takes part of two.
  assert.equal(viewWork(plan, options).tiles, 20 + 60 * 2);
});

test('each view sees planes that are averaged with their neighbours across it', () => {
  const samples = balls(SHAPE, 3);
  const map = percentileMap(samples, SHAPE);
  for (const grid of [SHAPE, [29, 40, 52], [40, 60, 78], [5, 20, 26]] as Shape3[]) {
    const plan: ViewPlan = { shape: SHAPE, grid, combine: 'mean', smoothing: [0.6, 1.5, 1.5] };
    const reader = new PlaneReader([samples], [map], plan);
    for (const view of VIEWS) {
      const [axis, row, column] = view.axes;
      const strides = [SHAPE[1] * SHAPE[2], SHAPE[2], 1];
      const across = Math.min(SHAPE[axis], grid[axis]);
      const sigma = plan.smoothing[axis];
      const reach = Math.floor(3 * sigma + 0.5);
      for (let p = 0; p < across; p++) {
        const centre = Math.min(Math.max(0, ((p + 0.5) * SHAPE[axis]) / across - 0.5), SHAPE[axis] - 1);
        // The mean, by its definition, of the Gaussians about the two planes that the centre lies between.
        const shares = Array.from({ length: SHAPE[axis] }, (_, at) =>
          [Math.floor(centre), Math.floor(centre) + 1]
            .map((plane) => ({ distance: at - plane, weight: 1 - Math.abs(centre - plane) }))
            .filter(({ distance, weight }) => weight > 0 && Math.abs(distance) <= reach)
            .reduce(
              (sum, { distance, weight }) => sum + weight * Math.exp(-0.5 * (distance / sigma) ** 2),
              0,
            ),
        );
        const total = shares.reduce((sum, share) => sum + share, 0);
        const mean = Float32Array.from({ length: SHAPE[row] * SHAPE[column] }, (_, i) => {
          const [y, x] = [Math.floor(i / SHAPE[column]), i % SHAPE[column]];
          return shares.reduce((sum, share, at) => {
            const value = samples[at * strides[axis] + y * strides[row] + x * strides[column]];
            return sum + (share / total) * (value - map.low) * map.scale;
          }, 0);
        });
        const expected = resizePlane(mean, SHAPE[row], SHAPE[column], grid[row], grid[column]);
        const [plane] = reader.read(view, p);
        const worst = plane.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
        assert.ok(worst < 1e-5, `plane ${p} differs by ${worst}`);
      }
    }
  }
});

test('a thin view is padded to three quarters of a tile', async () => {
  const sides = new Set<string>();
  const seen: TileNetwork = (tiles, batch, height, width) => {
    sides.add(`${height}×${width}`);
    return gradient(tiles, batch, height, width);
  };
  const samples = balls(SHAPE, 3);
  const plan: ViewPlan = { shape: SHAPE, grid: SHAPE, combine: 'mean', smoothing: [0, 0, 0] };
  const reader = new PlaneReader([samples], [percentileMap(samples, SHAPE)], plan);
  const options = { tile: 256, batch: 1, overlap: 0.1, augment: false };
  const run = async (sides?: { step: number; largest: number }) => {
    const flows = new VolumeFlows(SHAPE, 'single');
    await accumulateViews((view, p) => reader.read(view, p), plan, flows.components, seen, {
      ...options,
      ...(sides ? { sides } : {}),
    });
    return flows;
  };
  const cut = await run({ step: 32, largest: 256 });
  assert.deepEqual([...sides], ['192×192']);
  const whole = await run();
  // A network that looks one pixel far gives the same for both.
  for (let c = 0; c < 4; c++)
    for (let i = 0; i < 9 * 40 * 52; i++)
      assert.ok(Math.abs(cut.components[c][i] - whole.components[c][i]) < 1e-4);
});

/** Flows toward the centres of balls, with noise, as the network would give them. */
function noisyFlows(shape: Shape3, seed: number) {
  const [nz, ny, nx] = shape;
  const size = nz * ny * nx;
  const next = random(seed);
  const labels = new Uint32Array(size);
  for (let label = 1; label <= 12; label++) {
    const [a, b, c] = [next() * nz, next() * ny, next() * nx];
    const radius = 4 + 5 * next();
    for (let i = 0; i < size; i++) {
      const [z, y, x] = [Math.floor(i / (ny * nx)), Math.floor(i / nx) % ny, i % nx];
      if (Math.hypot(z - a, y - b, x - c) < radius) labels[i] = label;
    }
  }
  const flows = new VolumeFlows(shape, 'single');
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const compact = labels.map((label) => present.indexOf(label));
  const unit = flowsFromLabels(compact, shape);
  for (let axis = 0; axis < 3; axis++)
    for (let i = 0; i < size; i++) flows.components[axis][i] = 5 * unit[axis * size + i] + 4 * (next() - 0.5);
  for (let i = 0; i < size; i++) flows.components[3][i] = (compact[i] > 0 ? 3 : -3) + 6 * (next() - 0.5);
  return flows;
}

test('boxes are about cubes that fit, small volumes are one', () => {
  assert.deepEqual(boxesOf([40, 64, 64]).counts, [1, 1, 1]);
  for (const shape of [
    [256, 512, 512],
    [512, 512, 512],
    [2000, 128, 128],
    [20, 9000, 9000],
  ] as const) {
    const { counts, bytes } = boxesOf(shape);
    assert.ok(bytes <= 320 * 2 ** 20, `${bytes} bytes of ${shape}`);
    const lengths = shape.map((length, axis) => length / counts[axis]);
    // What is followed again in the margins of neighbours.
    const grown = lengths.reduce(
      (all, length, axis) => all * Math.min(1 + 24 / length, shape[axis] / length),
      1,
    );
    assert.ok(grown < 1.6, `${shape} in boxes of ${lengths}: ${grown}`);
  }
});

test('following box by box gives the ends of the whole, whatever the flows', async () => {
  for (const seed of [1, 3]) {
    const flows = noisyFlows([40, 24, 22], seed);
    for (const smoothing of [
      [0, 0, 0],
      [1, 2, 0.5],
    ] as const) {
      // Everything takes part, so that points wander far through the background.
      const parameters = { cellprobThreshold: seed === 3 ? -100 : 0, niter: 80 };
      const whole = await endsInOrder(flows, smoothing, parameters, kernels);
      for (const box of [
        [1, 24, 22],
        [9, 24, 22],
        [11, 7, 13],
      ] as const) {
        const boxes = await endsInOrder(flows, smoothing, parameters, kernels, { box });
        assert.deepEqual(boxes.index, whole.index);
        assert.deepEqual(boxes.ends, whole.ends);
      }
    }
  }
});

test('a box of smoothed flows is that part of the smoothed whole', async () => {
  const shape: Shape3 = [20, 16, 18];
  const flows = noisyFlows(shape, 5);
  const size = 20 * 16 * 18;
  const all = new Float32Array(3 * size);
  for (let axis = 0; axis < 3; axis++) all.set(flows.components[axis] as Float32Array, axis * size);
  smoothFlows(all, shape, [1.5, 1, 0.7]);
  const box = { from: [3, 0, 5] as Shape3, to: [9, 16, 12] as Shape3 };
  const part = await flows.flows(box, [1.5, 1, 0.7]);
  const byKernels = await flows.flows(box, [1.5, 1, 0.7], kernels);
  assert.deepEqual(byKernels, part);
  for (let axis = 0; axis < 3; axis++) {
    let at = 0;
    for (let z = 3; z < 9; z++)
      for (let y = 0; y < 16; y++)
        for (let x = 5; x < 12; x++) assert.equal(part[axis][at++], all[axis * size + (z * 16 + y) * 18 + x]);
  }
});

test('parameters of 3D are checked', () => {
  const check = (parameters: Partial<SegmentationParameters>) => () => completeParameters(parameters, 1);
  assert.throws(check({ flowSmoothing: -1 }), /flow smoothing/);
  assert.throws(check({ flowSmoothing: [0, 1, Number.NaN] }), /flow smoothing/);
  assert.throws(check({ planeSmoothing: -1 }), /smoothing of planes/);
  assert.throws(check({ combineViews: 'product' as 'mean' }), /combine views/);
});

test('the threshold of the cell probability follows the mode unless one is given', () => {
  const threshold = (parameters: Partial<SegmentationParameters>) =>
    completeParameters(parameters, 1).cellprobThreshold;
  assert.equal(threshold({ mode: '3d' }), -0.5);
  assert.equal(threshold({ mode: '3d', combineViews: 'sum' }), 0);
  assert.equal(threshold({ mode: 'stitch' }), 0);
  assert.equal(threshold({ mode: '3d', cellprobThreshold: 0 }), 0);
});

/** A stack of planes with discs [y, x, radius], each plane numbered by itself. */
function planesOf(planes: number[][][], side = 24): Uint32Array {
  const labels = new Uint32Array(planes.length * side * side);
  planes.forEach((discs, z) => {
    discs.forEach(([cy, cx, r], k) => {
      for (let y = 0; y < side; y++)
        for (let x = 0; x < side; x++)
          if (Math.hypot(y - cy, x - cx) < r) labels[(z * side + y) * side + x] = k + 1;
    });
  });
  return labels;
}

test('joins tell their overlap, their rival and how sure they are', () => {
  const planes = planesOf([
    [[8, 8, 6]],
    [[8, 8, 6]],
    [[8, 12, 6]],
    [
      [5, 10, 3],
      [11, 10, 4],
    ],
  ]);
  const joins: Parameters<typeof stitchPlanes>[3] & object = { joins: [] };
  const labels = stitchPlanes(planes, [4, 24, 24], 0.25, joins);
  const [same, shifted, divided] = joins.joins!;
  assert.equal(same.iou, 1);
  assert.equal(same.confidence, 1);
  assert.ok(shifted.iou < 0.6 && shifted.confidence < 0.5);
  assert.ok(divided.rival > 0, 'the other half is a rival');
  assert.deepEqual(
    joins.joins!.map(({ upper, lower }) => [upper, lower]),
    [
      [0, 1],
      [1, 2],
      [2, 3],
    ],
  );
  for (const { label, upper, lower, y, x } of joins.joins!) {
    assert.equal(labels[upper * 576 + y * 24 + x], label);
    assert.equal(labels[lower * 576 + y * 24 + x], label);
  }
});

test('a cell that misses one plane is joined again if asked for, not across two', () => {
  const cell = [8, 8, 6];
  const other = [17, 17, 5];
  const gap = planesOf([[cell, other], [other], [cell, other], [other], [other], [cell]]);
  const at = (labels: Uint32Array, z: number) => labels[z * 576 + 8 * 24 + 8];
  const plain = stitchPlanes(gap, [6, 24, 24], 0.25);
  assert.notEqual(at(plain, 0), at(plain, 2));
  const joins: NonNullable<Parameters<typeof stitchPlanes>[3]>['joins'] = [];
  const skipping = stitchPlanes(gap, [6, 24, 24], 0.25, { skipPlane: true, joins });
  assert.equal(at(skipping, 0), at(skipping, 2));
  assert.notEqual(at(skipping, 2), at(skipping, 5));
  assert.equal(joins.find(({ upper, lower }) => lower - upper === 2)?.confidence, 0.5);
  // A cell that goes on is not taken away from its plane.
  assert.equal(skipping[17 * 24 + 17], skipping[4 * 576 + 17 * 24 + 17]);
});
