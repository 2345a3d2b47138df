/// <reference lib="dom" />
/**
 * `npm run bench:cpsam [-- --checkpoint FILE]`: a checkpoint of the size of Cellpose-SAM (made of random numbers unless
 * one is given) through the command line and through a page in headless Chromium: time and memory of the conversion, then
 * of loading the model and of computing one tile on WASM. A persistent profile is used, so that the page's file system
 * lies on disk as a visitor's does.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { chromiumFlags, findChromium } from '../../scripts/chromium.mjs';
import { startServer } from '../../scripts/static-server.mjs';
import { repository } from '../e2e/browser.ts';
import { writeFullSizeCheckpoint } from './full-size-checkpoint.ts';
import { memoryOf, processorTime } from './process-memory.ts';

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    only: { type: 'string', default: 'command,page' },
  },
});
const parts = values.only.split(',');
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

/** Looks at processes again and again: memory and time of the busiest are known after it has ended as well. */
function watch(...pids: number[]) {
  const seen = pids.map((pid) => ({ pid, peak: 0, seconds: 0 }));
  const timer = setInterval(() => {
    for (const one of seen) {
      try {
        one.seconds = processorTime(one.pid);
        // A process that has ended but was not waited for holds nothing.
        one.peak = memoryOf(one.pid).peak || one.peak;
      } catch {
        // It has ended; what was seen last stays.
      }
    }
  }, 100);
  return () => {
    clearInterval(timer);
    return seen.reduce((a, b) => (b.seconds > a.seconds ? b : a));
  };
}

async function throughCommand(checkpoint: string, folder: string): Promise<void> {
  const out = join(folder, 'model');
  const child = spawn(process.execPath, [
    join(repository, 'dist/cli/cytopane.js'),
    'convert',
    checkpoint,
    out,
  ]);
  const busiest = watch(child.pid as number);
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const begin = performance.now();
  const status = await new Promise((resolve) => child.on('close', resolve));
  if (status !== 0) throw new Error(said);
  const seen = busiest();
  const size = readdirSync(out).reduce((sum, name) => sum + statSync(join(out, name)).size, 0);
  console.log(
    `command line: ${megabytes(size)} written in ${((performance.now() - begin) / 1000).toFixed(0)} s (processor ${seen.seconds.toFixed(0)} s), ` +
      `peak ${megabytes(seen.peak)}, ${(seen.peak / size).toFixed(2)} × the output`,
  );
  rmSync(out, { recursive: true });
}

/** Runs in the page; self-contained. */
async function convertInPage(): Promise<{ id: string; size: number }> {
  const { ModelLibrary }: typeof import('../../workers/models/client.ts') = await import(
    new URL('/dist/model-library.js', location.href).href
  );
  const library = new ModelLibrary();
  const [file] = document.querySelector('input')?.files ?? [];
  const { id } = await library.add(file);
  const files = await library.files(id);
  library.dispose();
  return { id, size: [...files.values()].reduce((sum, { size }) => sum + size, 0) };
}

/** Runs in the page; self-contained. */
async function runInPage(model: string) {
  const { SegmentationClient }: typeof import('../../workers/segmentation/client.ts') = await import(
    new URL('/dist/segmentation-client.js', location.href).href
  );
  const { createVolume }: typeof import('../../core/index.ts') = await import(
    new URL('/dist/core.js', location.href).href
  );
  const client = new SegmentationClient();
  // What one tile takes with its margins.
  const side = 240;
  const data = Uint8Array.from(
    { length: side * side },
    (_, i) => 120 + 100 * Math.sin(i / 7) * Math.cos(i / 1700),
  );
  const volume = createVolume({ data, shape: [side, side] });
  const times: { phase: string; at: number }[] = [];
  const begin = performance.now();
  const result = await client.run(
    volume,
    {},
    {
      model,
      backend: 'wasm',
      onProgress: ({ phase, value }) =>
        times.push({ phase: `${phase} ${value}`, at: performance.now() - begin }),
    },
  );
  const tile = times.filter(({ phase }) => phase.startsWith('network')).map(({ at }) => at);
  return {
    ready: tile[0] / 1000,
    tile: (tile[tile.length - 1] - tile[0]) / 1000,
    verified: result.backend.verified,
    threads: result.backend.threads,
  };
}

async function throughPage(checkpoint: string, folder: string): Promise<void> {
  const server = await startServer({ '/': repository }, { isolated: true });
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: findChromium(),
    args: [...chromiumFlags],
  });
  const open = async () => {
    const page = await context.newPage();
    page.setDefaultTimeout(0);
    await page.addInitScript('globalThis.__name = (named) => named');
    await page.goto(`${server.origin}/test/evaluate/page.html`);
    const browser = await context.browser()?.newBrowserCDPSession();
    const processes = browser ? (await browser.send('SystemInfo.getProcessInfo')).processInfo : [];
    const renderers = processes.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    return { page, busiest: watch(...renderers) };
  };
  try {
    const first = await open();
    await first.page.evaluate(() => {
      document.body.innerHTML = '<input type="file">';
    });
    await first.page.setInputFiles('input', checkpoint);
    const begin = performance.now();
    const { id, size } = await first.page.evaluate(convertInPage);
    const seconds = (performance.now() - begin) / 1000;
    const converted = first.busiest();
    console.log(
      `page: ${megabytes(size)} stored in ${seconds.toFixed(0)} s (processor ${converted.seconds.toFixed(0)} s), ` +
        `peak of its process ${megabytes(converted.peak)}, ${(converted.peak / size).toFixed(2)} × the output`,
    );
    await first.page.close();
    const second = await open();
    const { ready, tile, verified, threads } = await second.page.evaluate(runInPage, id);
    const ran = second.busiest();
    console.log(
      `page, WASM with ${threads} threads: loaded and checked by its test tensors (${verified}) in ${ready.toFixed(0)} s, ` +
        `one tile ${tile.toFixed(0)} s (processor of all ${ran.seconds.toFixed(0)} s), peak ${megabytes(ran.peak)}`,
    );
  } finally {
    await context.close();
    await server.close();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'cytopane-cpsam-'));
try {
  const made = join(folder, 'cpsam');
  if (!values.checkpoint)
    console.log(`checkpoint of random numbers: ${megabytes(await writeFullSizeCheckpoint(made))}`);
  const checkpoint = values.checkpoint ?? made;
  if (parts.includes('command')) await throughCommand(checkpoint, folder);
  if (parts.includes('page')) await throughPage(checkpoint, folder);
} finally {
  rmSync(folder, { recursive: true });
}
