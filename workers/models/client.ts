import { assetUrl } from '../../core/assets.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { WorkerLink } from '../link.ts';
import type { ModelEntry } from './model-entry.ts';
import type { SourceRequest } from './models.worker.ts';

export type { ModelEntry };

/** Where a model is taken from: an address (of its rdf.yaml, its folder or its zip), a zip, or the files of its folder. */
export type ModelInput = string | URL | File | readonly File[];

/** All libraries of a page share one worker. */
let shared: { link: WorkerLink; users: number } | undefined;

/** Tells the other libraries, of other tabs as well, that the stored models have changed. */
const CHANNEL = 'cytopane-models';

/**
 * The models a page can use: those that ship with the package and those added to this browser. Models are kept in the
 * origin private file system; where there is none (no secure context) they last as long as the page.
 */
export class ModelLibrary {
  #link: WorkerLink | undefined;
  #channel: BroadcastChannel | undefined;
  readonly #listeners = new Set<() => void>();

  /** Models that can be run, the default one first. @throws CytoError `network` */
  list(options: TaskOptions = {}): Promise<ModelEntry[]> {
    return this.#call('list', [assetUrl('.').href], options);
  }

  /**
   * Name, licence and size of a model; nothing but its card is loaded.
   * @throws CytoError `not-found`, `network`, `model`, `bad-input`, `corrupt-file`, `aborted`
   */
  inspect(input: ModelInput, options: TaskOptions = {}): Promise<ModelEntry> {
    return this.#call('inspect', [requestOf(input)], options);
  }

  /**
   * Copies a model to this browser and checks every file. A download that was interrupted, also by closing the page,
   * goes on where it stopped. A model of the same id is replaced. Progress phase: `load-model` (bytes of the weights).
   * @throws CytoError `quota`, `corrupt-file` for a wrong hash, `not-found` for a missing file, `network`, `model` for
   * another contract, `bad-input`, `aborted`
   */
  async add(input: ModelInput, options: TaskOptions = {}): Promise<ModelEntry> {
    // Asks the browser not to clear the models when the disk runs full; it may say no.
    await globalThis.navigator?.storage?.persist?.();
    const entry = await this.#call<ModelEntry>('add', [assetUrl('.').href, requestOf(input)], options);
    this.#changed();
    return entry;
  }

  /** Removes an added model from this browser. @throws CytoError `not-found` */
  async forget(id: string, options: TaskOptions = {}): Promise<void> {
    await this.#call('forget', [id], options);
    this.#changed();
  }

  /** The files of an added model by name. @throws CytoError `not-found` */
  files(id: string, options: TaskOptions = {}): Promise<Map<string, Blob>> {
    return this.#call('files', [id], options);
  }

  /** Calls back when models were added or forgotten, here or in another tab. Returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#open();
    return () => this.#listeners.delete(listener);
  }

  /** Ends the worker with its last library. */
  dispose(): void {
    this.#channel?.close();
    this.#channel = undefined;
    this.#listeners.clear();
    if (!this.#link || !shared) return;
    this.#link = undefined;
    shared.users--;
    if (shared.users > 0) return;
    shared.link.dispose();
    shared = undefined;
  }

  #call<T>(method: string, args: unknown[], options: TaskOptions): Promise<T> {
    if (!this.#link) {
      shared ??= {
        link: new WorkerLink(
          'The model worker',
          () => new Worker(new URL('./models.worker.js', import.meta.url), { type: 'module' }),
        ),
        users: 0,
      };
      shared.users++;
      this.#link = shared.link;
    }
    return this.#link.call<T>(method, args, options);
  }

  #open(): BroadcastChannel {
    if (!this.#channel) {
      this.#channel = new BroadcastChannel(CHANNEL);
      this.#channel.onmessage = () => {
        for (const listener of this.#listeners) listener();
      };
    }
    return this.#channel;
  }

  #changed(): void {
    // A channel does not hear itself.
    this.#open().postMessage('changed');
    for (const listener of this.#listeners) listener();
  }
}

function requestOf(input: ModelInput): SourceRequest {
  if (typeof input === 'string' || input instanceof URL) {
    return { url: new URL(input, globalThis.document?.baseURI).href };
  }
  const files = input instanceof File ? [input] : input;
  return { files: files.map((file) => ({ path: file.webkitRelativePath || file.name, blob: file })) };
}
