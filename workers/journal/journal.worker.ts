import { CytoError } from '../../core/errors.ts';
import { keepStorage } from '../kept-storage.ts';
import { serve } from '../serve.ts';

/** Folder of the origin's private file system that holds the journals of edits. */
const FOLDER = 'cytopane-edits';

/** What only workers have of the file system, and the library of page types does not name. */
interface SyncAccess {
  read(target: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  getSize(): number;
  flush(): void;
  close(): void;
}
type WorkerFile = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccess> };

/** A journal that no living page has open. */
export interface StoredJournal {
  file: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Kept from the first request on, so that what comes meanwhile waits for the same handle. */
const open = new Map<string, Promise<SyncAccess>>();

keepStorage();

async function folder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(FOLDER, { create: true });
}

/** The file, locked for this page; undefined while another page has it. */
async function lock(handle: FileSystemFileHandle): Promise<SyncAccess | undefined> {
  try {
    return await (handle as WorkerFile).createSyncAccessHandle();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NoModificationAllowedError') return undefined;
    throw error;
  }
}

async function openFile(file: string): Promise<SyncAccess> {
  const access = await lock(await (await folder()).getFileHandle(file, { create: true }));
  if (!access) throw new CytoError('bad-input', 'Another page records its edits under this name.');
  return access;
}

serve({
  /** Begins a journal, or writes on at its end. */
  async append(file: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    let opening = open.get(file);
    if (!opening) {
      opening = openFile(file);
      open.set(file, opening);
      opening.catch(() => open.delete(file));
    }
    const access = await opening;
    access.write(bytes, { at: access.getSize() });
    access.flush();
  },

  /** Journals whose names begin so, and that pages no longer alive have left; newest last. */
  async left(prefix: string): Promise<StoredJournal[]> {
    const found: StoredJournal[] = [];
    for await (const [file, handle] of await folder()) {
      if (!file.startsWith(prefix) || open.has(file) || handle.kind !== 'file') continue;
      const access = await lock(handle as FileSystemFileHandle);
      if (!access) continue;
      const bytes = new Uint8Array(access.getSize());
      access.read(bytes, { at: 0 });
      access.close();
      found.push({ file, bytes });
    }
    return found.sort((a, b) => (a.file < b.file ? -1 : 1));
  },

  /** Deletes a journal; unknown ones are ignored. */
  async remove(file: string): Promise<void> {
    const opening = open.get(file);
    open.delete(file);
    if (opening) (await opening).close();
    try {
      await (await folder()).removeEntry(file);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
    }
  },
});
