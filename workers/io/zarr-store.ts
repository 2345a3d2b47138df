import type { AbsolutePath, AsyncReadable, RangeQuery } from 'zarrita';
import { CytoError } from '../../core/errors.ts';
import { fetchBlob, type NamedBlob, request } from './bytes.ts';

/** A zarr hierarchy that can be read; a missing key is undefined. */
export type ZarrStore = AsyncReadable;

async function slice(blob: Blob, range?: RangeQuery): Promise<Uint8Array> {
  if (!range) return new Uint8Array(await blob.arrayBuffer());
  const part =
    'suffixLength' in range
      ? blob.slice(Math.max(0, blob.size - range.suffixLength))
      : blob.slice(range.offset, range.offset + range.length);
  return new Uint8Array(await part.arrayBuffer());
}

/** A zarr folder among dropped files; `root` is the folder that holds the top metadata. */
export function filesStore(files: readonly NamedBlob[], root: string): ZarrStore {
  const byPath = new Map(files.map((file) => [file.path, file.blob]));
  const read = async (key: AbsolutePath, range?: RangeQuery) => {
    const blob = byPath.get(`${root}${key.slice(1)}`);
    return blob && slice(blob, range);
  };
  return { get: (key) => read(key), getRange: (key, range) => read(key, range) };
}

/**
 * A zarr hierarchy on a server. Missing chunks may be answered by 404 or 403.
 * @param signal of the opening; later reads have their own
 */
export function urlStore(root: URL, signal?: AbortSignal): ZarrStore {
  const base = new URL(root);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  const read = async (key: AbsolutePath, range?: RangeQuery, own = signal) => {
    const url = new URL(key.slice(1), base);
    url.search = base.search;
    const header = range && {
      Range:
        'suffixLength' in range
          ? `bytes=-${range.suffixLength}`
          : `bytes=${range.offset}-${range.offset + range.length - 1}`,
    };
    let response: Response;
    try {
      response = await request(url, {
        ...(header ? { headers: header } : {}),
        ...(own ? { signal: own } : {}),
      });
    } catch (error) {
      const missing =
        error instanceof CytoError && (error.kind === 'not-found' || /status 403/.test(error.message));
      if (missing) return undefined;
      throw error;
    }
    if ((response.headers.get('content-type') ?? '').startsWith('text/html')) return undefined;
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (!range || response.status === 206) return bytes;
    // The server ignored the range and sent everything.
    return slice(new Blob([bytes]), range);
  };
  return {
    get: (key, options) => read(key, undefined, options?.signal),
    getRange: (key, range, options) => read(key, range, options?.signal),
  };
}

/** A zipped zarr. @throws CytoError `corrupt-file` */
export async function zipStore(file: NamedBlob | URL): Promise<{ store: ZarrStore; keys: string[] }> {
  const { unzip } = await import('fflate');
  const archive = file instanceof URL ? await fetchBlob(file) : file;
  const bytes = new Uint8Array(await archive.blob.arrayBuffer());
  const entries = await new Promise<Record<string, Uint8Array>>((resolve, reject) => {
    let total = 0;
    unzip(
      bytes,
      {
        filter: ({ originalSize, name }) => {
          total += originalSize;
          return total <= 2 ** 31 && !name.endsWith('/');
        },
      },
      (error, data) => {
        if (error)
          reject(
            new CytoError('corrupt-file', `"${archive.name}" is a damaged zip archive: ${error.message}.`, {
              cause: error,
            }),
          );
        else if (total > 2 ** 31)
          reject(
            new CytoError(
              'too-large',
              `"${archive.name}" unpacks to more than 2 GiB. Unpack it and open the folder.`,
            ),
          );
        else resolve(data);
      },
    );
  });
  const blobs = Object.entries(entries).map(
    ([path, data]): NamedBlob => ({
      name: path.split('/').at(-1) ?? path,
      path,
      blob: new Blob([data as Uint8Array<ArrayBuffer>]),
    }),
  );
  const root = zarrRoot(blobs.map(({ path }) => path));
  if (root === undefined) {
    throw new CytoError(
      'unsupported',
      `"${archive.name}" holds no zarr hierarchy. Unpack it and open the files inside.`,
    );
  }
  return { store: filesStore(blobs, root), keys: blobs.map(({ path }) => path) };
}

const METADATA = /(^|\/)(\.zattrs|\.zgroup|\.zarray|zarr\.json)$/;

/** Folder (with a final slash, or empty) of the topmost zarr metadata among paths; undefined if there is none. */
export function zarrRoot(paths: readonly string[]): string | undefined {
  const folders = paths.filter((path) => METADATA.test(path)).map((path) => path.replace(/[^/]+$/, ''));
  return folders.sort((a, b) => a.length - b.length)[0];
}
