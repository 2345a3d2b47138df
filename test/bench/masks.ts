/**
 * `npm run bench:masks [-- --python PATH] [--runs N]`: flows → labels, ours with each of its kernels against the npm
 * package cellpose-js (what it supports: 2D, no quality control, no hole filling) and, where a Python with `cellpose` is
 * found, against the reference. Prints seconds per stage and ratios of this run, the growth with the image, and memory.
 * All of it takes half an hour; `--parts`, `--grids`, `--stacks` and `--kernels` choose some.
 *
 * One thread is measured by its processor time, which other work on the machine disturbs less; several threads by the
 * clock. Each figure is the best of N runs (3), or of as many as fit into 90 seconds, for ours and theirs alike.
 */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type MaskKernels, plainKernels } from '../../workers/segmentation/kernels/kernels.ts';
import { ThreadedKernels } from '../../workers/segmentation/kernels/threaded-kernels.ts';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { fillHolesAndRemoveSmall } from '../../workers/segmentation/masks/fill-holes.ts';
import { controlFlows } from '../../workers/segmentation/masks/flow-control.ts';
import { labelsFromEnds } from '../../workers/segmentation/masks/labels-from-flows.ts';
import { MaskPipeline } from '../../workers/segmentation/masks/mask-pipeline.ts';
import { stitchPlanes } from '../../workers/segmentation/masks/stitch.ts';
import {
  ballPlanes,
  balls,
  cropped,
  dense,
  type FlowGrid,
  hasDenseFixture,
  type PlaneStack,
  tiled,
} from './flow-grids.ts';
import { referenceTimes, type StageTimes } from './reference-times.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: process.env.PYTHON ?? 'python3' },
    parts: { type: 'string', default: 'grids,stacks,growth,memory' },
    grids: { type: 'string', default: '1024²,2048²,64×256×256' },
    stacks: { type: 'string', default: 'stitch 64×256×256,stitch 32×1024×1024' },
    kernels: { type: 'string', default: 'wasm,threads,plain,cellpose-js' },
    runs: { type: 'string', default: '3' },
  },
});
const PARAMETERS = {
  cellprobThreshold: 0,
  flowThreshold: 0.4,
  minSize: 15,
  maxSizeFraction: 0.4,
  niter: 200,
};

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

/** Seconds of the process's processor time. */
const processor = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const clock = () => performance.now() / 1000;

const RUNS = Number(values.runs);

/** Best of a few runs, or of as many as fit into 90 seconds. */
async function best<T>(work: () => T | Promise<T>, now: () => number): Promise<[seconds: number, value: T]> {
  let least = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let run = 1; ; run++) {
    const started = now();
    const value = await work();
    const seconds = now() - started;
    least = Math.min(least, seconds);
    sum += seconds;
    if (run === RUNS || sum >= 90) return [least, value];
  }
}

/** Times per stage and in total, and the labels. */
async function stages(
  { dP, cellprob, shape }: FlowGrid,
  kernels: MaskKernels,
  now: () => number,
): Promise<StageTimes & { labels: Uint32Array }> {
  const [dynamics, { index, ends }] = await best(() => kernels.follow(dP, cellprob, shape, PARAMETERS), now);
  const [clusters, first] = await best(() => labelsFromEnds(index, ends, shape, 0.4), now);
  const [control] =
    shape.length === 2 ? await best(() => controlFlows(first, dP, shape, 0.4, kernels), now) : [undefined];
  const [cleaning] = await best(() => fillHolesAndRemoveSmall(first.slice(), shape, 15), now);
  const [total, labels] = await best(
    () => new MaskPipeline(dP, cellprob, shape, kernels).labels(PARAMETERS),
    now,
  );
  return { dynamics, clusters, ...(control === undefined ? {} : { control }), cleaning, total, labels };
}

/** What cellpose-js has: no quality control, no filling of holes. */
async function peerStages({ dP, cellprob, shape: [height, width] }: FlowGrid): Promise<StageTimes> {
  const options = { niter: 200, cellprobThreshold: 0, maxSizeFraction: 0.4 };
  const masked = dP.map((flow, i) => (cellprob[i % cellprob.length] > 0 ? flow / 5 : 0));
  const [dynamics] = await best(() => followFlows(masked, cellprob, height, width, 0, 200), processor);
  const [total] = await best(() => computeMasks(dP, cellprob, height, width, options), processor);
  return { dynamics, total };
}

const COLUMNS = ['dynamics', 'clusters', 'control', 'cleaning', 'total'] as const;
function row(title: string, cell: (column: (typeof COLUMNS)[number]) => string): void {
  console.log(`  ${title.padEnd(26)}${COLUMNS.map((column) => cell(column).padStart(10)).join('')}`);
}
const seconds = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(3));
const ratio = (theirs: number | undefined, ours: number | undefined) =>
  theirs === undefined || ours === undefined ? '–' : `${(theirs / ours).toFixed(1)}×`;

