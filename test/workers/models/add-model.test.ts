import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { CytoError } from '../../../core/errors.ts';
import { addModel, offerOf } from '../../../workers/models/add-model.ts';
import { addCheckpoint } from '../../../workers/models/checkpoint-models.ts';
import { MemoryStorage } from '../../../workers/models/memory-storage.ts';
import { sourceOfFiles } from '../../../workers/models/model-source.ts';
import { FolderStore } from '../../../workers/models/model-store.ts';
import { referenceFile, sourceOf } from '../../models/cpsam/sinks.ts';

const NAMES = ['rdf.yaml', 'model.onnx', 'model.onnx.data', 'test_input.npy', 'test_output.npy'];

const folder = async (prefix = '') =>
  Promise.all(
    NAMES.map(async (name) => ({
      path: prefix + name,
      blob: new Blob([Uint8Array.from(await readFile(new URL(`conv3/${name}`, import.meta.url)))]),
    })),
  );

describe('adding a model', () => {
  it('finds the card in a subfolder and reports bytes of graph and external data', async () => {
    const store = new FolderStore(new MemoryStorage());
    const seen: number[] = [];
    const offer = await offerOf(await sourceOfFiles(await folder('some/where/')));
    await addModel(offer, store, { onProgress: ({ value, total }) => seen.push(value, total) });
    const bytes = (offer.card.weights.size ?? 0) + (offer.card.externalData?.size ?? 0);
    assert.deepEqual(seen.slice(-2), [bytes, bytes]);
    assert.equal((await store.list())[0].card.id, 'conv3');
  });

  it('leaves nothing behind when it is cancelled', async () => {
    const storage = new MemoryStorage();
    const offer = await offerOf(await sourceOfFiles(await folder()));
    const signal = AbortSignal.abort();
    await assert.rejects(
      addModel(offer, new FolderStore(storage), { signal }),
      (error) => error instanceof CytoError && error.kind === 'aborted',
    );
    assert.deepEqual(await storage.folders(), []);
  });

  it('asks the browser for room first, also for what a checkpoint will become', async () => {
    const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
    const estimate = async () => ({ quota: 1000, usage: 700 });
    Object.defineProperty(globalThis, 'navigator', { value: { storage: { estimate } }, configurable: true });
    try {
      const offer = await offerOf(await sourceOfFiles(await folder()));
      await assert.rejects(
        addModel(offer, new FolderStore(new MemoryStorage())),
        (error) => error instanceof CytoError && error.kind === 'quota' && /needs/.test(error.message),
      );
      const storage = new MemoryStorage();
      const checkpoint = sourceOf(await referenceFile('mini.pth'));
      await assert.rejects(
        addCheckpoint(checkpoint, new FolderStore(storage), async () => {}),
        (error) =>
          error instanceof CytoError && error.kind === 'quota' && /\(mini\)" needs/.test(error.message),
      );
      assert.deepEqual(await storage.folders(), []);
    } finally {
      if (before) Object.defineProperty(globalThis, 'navigator', before);
      else Reflect.deleteProperty(globalThis, 'navigator');
    }
  });
});
