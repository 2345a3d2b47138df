/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { webgpuFlags } from '../../scripts/chromium.mjs';
import { startInferenceServer } from '../workers/inference-server.ts';
import { openStage, repository, type Stage } from './browser.ts';

type Segmentation = typeof import('../../workers/segmentation/index.ts');
type Report = import('../../core/segmentation-parameters.ts').BackendReport;

/** What the page of these tests holds. */
interface Bench {
  segmentation: Segmentation;
  model: Awaited<ReturnType<Segmentation['loadModel']>>;
  tile: Float32Array;
  /** GPU devices that were made. */
  devices: GPUDevice[];
  /** Largest difference of two outputs. */
  difference(a: Float32Array, b: Float32Array): number;
}

/** A page with a small model (one convolution) on the software adapter of WebGPU. */
async function openBench({ page, origin }: Stage): Promise<void> {
  await page.goto(`${origin}/test/evaluate/page.html`);
  await page.evaluate(async () => {
    const segmentation: Segmentation = await import(new URL('/dist/segmentation.js', location.href).href);
    const folder = segmentation.urlFolder(new URL('/test/workers/models/conv3/', location.href));
    const devices: GPUDevice[] = [];
    const requestDevice = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await requestDevice.apply(this, args);
      devices.push(device);
      return device;
    };
    Object.assign(globalThis, {
      bench: {
        segmentation,
        model: await segmentation.loadModel(folder),
        tile: Float32Array.from({ length: 3 * 64 * 64 }, (_, i) => Math.sin(i / 7)),
        devices,
        difference: (a: Float32Array, b: Float32Array) =>
          a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), Math.abs(a.length - b.length)),
      },
    });
  });
}