const one = dense();
const makers: Record<string, () => FlowGrid> = {
  '1024²': () => one,
  '2048²': () => tiled(one, 2),
  '64×256×256': () => balls([64, 256, 256]),
};
const chosen = (list: string, name: string) => list.split(',').includes(name);
/** What is chosen of a part. */
const made = <T>(part: string, of: Record<string, () => T>, names: string): Record<string, T> =>
  Object.fromEntries(
    Object.keys(of)
      .filter((name) => chosen(values.parts, part) && chosen(names, name))
      .map((name) => [name, of[name]()]),
  );
const grids = made('grids', makers, values.grids);
const stackMakers: Record<string, () => PlaneStack> = {
  'stitch 64×256×256': () => ballPlanes([64, 256, 256], 8, true),
  'stitch 32×1024×1024': () => ballPlanes([32, 1024, 1024], 7, false),
};
const stacks = made('stacks', stackMakers, values.stacks);
const wasm = await WasmKernels.create();
const threads = await ThreadedKernels.create({
  threads: cpus().length,
  workerUrl: new URL('../../dist/kernels.worker.js', import.meta.url),
});
console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`);
if (!hasDenseFixture) console.log('The dense fixture is not on this machine: noisy discs take its place.');
console.log('Seconds: of processor time on one thread, by the clock on several.\n');
const reference = referenceTimes(values.python, grids, stacks, RUNS);
if (!reference) console.log(`${values.python} has no cellpose: the reference is not timed.\n`);

for (const [name, grid] of Object.entries(grids)) {
  row(name, (column) => (column === 'control' ? 'QC' : column));
  const print = (title: string, times: StageTimes) => row(title, (column) => seconds(times[column]));
  const single = await stages(grid, wasm, processor);
  print('WASM, 1 thread', single);
  if (chosen(values.kernels, 'threads'))
    print(`WASM, ${threads.threads} threads`, await stages(grid, threads, clock));
  if (chosen(values.kernels, 'plain')) print('TypeScript', await stages(grid, plainKernels, processor));
  if (grid.shape.length === 2 && chosen(values.kernels, 'cellpose-js')) {
    const theirs = await peerStages(grid);
    print('cellpose-js (no QC)', theirs);
    const alike = single.dynamics! + single.clusters!;
    row('WASM is faster, like work', (column) =>
      column === 'dynamics'
        ? ratio(theirs.dynamics, single.dynamics)
        : column === 'total'
          ? ratio(theirs.total, alike)
          : '–',
    );
  }
  const theirs = reference?.[name];
  if (theirs) {
    print('cellpose (Python)', theirs);
    row('WASM is faster', (column) => ratio(theirs[column], single[column]));
  }
  console.log(`  ${new Set(single.labels).size - 1} cells\n`);
}

for (const [name, { planes, shape, cells }] of Object.entries(stacks)) {
  const [ours] = await best(() => stitchPlanes(planes, shape, 0.25), processor);
  const theirs = reference?.[name];
  console.log(
    `${name}, up to ${cells} cells a plane: ${seconds(ours)}${theirs ? `, cellpose ${seconds(theirs.total)}: ${ratio(theirs.total, ours)} faster` : ''}`,
  );
}
console.log();

if (chosen(values.parts, 'growth')) {
  console.log('Growth, WASM, 1 thread, total with QC');
  const points: [pixels: number, seconds: number][] = [];
  // The smallest image comes first and would pay for the compiling of all.
  for (let k = 0; k < 3; k++)
    await new MaskPipeline(one.dP, one.cellprob, one.shape, wasm).labels(PARAMETERS);
  for (const side of [512, 1024, 2048, 4096, 8192]) {
    const { dP, cellprob, shape } = side < 1024 ? cropped(one, side) : tiled(one, side / 1024);
    const [time] = await best(
      () => new MaskPipeline(dP, cellprob, shape, wasm).labels(PARAMETERS),
      processor,
    );
    points.push([side * side, time]);
    console.log(
      `  ${`${side}²`.padEnd(8)}${seconds(time).padStart(9)}  ${((1e6 * time) / (side * side)).toFixed(3)} s per megapixel`,
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
  if (!chosen(values.parts, 'memory')) break;
  const script = fileURLToPath(new URL('masks-memory.ts', import.meta.url));
  const output = execFileSync(process.execPath, ['--expose-gc', '--import=tsx', script, kind], {
    encoding: 'utf8',
  });
  console.log(`Peak memory beyond the inputs, ${kind}: ${output.trim()} bytes per ${unit}`);
}
