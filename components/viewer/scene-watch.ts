import type { Box, LabelVolume } from '../../core/label-volume.ts';
import type { ChangeSource } from '../../core/layer.ts';
import type { Cursor, ViewerModel } from '../../core/viewer-model.ts';

export interface SceneChanges {
  /** Something looks different. */
  changed(): void;
  /** Another label is under the pointer. */
  hovered(): void;
  /** Labels were edited within a box of their voxels. */
  edited(labels: LabelVolume, box: Box): void;
  /** The scene has another extent. */
  resized(): void;
  /** Other panes are wanted. */
  arranged(): void;
  /** The cursor was moved. */
  moved(cursor: Readonly<Cursor>, source: ChangeSource): void;
}

/** Listens to a model and to the labels it holds. @returns the function that stops it */
export function watchScene(model: ViewerModel, changes: SceneChanges): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const watched = new Map<LabelVolume, AbortController>();

  const followLabels = () => {
    const present = new Set(model.allLabels.map((layer) => layer.labels));
    for (const [labels, watch] of watched) {
      if (present.has(labels)) continue;
      watch.abort();
      watched.delete(labels);
    }
    for (const labels of present) {
      if (watched.has(labels)) continue;
      const watch = new AbortController();
      labels.addEventListener(
        'change',
        (event) => changes.edited(labels, (event as CustomEvent<{ box: Box }>).detail.box),
        { signal: watch.signal },
      );
      watched.set(labels, watch);
    }
    changes.changed();
  };

  model.on('layer-add', followLabels, { signal });
  model.on('layer-remove', followLabels, { signal });
  model.on('layer-move', () => changes.changed(), { signal });
  model.on(
    'layer-change',
    ({ changes: settings }) => {
      if (Object.keys(settings).join() === 'hovered') changes.hovered();
      else changes.changed();
    },
    { signal },
  );
  model.on('dims-change', () => changes.resized(), { signal });
  model.on('layout-change', () => changes.arranged(), { signal });
  model.on('view-change', () => changes.changed(), { signal });
  model.on('cursor-change', ({ cursor, source }) => changes.moved(cursor, source), { signal });
  followLabels();
  return () => {
    stop.abort();
    for (const watch of watched.values()) watch.abort();
    watched.clear();
  };
}
