import { CytoError } from '../../core/errors.ts';
import type { FileSink, FolderSink } from '../../core/folder-sink.ts';
import { feed, hashOf, Sha256 } from '../../core/sha256.ts';
import {
  CARD,
  filesOf,
  type ModelCard,
  type ModelFile,
  parseModelCard,
} from '../segmentation/network/model-card.ts';
import { blobFolder, type ModelFolder } from './model-folder.ts';

/**
 * A model folder being written: named files in any order (`rdf.yaml`, graph, external data, test tensors), one at a
 * time or several at once, then {@link commit}.
 */
export interface ModelSink extends FolderSink {
  /**
   * Checks the folder and makes it a model of the store: the card can be read, all files it names are there, sizes and
   * hashes are right. A model of the same id is replaced.
   * @throws CytoError `not-found` for a missing file, `corrupt-file` for a wrong size or hash, `model` for the card
   */
  commit(origin?: string): Promise<ModelCard>;
  /** Removes what was written. */
  discard(): Promise<void>;
}

/** A model of the store. */
export interface StoredModel {
  card: ModelCard;
  /** Bytes on disk, all files. */
  size: number;
  /** Where it came from: an address or a file name. */
  origin: string;
}

/** Models that were added in this browser. */
export interface ModelStore {
  list(): Promise<StoredModel[]>;
  /** A stored model's files. @throws CytoError `not-found` */
  open(id: string): Promise<ModelFolder>;
  /** The files themselves, by name. @throws CytoError `not-found` */
  files(id: string): Promise<Map<string, Blob>>;
  /** Starts a folder. With the key of an earlier, unfinished one its files can be kept. */
  begin(key?: string): Promise<ModelSink>;
  /** Removes a model. @throws CytoError `not-found` */
  forget(id: string): Promise<void>;
  /** Removes unfinished folders that were last written before a time (milliseconds since 1970). */
  sweep(before: number): Promise<void>;
}

/** A place for folders of files; see {@link OpfsStorage} and {@link MemoryStorage}. */
export interface FolderStorage {
  folders(): Promise<string[]>;
  /** A file, or undefined. It can be read as long as it is not removed. */
  read(folder: string, name: string): Promise<Blob | undefined>;
  /** What a small file says, or undefined; also if it is removed meanwhile. */
  text(folder: string, name: string): Promise<string | undefined>;
  /** Opens a file for appending; what is there is kept. */
  append(folder: string, name: string): Promise<AppendedFile>;
  /**
   * Removes a folder that was last written before a time (milliseconds since 1970) and in which nobody is writing; an empty
   * one is old.
   */
  removeOlder(folder: string, before: number): Promise<void>;
  /** Removes a file if it is there. */
  removeFile(folder: string, name: string): Promise<void>;
  removeFolder(folder: string): Promise<void>;
}

export interface AppendedFile {
  readonly size: number;
  /** Keeps so many bytes. */
  truncate(size: number): void;
  append(bytes: Uint8Array): void;
  close(): void;
}

/** Written last: a folder with it is complete. */
const RECORD = 'stored.json';

interface StoreRecord {
  origin: string;
  files: Record<string, number>;
}

const FILE_NAME = /^[\w][\w.-]*$/;

/** Says that a file is not the one its card describes. */
export function wrongFile(card: ModelCard, file: ModelFile, where: string): CytoError {
  return new CytoError(
    'corrupt-file',
    `The file "${file.source}" of "${card.name}" in ${where} is not the one its description names (wrong size or SHA-256). It is damaged or was replaced; load the model again.`,
  );
}

/** Also where there is no secure context and so no `randomUUID`. */
const randomName = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );

/** Removes a folder that may not be there: nothing was written yet, or another tab has removed it. */
async function removeIfThere(storage: FolderStorage, folder: string): Promise<void> {
  try {
    await storage.removeFolder(folder);
  } catch (error) {
    if (!(error instanceof CytoError && error.kind === 'not-found')) throw error;
  }
}

/** A {@link ModelStore} on any storage. */
export class FolderStore implements ModelStore {
  readonly #storage: FolderStorage;

  constructor(storage: FolderStorage) {
    this.#storage = storage;
  }

  async list(): Promise<StoredModel[]> {
    const found = await this.#complete();
    return found.map(({ card, record }) => ({
      card,
      origin: record.origin,
      size: Object.values(record.files).reduce((sum, bytes) => sum + bytes, 0),
    }));
  }

  async open(id: string): Promise<ModelFolder> {
    return blobFolder(await this.files(id), 'the browser’s storage', true);
  }

