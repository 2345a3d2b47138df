/// <reference lib="webworker" />
import { setAssetBase } from '../../../core/assets.ts';
import type { FileSink } from '../../../core/folder-sink.ts';
import { FolderStore, type ModelSink } from '../../../workers/models/model-store.ts';
import { OpfsStorage } from '../../../workers/models/opfs-storage.ts';
import { serve } from '../../../workers/serve.ts';

/** What the browser can be made slow at, as it is on a busy machine. */
export type SlowCall = 'make-file' | 'open-file' | 'read-file';

const store = new FolderStore(new OpfsStorage());
let sink: ModelSink | undefined;
let file: FileSink | undefined;

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The store of a tab of its own, whose browser may be slow. */
serve({
  slow(call: SlowCall, milliseconds: number) {
    const directories = FileSystemDirectoryHandle.prototype;
    const files = FileSystemFileHandle.prototype;
    const { getFileHandle } = directories;
    const { getFile } = files;
    const { text } = Blob.prototype;
    if (call === 'make-file')
      directories.getFileHandle = async function (name, options) {
        if (options?.create) await later(milliseconds);
        return getFileHandle.call(this, name, options);
      };
    if (call === 'open-file')
      files.getFile = async function () {
        await later(milliseconds);
        return getFile.call(this);
      };
    if (call === 'read-file')
      Blob.prototype.text = async function () {
        await later(milliseconds);
        return text.call(this);
      };
  },

  async add(assetBase: string, files: ReadonlyMap<string, Uint8Array>): Promise<string> {
    setAssetBase(assetBase);
    const own = await store.begin();
    for (const [name, bytes] of files) {
      const target = await own.file(name);
      await target.write(bytes);
      await target.close();
    }
    return (await own.commit()).id;
  },

  /** Begins a folder and leaves a file of it open. */
  async begin(name: string): Promise<number> {
    sink = await store.begin();
    file = await sink.file(name);
    await file.write(Uint8Array.of(1, 2, 3));
    return file.size;
  },

  async goOn(): Promise<number> {
    await file?.write(Uint8Array.of(4));
    return (await file?.close())?.size ?? 0;
  },

  discard: () => sink?.discard(),
  forget: (id: string) => store.forget(id),
  list: async () => (await store.list()).map(({ card }) => card.id),
  sweep: (before: number) => store.sweep(before),
});
