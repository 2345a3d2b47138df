import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Shape3 } from '../../core/volume.ts';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { flowsFromLabels } from '../../workers/segmentation/masks/flows-from-labels.ts';
import { MaskPipeline } from '../../workers/segmentation/masks/mask-pipeline.ts';
import { averagePrecision } from '../../workers/segmentation/masks/metrics.ts';
import { renumber } from '../../workers/segmentation/masks/renumber.ts';
import { completeParameters, maskParameters } from '../../workers/segmentation/parameters.ts';
import { PlaneFlows } from '../../workers/segmentation/volume/plane-flows.ts';
import { PlaneStack } from '../../workers/segmentation/volume/plane-stack.ts';

const kernels = await WasmKernels.create();

const SHAPE: Shape3 = [6, 96, 110];
const [DEPTH, HEIGHT, WIDTH] = SHAPE;

/** Cells that nearly touch, on a lattice that shifts from plane to plane. */
function cells(z: number): Uint32Array {
  const labels = Uint32Array.from({ length: HEIGHT * WIDTH }, (_, i) => {
    const [y, x] = [Math.floor(i / WIDTH) + z, (i % WIDTH) + 2 * z];
    const inside = Math.hypot((y % 20) - 9.5, (x % 18) - 8.5) < 8.8;
    return inside ? 1 + Math.floor(y / 20) * 10 + Math.floor(x / 18) : 0;
  });
  renumber(labels);
  return labels;
}

/** What a network says of these cells, with the noise of one that is not sure. */
function outputOf(z: number): Float32Array {
  let state = 7 + z;
  const noise = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const labels = cells(z);
  const flows = flowsFromLabels(labels, [HEIGHT, WIDTH]);
  const out = new Float32Array(3 * labels.length);
  for (let i = 0; i < 2 * labels.length; i++) out[i] = 5 * flows[i] + noise();
  for (let i = 0; i < labels.length; i++) out[2 * labels.length + i] = (labels[i] ? 4 : -4) + 5 * noise();
  return out;
}

function stackOf(precision: 'single' | 'byte'): PlaneStack {
  const stack = new PlaneStack(SHAPE, precision, kernels);
  const area = HEIGHT * WIDTH;
  for (let z = 0; z < DEPTH; z++) {
    const output = outputOf(z);
    const [flows, cellprob] = [output.subarray(0, 2 * area), output.subarray(2 * area)];
    stack.adopt(z, { output, pipeline: new MaskPipeline(flows, cellprob, [HEIGHT, WIDTH], kernels) });
  }
  return stack;
}

test('values in a byte are near those in single precision, and exact in sign', () => {
  const shape: Shape3 = [1, 1, 1000];
  const values = Float32Array.from({ length: 1000 }, (_, i) => (i - 500) / 90);
  const flows = new PlaneFlows(shape, 'byte');
  flows.store(0, 1, values);
  flows.store(0, 2, values);
  for (const [read, most] of [
    [flows.flows(0).subarray(1000), 8],
    [flows.cellprob(0), 16],
  ] as const) {
    values.forEach((value, i) => {
      const step = (Math.sqrt(Math.abs(value) * most) + 0.05) / 127;
      assert.ok(Math.abs(read[i] - value) <= step, `${value} became ${read[i]}`);
      assert.equal(Math.sign(read[i]), Math.sign(value));
    });
  }
  assert.deepEqual([...flows.flows(0).subarray(0, 1000)], new Array(1000).fill(0));
  flows.store(
    0,
    0,
    Float32Array.from({ length: 1000 }, () => -100),
  );
  assert.equal(flows.flows(0)[5], -8);
});

test('labels and confidence of flows kept in bytes are those of single precision', async () => {
  const parameters = completeParameters({ mode: 'stitch' }, 1);
  const [full, packed] = [stackOf('single'), stackOf('byte')];
  for (const cellprobThreshold of [0, -2, 1]) {
    const masks = maskParameters({ ...parameters, cellprobThreshold });
    const expected = await full.stitched(masks, parameters);
    const got = await packed.stitched(masks, parameters);
    const { ap, tp, fn } = averagePrecision(expected.labels, got.labels);
    assert.ok(tp[0] + fn[0] > 25, `${tp[0] + fn[0]} cells`);
    assert.ok(ap[2] >= 0.95, `AP at 0.9 is ${ap[2]} at a threshold of ${cellprobThreshold}`);
    const differing = expected.labels.reduce(
      (sum, label, i) => sum + Number(label > 0 !== got.labels[i] > 0),
      0,
    );
    assert.ok(differing < 0.005 * expected.labels.length, `${differing} pixels differ`);
    const one = await full.confidence(expected.labels);
    const other = await packed.confidence(expected.labels);
    for (const column of ['cellprob', 'flowError'] as const)
      for (let label = 1; label < one[column].length; label++)
        assert.ok(Math.abs(one[column][label] - other[column][label]) < 0.03 * one[column][label]);
  }
  // Again and again, and after buffers were given back.
  const masks = maskParameters(parameters);
  const first = await packed.stitched(masks, parameters);
  const again = await packed.stitched(masks, parameters);
  assert.deepEqual(again.labels, first.labels);
});
