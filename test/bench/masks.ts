/**
 * `npm run bench:masks [-- --python PATH]`: flows → labels, ours with each of its kernels against the npm package
 * cellpose-js (what it supports: 2D, no quality control, no hole filling) and, where a Python with `cellpose` is found,
 * against the reference on one thread. Prints seconds and ratios of the same run, the growth with the image, and memory.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  type MaskKernels,
  plainKernels,
  type SyncMaskKernels,
} from '../../workers/segmentation/kernels/kernels.ts';
import { ThreadedKernels } from '../../workers/segmentation/kernels/threaded-kernels.ts';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { fillHolesAndRemoveSmall } from '../../workers/segmentation/masks/fill-holes.ts';
import { flowErrors } from '../../workers/segmentation/masks/flow-error.ts';
import { labelsFromEnds } from '../../workers/segmentation/masks/labels-from-flows.ts';
import { MaskPipeline } from '../../workers/segmentation/masks/mask-pipeline.ts';
import { stitchPlanes } from '../../workers/segmentation/masks/stitch.ts';
import { balls, cropped, dense, type FlowGrid, tiled } from './flow-grids.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: process.env.PYTHON ?? 'python3' },
    'no-growth': { type: 'boolean' },
  },
});
const PARAMETERS = {
  cellprobThreshold: 0,
  flowThreshold: 0.4,
  minSize: 15,
  maxSizeFraction: 0.4,
  niter: 200,
};
const REPEATS = 3;

/** Functions of cellpose-js, which it does not export. */
const peer = async <T>(file: string) =>
  (await import(
    new URL(`../../node_modules/cellpose-js/dist/postprocess/${file}`, import.meta.url).href
  )) as T;
type OnGrid<T extends unknown[]> = (
  dP: Float32Array,
  cellprob: Float32Array,
  height: number,
  width: number,
  ...rest: T
) => unknown;
const { computeMasks } = await peer<{ computeMasks: OnGrid<[options: object]> }>('compute_masks.js');
const { followFlows } = await peer<{ followFlows: OnGrid<[threshold: number, niter: number]> }>(
  'follow_flows.js',
);

/** Best of some runs, in seconds. */
async function best<T>(work: () => T | Promise<T>, repeats = REPEATS): Promise<[seconds: number, value: T]> {
  let least = Number.POSITIVE_INFINITY;
  let value: T | undefined;
  for (let k = 0; k < repeats; k++) {
    const started = performance.now();
    value = await work();
    least = Math.min(least, (performance.now() - started) / 1000);
  }
  return [least, value as T];
}

const text = (seconds: number | undefined) => (seconds === undefined ? '–' : seconds.toFixed(3)).padStart(9);
const ratio = (theirs: number | undefined, ours: number) =>
  theirs === undefined ? '' : `${(theirs / ours).toFixed(1)}×`;

/** Seconds per stage and in total with QC. */
async function stages({ dP, cellprob, shape }: FlowGrid, kernels: MaskKernels, repeats = REPEATS) {
  const [dynamics, { index, ends }] = await best(
    () => kernels.follow(dP, cellprob, shape, PARAMETERS),
    repeats,
  );
  const [clustering, labels] = await best(() => labelsFromEnds(index, ends, shape, 0.4), repeats);
  const [control] =
    shape.length === 2
      ? await best(async () => flowErrors(labels, dP, shape, await kernels.diffuse(labels, shape)), repeats)
      : [0];
  const [cleaning] = await best(() => fillHolesAndRemoveSmall(labels.slice(), shape, 15), repeats);
  const [total, final] = await best(
    () => new MaskPipeline(dP, cellprob, shape, kernels).labels(PARAMETERS),
    repeats,
  );
  return { dynamics, clustering, control, cleaning, total, cells: new Set(final).size - 1 };
}

function npy(array: Float32Array | Uint32Array, shape: readonly number[]): Buffer {
  const type = array instanceof Float32Array ? '<f4' : '<u4';
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const padded = `${header.padEnd(117)}\n`;
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  return Buffer.concat([
    start,
    Buffer.from(padded, 'latin1'),
    Buffer.from(array.buffer, array.byteOffset, array.byteLength),
  ]);
}

const one = dense();
const grids: Record<string, FlowGrid> = {
  '1024²': one,
  '2048²': tiled(one, 2),
  '64×256×256': balls([64, 256, 256]),
};
const planes = balls([64, 256, 256], true).labels!;

