import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WasmKernels } from '../../../workers/segmentation/kernels/wasm-kernels.ts';
import { controlFlows, controlFlowsNow } from '../../../workers/segmentation/masks/flow-control.ts';
import {
  diffuseLabels,
  flowErrors,
  flowsFromLabels,
  renumber,
} from '../../../workers/segmentation/masks/index.ts';
import { randomOf } from '../kernels-comparison.ts';

/** Overlapping discs, rings and lines with noisy flows: some smooth, some of no use. */
function scene(seed: number, side: number): { labels: Uint32Array; dP: Float32Array; shape: number[] } {
  const random = randomOf(seed);
  const labels = new Uint32Array(side * side);
  for (let id = 1; id <= 40; id++) {
    const [y0, x0, r, kind] = [side * random(), side * random(), 2 + 9 * random() ** 2, random()];
    for (let y = 0, i = 0; y < side; y++)
      for (let x = 0; x < side; x++, i++) {
        const distance = Math.hypot(y - y0, x - x0);
        if (kind < 0.1 ? Math.abs(y - y0) < 1 : distance < r && (kind < 0.8 || distance > r / 2))
          labels[i] = id;
      }
  }
  renumber(labels);
  const shape = [side, side];
  const dP = flowsFromLabels(labels, shape);
  for (let i = 0; i < dP.length; i++) {
    const noise = (labels[i % labels.length] % 7) / 3;
    dP[i] = 5 * dP[i] + 5 * noise * (random() - 0.5);
  }
  return { labels, dP, shape };
}

describe('flow errors held against a threshold', () => {
  it('are within their bounds, and every label is decided as by the errors themselves', async () => {
    const kernels = await WasmKernels.create();
    let [narrow, asked] = [0, 0];
    for (let seed = 0; seed < 6; seed++) {
      const { labels, dP, shape } = scene(seed, 120);
      if (seed === 5)
        for (const i of [labels.indexOf(3), labels.indexOf(4)]) dP[i] = i % 2 ? Number.NaN : 1 / 0;
      const diffused = kernels.diffuse(labels, shape);
      const errors = flowErrors(labels, dP, shape, { diffused });
      const never = controlFlowsNow(labels, dP, shape, -1, kernels);
      const known = controlFlowsNow(labels, dP, shape, 1e9, kernels);
      for (let label = 1; label < errors.length; label++) {
        if (!Number.isFinite(errors[label])) continue;
        assert.ok(never.low[label] <= errors[label] && errors[label] <= never.high[label], `label ${label}`);
        if (never.high[label] - never.low[label] < 0.05) narrow++;
      }
      // The threshold lies where it is hardest: at an error and just below.
      for (const [k, error] of errors.entries()) {
        if (k === 0 || k % 4 !== seed % 4 || !Number.isFinite(error)) continue;
        for (const threshold of [error, error * (1 - 1e-12)]) {
          asked += known.undecided(threshold).length;
          const expected = errors.map((each) => Number(!(each > threshold)));
          const decided = await controlFlows(labels, dP, shape, threshold, kernels, { known });
          assert.deepEqual([...decided.keeps(threshold)].slice(1), [...expected].slice(1), `${threshold}`);
          const fresh = controlFlowsNow(labels, dP, shape, threshold, kernels);
          assert.deepEqual(fresh.keeps(threshold), decided.keeps(threshold));
        }
      }
    }
    assert.ok(narrow > 100 && asked > 20, `${narrow} labels are narrowly bounded, ${asked} were computed`);
  });

  it('of a long line, in which heat is lost in single precision, are too', async () => {
    const kernels = await WasmKernels.create();
    const shape = [3, 900];
    const labels = new Uint32Array(2700).fill(1, 900, 1800);
    labels.fill(2, 1801, 2300);
    const dP = flowsFromLabels(labels, shape).map((flow, i) => 5 * flow * Math.cos(i));
    const errors = flowErrors(labels, dP, shape);
    for (const threshold of [0.2, errors[1], errors[2], 0.9])
      assert.deepEqual(
        [...controlFlowsNow(labels, dP, shape, threshold, kernels).keeps(threshold)].slice(1),
        [...errors.subarray(1)].map((error) => Number(!(error > threshold))),
      );
  });

  it('rest on heat that is off by no more than the bounds allow', async () => {
    const kernels = await WasmKernels.create();
    const { labels, shape } = scene(9, 100);
    const exact = diffuseLabels(labels, shape);
    const { heat, iterations } = kernels.diffuseSingle(labels, shape);
    const portion = Math.fround(1e28);
    for (let i = 0; i < heat.length; i++)
      assert.ok(
        Math.abs(heat[i] / portion - exact.heat[i]) <= 7 * iterations * 2 ** -24 * exact.heat[i] + 1e-60,
      );
  });
});
