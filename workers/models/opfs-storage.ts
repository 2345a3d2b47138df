import { CytoError } from '../../core/errors.ts';
import type { AppendedFile, FolderStorage } from './model-store.ts';

/** Folder of the origin private file system that holds the models, and name of the lock for its folders. */
const ROOT = 'cytopane-models';

/** The part of FileSystemSyncAccessHandle that is used; it exists in workers only. */
interface SyncAccessHandle {
  getSize(): number;
  truncate(size: number): void;
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}

type SyncFileHandle = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccessHandle> };

/** Whether this worker can keep files: secure contexts of present browsers. */
export function hasOpfs(): boolean {
  return (
    typeof FileSystemFileHandle !== 'undefined' &&
    'createSyncAccessHandle' in FileSystemFileHandle.prototype &&
    globalThis.navigator?.storage?.getDirectory !== undefined &&
    globalThis.navigator.locks !== undefined
  );
}

/**
 * Folders in the origin private file system, written through synchronous access handles: what was written is there
 * after an interruption, and nothing is held in memory. In workers only.
 */
export class OpfsStorage implements FolderStorage {
  async folders(): Promise<string[]> {
    const names: string[] = [];
    for await (const [name, handle] of (await this.#root()).entries()) {
      if (handle.kind === 'directory') names.push(name);
    }
    return names;
  }

  async read(folder: string, name: string): Promise<Blob | undefined> {
    try {
      const directory = await (await this.#root()).getDirectoryHandle(folder);
      return await (await directory.getFileHandle(name)).getFile();
    } catch (error) {
      if (isNamed(error, 'NotFoundError')) return undefined;
      throw error;
    }
  }

  async text(folder: string, name: string): Promise<string | undefined> {
    try {
      return await (await this.read(folder, name))?.text();
    } catch (error) {
      // What is read lies on the disk, from where another tab may remove it.
      if (isNamed(error, 'NotFoundError') || isNamed(error, 'NotReadableError')) return undefined;
      throw error;
    }
  }

  async append(folder: string, name: string): Promise<AppendedFile> {
    try {
      return await locked('shared', async () => {
        const directory = await (await this.#root()).getDirectoryHandle(folder, { create: true });
        const file = (await directory.getFileHandle(name, { create: true })) as SyncFileHandle;
        return appended(await file.createSyncAccessHandle(), name);
      });
    } catch (cause) {
      if (isNamed(cause, 'NoModificationAllowedError')) {
        throw new CytoError(
          'bad-input',
          `"${name}" is being written already, perhaps by another tab. Wait for it.`,
          {
            cause,
          },
        );
      }
      throw storageError(cause, name);
    }
  }

  async removeOlder(folder: string, before: number): Promise<void> {
    try {
      // No other tab is between making a folder and its first file.
      await locked('exclusive', async () => {
        const root = await this.#root();
        let last = 0;
        for await (const handle of (await root.getDirectoryHandle(folder)).values()) {
          if (handle.kind === 'file')
            last = Math.max(last, (await (handle as FileSystemFileHandle).getFile()).lastModified);
        }
        if (last < before) await root.removeEntry(folder, { recursive: true });
      });
    } catch (cause) {
      // Another tab has just removed it, or is writing there.
      if (!isNamed(cause, 'NotFoundError') && !isNamed(cause, 'NoModificationAllowedError')) throw cause;
    }
  }

  async removeFile(folder: string, name: string): Promise<void> {
    try {
      const directory = await (await this.#root()).getDirectoryHandle(folder);
      await directory.removeEntry(name);
    } catch (cause) {
      if (!isNamed(cause, 'NotFoundError')) throw storageError(cause, name);
    }
  }

  async removeFolder(folder: string): Promise<void> {
    try {
      await (await this.#root()).removeEntry(folder, { recursive: true });
    } catch (cause) {
      if (isNamed(cause, 'NotFoundError'))
        throw new CytoError('not-found', 'The model is not on this device any more.', { cause });
      throw storageError(cause, folder);
    }
  }

  async #root(): Promise<FileSystemDirectoryHandle> {
    return (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });
  }
}

function appended(handle: SyncAccessHandle, name: string): AppendedFile {
  let size = handle.getSize();
  return {
    get size() {
      return size;
    },
    truncate: (length) => {
      handle.truncate(length);
      size = length;
    },
    append: (bytes) => {
      try {
        const written = handle.write(bytes, { at: size });
        if (written < bytes.length) throw new DOMException('The disk is full.', 'QuotaExceededError');
        size += written;
      } catch (cause) {
        handle.flush();
        throw storageError(cause, name);
      }
    },
    close: () => {
      handle.flush();
      handle.close();
    },
  };
}

/** Runs a task while no other tab runs one that excludes it. */
async function locked<T>(mode: 'shared' | 'exclusive', task: () => Promise<T>): Promise<T> {
  return await navigator.locks.request(ROOT, { mode }, task);
}

const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name;

function storageError(cause: unknown, name: string): CytoError {
  if (cause instanceof CytoError) return cause;
  if (isNamed(cause, 'QuotaExceededError')) {
    return new CytoError(
      'quota',
      `The browser’s storage is full: "${name}" does not fit. Forget models that you no longer need, or free disk space.`,
      { cause },
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CytoError('internal', `"${name}" could not be stored: ${reason}`, { cause });
}
