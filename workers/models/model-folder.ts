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
