import { CytoError } from '../../core/errors.ts';

/** A server that sends nothing for so long is given up. */
const SILENCE_MS = 30_000;

/**
 * Asks a server for a file.
 * @throws CytoError `not-found`, `network` (with CORS refusals told apart where that can be found out), `aborted`
 */
export async function request(
  url: URL,
  init: RequestInit & { signal?: AbortSignal } = {},
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    throw await unreachable(url, cause, init.signal);
  }
  if (response.ok || response.status === 416) return response;
  if (response.status === 404 || response.status === 410)
    throw new CytoError('not-found', `There is no file at ${url.href}.`);
  throw new CytoError('network', `${url.href} answered with status ${response.status}.`, {
    cause: { status: response.status },
  });
}

/** Says why a request failed. A refusal by CORS looks like a missing server until it is asked without CORS. */
async function unreachable(url: URL, cause: unknown, signal?: AbortSignal): Promise<CytoError> {
  if (signal?.aborted) return new CytoError('aborted', 'The download was cancelled.', { cause });
  const foreign = globalThis.location !== undefined && url.origin !== location.origin;
  if (foreign) {
    try {
      const stop = new AbortController();
      await fetch(url, { mode: 'no-cors', cache: 'no-store', signal: stop.signal });
      stop.abort();
      return new CytoError(
        'network',
        `${url.host} does not let other pages read its files (it sends no CORS header). Download the model with your browser and add it as a file, or ask the server’s owner for the header Access-Control-Allow-Origin.`,
        { cause },
      );
    } catch {
      // It cannot be reached at all, or this page may not ask so.
    }
  }
  return new CytoError(
    'network',
    `${url.href} could not be loaded. Check the address and the connection${foreign ? '; a server of another origin must allow this page by CORS' : ''}.`,
    { cause },
  );
}

/**
 * The bytes of an answer as they arrive.
 * @throws CytoError `network` if the connection is cut or falls silent, `aborted`
 */
export async function* bytesOf(response: Response, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('The server fell silent.')), SILENCE_MS);
      });
      try {
        const { done, value } = await Promise.race([reader.read(), silence]);
        if (done) return;
        yield value;
      } finally {
        clearTimeout(timer);
      }
    }
  } catch (cause) {
    if (cause instanceof CytoError) throw cause;
    if (signal?.aborted) throw new CytoError('aborted', 'The download was cancelled.', { cause });
    throw new CytoError('network', `The connection to ${new URL(response.url).host} was cut.`, { cause });
  } finally {
    // Also after the reader's user has failed: the rest is not wanted.
    reader.cancel().catch(() => undefined);
  }
}