describe('backend ladder', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage({ flags: webgpuFlags });
  });
  after(() => stage.close());
  beforeEach(() => openBench(stage));

  it('computes the same tile on the next rung when the GPU is lost, and says so', async () => {
    const outcome = await stage.page.evaluate(async () => {
      const { segmentation, model, tile, devices, difference } = (globalThis as unknown as { bench: Bench })
        .bench;
      const { openNetwork, SessionTrust } = segmentation;
      const changes: Report[] = [];
      const network = await openNetwork(model, 'webgpu', {
        trust: new SessionTrust(),
        onChange: (report) => changes.push(report),
      });
      const first = network.report;
      const before = await network.run(tile, 1, 64, 64);
      // Lost in the middle of a tile.
      const during = network.run(tile, 1, 64, 64);
      for (const device of devices) device.destroy();
      const after = await during;
      const again = await network.run(tile, 1, 64, 64);
      await network.release();
      return { first, last: changes, differences: [difference(before, after), difference(after, again)] };
    });
    assert.equal(outcome.first.kind, 'webgpu');
    assert.equal(outcome.first.verified, true);
    assert.deepEqual(outcome.first.refusals, []);
    assert.match(outcome.first.adapter ?? '', /swiftshader/);
    assert.equal(outcome.last.length, 1);
    assert.equal(outcome.last[0].kind, 'wasm');
    assert.equal(outcome.last[0].verified, true);
    assert.deepEqual(
      outcome.last[0].refusals.map(({ kind, reason }) => [kind, reason]),
      [['webgpu', 'lost']],
    );
    assert.match(outcome.last[0].refusals[0].detail, /WebGPU is not used any more/);
    assert.ok(outcome.differences[0] < 1e-4, String(outcome.differences));
    assert.equal(outcome.differences[1], 0);
  });

  it('gives a GPU several tiles at once, and a slower rung one after the other', async () => {
    const outcome = await stage.page.evaluate(async () => {
      const { segmentation, model, devices, difference } = (globalThis as unknown as { bench: Bench }).bench;
      const { openNetwork, SessionTrust } = segmentation;
      const card = { ...model.card, gpu: { shaderF16: false, largestBuffer: 64 * 2 ** 20 } };
      const network = await openNetwork({ ...model, card }, 'webgpu', { trust: new SessionTrust() });
      const found = [{ kind: network.report.kind, batch: network.batch }];
      const size = 3 * 64 * 64;
      const tiles = Float32Array.from({ length: 4 * size }, (_, i) => Math.sin(i / 11));
      const together = await network.run(tiles, 4, 64, 64);
      const running = network.run(tiles, 4, 64, 64);
      for (const device of devices) device.destroy();
      const apart = await running;
      found.push({ kind: network.report.kind, batch: network.batch });
      const last = await network.run(tiles.slice(3 * size), 1, 64, 64);
      await network.release();
      return {
        found,
        differences: [difference(together, apart), difference(apart.slice(3 * size), last)],
      };
    });
    assert.deepEqual(outcome.found, [
      { kind: 'webgpu', batch: 4 },
      { kind: 'wasm', batch: 1 },
    ]);
    assert.ok(outcome.differences[0] < 1e-4, String(outcome.differences));
    assert.equal(outcome.differences[1], 0);
  });

  it('leaves a GPU that reports an error aside, as when its memory runs out, and gives no wrong numbers', async () => {
    const outcome = await stage.page.evaluate(async () => {
      const { segmentation, model, difference } = (globalThis as unknown as { bench: Bench }).bench;
      const { openNetwork, SessionTrust } = segmentation;
      const side = 128;
      const tile = Float32Array.from({ length: 3 * side * side }, (_, i) => Math.cos(i / 5));
      const wasm = await openNetwork(model, 'wasm', { trust: new SessionTrust() });
      const expected = await wasm.run(tile, 1, side, side);
      const network = await openNetwork(model, 'webgpu', { trust: new SessionTrust() });
      // Buffers that cannot be bound: WebGPU goes on without a word to its caller, and computes nothing.
      const createBuffer = GPUDevice.prototype.createBuffer;
      GPUDevice.prototype.createBuffer = function (descriptor) {
        // GPUBufferUsage.STORAGE is taken away, COPY_DST stands in where nothing is left.
        const usage = descriptor.usage & ~0x80;
        return createBuffer.call(this, { ...descriptor, usage: usage || 0x08 });
      };
      const output = await network.run(tile, 1, side, side);
      return { report: network.report, difference: difference(expected, output) };
    });
    assert.equal(outcome.difference, 0);
    assert.equal(outcome.report.kind, 'wasm');
    assert.equal(outcome.report.refusals[0].reason, 'lost');
    assert.match(outcome.report.refusals[0].detail, /buffer/i);
  });

  it('does not trust a GPU with wrong numbers, remembers it, and forgets it with another version', async () => {
    const open = () =>
      stage.page.evaluate(async () => {
        const { segmentation, model } = (globalThis as unknown as { bench: Bench }).bench;
        const network = await segmentation.openNetwork(model, 'webgpu');
        await network.release();
        return network.report;
      });
    /** A driver that computes another function. */
    await stage.page.evaluate(() => {
      const createShaderModule = GPUDevice.prototype.createShaderModule;
      GPUDevice.prototype.createShaderModule = function (descriptor) {
        return createShaderModule.call(this, {
          ...descriptor,
          code: descriptor.code.replaceAll('tanh(', 'sin('),
        });
      };
    });
    const broken = await open();
    assert.equal(broken.kind, 'wasm');
    assert.deepEqual(
      broken.refusals.map(({ kind, reason }) => [kind, reason]),
      [['webgpu', 'wrong-numbers']],
    );
    assert.match(broken.refusals[0].detail, /wrong numbers for the model’s test image \(\d+ of 768\)/);

    await openBench(stage); // the driver is whole again, but the verdict stands
    assert.equal((await open()).refusals[0].reason, 'wrong-numbers');

    const session = await stage.page.context().newCDPSession(stage.page);
    await session.send('Emulation.setUserAgentOverride', { userAgent: 'Mozilla/5.0 Chrome/999.0' });
    await openBench(stage);
    const newer = await open();
    assert.equal(newer.kind, 'webgpu');
    assert.deepEqual(newer.refusals, []);
    await session.detach();
  });

  it('asks the adapter for half floats and buffer sizes before a model is put on it', async () => {
    const reasons = await stage.page.evaluate(async () => {
      const { segmentation, model } = (globalThis as unknown as { bench: Bench }).bench;
      const found: string[] = [];
      for (const gpu of [{ shaderF16: true }, { shaderF16: false, largestBuffer: 2 ** 40 }]) {
        const network = await segmentation.openNetwork({ ...model, card: { ...model.card, gpu } }, 'webgpu');
        found.push(network.report.kind, ...network.report.refusals.map(({ reason }) => reason));
        await network.release();
      }
      return found;
    });
    assert.deepEqual(reasons, ['wasm', 'f16', 'wasm', 'limits']);
  });

  it('says what was tried where nothing works', async () => {
    const error = await stage.page.evaluate(async () => {
      const { segmentation, model } = (globalThis as unknown as { bench: Bench }).bench;
      const weights = async () => ({ graph: new Blob([new Uint8Array(100)]), externalData: [] });
      return segmentation
        .openNetwork({ ...model, weights }, 'auto')
        .catch(({ kind, message }: Error & { kind: string }) => ({ kind, message }));
    });
    assert.ok('message' in error);
    assert.equal(error.kind, 'backend');
    assert.match(error.message, /WebGPU is not used: the only GPU is emulated.*WASM is not used/);
  });
});

