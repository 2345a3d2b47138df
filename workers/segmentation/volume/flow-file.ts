import { CytoError } from '../../../core/errors.ts';
import { keepStorage } from '../../kept-storage.ts';

/** A file for flows that do not fit into memory. It is gone when it is closed. */
export interface FlowFile {
  /** Fills `bytes` with what stands at byte `at`; zeros where nothing was written. */
  read(bytes: Uint8Array<ArrayBuffer>, at: number): void;
  write(bytes: Uint8Array<ArrayBuffer>, at: number): void;
  close(): void;
}

/** The part of FileSystemSyncAccessHandle that is used; workers alone have it, so the types of a page lack it. */
interface SyncHandle {
  read(bytes: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(bytes: number): void;
  close(): void;
}
interface SyncFile {
  createSyncAccessHandle(): Promise<SyncHandle>;
}

const FOLDER = 'cytopane-flows';

/**
 * A new file of this many bytes in the page's private storage, in a worker.
 * @throws CytoError `quota` if the browser has no such storage or no room in it
 */
export async function openFlowFile(bytes: number): Promise<FlowFile> {
  const refused = (cause: unknown) =>
    new CytoError(
      'quota',
      `The flows of this run need ${(bytes / 2 ** 30).toFixed(1)} GB of the browser's storage, more than there is: free some, segment a box or open a coarser scale of the image.`,
      { cause },
    );
  try {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, {
      create: true,
    });
    await sweep(folder);
    const name = crypto.randomUUID();
    const file = await folder.getFileHandle(name, { create: true });
    const handle = await (file as unknown as SyncFile).createSyncAccessHandle();
    const release = keepStorage();
    const close = () => {
      release();
      handle.close();
      // Best effort: what cannot be removed now is swept up by the next run.
      folder.removeEntry(name).catch((error: unknown) => console.debug('cytopane:', error));
    };
    try {
      handle.truncate(bytes);
    } catch (cause) {
      close();
      throw cause;
    }
    const whole = (done: number, wanted: number) => {
      if (done < wanted) throw refused(`${done} of ${wanted} bytes`);
    };
    return {
      read: (into, at) => whole(handle.read(into, { at }), into.length),
      write: (from, at) => whole(handle.write(from, { at }), from.length),
      close,
    };
  } catch (cause) {
    throw refused(cause);
  }
}

/** Removes what pages left that were closed in the middle of a run; files in use refuse to be removed. */
async function sweep(folder: FileSystemDirectoryHandle): Promise<void> {
  const names: string[] = [];
  for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
  await Promise.allSettled(names.map((name) => folder.removeEntry(name)));
}
