import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { CytoError, type ErrorKind } from '../../../core/errors.ts';
import { MemoryStorage } from '../../../workers/models/memory-storage.ts';
import { blobFolder } from '../../../workers/models/model-folder.ts';
import { FolderStore, type ModelSink } from '../../../workers/models/model-store.ts';
import { openNetwork } from '../../../workers/segmentation/network/backend.ts';
import { loadModel } from '../../../workers/segmentation/network/model-files.ts';

const NAMES = ['rdf.yaml', 'model.onnx', 'model.onnx.data', 'test_input.npy', 'test_output.npy'];

const bytesOf = (name: string) => readFile(new URL(`conv3/${name}`, import.meta.url));

async function put(
  sink: ModelSink,
  names = NAMES,
  change: (name: string, bytes: Buffer) => Uint8Array = (_, b) => b,
) {
  for (const name of names) {
    const file = await sink.file(name);
    const bytes = change(name, await bytesOf(name));
    // In two pieces, as a converter or a download would.
    await file.write(bytes.subarray(0, 100));
    await file.write(bytes.subarray(100));
    await file.close();
  }
}

const failing = (kind: ErrorKind, words: RegExp) => (error: unknown) =>
  error instanceof CytoError && error.kind === kind && words.test(error.message);

describe('model store', () => {
  it('takes a folder piece by piece and opens it, external data included', async () => {
    const store = new FolderStore(new MemoryStorage());
    const sink = await store.begin();
    await put(sink);
    assert.deepEqual(await store.list(), [], 'nothing is there before the folder is complete');
    assert.equal((await sink.commit('conv3.zip')).id, 'conv3');
    const [stored] = await store.list();
    assert.equal(stored.origin, 'conv3.zip');
    const model = await loadModel(await store.open('conv3'));
    const network = await openNetwork(model, 'wasm');
    assert.equal(network.report.verified, true);
    await network.release();
  });

  it('tells size and hash of a written file', async () => {
    const sink = await new FolderStore(new MemoryStorage()).begin();
    const file = await sink.file('a.txt');
    await file.write(new TextEncoder().encode('ab'));
    await file.write(new TextEncoder().encode('c'));
    // FIPS 180-2, appendix B.1.
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    assert.deepEqual(await file.close(), { size: 3, sha256 });
  });

  it('goes on with an interrupted folder', async () => {
    const store = new FolderStore(new MemoryStorage());
    const bytes = await bytesOf('model.onnx');
    const first = await (await store.begin('half')).file('model.onnx');
    await first.write(bytes.subarray(0, 50));
    await first.close();
    const sink = await store.begin('half');
    const second = await sink.file('model.onnx', { keep: true });
    assert.equal(second.size, 50);
    await second.write(bytes.subarray(50));
    await second.close();
    await put(
      sink,
      NAMES.filter((name) => name !== 'model.onnx'),
    );
    assert.equal((await sink.commit()).name, 'Convolution of tests');
  });

  it('replaces a model of the same id and forgets it', async () => {
    const store = new FolderStore(new MemoryStorage());
    for (const origin of ['first', 'second']) {
      const sink = await store.begin();
      await put(sink);
      await sink.commit(origin);
    }
    assert.deepEqual(
      (await store.list()).map(({ origin }) => origin),
      ['second'],
    );
    await store.forget('conv3');
    assert.deepEqual(await store.list(), []);
    await assert.rejects(store.open('conv3'), failing('not-found', /no model "conv3"/));
  });

  it('removes what was begun and left, and nothing else', async () => {
    const storage = new MemoryStorage();
    const store = new FolderStore(storage);
    const whole = await store.begin();
    await put(whole);
    await whole.commit();
    await put(await store.begin('half'), NAMES.slice(0, 2));
    await store.sweep(Date.now() - 10_000);
    assert.equal((await storage.folders()).length, 2, 'a download under way stays');
    await store.sweep(Date.now() + 10_000);
    assert.equal((await storage.folders()).length, 1);
    assert.equal((await store.list()).length, 1);
  });

  it('refuses wrong, short and missing files by name', async () => {
    const damaged =
      (wrong: string, cut = 0) =>
      async () => {
        const sink = await new FolderStore(new MemoryStorage()).begin();
        await put(sink, NAMES, (name, bytes) => {
          if (name !== wrong) return bytes;
          const copy = Uint8Array.from(bytes);
          copy[copy.length - 1] ^= 1;
          return copy.subarray(0, copy.length - cut);
        });
        await sink.commit();
      };
    for (const name of NAMES.slice(1))
      await assert.rejects(damaged(name), failing('corrupt-file', new RegExp(`"${name}".*SHA-256`)));
    await assert.rejects(damaged('model.onnx.data', 1), failing('corrupt-file', /model\.onnx\.data/));
    const sink = await new FolderStore(new MemoryStorage()).begin();
    await put(sink, NAMES.slice(0, 3));
    await assert.rejects(
      sink.commit('conv3/'),
      failing('not-found', /conv3\/ lacks the file "test_input\.npy"/),
    );
    await assert.rejects(sink.file('../rdf.yaml'), failing('bad-input', /not a name/));
  });

  it('checks the files of a folder that was not stored', async () => {
    const files = new Map<string, Blob>();
    for (const name of NAMES) files.set(name, new Blob([Uint8Array.from(await bytesOf(name))]));
    const weightsOf = async (folder: Map<string, Blob>) => (await loadModel(blobFolder(folder))).weights();
    assert.equal((await weightsOf(files)).externalData[0].path, 'model.onnx.data');
    files.set('model.onnx.data', new Blob([new Uint8Array(336)]));
    await assert.rejects(weightsOf(files), failing('corrupt-file', /model\.onnx\.data/));
    files.delete('model.onnx.data');
    await assert.rejects(weightsOf(files), failing('not-found', /model\.onnx\.data/));
    files.delete('test_input.npy');
    await assert.rejects(loadModel(blobFolder(files)), failing('not-found', /test_input\.npy/));
  });
});
