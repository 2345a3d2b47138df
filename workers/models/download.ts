import { CytoError, throwIfAborted } from '../../core/errors.ts';
import type { FileSink } from '../../core/folder-sink.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { bytesOf, request } from './request.ts';

/** Attempts in a row that bring nothing before a download is given up. */
const MOST_ATTEMPTS = 4;
const FIRST_PAUSE_MS = 400;

/**
 * Downloads a small file into memory, with progress in bytes.
 * @throws CytoError `not-found`, `network`, `aborted`
 */
export async function download(url: URL, { signal, onProgress }: TaskOptions = {}): Promise<Blob> {
  const response = await request(url, signal ? { signal } : {});
  const total = Number(response.headers.get('content-length') ?? 0);
  const parts: Uint8Array[] = [];
  let loaded = 0;
  for await (const bytes of bytesOf(response, signal)) {
    parts.push(bytes);
    loaded += bytes.length;
    onProgress?.({ phase: 'load-model', value: loaded, total: Math.max(total, loaded) });
  }
  return new Blob(parts as Uint8Array<ArrayBuffer>[]);
}

export interface ResumableOptions {
  /** Bytes of the whole file, if known. */
  size?: number;
  signal?: AbortSignal;
  /** Called with the bytes that are there. */
  onBytes?: (loaded: number) => void;
}

/**
 * Downloads a file of any size into a sink. A cut connection is taken up again where it broke; a server that knows no
 * ranges, or whose file has another length than before, makes it start anew.
 *
 * @param open opens the sink, going on after what is there or from nothing
 * @throws CytoError `network` after several attempts without a byte (what has come is kept), `not-found`, `quota`,
 * `aborted`
 */
export async function downloadInto(
  url: URL,
  open: (keep: boolean) => Promise<FileSink>,
  options: ResumableOptions = {},
): Promise<{ size: number; sha256: string }> {
  const download = new ResumableDownload(url, await open(true), open, options);
  try {
    await download.run();
  } catch (error) {
    await download.sink.close();
    throw error;
  }
  return download.sink.close();
}

class ResumableDownload {
  /** Where the bytes go; another one after a new start. */
  sink: FileSink;
  readonly #url: URL;
  readonly #open: (keep: boolean) => Promise<FileSink>;
  readonly #options: ResumableOptions;

  constructor(
    url: URL,
    sink: FileSink,
    open: (keep: boolean) => Promise<FileSink>,
    options: ResumableOptions,
  ) {
    this.#url = url;
    this.sink = sink;
    this.#open = open;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { size, signal } = this.#options;
    if (size !== undefined && this.sink.size > size) await this.#restart();
    for (let failures = 0, complete = this.sink.size === size; !complete; ) {
      throwIfAborted(signal);
      const start = this.sink.size;
      try {
        complete = (await this.#append(start)) && this.sink.size >= (size ?? 0);
        failures = this.sink.size > start ? 0 : failures + 1;
        if (failures >= MOST_ATTEMPTS)
          throw new CytoError('network', `${this.#url.href} gives less than the whole file.`);
      } catch (error) {
        if (!(error instanceof CytoError && error.kind === 'network') || isRefusal(error)) throw error;
        failures = this.sink.size > start ? 1 : failures + 1;
        if (failures >= MOST_ATTEMPTS) throw interrupted(error, this.sink.size, size);
        await pause(FIRST_PAUSE_MS * 2 ** (failures - 1), signal);
      }
    }
  }

  async #restart(): Promise<void> {
    await this.sink.close();
    this.sink = await this.#open(false);
  }

  /** Appends what the server sends from a byte on; false if the file must be begun anew. */
  async #append(start: number): Promise<boolean> {
    const { size, signal, onBytes } = this.#options;
    const response = await request(this.#url, {
      cache: 'no-store',
      ...(signal ? { signal } : {}),
      ...(start > 0 ? { headers: { Range: `bytes=${start}-` } } : {}),
    });
    // Servers of other origins rarely let the page read this header; the hash tells in the end.
    const range = /bytes (\d+)-\d+\/(\d+)/.exec(response.headers.get('content-range') ?? '');
    const moved =
      range !== null && (Number(range[1]) !== start || Number(range[2]) !== (size ?? Number(range[2])));
    if (response.status === 416 || moved) {
      await response.body?.cancel();
      if (start === 0) throw new CytoError('network', `${this.#url.href} answers with the wrong bytes.`);
      await this.#restart();
      return false;
    }
    if (start > 0 && response.status !== 206) await this.#restart();
    const { sink } = this;
    for await (const bytes of bytesOf(response, signal)) {
      await sink.write(bytes);
      onBytes?.(sink.size);
    }
    return true;
  }
}

/** An answer that another attempt would not change. */
function isRefusal(error: CytoError): boolean {
  const status = (error.cause as { status?: number } | undefined)?.status;
  return /CORS header/.test(error.message) || (status !== undefined && status < 500 && status !== 429);
}

function interrupted(error: CytoError, loaded: number, size?: number): CytoError {
  if (loaded === 0) return error;
  const of = size === undefined ? '' : ` of ${megabytes(size)}`;
  return new CytoError(
    'network',
    `The download was interrupted after ${megabytes(loaded)}${of}. What has arrived is kept; start it again to go on from there.`,
    { cause: error },
  );
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
