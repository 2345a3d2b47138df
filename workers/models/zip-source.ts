import { configure, type FileEntry, Reader, ZipReader } from '@zip.js/zip.js';
import { CytoError } from '../../core/errors.ts';
import type { ModelSource } from './model-source.ts';
import { copyStream, rootOf } from './model-source.ts';
import { bytesOf, request } from './request.ts';

/** Bytes that are asked for at once. */
const CHUNK = 4 * 2 ** 20;
const MOST_ATTEMPTS = 4;

configure({ useWebWorkers: false, chunkSize: CHUNK });

/** A zip on a server, read by range requests: its card can be seen before the weights are loaded. */
class RangeReader extends Reader<URL> {
  readonly #url: URL;
  readonly #signal: AbortSignal | undefined;

  constructor(url: URL, signal?: AbortSignal) {
    super(url);
    this.#url = url;
    this.#signal = signal;
  }

  override async init(): Promise<void> {
    const response = await request(this.#url, { method: 'HEAD', ...this.#options() });
    this.size = Number(response.headers.get('content-length') ?? 0);
  }

  override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
    const end = Math.min(index + length, this.size);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#range(index, end);
      } catch (error) {
        const again = error instanceof CytoError && error.kind === 'network' && !/range/.test(error.message);
        if (!again || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }

  async #range(start: number, end: number): Promise<Uint8Array> {
    if (end <= start) return new Uint8Array();
    const response = await request(this.#url, {
      headers: { Range: `bytes=${start}-${end - 1}` },
      cache: 'no-store',
      ...this.#options(),
    });
    if (response.status !== 206) {
      await response.body?.cancel();
      throw new CytoError(
        'network',
        `${this.#url.host} does not answer range requests, so that this package cannot be looked into. Give the address of its rdf.yaml, or download the zip and add it as a file.`,
      );
    }
    const bytes = new Uint8Array(end - start);
    let at = 0;
    for await (const part of bytesOf(response, this.#signal)) {
      bytes.set(part.subarray(0, bytes.length - at), at);
      at += part.length;
    }
    if (at !== bytes.length)
      throw new CytoError('network', `${this.#url.host} sent ${at} bytes instead of ${bytes.length}.`);
    return bytes;
  }

  #options() {
    return this.#signal ? { signal: this.#signal } : {};
  }
}

/** A zip the user has chosen. */
class BlobSliceReader extends Reader<Blob> {
  readonly #blob: Blob;

  constructor(blob: Blob) {
    super(blob);
    this.#blob = blob;
    this.size = blob.size;
  }

  override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
    return new Uint8Array(await this.#blob.slice(index, index + length).arrayBuffer());
  }
}

/** A zip package on a server. @throws CytoError `network`, `not-found`, `corrupt-file`, `aborted` */
export const zipOfUrl = (url: URL, signal?: AbortSignal): Promise<ModelSource> =>
  zipSource(new RangeReader(url, signal), url.href);

/** A zip package of the user. @throws CytoError `corrupt-file`, `not-found` */
export const zipOfBlob = (blob: Blob, name: string): Promise<ModelSource> =>
  zipSource(new BlobSliceReader(blob), name);

async function zipSource(reader: Reader<unknown>, where: string): Promise<ModelSource> {
  const archive = new ZipReader(reader);
  const entries = await archive.getEntries().catch((error: unknown) => {
    throw damaged(error, where);
  });
  const files = entries.filter((entry): entry is FileEntry => !entry.directory);
  const root = rootOf(files.map(({ filename }) => filename));
  if (root === undefined)
    throw new CytoError('not-found', `There is no rdf.yaml in ${where}; it is not a model package.`);
  const find = (name: string): FileEntry => {
    const entry = files.find(({ filename }) => filename === root + name);
    if (entry) return entry;
    throw new CytoError('not-found', `There is no file "${name}" in ${where}; the package is incomplete.`);
  };
  /** The unpacked bytes; a failure of the archive ends the stream with the reason. */
  const streamOf = (entry: FileEntry, signal?: AbortSignal): ReadableStream<Uint8Array> => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    entry.getData(writable, signal ? { signal } : {}).catch((error: unknown) =>
      // The stream may have been closed by its reader.
      writable.abort(damaged(error, where)).catch(() => undefined),
    );
    return readable;
  };
  return {
    where,
    resumable: false,
    open: async (name) => new Response(streamOf(find(name))).blob(),
    copy: (file, sink, options) =>
      copyStream(streamOf(find(file.source), options.signal), file.source, sink, options).catch(
        (error: unknown) => {
          throw damaged(error, where);
        },
      ),
  };
}

function damaged(error: unknown, where: string): CytoError {
  if (error instanceof CytoError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new CytoError('corrupt-file', `${where} is a damaged zip package (${reason}). Load it again.`, {
    cause: error,
  });
}
