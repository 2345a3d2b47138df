import { CytoError } from '../../../core/errors.ts';

/** A file of any size that is read in parts. */
export interface ByteSource {
  /** File name, for messages and for the name of the model. */
  readonly name: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /**
   * The bytes start ≤ i < end.
   * @throws CytoError `corrupt-file` if the file is shorter, `network`, `aborted`
   */
  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/** Refuses a part that lies outside of the file. */
export function within({ name, size }: Pick<ByteSource, 'name' | 'size'>, start: number, end: number): void {
  if (start >= 0 && start <= end && end <= size) return;
  throw new CytoError(
    'corrupt-file',
    `"${name}" is damaged or incomplete: it ends after ${size} bytes, but bytes up to ${end} are needed. Load it again.`,
  );
}

/** A file the user has chosen, or a part of memory. */
export function blobSource(blob: Blob, name: string): ByteSource {
  const file = { name, size: blob.size };
  return {
    ...file,
    read: async (start, end) => {
      within(file, start, end);
      return new Uint8Array(await blob.slice(start, end).arrayBuffer());
    },
  };
}
