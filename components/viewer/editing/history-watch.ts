import { type HistoryEvent, LabelHistory } from '../../../core/edit/label-history.ts';
import type { LabelsLayer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import { emit } from '../events.ts';

/** Follows the histories of all label layers of a model and announces what happens in them on an element. */
export class HistoryWatch {
  readonly #host: Element;
  readonly #model: ViewerModel;
  readonly #happened: (layer: LabelsLayer, event: HistoryEvent) => void;
  readonly #followed = new Map<string, AbortController>();

  readonly #announced: () => void;

  /**
   * @param happened called for each event before it is announced
   * @param announced called after that
   */
  constructor(
    host: Element,
    model: ViewerModel,
    {
      happened,
      announced,
    }: { happened: (layer: LabelsLayer, event: HistoryEvent) => void; announced: () => void },
  ) {
    this.#host = host;
    this.#model = model;
    this.#happened = happened;
    this.#announced = announced;
  }

  /** Takes up layers that were added, and leaves those that were removed. */
  update(): void {
    const { labels } = this.#model;
    for (const [id, stop] of this.#followed) {
      if (labels.some((layer) => layer.id === id)) continue;
      stop.abort();
      this.#followed.delete(id);
    }
    for (const layer of labels) {
      if (this.#followed.has(layer.id)) continue;
      const stop = new AbortController();
      this.#followed.set(layer.id, stop);
      const history = LabelHistory.of(layer.labels);
      history.addEventListener(
        'change',
        (event) => this.#announce(layer, history, (event as CustomEvent<HistoryEvent>).detail),
        { signal: stop.signal },
      );
    }
  }

  #announce(layer: LabelsLayer, history: LabelHistory, event: HistoryEvent): void {
    const { kind, step, source } = event;
    const layerId = layer.id;
    this.#happened(layer, event);
    if (step) {
      const { name, change } = step;
      emit(this.#host, 'cyto-edit', {
        layerId,
        kind: kind as 'commit' | 'undo' | 'redo',
        name,
        box: change.box,
        voxels: change.voxels,
        source,
      });
    }
    const { canUndo, canRedo } = history;
    emit(this.#host, 'cyto-history', { layerId, canUndo, canRedo, source });
    this.#announced();
  }
}
