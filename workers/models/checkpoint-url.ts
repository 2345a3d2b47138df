import { CytoError } from '../../core/errors.ts';
import { type ByteSource, within } from '../../models/cpsam/checkpoint/byte-source.ts';
import { bytesOf, request } from './request.ts';

/** Bytes of a file. Servers of other origins may hide the header of parts, but not that of the whole. */
async function sizeOf(url: URL, part: Response, signal?: AbortSignal): Promise<number> {
  const told = /\/(\d+)$/.exec(part.headers.get('content-range') ?? '')?.[1];
  if (told !== undefined) return Number(told);
  const whole = await request(url, { method: 'HEAD', ...(signal ? { signal } : {}) });
  return Number(whole.headers.get('content-length') ?? Number.NaN);
}

/** Attempts at one part before a download is given up. */
const MOST_ATTEMPTS = 4;

/**
 * A file on a server that answers range requests.
 * @throws CytoError `network`, with the way out where the server knows no ranges; `not-found`, `aborted`
 */
export async function urlSource(url: URL, signal?: AbortSignal): Promise<ByteSource> {
  const name = decodeURIComponent(url.pathname.split('/').filter(Boolean).at(-1) ?? url.host);
  const stop = signal ? { signal } : {};
  const probe = await request(url, { headers: { Range: 'bytes=0-0' }, cache: 'no-store', ...stop });
  await probe.body?.cancel();
  const size = probe.status === 206 ? await sizeOf(url, probe, signal) : Number.NaN;
  if (!Number.isSafeInteger(size)) {
    throw new CytoError(
      'network',
      `${url.host} does not hand out parts of a file (range requests), so that "${name}" cannot be converted from there. Download it with your browser and add it as a file.`,
    );
  }
  const file = { name, size };
  const range = async (start: number, end: number, init: { signal?: AbortSignal }) => {
    const headers = { Range: `bytes=${start}-${end - 1}` };
    const response = await request(url, { headers, cache: 'no-store', ...init });
    if (response.status !== 206) {
      await response.body?.cancel();
      throw new CytoError('network', `${url.host} stopped to hand out parts of "${name}". Try again.`);
    }
    const bytes = new Uint8Array(end - start);
    let at = 0;
    for await (const part of bytesOf(response, init.signal)) {
      bytes.set(part.subarray(0, bytes.length - at), at);
      at += part.length;
    }
    if (at === bytes.length) return bytes;
    throw new CytoError('network', `${url.host} sent ${at} bytes of "${name}" instead of ${bytes.length}.`);
  };
  return {
    ...file,
    read: async (start, end, own) => {
      within(file, start, end);
      if (start === end) return new Uint8Array();
      for (let attempt = 1; ; attempt++) {
        try {
          return await range(start, end, own ? { signal: own } : {});
        } catch (error) {
          const again = error instanceof CytoError && error.kind === 'network';
          if (!again || attempt === MOST_ATTEMPTS) throw error;
        }
      }
    },
  };
}