type Times = Record<string, { dynamics: number; total: number }> & { stitch?: number };
function reference(): Times | undefined {
  const known = spawnSync(values.python, ['-c', 'import cellpose']).status === 0;
  if (!known) {
    console.log(`No Python with cellpose (${values.python}): the reference is not timed.`);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'cytopane-bench-'));
  try {
    const names = Object.keys(grids).map((_, k) => `grid${k}`);
    Object.values(grids).forEach(({ dP, cellprob, shape }, k) => {
      writeFileSync(join(folder, `grid${k}-dP.npy`), npy(dP, [shape.length, ...shape]));
      writeFileSync(join(folder, `grid${k}-cellprob.npy`), npy(cellprob, shape));
    });
    writeFileSync(join(folder, 'planes.npy'), npy(planes, [64, 256, 256]));
    const script = fileURLToPath(new URL('reference_masks.py', import.meta.url));
    const output = execFileSync(values.python, [script, folder, names.join(',')], { encoding: 'utf8' });
    const times = JSON.parse(output.trim().split('\n').at(-1) ?? '{}') as Record<string, never>;
    return Object.fromEntries(
      Object.entries(times).map(([name, entry]) => [
        name === 'stitch' ? name : Object.keys(grids)[Number(name.slice(4))],
        entry,
      ]),
    ) as Times;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const wasm = await WasmKernels.create();
const threads = await ThreadedKernels.create({
  threads: cpus().length,
  workerUrl: new URL('../../dist/kernels.worker.js', import.meta.url),
});
const theirs = reference();
console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}; seconds, best of ${REPEATS}\n`);

for (const [name, grid] of Object.entries(grids)) {
  const { shape, dP, cellprob } = grid;
  console.log(`${name}${' '.repeat(22 - name.length)} dynamics  clusters        QC  cleaning     total`);
  const plain = await stages(grid, plainKernels as SyncMaskKernels, 1);
  const single = await stages(grid, wasm);
  const several = await stages(grid, threads);
  const print = (title: string, { dynamics, clustering, control, cleaning, total }: typeof plain) =>
    console.log(
      `  ${title.padEnd(20)}${[dynamics, clustering, control, cleaning, total].map(text).join(' ')}`,
    );
  print('TypeScript', plain);
  print('WASM, 1 thread', single);
  print(`WASM, ${threads.threads} threads`, several);
  if (shape.length === 2) {
    const [height, width] = shape;
    const [peerMasks] = await best(
      () =>
        computeMasks(dP, cellprob, height, width, { niter: 200, cellprobThreshold: 0, maxSizeFraction: 0.4 }),
      1,
    );
    const masked = dP.map((flow, i) => (cellprob[i % cellprob.length] > 0 ? flow / 5 : 0));
    const [peerDynamics] = await best(() => followFlows(masked, cellprob, height, width, 0, 200), 1);
    const alike = single.dynamics + single.clustering;
    console.log(
      `  ${'cellpose-js'.padEnd(20)}${text(peerDynamics)} ${' '.repeat(29)} ${text(peerMasks)} (no QC)`,
    );
    console.log(
      `  WASM, 1 thread against cellpose-js: dynamics ${ratio(peerDynamics, single.dynamics)}, dynamics and clusters ${ratio(peerMasks, alike)}`,
    );
  }
  const known = theirs?.[name];
  if (known) {
    console.log(
      `  ${'cellpose (Python)'.padEnd(20)}${text(known.dynamics)} ${' '.repeat(29)} ${text(known.total)}`,
    );
    console.log(
      `  WASM, 1 thread against cellpose: dynamics ${ratio(known.dynamics, single.dynamics)}, total ${ratio(known.total, single.total)}`,
    );
  }
  console.log(`  ${single.cells} cells\n`);
}

const [stitching] = await best(() => stitchPlanes(planes, [64, 256, 256], 0.25));
console.log(
  `stitching 64×256×256     ${text(stitching)}${theirs?.stitch ? `, cellpose ${text(theirs.stitch)} (${ratio(theirs.stitch, stitching)})` : ''}\n`,
);

if (!values['no-growth']) {
  console.log('growth, WASM, 1 thread, total with QC');
  const points: [pixels: number, seconds: number][] = [];
  for (const side of [512, 1024, 2048, 4096, 8192]) {
    const grid = side < 1024 ? cropped(one, side) : tiled(one, side / 1024);
    const [seconds] = await best(
      () => new MaskPipeline(grid.dP, grid.cellprob, grid.shape, wasm).labels(PARAMETERS),
      side > 2048 ? 1 : REPEATS,
    );
    points.push([side * side, seconds]);
    console.log(
      `  ${`${side}²`.padEnd(8)}${text(seconds)}  ${((1e6 * seconds) / (side * side)).toFixed(3)} s per megapixel`,
    );
  }
  const logs = points.map(([n, s]) => [Math.log(n), Math.log(s)] as const);
  const mean = (k: 0 | 1) => logs.reduce((sum, point) => sum + point[k], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const slope =
    logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) /
    logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  console.log(`  exponent ${slope.toFixed(3)} (1 is linear in pixels)\n`);
}
threads.dispose();

for (const [kind, unit] of [
  ['2d', 'pixel'],
  ['3d', 'voxel'],
] as const) {
  const script = fileURLToPath(new URL('masks-memory.ts', import.meta.url));
  const output = execFileSync(process.execPath, ['--expose-gc', '--import=tsx', script, kind], {
    encoding: 'utf8',
  });
  console.log(`memory beyond the inputs, ${kind}: ${output.trim()} bytes per ${unit}`);
}
if (!existsSync(new URL('../../../shared/fixtures', import.meta.url)))
  console.log('The dense fixture is not on this machine: discs of this script took its place.');
