import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseNpy } from '../../../core/npy.ts';
import { DEFAULT_PARAMETERS, type SegmentationParameters } from '../../../core/segmentation-parameters.ts';
import type { Shape3, VolumeData } from '../../../core/volume.ts';
import {
  averagePrecision,
  type Network,
  openNetwork,
  Segmentation,
} from '../../../workers/segmentation/index.ts';
import type { MaskKernels } from '../../../workers/segmentation/kernels/kernels.ts';
import { WasmKernels } from '../../../workers/segmentation/kernels/wasm-kernels.ts';
import { converted, referenceFile } from './sinks.ts';

const TILE = 256;

const array = async (name: string) => parseNpy(new Uint8Array(await referenceFile(name)));

/** The flows and cell probabilities that labels are made of, in the order of the planes. */
function listening(kernels: MaskKernels): { kernels: MaskKernels; heard: Float32Array[][] } {
  const heard: Float32Array[][] = [];
  return {
    heard,
    kernels: {
      name: kernels.name,
      follow: (dP, cellprob, ...rest) => {
        heard.push([dP.slice(), cellprob.slice()]);
        return kernels.follow(dP, cellprob, ...rest);
      },
      diffuse: (...args) => kernels.diffuse(...args),
    },
  };
}

/** The same image, network and parameters as in models/cpsam/reference/evaluate_reference.py. */
const EVALUATIONS: [name: string, image: string, parameters: Partial<SegmentationParameters>][] = [
  ['plane', 'plane', {}],
  ['plane_scaled', 'plane', { diameter: 24 }],
  ['volume', 'volume', { mode: '3d' }],
  ['volume_anisotropic', 'volume', { mode: '3d', anisotropy: 2 }],
  ['volume_stitched', 'volume', { mode: 'stitch', stitchThreshold: 0.25 }],
];
/** As the reference puts views together. */
const AS_REFERENCE = { combineViews: 'sum', flowSmoothing: 0, channels: [0] } as const;

describe('the pipeline with a converted Cellpose-SAM network, beside CellposeModel.eval', () => {
  let network: Network;
  let inner: MaskKernels;
  before(async () => {
    network = await openNetwork(await converted(await referenceFile('discs.pth'), 'float32'), 'wasm');
    inner = await WasmKernels.create();
  });
  after(() => network.release());

  for (const [name, file, chosen] of EVALUATIONS) {
    it(`${name}: flows, cell probability and labels`, async (t) => {
      const image = await array(`${file}.npy`);
      const shape = (image.shape.length === 2 ? [1, ...image.shape] : image.shape) as unknown as Shape3;
      const parameters = { ...DEFAULT_PARAMETERS, ...AS_REFERENCE, ...chosen };
      const { kernels, heard } = listening(inner);
      const input = { channels: [image.data as VolumeData], shape };
      const made = await Segmentation.run(input, parameters, network.run, { tile: TILE, kernels });
      const { labels } = await made.labels(parameters);

      const truth = Uint32Array.from((await array(`${name}_labels.npy`)).data);
      const [ap] = averagePrecision(truth, labels, [0.9]).ap;
      const { largest, compared } = differences(heard, shape, await array(`${name}_flows.npy`));
      t.diagnostic(
        `${compared} numbers, largest difference ${largest.toExponential(1)}, AP@0.9 ${ap.toFixed(3)}`,
      );
      assert.ok(
        truth.some((label) => label > 4),
        'the reference has cells',
      );
      assert.ok(largest <= 1e-3, `${largest}`);
      assert.ok(ap >= 0.99, `${ap}`);
    });
  }
});

/**
 * Largest difference to the reference's flows and cell probability.
 * @param heard of every plane, or of the whole volume, dP [ndim, …] and cellprob […]
 * @param expected [ndim + 1, …, rows, columns], every so many rows and columns of the image
 */
function differences(
  heard: readonly Float32Array[][],
  [nz, ny, nx]: Shape3,
  expected: { data: ArrayLike<number>; shape: readonly number[] },
): { largest: number; compared: number } {
  const maps = expected.shape[0];
  const [rows, columns] = expected.shape.slice(-2);
  const step = Math.ceil(ny / rows);
  const depth = nz / heard.length;
  let largest = 0;
  let i = 0;
  for (let map = 0; map < maps; map++) {
    for (let z = 0; z < nz; z++) {
      const [dP, cellprob] = heard[Math.floor(z / depth)];
      const values = map < maps - 1 ? dP.subarray(map * cellprob.length) : cellprob;
      for (let y = 0; y < rows; y++) {
        for (let x = 0; x < columns; x++, i++) {
          const value = values[((z % depth) * ny + y * step) * nx + x * step];
          // A comparison with what is not there must fail.
          largest = Math.max(
            largest,
            Math.abs(value - expected.data[i]) || (value === expected.data[i] ? 0 : Infinity),
          );
        }
      }
    }
  }
  assert.equal(i, expected.data.length);
  return { largest, compared: i };
}
