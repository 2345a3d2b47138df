/**
 * What measuring costs: all cells of a large plane and of a stack (the demo's labels, tiled), against one more pass over
 * the voxels, and the update after one cell was edited against measuring all. `npm run bench:measure`
 */
import { readFile } from 'node:fs/promises';
import { parseFilter } from '../../core/measure/filter.ts';
import { type MeasurementInput, measureLabels, updateMeasurements } from '../../core/measure/measurements.ts';
import { orderedRows } from '../../core/measure/row-order.ts';
import type { Shape3, Volume } from '../../core/volume.ts';
import { openImage } from '../../workers/io/open.ts';

async function demo(name: string): Promise<Volume> {
  const bytes = await readFile(new URL(`../../demo/data/${name}`, import.meta.url));
  return (await openImage({ name, path: name, blob: new Blob([bytes]) })).readVolume();
}

/** The labels `across` × `across` times side by side in the plane, each copy with numbers of its own. */
function tiled({ data, shape }: Volume, across: number): { labels: Uint32Array; shape: Shape3 } {
  const [, , nz, ny, nx] = shape;
  let largest = 0;
  for (const label of data) largest = Math.max(largest, label);
  const [height, width] = [ny * across, nx * across];
  const labels = new Uint32Array(nz * height * width);
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const label = data[(z * ny + (y % ny)) * nx + (x % nx)];
        const copy = Math.floor(y / ny) * across + Math.floor(x / nx);
        if (label > 0) labels[(z * height + y) * width + x] = copy * largest + label;
      }
    }
  }
  return { labels, shape: [nz, height, width] };
}

/** Least processor time of a few runs, milliseconds. */
function cost(work: () => unknown, runs = 3): number {
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < runs; k++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

for (const [name, across] of [
  ['nuclei-2d-labels.png', 15],
  ['embryo-3d-labels.tif', 4],
] as const) {
  const { labels, shape } = tiled(await demo(name), across);
  const samples = Uint16Array.from(labels);
  const input: MeasurementInput = {
    labels,
    shape,
    calibration: { spacing: [1.75, 0.8, 0.8], unit: 'µm' },
    channels: [{ name: 'labels', samples }],
  };
  const all = measureLabels(input);
  const whole = cost(() => measureLabels(input));
  const pass = cost(() => {
    let sum = 0;
    for (let i = 0; i < labels.length; i++) sum += labels[i];
    return sum;
  });
  const at = labels.indexOf(all.ids[all.ids.length >> 1]);
  const [z, y, x] = [
    Math.floor(at / (shape[1] * shape[2])),
    Math.floor(at / shape[2]) % shape[1],
    at % shape[2],
  ];
  labels[at] = 0;
  const update = cost(() => updateMeasurements(all, input, [z, y, x, z + 1, y + 1, x + 1]), 10);
  const sort = cost(
    () => orderedRows(all, { key: 'mean_1', descending: true }, parseFilter('solidity > 0.5', all)),
    10,
  );
  console.log(
    `${all.ids.length} cells in ${shape.join(' × ')}: all ${(whole / pass).toFixed(0)} × one pass over the voxels, ` +
      `${((1e6 * whole) / labels.length).toFixed(0)} ns a voxel; after an edit ${((100 * update) / whole).toFixed(2)} % of all; ` +
      `filter and sort ${((100 * sort) / whole).toFixed(2)} %`,
  );
}
