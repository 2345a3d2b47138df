/// <reference lib="dom" />
/**
 * `npm run bench:volume [-- --shape 256,512,512 --cubes 64,128,256,512]`: memory and time per stage of a 16-bit stack through
 * both modes for stacks in headless Chromium, and how the processor time of flows → labels grows with the number of voxels. The network is a
 * gradient, so that everything but the network is measured. Cells are a lattice of balls, known to the voxel.
 *
 * Memory is the peak of the page's process beyond what it held before the samples were made: samples as a page holds
 * them, the copy that a run gets, flows, labels, and what collects until memory is tidied up.
 */
import { parseArgs } from 'node:util';
import type { Shape3 } from '../../core/volume.ts';
import { openStage } from '../e2e/browser.ts';
import { forgetPeak, memoryOf, processorTime } from './process-memory.ts';

const { values } = parseArgs({
  options: {
    shape: { type: 'string', default: '256,512,512' },
    cubes: { type: 'string', default: '64,128,256,512' },
    modes: { type: 'string', default: 'stitch,3d' },
  },
});
const shape = values.shape.split(',').map(Number) as unknown as Shape3;
const cubes = values.cubes.split(',').filter(Boolean).map(Number);
const modes = values.modes.split(',').filter(Boolean) as Array<'stitch' | '3d'>;

interface Measured {
  seconds: Record<string, number>;
  ap: number;
  cells: number;
  truth: number;
}

/** Runs in the page; self-contained. */
async function runInPage({
  shape,
  mode,
  rate = true,
}: {
  shape: Shape3;
  mode: 'stitch' | '3d';
  rate?: boolean;
}): Promise<Measured> {
  const from = (name: string) => new URL(`/dist/${name}.js`, location.href).href;
  const {
    Segmentation,
    WasmKernels,
    averagePrecision,
  }: typeof import('../../workers/segmentation/index.ts') = await import(from('segmentation'));
  const { completeParameters }: typeof import('../../workers/segmentation/client.ts') = await import(
    from('segmentation-client')
  );
  const [nz, ny, nx] = shape;
  const [PITCH, RADIUS] = [32, 13];
  const inside = (z: number, y: number, x: number) =>
    Math.hypot((z % PITCH) - PITCH / 2, (y % PITCH) - PITCH / 2, (x % PITCH) - PITCH / 2);
  const samples = new Uint16Array(nz * ny * nx);
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) samples[i] = 200 + 4000 * Math.max(0, 1 - inside(z, y, x) / RADIUS);
  const network = async (tiles: Float32Array, batch: number, height: number, width: number) => {
    const area = height * width;
    const out = new Float32Array(tiles.length);
    for (let b = 0; b < batch; b++) {
      const at = 3 * b * area;
      for (let y = 1; y < height - 1; y++)
        for (let x = 1, i = at + y * width + 1; x < width - 1; x++, i++) {
          const dy = tiles[i + width] - tiles[i - width];
          const dx = tiles[i + 1] - tiles[i - 1];
          const length = Math.hypot(dy, dx);
          out[i + 2 * area] = tiles[i] > 0.02 ? 4 : -4;
          if (length < 1e-3) continue;
          out[i] = (5 * dy) / length;
          out[i + area] = (5 * dx) / length;
        }
    }
    return out;
  };
  const kernels = await WasmKernels.create();
  const parameters = completeParameters({ mode }, 1);
  const seconds: Record<string, number> = {};
  let [phase, since] = ['', performance.now()];
  const enter = (next: string) => {
    if (next === phase) return;
    (globalThis as unknown as { enterStage(stage: string): void }).enterStage(next);
    const now = performance.now();
    if (phase) seconds[phase] = (seconds[phase] ?? 0) + (now - since) / 1000;
    [phase, since] = [next, now];
  };
  const onProgress = (progress: { phase: string }) => enter(progress.phase);
  enter('network');
  const input = { channels: [samples.slice()], shape };
  const segmentation = await Segmentation.run(input, parameters, network, {
    tile: 256,
    sides: { step: 32, largest: 544 },
    kernels,
    onProgress,
  });
  input.channels = [];
  enter('masks');
  const { labels, count } = await segmentation.labels(parameters, { onProgress });
  enter('confidence');
  if (rate) await segmentation.confidence(labels, parameters, { onProgress });
  enter('');
  // Beyond this line nothing is measured; the truth is as large as the labels, so planes are compared.
  const middle = Math.floor(nz / PITCH / 2) * PITCH + PITCH / 2;
  const plane = labels.slice(middle * ny * nx, (middle + 1) * ny * nx);
  const truth = Uint32Array.from(plane, (_, i) => {
    const [y, x] = [Math.floor(i / nx), i % nx];
    if (!(1 - inside(middle, y, x) / RADIUS > 0.02)) return 0;
    return 1 + Math.floor(y / PITCH) * Math.ceil(nx / PITCH) + Math.floor(x / PITCH);
  });
  const { ap } = averagePrecision(truth, plane);
  const expected = Math.floor(nz / PITCH) * Math.floor(ny / PITCH) * Math.floor(nx / PITCH);
  return { seconds, ap: ap[0], cells: count, truth: expected };
}

