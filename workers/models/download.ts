import { CytoError } from '../../core/errors.ts';
import type { TaskOptions } from '../../core/progress.ts';

/**
 * Downloads a small file with progress in bytes.
 * @throws CytoError `not-found`, `network`, `aborted`
 */
export async function download(url: URL, { signal, onProgress }: TaskOptions = {}): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url, signal ? { signal } : {});
  } catch (cause) {
    if (signal?.aborted) throw new CytoError('aborted', 'The download was cancelled.', { cause });
    throw new CytoError(
      'network',
      `${url.href} could not be loaded. Check the address and the connection; a server of another origin must allow this page by CORS.`,
      { cause },
    );
  }
  if (response.status === 404) throw new CytoError('not-found', `There is no file at ${url.href}.`);
  if (!response.ok || !response.body) {
    throw new CytoError('network', `${url.href} answered with status ${response.status}.`);
  }
  const total = Number(response.headers.get('content-length') ?? 0);
  const parts: Uint8Array[] = [];
  let loaded = 0;
  for (let reader = response.body.getReader(), done = false; !done; ) {
    const chunk = await reader.read();
    done = chunk.done;
    if (!chunk.value) continue;
    parts.push(chunk.value);
    loaded += chunk.value.length;
    onProgress?.({ phase: 'load-model', value: loaded, total: Math.max(total, loaded) });
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
