import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { precisionFor } from '../../workers/models/checkpoint-models.ts';
import { tilesPerCall, unfit } from '../../workers/segmentation/network/gpu.ts';
import type { ModelCard } from '../../workers/segmentation/network/model-card.ts';

const MiB = 2 ** 20;
/**
 * Limits as Chromium tells them: the steps to which it rounds adapters down (Dawn, Limits.cpp), and those of its
 * software adapter.
 */
const ADAPTERS = {
  'least that WebGPU allows': { maxBufferSize: 256 * MiB, maxStorageBufferBindingSize: 128 * MiB },
  'second step': { maxBufferSize: 1024 * MiB, maxStorageBufferBindingSize: 512 * MiB },
  SwiftShader: { maxBufferSize: 1024 * MiB, maxStorageBufferBindingSize: 1024 * MiB },
  'third step': { maxBufferSize: 2048 * MiB, maxStorageBufferBindingSize: 2147483644 },
  'last step': { maxBufferSize: 4096 * MiB, maxStorageBufferBindingSize: 4294967292 },
};
/** As the GPU is looked at: what fits in a buffer and in a binding. */
const largestOf = (name: keyof typeof ADAPTERS) =>
  Math.min(ADAPTERS[name].maxBufferSize, ADAPTERS[name].maxStorageBufferBindingSize);

/** Scores of all heads of one tile in single floats, the largest tensor of a network. */
const network = (heads: number, tokens: number) => ({
  tile: 256,
  gpu: { shaderF16: true, largestBuffer: 4 * heads * tokens ** 2 },
});
const VIT_L = network(16, 32 ** 2);
const DINO_L = network(16, (384 / 8) ** 2 + 5);

describe('what a GPU of these limits runs', () => {
  for (const [name, vitL, small] of [
    ['least that WebGPU allows', 2, 8],
    ['second step', 4, 8],
    ['SwiftShader', 4, 8],
    ['third step', 4, 8],
    ['last step', 4, 8],
  ] as const) {
    it(`${name}: ${vitL} tiles of ViT-L at once, ${small} of a small network`, () => {
      const gpu = { largestBuffer: largestOf(name) };
      assert.equal(tilesPerCall(gpu, VIT_L), vitL);
      assert.equal(tilesPerCall(gpu, network(2, 32 ** 2)), small);
      assert.ok(vitL * VIT_L.gpu.largestBuffer <= gpu.largestBuffer);
    });
  }

  it('one tile where a network takes a whole binding, or its card does not tell', () => {
    const gpu = { largestBuffer: largestOf('last step') };
    assert.equal(tilesPerCall(gpu, DINO_L), 1);
    assert.equal(tilesPerCall(gpu, { tile: 256 }), 1);
    assert.equal(tilesPerCall(gpu, { tile: 256, gpu: { shaderF16: false } }), 1);
  });

  it('fewer tiles of a network that takes larger ones than its card tells of', () => {
    const sides = { step: 32, largest: 512 };
    const gpu = { largestBuffer: largestOf('second step') };
    assert.equal(tilesPerCall(gpu, { ...VIT_L, sides }), 1);
    assert.equal(tilesPerCall(gpu, { ...network(4, 32 ** 2), sides }), 4);
  });

  it('leaves out adapters without half floats or with too small bindings', () => {
    const card = VIT_L as ModelCard;
    const probe = (shaderF16: boolean, largestBuffer: number) =>
      unfit({ shaderF16, largestBuffer } as Parameters<typeof unfit>[0], card);
    assert.equal(probe(true, largestOf('least that WebGPU allows')), undefined);
    assert.equal(probe(false, largestOf('last step')), 'f16');
    assert.equal(probe(true, VIT_L.gpu.largestBuffer - 1), 'limits');
    assert.equal(
      unfit(
        { shaderF16: true, largestBuffer: 128 * MiB } as Parameters<typeof unfit>[0],
        DINO_L as ModelCard,
      ),
      'limits',
    );
  });

  it('converts to half floats unless the GPU there is has none', () => {
    assert.equal(precisionFor({ shaderF16: true }), 'float16');
    assert.equal(precisionFor({ shaderF16: false }), 'float32');
    assert.equal(precisionFor('no-adapter'), 'float16');
    assert.equal(precisionFor('software'), 'float16');
  });
});
