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
});
