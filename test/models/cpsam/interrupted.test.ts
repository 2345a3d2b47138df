import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { CytoError } from '../../../core/errors.ts';
import type { ByteSource } from '../../../models/cpsam/checkpoint/byte-source.ts';
import { convert, openNetworkFile } from '../../../models/cpsam/convert.ts';
import { FolderOnDisk } from '../../../models/cpsam/folder-on-disk.ts';
import { addCheckpoint } from '../../../workers/models/checkpoint-models.ts';
import { MemoryStorage } from '../../../workers/models/memory-storage.ts';
import { FolderStore } from '../../../workers/models/model-store.ts';
import { runGraph } from '../../../workers/segmentation/network/run-graph.ts';
import { referenceFile, sourceOf } from './sinks.ts';

/** A file whose server falls silent after so many bytes. */
function counted(file: ByteSource, most = Number.POSITIVE_INFINITY) {
  const source = {
    ...file,
    sent: 0,
    read: async (start: number, end: number, signal?: AbortSignal) => {
      if (source.sent + end - start > most) throw new CytoError('network', 'The server does not answer.');
      source.sent += end - start;
      return file.read(start, end, signal);
    },
  };
  return source;
}

/** Share of the bytes after which a block is under way: those before are names, places and the first stage. */
const SILENT = 0.95;

const freeName = async () => {};

describe('a conversion that was interrupted', () => {
  const folders: string[] = [];
  const folder = async () => {
    const path = await mkdtemp(join(tmpdir(), 'cytopane-conversion-'));
    folders.push(path);
    return path;
  };
  after(() => Promise.all(folders.map((path) => rm(path, { recursive: true }))));

  const into = async (path: string, source: ByteSource, signal?: AbortSignal) =>
    convert(await openNetworkFile(source), await FolderOnDisk.make(path), {
      precision: 'float16',
      run: runGraph,
      ...(signal ? { signal } : {}),
    });

  const silence = async (file: ByteSource) => {
    const once = counted(file);
    await into(await folder(), once);
    return SILENT * once.sent;
  };

  const contents = async (path: string) =>
    Promise.all((await readdir(path)).sort().map(async (name) => [name, await readFile(join(path, name))]));

  it('goes on after the last whole block and gives the same files', async () => {
    const file = sourceOf(await referenceFile('mini.pth'));
    const [whole, broken] = [await folder(), await folder()];
    const once = counted(file);
    await into(whole, once);
    await assert.rejects(into(broken, counted(file, SILENT * once.sent)), /kept; start again/);
    const again = counted(file);
    await into(broken, again);
    assert.ok(again.sent < 0.7 * once.sent, `${again.sent} of ${once.sent} bytes`);
    assert.deepEqual(await contents(broken), await contents(whole));
  });

  it('begins anew where its notes or weights are damaged', async () => {
    const file = sourceOf(await referenceFile('mini.pth'));
    const whole = await folder();
    await into(whole, file);
    for (const name of ['conversion', 'model.onnx.data']) {
      const broken = await folder();
      await assert.rejects(into(broken, counted(file, await silence(file))), CytoError);
      const damaged = (await readdir(broken)).filter((other) => other.startsWith(name));
      assert.notEqual(damaged.length, 0);
      for (const other of damaged) await truncate(join(broken, other), 100);
      await into(broken, file);
      assert.deepEqual(await contents(broken), await contents(whole));
    }
  });

  it('does not go on with another checkpoint', async () => {
    const broken = await folder();
    const file = sourceOf(await referenceFile('mini.pth'));
    await assert.rejects(into(broken, counted(file, await silence(file))), CytoError);
    const other = counted(sourceOf(await referenceFile('mini_module_fp16.pth')));
    await into(broken, other);
    assert.ok(other.sent >= other.size, `${other.sent} of ${other.size} bytes`);
  });

  it('goes on in the store of the page, also after it was cancelled', async () => {
    const file = sourceOf(await referenceFile('mini.pth'));
    const store = new FolderStore(new MemoryStorage());
    const controller = new AbortController();
    const stop = (value: number, total: number) => value > total / 2 && controller.abort();
    await assert.rejects(
      addCheckpoint(file, store, freeName, {
        signal: controller.signal,
        onProgress: ({ value, total }) => stop(value, total),
      }),
      (error) => error instanceof CytoError && error.kind === 'aborted',
    );
    const again = counted(file);
    const card = await addCheckpoint(again, store, freeName);
    assert.ok(again.sent < file.size, `${again.sent} of ${file.size} bytes`);
    const names = [...(await store.files(card.id)).keys()];
    assert.ok(
      names.every((name) => !name.startsWith('conversion')),
      names.join(),
    );
  });
});
