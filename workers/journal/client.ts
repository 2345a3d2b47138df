import { WorkerLink } from '../link.ts';
import type { StoredJournal } from './journal.worker.ts';

export type { StoredJournal };

/**
 * Files in the origin's private file system to which the edits of labels are appended while they are made. Each is
 * locked by the page that writes it, so that only what a closed or crashed page has left is offered again.
 */
export class JournalStore {
  readonly #link = new WorkerLink(
    'The saving worker',
    () => new Worker(new URL('./journal.worker.js', import.meta.url), { type: 'module' }),
  );

  /** @throws CytoError `internal` when the browser refuses storage; `bad-input` when another page has the file */
  append(file: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#link.call('append', [file, bytes], { transfer: [bytes.buffer] });
  }

  /** What pages no longer alive have left under names that begin with `prefix`, newest last. */
  left(prefix: string): Promise<StoredJournal[]> {
    return this.#link.call('left', [prefix]);
  }

  /** Deletes a file; unknown ones are ignored. */
  remove(file: string): Promise<void> {
    return this.#link.call('remove', [file]);
  }

  /** Stops the worker; its files are then free for other pages. */
  dispose(): void {
    this.#link.dispose();
  }
}
