import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { CytoError } from '../../../core/errors.ts';
import type { ByteSource } from './byte-source.ts';

/**
 * A file on disk, for Node.
 * @throws CytoError `not-found`
 */
export async function pathSource(path: string): Promise<ByteSource & { close(): Promise<void> }> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new CytoError('not-found', `"${path}" cannot be opened. Give the path of the checkpoint file.`, {
      cause,
    });
  });
  const { size } = await file.stat();
  return {
    name: basename(path),
    size,
    read: async (start, end) => {
      const bytes = new Uint8Array(Math.max(0, end - start));
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
        if (bytesRead === 0) {
          throw new CytoError(
            'corrupt-file',
            `"${path}" is damaged or incomplete: it ends after ${size} bytes, but bytes up to ${end} are needed. Load it again.`,
          );
        }
        at += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}
