import { CytoError, throwIfAborted } from '../../core/errors.ts';
import { CARD, type ModelFile } from '../segmentation/network/model-card.ts';
import { downloadInto, type ResumableOptions } from './download.ts';
import { blobFolder, type ModelFolder, urlFolder } from './model-folder.ts';
import type { ModelSink } from './model-store.ts';

/** A model that can be copied to this device. */
export interface ModelSource extends ModelFolder {
  /** Whether what was copied of a file can be taken up again. */
  readonly resumable: boolean;
  /** Copies a file. @throws CytoError as {@link downloadInto}; `corrupt-file` for a damaged archive */
  copy(file: ModelFile, sink: ModelSink, options: ResumableOptions): Promise<void>;
}

/** A file chosen by the user, with its path in the chosen folder. */
export interface NamedFile {
  path: string;
  blob: Blob;
}

/** Copies a stream into a file of a sink. */
export async function copyStream(
  stream: ReadableStream<Uint8Array>,
  name: string,
  sink: ModelSink,
  { signal, onBytes }: ResumableOptions,
): Promise<void> {
  const target = await sink.file(name);
  try {
    const reader = stream.getReader();
    for (;;) {
      throwIfAborted(signal);
      const { done, value } = await reader.read();
      if (done) break;
      await target.write(value);
      onBytes?.(target.size);
    }
  } finally {
    await target.close();
  }
}

/** Takes an address of a model: of its card (`….yaml`), its folder or its zip package. */
export async function sourceOfUrl(address: string, signal?: AbortSignal): Promise<ModelSource> {
  let url: URL;
  try {
    url = new URL(address, globalThis.location?.href);
  } catch (cause) {
    throw new CytoError('bad-input', `"${address}" is not an address.`, { cause });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new CytoError('bad-input', `${url.href} cannot be loaded; use an address that starts with https.`);
  if (/\.zip$/i.test(url.pathname)) {
    const { zipOfUrl } = await import('./zip-source.ts');
    return zipOfUrl(url, signal);
  }
  const card = /[^/]+\.ya?ml$/i.exec(url.pathname)?.[0];
  const base = new URL(url);
  base.pathname = card ? base.pathname.slice(0, -card.length) : base.pathname.replace(/\/?$/, '/');
  const folder = urlFolder(base);
  return {
    where: base.href,
    resumable: true,
    open: (name, options) => folder.open(name === CARD && card ? card : name, options),
    copy: async (file, sink, options) => {
      const from = new URL(file.source, base);
      from.search = base.search;
      const open = (keep: boolean) => sink.file(file.source, { keep });
      await downloadInto(from, open, { ...options, ...(file.size === undefined ? {} : { size: file.size }) });
    },
  };
}

/** Takes files the user has chosen or dropped: one zip package, or the files of a model folder. */
export async function sourceOfFiles(files: readonly NamedFile[]): Promise<ModelSource> {
  const only = files.length === 1 ? files[0] : undefined;
  if (only && /\.zip$/i.test(only.path)) {
    const { zipOfBlob } = await import('./zip-source.ts');
    return zipOfBlob(only.blob, only.path);
  }
  const root = rootOf(files.map(({ path }) => path));
  if (root === undefined) {
    throw new CytoError(
      'not-found',
      'There is no rdf.yaml among the chosen files. Choose the whole model folder, all of its files, or its zip package.',
    );
  }
  const inside = files.filter(({ path }) => path.startsWith(root));
  const folder = blobFolder(
    new Map(inside.map(({ path, blob }) => [path.slice(root.length), blob])),
    root || 'the chosen files',
  );
  return {
    ...folder,
    resumable: false,
    copy: async (file, sink, options) =>
      copyStream((await folder.open(file.source)).stream(), file.source, sink, options),
  };
}

/** Folder (with its final slash, or empty) that holds the topmost card; undefined if there is none. */
export function rootOf(paths: readonly string[]): string | undefined {
  return paths
    .filter((path) => path === CARD || path.endsWith(`/${CARD}`))
    .map((path) => path.slice(0, -CARD.length))
    .sort((a, b) => a.length - b.length)[0];
}
