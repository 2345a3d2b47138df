import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';
import type { Shape3 } from '../../core/volume.ts';
import { anisotropySeen, chooseSlabs, crossings } from '../../workers/segmentation/cell-height.ts';
import { chooseLooks } from '../../workers/segmentation/cell-size.ts';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { completeParameters } from '../../workers/segmentation/parameters.ts';
import { percentileMap } from '../../workers/segmentation/preprocess/normalise.ts';
import type { TileNetwork } from '../../workers/segmentation/preprocess/run-tiles.ts';
import { Segmentation } from '../../workers/segmentation/segmentation.ts';
import type { SampleSource } from '../../workers/segmentation/volume/sample-source.ts';
import { openFile } from './file-on-disk.ts';
import { gradientNetwork, samplesOfBox } from './gradient-network.ts';

const kernels = await WasmKernels.create();

/** Balls on a grid with gaps, dim at the rim, of which planes are taken at a distance of `step` pixels. */
function balls(depth: number, side: number, step: number): { samples: Uint16Array; shape: Shape3 } {
  const shape: Shape3 = [Math.floor(depth / step), side, side];
  const samples = Uint16Array.from({ length: shape[0] * side * side }, (_, i) => {
    const at = [Math.floor(i / (side * side)) * step, Math.floor(i / side) % side, i % side];
    const distance = Math.hypot(...at.map((p) => ((p + 3) % 16) - 8));
    return 100 + 900 * Math.max(0, 1 - distance / 8);
  });
  return { samples, shape };
}

const network = gradientNetwork(20);

const SIDES = { tile: 64, sides: { step: 16, largest: 128 }, kernels };
const open = (parameters: Partial<SegmentationParameters> = {}) =>
  completeParameters({ mode: '3d', niter: 60, planeSmoothing: 0, ...parameters }, 1);

describe('how flat cells are', () => {
  it('counts how often one comes from one cell into another, also at the edge', () => {
    // Cells of 3 rows and 6 columns without gaps, as on an endless plane.
    const [height, width] = [31, 61];
    const labels = Uint32Array.from(
      { length: height * width },
      (_, i) => 1 + Math.floor(Math.floor(i / width) / 3) * 100 + Math.floor((i % width) / 6),
    );
    const { down, across } = crossings(labels, height, width);
    assert.ok(Math.abs(down - 1 / 3) < 1e-9 && Math.abs(across - 1 / 6) < 1e-9, `${down} ${across}`);
    assert.deepEqual(crossings(new Uint32Array(12), 3, 4), { down: 0, across: 0 });
  });

  it('says nothing of few cells, of one view, of little and of nothing', () => {
    assert.equal(anisotropySeen({ cells: 40, ratios: [1.8, 2.2] }), 1.99);
    assert.equal(anisotropySeen({ cells: 5, ratios: [1.8, 2.2] }), undefined);
    assert.equal(anisotropySeen({ cells: 40, ratios: [1.05, 3] }), undefined);
    assert.equal(anisotropySeen({ cells: 40, ratios: [1.2, 1.2] }), undefined);
    assert.equal(anisotropySeen({ cells: 40, ratios: [0.6, 0.5] }), undefined);
    assert.equal(anisotropySeen({ cells: 40, ratios: [Number.NaN, 2] }), undefined);
    assert.equal(anisotropySeen({ cells: 40, ratios: [30, 20] }), 8);
  });

  it('looks across z where a plane shows something, at slabs that keep their plane in the middle', () => {
    const shape: Shape3 = [20, 90, 120];
    const [, ny, nx] = shape;
    const samples = new Uint16Array(20 * ny * nx).fill(100);
    for (let z = 0; z < 20; z++)
      for (let y = 60; y < ny; y++)
        for (let x = 0; x < 40; x++) samples[(z * ny + y) * nx + x] = (x >> 2) % 2 ? 4000 : 100;
    const maps = [percentileMap(samples, shape)];
    const [look] = chooseLooks([samples], maps, shape);
    const slabs = chooseSlabs([samples], maps, look, { z: look.z, shape }, open({ planeSmoothing: 1.5 }));
    assert.equal(slabs.length, 8);
    for (const { view, box } of slabs) {
      const [axis] = view.axes;
      const middle = (box.from[axis] + box.to[axis] - 1) / 2;
      assert.ok(Number.isInteger(middle) && box.to[axis] - box.from[axis] <= 11);
      assert.ok(axis === 1 ? middle >= 58 : middle <= 42, `axis ${axis}: ${middle}`);
      assert.deepEqual([box.from[0], box.to[0]], [0, 20]);
    }
  });
});

describe('an image that does not tell its z step', () => {
  for (const step of [2, 3.2]) {
    it(`is stretched ${step} times if its cells are as flat as that, as if it had been asked for`, async () => {
      const { samples, shape } = balls(96, 80, step);
      const input = { channels: [samples], shape };
      const parameters = open();
      let tiles = 0;
      const counted: TileNetwork = (...args) => {
        tiles++;
        return network(...args);
      };
      let told = 0;
      const onProgress = ({ phase, total }: { phase: string; total: number }) => {
        if (phase === 'network') told = total;
      };
      const found = await Segmentation.run(input, parameters, counted, { ...SIDES, onProgress });
      assert.equal(told, tiles);
      assert.ok(Math.abs(found.estimatedAnisotropy! / step - 1) < 0.15, `${found.estimatedAnisotropy}`);
      const asked = open({ anisotropy: found.estimatedAnisotropy! });
      const given = await Segmentation.run(input, asked, network, SIDES);
      assert.equal(given.estimatedAnisotropy, undefined);
      const [a, b] = [await found.labels(parameters), await given.labels(asked)];
      assert.ok(a.count > 50, `${a.count} cells`);
      assert.deepEqual(a, b);
      assert.deepEqual(await found.confidence(a.labels, parameters), await given.confidence(b.labels, asked));
    });
  }

  it('stays as it is if its cells are as high as wide, or with views combined as the reference does', async () => {
    const round = balls(64, 80, 1);
    const kept = await Segmentation.run(
      { channels: [round.samples], shape: round.shape },
      open(),
      network,
      SIDES,
    );
    assert.equal(kept.estimatedAnisotropy, undefined);
    const flat = balls(96, 80, 3);
    const summed = open({ combineViews: 'sum' });
    assert.equal(summed.anisotropy, 1);
    const reference = await Segmentation.run(
      { channels: [flat.samples], shape: flat.shape },
      summed,
      network,
      SIDES,
    );
    assert.equal(reference.estimatedAnisotropy, undefined);
  });

  it('is seen alike when it is read part by part', async () => {
    const { samples, shape } = balls(96, 80, 3);
    const [, ny, nx] = shape;
    const source: SampleSource = {
      shape,
      channels: 1,
      bytesPerSample: 2,
      read: async (box) => [samplesOfBox(samples, [ny, nx], box)],
    };
    const parameters = open();
    const whole = await Segmentation.run({ channels: [samples], shape }, parameters, network, SIDES);
    const streamed = await Segmentation.stream(source, parameters, network, {
      ...SIDES,
      openFile: async (bytes) => openFile(bytes),
    });
    assert.ok(whole.estimatedAnisotropy! > 2);
    assert.equal(streamed.estimatedAnisotropy, whole.estimatedAnisotropy);
    assert.deepEqual(await streamed.labels(parameters), await whole.labels(parameters));
    streamed.dispose();
  });
});
