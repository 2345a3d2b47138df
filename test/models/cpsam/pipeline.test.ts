import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseNpy } from '../../../core/npy.ts';
import { DEFAULT_PARAMETERS } from '../../../core/segmentation-parameters.ts';
import {
  averagePrecision,
  normalise,
  openNetwork,
  runTiles,
  Segmentation,
} from '../../../workers/segmentation/index.ts';
import { converted, referenceFile } from './sinks.ts';

const STEP = 4;

const array = async (name: string) => parseNpy(new Uint8Array(await referenceFile(name)));

describe('the pipeline with a converted Cellpose-SAM network, beside CellposeModel.eval', () => {
  it('gives its flows, cell probability and labels for a plane of several tiles', async (t) => {
    const model = await converted(await referenceFile('mini.pth'), 'float32');
    const network = await openNetwork(model, 'wasm');
    const { data, shape } = await array('plane.npy');
    const [height, width] = shape;
    const { tile } = model.card;
    const [plane] = normalise([data], [1, height, width], { percentile: [1, 99] });
    const flows = await runTiles([plane], height, width, network.run, {
      tile,
      batch: 1,
      overlap: 0.1,
      augment: false,
    });
    const expected = await array('plane_flows.npy');
    const [, rows, columns] = expected.shape;
    let largest = 0;
    for (let i = 0; i < expected.data.length; i++) {
      const [map, y, x] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
      const value = flows[(map * height + y * STEP) * width + x * STEP];
      largest = Math.max(largest, Math.abs(value - expected.data[i]));
    }
    t.diagnostic(`largest difference of flows and cell probability ${largest.toExponential(1)}`);
    assert.ok(largest <= 1e-3, `${largest}`);

    const parameters = { ...DEFAULT_PARAMETERS, channels: [0], flowThreshold: 0 };
    const input = { channels: [data], shape: [1, height, width] as [number, number, number] };
    const made = await Segmentation.run(input, parameters, network.run, { tile });
    const { labels } = await made.labels(parameters);
    const truth = Uint32Array.from((await array('plane_labels.npy')).data);
    const [ap] = averagePrecision(truth, labels, [0.9]).ap;
    t.diagnostic(`AP@0.9 ${ap.toFixed(3)}`);
    assert.ok(ap >= 0.9, `${ap}`);
    await network.release();
  });
});
