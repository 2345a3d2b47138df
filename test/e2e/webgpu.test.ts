/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { webgpuFlags } from '../../scripts/chromium.mjs';
import { openStage, type Stage } from './browser.ts';

describe('WebGPU', () => {
  let stage: Stage;
  before(async () => {
    stage = await openStage({ flags: webgpuFlags });
    await stage.page.goto(`${stage.origin}/test/evaluate/page.html`);
  });
  after(() => stage.close());

  // The adapter is emulated in software and hundreds of times slower than a real one: a tile of 64² pixels.
  it('gives the same output for a tile as WASM, within the tolerance of the model card', {
    timeout: 120_000,
  }, async () => {
    const outcome = await stage.page.evaluate(async () => {
      const segmentation: typeof import('../../workers/segmentation/index.ts') = await import(
        new URL('/dist/segmentation.js', location.href).href
      );
      const { builtInFolder, countMismatches, DEFAULT_MODEL, loadModel, openNetwork } = segmentation;
      const model = await loadModel(builtInFolder(DEFAULT_MODEL));
      const side = 64;
      const tile = Float32Array.from(
        { length: 3 * side * side },
        (_, i) => Math.sin(i / 7) * Math.cos(i / 311) + 0.5,
      );
      const webgpu = await openNetwork(model, 'webgpu');
      const wasm = await openNetwork(model, 'wasm');
      const ofWebgpu = await webgpu.run(tile, 1, side, side);
      const ofWasm = await wasm.run(tile, 1, side, side);
      return {
        kinds: [webgpu.report.kind, wasm.report.kind],
        verified: webgpu.report.verified,
        mismatches: countMismatches(ofWebgpu, ofWasm, model.card.tolerance),
        spread: Math.max(...ofWasm) - Math.min(...ofWasm),
        length: ofWebgpu.length,
      };
    });
    assert.deepEqual(outcome.kinds, ['webgpu', 'wasm']);
    assert.equal(outcome.verified, true);
    assert.equal(outcome.length, 3 * 64 * 64);
    assert.ok(outcome.spread > 0.1, 'the output says something');
    assert.equal(outcome.mismatches, 0);
  });

  /** Discs of 17 pixels on a grid, their flows, and what the processor makes of them. */
  const prepare = () =>
    stage.page.evaluate(async () => {
      const segmentation: typeof import('../../workers/segmentation/index.ts') = await import(
        new URL('/dist/segmentation.js', location.href).href
      );
      const [ny, nx] = [80, 100];
      const labels = new Uint32Array(ny * nx);
      for (let y = 0, i = 0; y < ny; y++)
        for (let x = 0; x < nx; x++, i++)
          if (((y % 20) - 9) ** 2 + ((x % 20) - 9) ** 2 <= 64)
            labels[i] = 1 + Math.floor(y / 20) * 5 + Math.floor(x / 20);
      const wasm = await segmentation.WasmKernels.create();
      const dP = segmentation.flowsFromLabels(labels, [ny, nx]).map((flow) => 5 * flow);
      const cellprob = Float32Array.from(labels, (label) => (label ? 5 : -5));
      const parameters = { cellprobThreshold: 0, niter: 1000 };
      const expected = wasm.follow(dP, cellprob, [ny, nx], parameters);
      const open = () =>
        segmentation.WebGpuKernels.create({ fallback: wasm, emulated: true, leastPoints: 1 });
      const follow = (kernels: { follow: typeof wasm.follow }, signal?: AbortSignal) =>
        kernels.follow(dP, cellprob, [ny, nx], parameters, signal ? { signal } : {});
      const same = (ends: Int32Array) => {
        const [own, theirs] = [ends, expected.ends].map((e) =>
          segmentation.labelsFromEnds(expected.index, e, [ny, nx], 1),
        );
        return segmentation.sameUpToNumbering(own, theirs);
      };
      Object.assign(globalThis, { probe: { segmentation, open, follow, same } });
    });
  type Kernels = import('../../workers/segmentation/index.ts').WebGpuKernels;
  type Ends = import('../../workers/segmentation/index.ts').FollowedEnds;
  interface Probe {
    segmentation: typeof import('../../workers/segmentation/index.ts');
    open(): Promise<Kernels>;
    follow(kernels: Kernels, signal?: AbortSignal): Promise<Ends>;
    same(ends: Int32Array): boolean;
  }

  it('follows flows; a GPU lost on the way is replaced by the processor', { timeout: 120_000 }, async () => {
    await prepare();
    const outcome = await stage.page.evaluate(async () => {
      const { open, follow, same } = (globalThis as unknown as { probe: Probe }).probe;
      const devices: GPUDevice[] = [];
      const { requestDevice } = GPUAdapter.prototype;
      GPUAdapter.prototype.requestDevice = async function (descriptor) {
        const device = await requestDevice.call(this, descriptor);
        devices.push(device);
        return device;
      };
      const kernels = await open();
      GPUAdapter.prototype.requestDevice = requestDevice;
      const whole = same((await follow(kernels)).ends);
      const without = kernels.obstacle === undefined;
      const running = follow(kernels);
      devices[0].destroy();
      const lost = same((await running).ends);
      const later = same((await follow(kernels)).ends);
      return { whole, without, lost, later, devices: devices.length };
    });
    assert.deepEqual(outcome, { whole: true, without: true, lost: true, later: true, devices: 1 });
  });

  it('what does not fit onto the GPU is done by the processor, and says so', {
    timeout: 120_000,
  }, async () => {
    await prepare();
    const outcome = await stage.page.evaluate(async () => {
      const { open, follow, same } = (globalThis as unknown as { probe: Probe }).probe;
      const kernels = await open();
      const { createBuffer } = GPUDevice.prototype;
      // The device runs out of memory: it is asked for more than any has.
      GPUDevice.prototype.createBuffer = function (descriptor) {
        const more = descriptor.mappedAtCreation ? descriptor : { ...descriptor, size: 2 ** 40 };
        return createBuffer.call(this, more);
      };
      const full = same((await follow(kernels)).ends);
      const obstacle = String(kernels.obstacle);
      GPUDevice.prototype.createBuffer = createBuffer;
      const again = same((await follow(kernels)).ends);
      const cleared = kernels.obstacle === undefined;
      kernels.dispose();
      return { full, obstacle, again, cleared };
    });
    assert.equal(outcome.full && outcome.again && outcome.cleared, true, JSON.stringify(outcome));
    assert.match(outcome.obstacle, /buffer|memory|size/i);
  });

  it('a cancelled job ends with aborted, the next one runs', { timeout: 120_000 }, async () => {
    await prepare();
    const outcome = await stage.page.evaluate(async () => {
      const { open, follow, same } = (globalThis as unknown as { probe: Probe }).probe;
      const kernels = await open();
      const { submit } = GPUQueue.prototype;
      const controller = new AbortController();
      let submissions = 0;
      GPUQueue.prototype.submit = function (commands) {
        submissions++;
        controller.abort();
        return submit.call(this, commands);
      };
      const kind = await follow(kernels, controller.signal).then(
        () => 'finished',
        (error) => error.kind as string,
      );
      GPUQueue.prototype.submit = submit;
      const again = same((await follow(kernels)).ends);
      const onGpu = kernels.obstacle === undefined;
      kernels.dispose();
      return { kind, submissions, again, onGpu };
    });
    assert.deepEqual(outcome, { kind: 'aborted', submissions: 1, again: true, onGpu: true });
  });

  it('an emulated GPU is not chosen', async () => {
    await prepare();
    const chosen = await stage.page.evaluate(async () => {
      const { segmentation } = (globalThis as unknown as { probe: Probe }).probe;
      return (await segmentation.chooseKernels()).name;
    });
    assert.equal(chosen, 'wasm');
  });
});
