import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileSink, FolderSink } from '../../core/folder-sink.ts';
import { Sha256 } from '../../core/sha256.ts';

/** A model folder on disk, for Node. */
export class FolderOnDisk implements FolderSink {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Makes the folder if it is not there. */
  static async make(path: string): Promise<FolderOnDisk> {
    await mkdir(path, { recursive: true });
    return new FolderOnDisk(path);
  }

  async file(name: string, { keep = false }: { keep?: boolean | number } = {}): Promise<FileSink> {
    const path = join(this.#path, name);
    const most = typeof keep === 'number' ? keep : keep ? Number.POSITIVE_INFINITY : 0;
    const file = await open(path, 'a');
    let { size } = await file.stat();
    if (size > most) await truncate(path, most);
    size = Math.min(size, most);
    const hash = new Sha256();
    if (size > 0) for await (const part of createReadStream(path)) hash.update(part as Uint8Array);
    return {
      get size() {
        return size;
      },
      write: async (bytes) => {
        await file.writeFile(bytes);
        hash.update(bytes);
        size += bytes.length;
      },
      close: async () => {
        await file.close();
        return { size, sha256: hash.hex() };
      },
    };
  }

  async read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return Uint8Array.from(await readFile(join(this.#path, name)));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#path, name), { force: true });
  }
}
