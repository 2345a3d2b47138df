import { journalOf, journalRecord, parseJournal, replayJournal } from '../../../core/edit/journal.ts';
import { type HistoryEvent, LabelHistory } from '../../../core/edit/label-history.ts';
import { asCytoError, CytoError } from '../../../core/errors.ts';
import { LabelVolume, MANUAL } from '../../../core/label-volume.ts';
import { type LabelsLayer, labelsLayer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import { JournalStore } from '../../../workers/journal/client.ts';

/** Edits of the shown image that a page which was closed or has crashed has left. */
export interface RestoreOffer {
  /** Name of the labels. */
  title: string;
  /** Milliseconds since 1970 when they were begun. */
  started: number;
  /** Number of edits. */
  steps: number;
}

type Journal = ReturnType<typeof parseJournal>;

/**
 * Records every edit of a viewer's labels in the browser's private storage while it is made, and finds what an earlier
 * page has left. A journal belongs to an image by its name and size.
 */
export class Autosave {
  readonly #model: ViewerModel;
  readonly #changed: () => void;
  readonly #failed: (message: string) => void;
  readonly #store = new JournalStore();
  readonly #files = new Map<LabelVolume, string>();
  #left: Array<Journal & { file: string }> = [];
  #lookedFor = '';
  #works = true;
  #writing: Promise<unknown> = Promise.resolve();

  /**
   * @param changed called when there is another offer
   * @param failed told why recording has ended, once
   */
  constructor(model: ViewerModel, changed: () => void, failed: (message: string) => void) {
    this.#model = model;
    this.#changed = changed;
    this.#failed = failed;
  }

  /** The newest edits that can be restored, if any. */
  get offer(): RestoreOffer | undefined {
    const newest = this.#left.at(-1);
    if (!newest) return undefined;
    const { title, started } = newest.head;
    return { title, started, steps: newest.records.filter(({ kind }) => kind === 'commit').length };
  }

  /** Writes down what has happened to a layer. */
  record(layer: LabelsLayer, event: HistoryEvent): void {
    const prefix = this.#prefix();
    if (!this.#works || prefix === '' || event.source === 'restore') return;
    const { labels } = layer;
    const known = this.#files.get(labels);
    if (event.kind === 'clear') {
      this.#files.delete(labels);
      if (known) this.#try(this.#store.remove(known));
      return;
    }
    const history = LabelHistory.of(labels);
    this.#try(
      known
        ? this.#store.append(known, journalRecord(event))
        : this.#store.append(this.#newFile(labels, prefix), journalOf(history, layer.name, Date.now())),
    );
  }

  /** Looks for edits of the image that is shown now. */
  async look(): Promise<void> {
    const prefix = this.#prefix();
    if (!this.#works || prefix === this.#lookedFor) return;
    this.#lookedFor = prefix;
    this.#left = [];
    this.#changed();
    if (prefix === '') return;
    try {
      const left = await this.#store.left(prefix);
      if (this.#lookedFor !== prefix) return;
      this.#left = left.flatMap(({ file, bytes }) => {
        try {
          const journal = parseJournal(bytes);
          return journal.records.length > 0 ? [{ ...journal, file }] : [];
        } catch (error) {
          // Cut off before anything was in it.
          if (error instanceof CytoError && error.kind === 'corrupt-file') return [];
          throw error;
        }
      });
      this.#changed();
    } catch (error) {
      this.#end(error);
    }
  }

  /**
   * Does the edits of the offer again, on the labels they were made on, or on new ones if they began with none.
   * @returns the layer
   * @throws CytoError `not-found` when the labels they were made on are not open
   */
  restore(): LabelsLayer | undefined {
    const journal = this.#left.at(-1);
    if (!journal) return undefined;
    const layer = this.#layerFor(journal);
    const history = LabelHistory.of(layer.labels);
    replayJournal(history, journal);
    this.#left.pop();
    const file = this.#newFile(layer.labels, this.#prefix());
    const copied = this.#store.append(file, journalOf(history, layer.name, journal.head.started));
    this.#try(copied.then(() => this.#store.remove(journal.file)));
    this.#changed();
    return layer;
  }

  /** Deletes what is offered. */
  discard(): void {
    const journal = this.#left.pop();
    if (journal) this.#try(this.#store.remove(journal.file));
    this.#changed();
  }

  /** Lets the storage go, when all is written, until something happens again. */
  async rest(): Promise<void> {
    await this.#writing;
    this.#store.dispose();
  }

  #layerFor({ head }: Journal): LabelsLayer {
    const model = this.#model;
    const open = model.labels.find(
      ({ labels }) => labels.shape.join() === head.shape.join() && LabelHistory.of(labels).steps.length === 0,
    );
    if (open) return open;
    const image = model.images.at(0)?.volume;
    if (head.fingerprint !== 0 || !image) {
      throw new CytoError(
        'not-found',
        `Open the labels "${head.title}" first, on which these edits were made.`,
      );
    }
    const labels = new LabelVolume(head.shape, image.calibration);
    labels.origin.method = MANUAL;
    let id = 'cells';
    for (let k = 2; model.get(id); k++) id = `cells-${k}`;
    const layer = labelsLayer(id, labels, { name: head.title, editable: true });
    model.add(layer, { source: 'restore' });
    return layer;
  }

  #newFile(labels: LabelVolume, prefix: string): string {
    const file = `${prefix}${Date.now().toString(36)}-${crypto.randomUUID()}`;
    this.#files.set(labels, file);
    return file;
  }

  /** Beginning of the names of the shown image's journals; '' while there is no image. */
  #prefix(): string {
    const image = this.#model.images.at(0)?.volume;
    if (!image) return '';
    let hash = 0x811c9dc5;
    for (const code of new TextEncoder().encode(`${image.name} ${image.shape.join('×')}`)) {
      hash = Math.imul(hash ^ code, 0x01000193);
    }
    return `${(hash >>> 0).toString(16)}-`;
  }

  #try(work: Promise<void>): void {
    this.#writing = Promise.all([this.#writing, work.catch((error: unknown) => this.#end(error))]);
  }

  /** Storage is full or refused: labels can be edited all the same. */
  #end(error: unknown): void {
    const { kind, message } = asCytoError(error);
    if (kind === 'aborted' || !this.#works) return;
    this.#works = false;
    this.#failed(message);
  }
}