  async files(id: string): Promise<Map<string, Blob>> {
    const { folder, record } = await this.#find(id);
    const files = new Map<string, Blob>();
    for (const name of Object.keys(record.files)) {
      const blob = await this.#storage.read(folder, name);
      if (blob) files.set(name, blob);
    }
    return files;
  }

  async begin(key?: string): Promise<ModelSink> {
    const folder = key ?? randomName();
    return new StorageSink(this.#storage, folder, async (id) => {
      for (const other of await this.#complete()) {
        if (other.card.id === id && other.folder !== folder) await removeIfThere(this.#storage, other.folder);
      }
    });
  }

  async forget(id: string): Promise<void> {
    const { folder } = await this.#find(id);
    await this.#storage.removeFolder(folder);
  }

  async sweep(before: number): Promise<void> {
    for (const folder of await this.#storage.folders()) {
      if (!(await this.#storage.read(folder, RECORD))) await this.#storage.removeOlder(folder, before);
    }
  }

  async #find(id: string) {
    const found = (await this.#complete()).find(({ card }) => card.id === id);
    if (found) return found;
    throw new CytoError(
      'not-found',
      `There is no model "${id}" on this device. Add it from a file or an address first.`,
    );
  }

  async #complete(): Promise<Array<{ folder: string; card: ModelCard; record: StoreRecord }>> {
    const found = [];
    for (const folder of await this.#storage.folders()) {
      const record = await this.#storage.text(folder, RECORD);
      const card = await this.#storage.text(folder, CARD);
      if (!record || !card) continue;
      found.push({ folder, card: parseModelCard(card), record: JSON.parse(record) as StoreRecord });
    }
    return found.sort((a, b) => a.card.name.localeCompare(b.card.name));
  }
}

class StorageSink implements ModelSink {
  readonly #storage: FolderStorage;
  readonly #folder: string;
  readonly #replaceOthers: (id: string) => Promise<void>;
  /** Hashes of the files that this sink has written. */
  readonly #hashes = new Map<string, string>();

  constructor(storage: FolderStorage, folder: string, replaceOthers: (id: string) => Promise<void>) {
    this.#storage = storage;
    this.#folder = folder;
    this.#replaceOthers = replaceOthers;
  }

  async file(name: string, { keep = false }: { keep?: boolean | number } = {}): Promise<FileSink> {
    if (!FILE_NAME.test(name) || name === RECORD)
      throw new CytoError('bad-input', `"${name}" is not a name for a file of a model.`);
    const hash = new Sha256();
    const most = typeof keep === 'number' ? keep : keep ? Number.POSITIVE_INFINITY : 0;
    const there = most > 0 ? await this.#storage.read(this.#folder, name) : undefined;
    if (there) await feed(there.slice(0, most), hash);
    const file = await this.#storage.append(this.#folder, name);
    if (file.size > most) file.truncate(most);
    this.#hashes.delete(name);
    return {
      get size() {
        return file.size;
      },
      write: async (bytes) => {
        file.append(bytes);
        hash.update(bytes);
      },
      close: async () => {
        const size = file.size;
        file.close();
        const sha256 = hash.hex();
        this.#hashes.set(name, sha256);
        return { size, sha256 };
      },
    };
  }

  async read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const blob = await this.#storage.read(this.#folder, name);
    return blob && new Uint8Array(await blob.arrayBuffer());
  }

  async remove(name: string): Promise<void> {
    await this.#storage.removeFile(this.#folder, name);
  }

  async commit(origin = ''): Promise<ModelCard> {
    const where = origin || 'the new folder';
    const text = await this.#need(CARD, where);
    const card = parseModelCard(await text.text());
    const files: Record<string, number> = { [CARD]: text.size };
    for (const file of filesOf(card)) {
      const blob = await this.#need(file.source, where);
      const hash =
        file.sha256 === undefined ? undefined : (this.#hashes.get(file.source) ?? (await hashOf(blob)));
      if (hash !== file.sha256 || blob.size !== (file.size ?? blob.size)) throw wrongFile(card, file, where);
      files[file.source] = blob.size;
    }
    const record: StoreRecord = { origin, files };
    const marker = await this.#storage.append(this.#folder, RECORD);
    try {
      marker.truncate(0);
      marker.append(new TextEncoder().encode(JSON.stringify(record)));
    } finally {
      marker.close();
    }
    await this.#replaceOthers(card.id);
    return card;
  }

  discard(): Promise<void> {
    return removeIfThere(this.#storage, this.#folder);
  }

  async #need(name: string, where: string): Promise<Blob> {
    const blob = await this.#storage.read(this.#folder, name);
    if (blob) return blob;
    throw new CytoError(
      'not-found',
      `The model in ${where} lacks the file "${name}". Choose all files of the model, rdf.yaml included.`,
    );
  }
}
