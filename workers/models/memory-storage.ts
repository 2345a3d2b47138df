import { CytoError } from '../../core/errors.ts';
import type { AppendedFile, FolderStorage } from './model-store.ts';

/** Folders in memory, for pages without file storage (no secure context) and for Node; gone with the worker. */
export class MemoryStorage implements FolderStorage {
  readonly #folders = new Map<string, Map<string, Blob>>();
  readonly #written = new Map<string, number>();

  async folders(): Promise<string[]> {
    return [...this.#folders.keys()];
  }

  async read(folder: string, name: string): Promise<Blob | undefined> {
    return this.#folders.get(folder)?.get(name);
  }

  async append(folder: string, name: string): Promise<AppendedFile> {
    const files = this.#folders.get(folder) ?? new Map<string, Blob>();
    this.#folders.set(folder, files);
    this.#written.set(folder, Date.now());
    let before: Blob | undefined = files.get(name);
    let size = before?.size ?? 0;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    return {
      get size() {
        return size;
      },
      truncate: (length) => {
        before = new Blob(before ? [before, ...parts] : parts).slice(0, length);
        parts.length = 0;
        size = length;
      },
      append: (bytes) => {
        parts.push(bytes.slice());
        size += bytes.length;
      },
      close: () => {
        this.#written.set(folder, Date.now());
        files.set(name, new Blob(before ? [before, ...parts] : parts));
      },
    };
  }

  async text(folder: string, name: string): Promise<string | undefined> {
    return (await this.read(folder, name))?.text();
  }

  async removeOlder(folder: string, before: number): Promise<void> {
    if ((this.#written.get(folder) ?? 0) < before) this.#folders.delete(folder);
  }

  async removeFile(folder: string, name: string): Promise<void> {
    this.#folders.get(folder)?.delete(name);
  }

  async removeFolder(folder: string): Promise<void> {
    if (!this.#folders.delete(folder))
      throw new CytoError('not-found', 'The model is not on this page any more.');
  }
}
