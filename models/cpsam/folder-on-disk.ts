import { mkdir, open } from 'node:fs/promises';
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

  async file(name: string): Promise<FileSink> {
    const file = await open(join(this.#path, name), 'w');
    const hash = new Sha256();
    let size = 0;
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
}
