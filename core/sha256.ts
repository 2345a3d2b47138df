import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { throwIfAborted } from './errors.ts';

/** A SHA-256 that is fed piece by piece; the browser's own takes only whole arrays. */
export class Sha256 {
  readonly #hash = sha256.create();

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** Lower-case hexadecimal; ends the hash. */
  hex(): string {
    return bytesToHex(this.#hash.digest());
  }
}

/** Files up to this size are hashed by the browser, which needs them in memory and is many times faster. */
const MOST_IN_MEMORY = 256 * 2 ** 20;

/**
 * The SHA-256 of a file, in lower-case hexadecimal.
 * @throws CytoError `aborted`
 */
export async function hashOf(blob: Blob, signal?: AbortSignal): Promise<string> {
  if (blob.size <= MOST_IN_MEMORY && globalThis.crypto?.subtle) {
    return bytesToHex(new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer())));
  }
  const hash = new Sha256();
  await feed(blob, hash, signal);
  return hash.hex();
}

/**
 * Feeds a file of any size to a hash without holding it in memory.
 * @throws CytoError `aborted`
 */
export async function feed(blob: Blob, hash: Sha256, signal?: AbortSignal): Promise<void> {
  const reader = blob.stream().getReader();
  try {
    for (;;) {
      throwIfAborted(signal);
      const { done, value } = await reader.read();
      if (done) return;
      hash.update(value);
    }
  } finally {
    reader.releaseLock();
  }
}
