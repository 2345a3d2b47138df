import { assetUrl } from '../../core/assets.ts';
import { CytoError } from '../../core/errors.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { download } from './download.ts';

/** The files of a model, wherever they lie. */
export interface ModelFolder {
  /** Where it lies, for messages. */
  readonly where: string;
  /** Whether sizes and hashes were checked when the files were stored. */
  readonly checked?: boolean;
  /**
   * A file by its name beside the card.
   * @throws CytoError `not-found`, `network`, `aborted`
   */
  open(name: string, options?: TaskOptions): Promise<Blob>;
}

/** Files of a model that ships with the package, by its id. @throws CytoError `model` if that is no id */
export function builtInFolder(id: string): ModelFolder {
  if (!/^[\w-]+$/.test(id)) throw new CytoError('model', `"${id}" is not the id of a model.`);
  return urlFolder(assetUrl(`models/${id}/`));
}

/** A model folder on a server. @param base address of the folder, with a final slash */
export function urlFolder(base: URL): ModelFolder {
  return {
    where: base.href,
    open: (name, options) => {
      const url = new URL(name, base);
      url.search = base.search;
      return download(url, options);
    },
  };
}

/** Model files in memory or on disk. @param files by name beside the card */
export function blobFolder(
  files: ReadonlyMap<string, Blob>,
  where = 'the model folder',
  checked = false,
): ModelFolder {
  return {
    where,
    checked,
    open: async (name) => {
      const file = files.get(name);
      if (file) return file;
      throw new CytoError(
        'not-found',
        `There is no file "${name}" in ${where}. Choose all files of the model, rdf.yaml included.`,
      );
    },
  };
}

/** The error of reading a file that is not there any more, in words; undefined for other errors. */
export function vanished(error: unknown, where: string): CytoError | undefined {
  const names = ['NotFoundError', 'NotReadableError'];
  if (!(error instanceof Error && names.includes(error.name))) return undefined;
  return new CytoError(
    'not-found',
    `Files of the model in ${where} were removed or replaced while they were needed. Add the model again.`,
    { cause: error },
  );
}

/** Larger files are left where they lie. */
const MOST_HELD = 64 * 2 ** 20;

/** A copy of a file in memory; of a larger one the file itself. */
export async function heldFile(file: Blob): Promise<Blob> {
  return file.size > MOST_HELD ? file : new Blob([await file.arrayBuffer()], { type: file.type });
}

/**
 * A folder whose files, once they were opened, can be read to the end of a long task: those of up to 64 MB are held in
 * memory. Files in the browser's storage are read when they are used, and by then another tab may have removed them; some
 * browsers lose those of private windows when the storage was not used for minutes.
 */
export function heldFolder(folder: ModelFolder): ModelFolder {
  const held = new Map<string, Promise<Blob>>();
  const hold = async (name: string, options: TaskOptions | undefined) => {
    const file = await folder.open(name, options);
    try {
      return await heldFile(file);
    } catch (cause) {
      throw vanished(cause, folder.where) ?? cause;
    }
  };
  return {
    ...folder,
    open: (name, options) => {
      const known = held.get(name) ?? hold(name, options);
      held.set(name, known);
      // After a failure it is asked again.
      known.catch(() => held.delete(name));
      return known;
    },
  };
}