async function measure(of: Shape3, mode: 'stitch' | '3d', rate = true) {
  const { page, origin, close } = await openStage({ isolated: true, flags: ['--js-flags=--expose-gc'] });
  try {
    page.setDefaultTimeout(0);
    await page.goto(`${origin}/test/evaluate/page.html`);
    const peaks = new Map<string, number>();
    /** Processor seconds of the page's process, all threads. */
    const processor = new Map<string, number>();
    let used = 0;
    let stage = 'samples';
    let watched: { pid: number; before: number } | undefined;
    const enterStage = (next: string) => {
      if (!watched) return;
      peaks.set(stage, Math.max(peaks.get(stage) ?? 0, memoryOf(watched.pid).peak - watched.before));
      const now = processorTime(watched.pid);
      processor.set(stage, (processor.get(stage) ?? 0) + now - used);
      used = now;
      forgetPeak(watched.pid);
      stage = next;
    };
    await page.exposeFunction('enterStage', enterStage);
    // What small runs load and compile is there before the measurement.
    await page.evaluate(runInPage, { shape: [32, 64, 64] as Shape3, mode });
    await page.evaluate(() => (globalThis as unknown as { gc(): void }).gc());
    const session = await page.context().browser()!.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    // The page's process is the one that grows with an array of the page.
    const before = new Map(renderers.map((id) => [id, memoryOf(id).now]));
    const held = await page.evaluateHandle(() => new Uint8Array(2 ** 28).fill(1));
    const grown = (id: number) => memoryOf(id).now - before.get(id)!;
    const pid = renderers.toSorted((a, b) => grown(b) - grown(a))[0];
    await held.dispose();
    await page.evaluate(() => (globalThis as unknown as { gc(): void }).gc());
    forgetPeak(pid);
    watched = { pid, before: memoryOf(pid).now };
    used = processorTime(pid);
    const result = await page.evaluate(runInPage, { shape: of, mode, rate });
    enterStage('');
    watched = undefined;
    const voxels = of[0] * of[1] * of[2];
    const bytes = new Map([...peaks].map(([name, peak]) => [name, peak / voxels]));
    return { ...result, bytes, processor };
  } finally {
    await close();
  }
}

for (const mode of modes) {
  const { bytes, seconds, ap, cells, truth } = await measure(shape, mode);
  const total = Object.values(seconds).reduce((sum, each) => sum + each, 0);
  const stages = Object.entries(seconds).map(
    ([name, each]) =>
      `${name} ${each.toFixed(1)} s (${Math.round((100 * each) / total)} %), ${bytes.get(name)?.toFixed(1)} bytes per voxel`,
  );
  console.log(
    `${shape.join('×')} uint16, ${mode}: ${Math.max(...bytes.values()).toFixed(1)} bytes per voxel at the peak; ${cells} cells of ${truth}, AP@0.5 in the middle plane ${ap.toFixed(3)}; ${stages.join('; ')}`,
  );
}

const points: { voxels: number; seconds: number }[] = [];
for (const side of cubes) {
  const { processor } = await measure([side, side, side], '3d', false);
  const seconds = processor.get('masks')!;
  points.push({ voxels: side ** 3, seconds });
  console.log(
    `${side}³, flows → labels: ${((seconds / side ** 3) * 1e9).toFixed(0)} ns of processor time per voxel`,
  );
}
if (points.length > 1) {
  const [first, last] = [points[0], points[points.length - 1]];
  const exponent = Math.log(last.seconds / first.seconds) / Math.log(last.voxels / first.voxels);
  console.log(`processor time grows with the number of voxels to the power of ${exponent.toFixed(2)}`);
}
