import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { CytoError } from '../../../core/errors.ts';
import { WasmKernels } from '../../../workers/segmentation/kernels/wasm-kernels.ts';
import {
  labelsFromFlows,
  type MaskParameters,
  returningFlows,
  sameUpToNumbering,
} from '../../../workers/segmentation/masks/index.ts';
import { convexCells, SHAPE, tiles, tissue } from '../../round-trip/convex-cells.ts';

const PARAMETERS: MaskParameters = {
  cellprobThreshold: 0,
  flowThreshold: 0,
  minSize: -1,
  maxSizeFraction: 1,
  niter: 200,
};

describe('labels → returning flows → labels is the identity for convex cells 5 pixels wide or more', () => {
  let kernels: WasmKernels;
  before(async () => {
    kernels = await WasmKernels.create();
  });

  /** With the reference's seeds. */
  async function comesBack(labels: Uint32Array, shape: readonly number[], set: string): Promise<void> {
    const dP = returningFlows(labels, shape, { kernels }).map((flow) => 5 * flow);
    const cellprob = Float32Array.from(labels, (label) => (label > 0 ? 5 : -5));
    const found = labelsFromFlows(dP, cellprob, shape, PARAMETERS, { kernels });
    assert.ok(sameUpToNumbering(labels, found), set);
  }

  it('touching', async () => {
    for (let seed = 200; seed < 212; seed++) await comesBack(convexCells(seed, 2.5, 0), SHAPE, `set ${seed}`);
  });

  it('apart, the cells among them that usual flows lose', async () => {
    for (let seed = 105; seed < 117; seed++) await comesBack(convexCells(seed, 2.5, 1), SHAPE, `set ${seed}`);
  });

  it('filling an image', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      for (const make of [tissue, tiles]) {
        const { labels, shape } = make(seed);
        await comesBack(labels, shape, `${make.name} ${seed}`);
      }
    }
  });

  it('and volumes are refused', () => {
    const volume = () => returningFlows(new Uint32Array(8), [2, 2, 2]);
    assert.throws(volume, (error) => error instanceof CytoError && error.kind === 'bad-input');
  });
});
