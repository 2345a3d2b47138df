import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { throwIfAborted } from '../../core/errors.ts';

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

/**
 * Feeds a file of any size to a hash without holding it in memory.
 * @throws CytoError `aborted`
 */
export async function hashBlob(blob: Blob, hash = new Sha256(), signal?: AbortSignal): Promise<Sha256> {
  const reader = blob.stream().getReader();
  try {
    for (;;) {
      throwIfAborted(signal);
      const { done, value } = await reader.read();
      if (done) return hash;
      hash.update(value);
    }
  } finally {
    reader.releaseLock();
  }
}