describe('backend ladder with threads', () => {
  it('goes to one thread where several cannot be started', { timeout: 60_000 }, async () => {
    const stage = await openStage({ isolated: true, flags: webgpuFlags });
    try {
      // The part of the runtime that starts threads cannot be loaded.
      await stage.page.route('**/ort/ort-wasm-simd-threaded.mjs', (route) => route.abort());
      await openBench(stage);
      const report = await stage.page.evaluate(async () => {
        const { segmentation, model, tile } = (globalThis as unknown as { bench: Bench }).bench;
        const network = await segmentation.openNetwork(model, 'wasm', {
          trust: new segmentation.SessionTrust(),
        });
        await network.run(tile, 1, 64, 64);
        return { report: network.report, cores: navigator.hardwareConcurrency };
      });
      assert.ok(report.cores > 1);
      assert.deepEqual([report.report.kind, report.report.threads], ['wasm', 1]);
      assert.equal(report.report.refusals[0].reason, 'failed');
      assert.ok(report.report.refusals[0].threads > 1);
    } finally {
      await stage.close();
    }
  });
});

describe('remote backend in a page', () => {
  it('computes tiles on a server of another origin, also one that hides the length of its header', {
    timeout: 60_000,
  }, async () => {
    const stage = await openStage();
    const server = await startInferenceServer({
      folder: `${repository}test/workers/models/conv3`,
      hideLength: true,
    });
    try {
      await stage.page.goto(`${stage.origin}/test/evaluate/page.html`);
      const outcome = await stage.page.evaluate(async (address) => {
        const segmentation: Segmentation = await import(new URL('/dist/segmentation.js', location.href).href);
        const { openNetwork, loadModel, urlFolder, SessionTrust } = segmentation;
        const model = await loadModel(urlFolder(new URL('/test/workers/models/conv3/', location.href)));
        const tile = Float32Array.from({ length: 3 * 64 * 64 }, (_, i) => Math.sin(i / 7));
        const outputs: Float32Array[] = [];
        const kinds: string[] = [];
        for (const backend of ['remote', 'wasm'] as const) {
          const network = await openNetwork(model, backend, { server: address, trust: new SessionTrust() });
          kinds.push(network.report.kind);
          outputs.push(await network.run(tile, 1, 64, 64));
        }
        return { kinds, equal: outputs[0].every((value, i) => value === outputs[1][i]) };
      }, server.model);
      assert.deepEqual(outcome, { kinds: ['remote', 'wasm'], equal: true });
      assert.equal(server.served, 2);
    } finally {
      await server.close();
      await stage.close();
    }
  });
});
