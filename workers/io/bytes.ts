import { CytoError } from '../../core/errors.ts';
import type { TaskOptions } from '../../core/progress.ts';

/** A named file whose parts can be read; a File, a Blob or a download. */
export interface NamedBlob {
  name: string;
  /** Path inside a dropped folder, with forward slashes; the name for a single file. */
  path: string;
  blob: Blob;
}

/** First bytes of a file. */
export async function headOf(blob: Blob, length = 512): Promise<Uint8Array> {
  return new Uint8Array(await blob.slice(0, length).arrayBuffer());
}

/**
 * All bytes of a file.
 * @throws CytoError `too-large` if they do not fit into memory
 */
export async function bytesOf({ blob, name }: NamedBlob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new CytoError(
      'too-large',
      `"${name}" (${Math.ceil(blob.size / 2 ** 20)} MiB) could not be read into memory. Convert it to OME-Zarr or a tiled TIFF, which are read in parts.`,
      { cause },
    );
  }
}

/** Name of the file an address points to. */
export function nameOfUrl(url: URL): string {
  const parts = url.pathname.split('/').filter(Boolean);
  return decodeURIComponent(parts.at(-1) ?? url.hostname);
}

/**
 * Downloads a file.
 * @throws CytoError `not-found`, `network` (CORS refusals included), `aborted`
 */
export async function fetchBlob(url: URL, { signal, onProgress }: TaskOptions = {}): Promise<NamedBlob> {
  const name = nameOfUrl(url);
  const response = await request(url, signal ? { signal } : {});
  if (!response.body) throw new CytoError('network', `${url.href} answered without a body.`);
  const total = Number(response.headers.get('content-length') ?? 0);
  const parts: BlobPart[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value as Uint8Array<ArrayBuffer>);
      loaded += value.length;
      onProgress?.({ phase: 'read', value: loaded, total: Math.max(total, loaded) });
    }
  } catch (cause) {
    if (signal?.aborted) throw new CytoError('aborted', 'The download was cancelled.', { cause });
    throw new CytoError('network', `The connection broke while "${name}" was loading. Try again.`, { cause });
  }
  const type = response.headers.get('content-type') ?? '';
  const blob = new Blob(parts);
  if (type.startsWith('text/html')) {
    throw new CytoError(
      'network',
      `${url.href} gave a web page, not an image. Check the address, or log in to the server first.`,
    );
  }
  return { name, path: name, blob };
}

/**
 * `fetch` whose failures say what to do.
 * @throws CytoError `not-found`, `network`, `aborted`
 */
export async function request(url: URL, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    if (init.signal?.aborted) throw new CytoError('aborted', 'The download was cancelled.', { cause });
    throw new CytoError(
      'network',
      `${url.href} could not be loaded. Either the address is wrong, the server is down, or it does not allow this page to read its files (CORS): its administrator must send Access-Control-Allow-Origin.`,
      { cause },
    );
  }
  if (response.status === 404 || response.status === 410) {
    throw new CytoError('not-found', `There is no file at ${url.href}. Check the address.`);
  }
  if (response.status === 401 || response.status === 403) {
    throw new CytoError(
      'network',
      `${url.href} may not be read (status ${response.status}). Log in to the server first.`,
    );
  }
  if (!response.ok)
    throw new CytoError('network', `${url.href} answered with status ${response.status}. Try again later.`);
  return response;
}
