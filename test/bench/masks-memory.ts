/** Prints the bytes per pixel that flows → labels takes at its peak beyond the inputs, on Linux: argument 2d or 3d. */
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { labelsFromFlows } from '../../workers/segmentation/masks/labels-from-flows.ts';
import { balls, dense, tiled } from './flow-grids.ts';
import { forgetPeak, memoryOf } from './process-memory.ts';

const kernels = await WasmKernels.create();
const parameters = {
  cellprobThreshold: 0,
  flowThreshold: 0.4,
  minSize: 15,
  maxSizeFraction: 0.4,
  niter: 200,
};
// Code is compiled and small pools are filled before the measurement.
const small = dense();
labelsFromFlows(small.dP, small.cellprob, small.shape, parameters, { kernels });
const grid = process.argv[2] === '3d' ? balls([128, 512, 512]) : tiled(small, 5);
delete grid.labels;
globalThis.gc?.();
const before = memoryOf(process.pid).now;
// Making the inputs took more than the labels may.
forgetPeak(process.pid);
labelsFromFlows(grid.dP, grid.cellprob, grid.shape, parameters, { kernels });
console.log(((memoryOf(process.pid).peak - before) / grid.cellprob.length).toFixed(1));
