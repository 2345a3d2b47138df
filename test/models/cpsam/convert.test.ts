import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CytoError } from '../../../core/errors.ts';
import { parseNpy } from '../../../core/npy.ts';
import { openNetwork } from '../../../workers/segmentation/network/backend.ts';
import type { Model } from '../../../workers/segmentation/network/model-files.ts';
import { wasmRung } from '../../../workers/segmentation/network/rung.ts';
import { converted, referenceFile } from './sinks.ts';

/** Lehmer's generator, as in models/cpsam/reference/network.py. */
function noise(count: number): Float32Array {
  let seed = 20250401;
  return Float32Array.from({ length: count }, () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  });
}

/** Differences to the reference: the largest, and root of the mean square of the flows (first two of three maps). */
async function against(model: Model, name: string): Promise<{ largest: number; rms: number }> {
  const { tile } = model.card;
  const open = await wasmRung(1).open(model, {});
  const output = await open.run(noise(3 * tile * tile), 1, tile, tile);
  await open.release();
  const { data, shape } = parseNpy(new Uint8Array(await referenceFile(name)));
  const side = shape[3];
  // Of the reference every so many pixels were kept.
  const step = tile / side;
  let largest = 0;
  let squares = 0;
  for (let i = 0; i < data.length; i++) {
    const [map, y, x] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
    const difference = Math.abs(output[(map * tile + y * step) * tile + x * step] - data[i]);
    largest = Math.max(largest, difference);
    if (map < 2) squares += difference ** 2;
  }
  return { largest, rms: Math.sqrt(squares / (2 * side ** 2)) };
}

describe('conversion of a Cellpose-SAM checkpoint', () => {
  it('gives what the network of the cellpose package gives, single floats', async (t) => {
    const { largest } = await against(
      await converted(await referenceFile('mini.pth'), 'float32'),
      'flows.npy',
    );
    t.diagnostic(`largest difference ${largest.toExponential(1)}`);
    assert.ok(largest <= 1e-4, `${largest}`);
  });

  it('gives flows within 0.02 RMS with half floats', async (t) => {
    const { rms } = await against(await converted(await referenceFile('mini.pth'), 'float16'), 'flows.npy');
    t.diagnostic(`RMS ${rms.toExponential(1)}`);
    assert.ok(rms <= 0.02, `${rms}`);
  });

  it('reads bfloat16, and half floats under the names of data-parallel training', async () => {
    const brain = await against(
      await converted(await referenceFile('mini_bf16.pth'), 'float32'),
      'flows_bf16.npy',
    );
    assert.ok(brain.largest <= 1e-4, `${brain.largest}`);
    const half = await against(
      await converted(await referenceFile('mini_module_fp16.pth'), 'float32'),
      'flows.npy',
    );
    assert.ok(half.rms <= 0.02, `${half.rms}`);
  });

  it('converts a Cellpose-DINO checkpoint, single and half floats', async (t) => {
    const bytes = await referenceFile('mini_dino.pth');
    const model = await converted(bytes, 'float32');
    assert.equal(model.card.tile, 384);
    assert.match(model.card.notice ?? '', /DINOv3 licence/);
    const { largest } = await against(model, 'dino_flows.npy');
    const { rms } = await against(await converted(bytes, 'float16'), 'dino_flows.npy');
    t.diagnostic(
      `largest difference ${largest.toExponential(1)}, RMS of half floats ${rms.toExponential(1)}`,
    );
    assert.ok(largest <= 1e-4, `${largest}`);
    assert.ok(rms <= 0.02, `${rms}`);
  });

  it('writes a folder that a backend can be checked with, batches included', async () => {
    const model = await converted(await referenceFile('mini.pth'), 'float16');
    assert.deepEqual(model.card.gpu, { shaderF16: true, largestBuffer: 4 * 2 * 1024 ** 2 });
    assert.match(model.card.notice ?? '', /research only.*CC-BY-NC/);
    assert.equal(model.card.id, 'mini');
    assert.equal(model.card.tile, 256);
    const area = 3 * model.card.tile ** 2;
    const network = await openNetwork(model, 'wasm');
    assert.equal(network.report.verified, true);
    const two = await network.run(noise(2 * area), 2, 256, 256);
    const second = await network.run(noise(2 * area).slice(area), 1, 256, 256);
    assert.deepEqual(two.slice(area), second);
    await network.release();
  });

  it('stops when it is cancelled', async () => {
    const controller = new AbortController();
    let calls = 0;
    await assert.rejects(
      converted(await referenceFile('mini.pth'), 'float32', {
        signal: controller.signal,
        onProgress: ({ value, total }) => {
          assert.ok(value <= total);
          if (++calls === 3) controller.abort();
        },
      }),
      (error) => error instanceof CytoError && error.kind === 'aborted',
    );
    assert.equal(calls, 3);
  });
});
