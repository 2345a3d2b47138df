import { unzipSync, zipSync } from 'fflate';
import {
  journalHead,
  journalRecord,
  labelFingerprint,
  parseJournal,
  replayJournal,
} from '../edit/journal.ts';
import { applyChange } from '../edit/label-change.ts';
import { LabelHistory } from '../edit/label-history.ts';
import { asCytoError, CytoError } from '../errors.ts';
import type { Provenance } from '../exports/export-labels.ts';
import { LabelVolume } from '../label-volume.ts';
import { imageLayer, type Layer, labelsLayer } from '../layer.ts';
import { parseViewerState, type ViewerModel, type ViewerState } from '../viewer-model.ts';
import {
  type Calibration,
  createVolume,
  type DType,
  type ImageMetadata,
  type Shape3,
  type Shape5,
  sampleCount,
  type Volume,
  viewAs,
} from '../volume.ts';

/** File in the zip that describes the others. */
export const PROJECT_ENTRY = 'project.json';

interface StoredImage extends ImageMetadata {
  file: string;
  dtype: DType;
  shape: Shape5;
}

interface StoredLabels {
  layer: string;
  /** Labels before the edits, Uint32 little-endian, C order of `shape` [z, y, x]. */
  file: string;
  /** Edits and what was undone, in order. */
  journal: string;
  shape: Shape3;
  calibration: Calibration;
  origin: Record<string, string | number>;
  supplied: Array<[key: string, values: Array<[id: number, value: number]>]>;
}

interface ProjectDescription {
  format: 'cytopane-project';
  version: 1;
  provenance: Provenance;
  state: ViewerState;
  images: StoredImage[];
  /** Image layer id → index into `images`. */
  imageOf: Record<string, number>;
  labels: StoredLabels[];
  /** Settings of the page's controls, by name. */
  controls: Record<string, unknown>;
}

/** A project read from its file. */
export interface Project {
  /** Bottom first. */
  layers: Layer[];
  state: ViewerState;
  controls: Record<string, unknown>;
  provenance: Provenance;
}

/** Files of a project by name: bytes and how hard they are compressed. */
export type ProjectEntries = Record<string, readonly [bytes: Uint8Array, options: { level: 0 | 1 | 6 }]>;

/**
 * Everything in a viewer as the files of one zip: images and labels with their edits (so that undo works on), layers, view, settings.
 * @param controls settings of the page's controls to be kept, such as parameters of the segmentation
 * @throws CytoError `too-large` beyond 4 GiB
 */
export function projectEntries(
  model: ViewerModel,
  controls: Record<string, unknown> = {},
  provenance: Provenance = {},
): ProjectEntries {
  const volumes = [...new Set(model.images.map(({ volume }) => volume))];
  const files: ProjectEntries = {};
  const images = volumes.map((volume, k): StoredImage => {
    const { data, ...rest } = volume;
    files[`image-${k}.raw`] = [new Uint8Array(data.buffer, data.byteOffset, data.byteLength), { level: 1 }];
    return { ...rest, file: `image-${k}.raw` };
  });
  const labels = model.allLabels.map(({ id, labels: volume }, k): StoredLabels => {
    const { start, journal } = withoutEdits(volume, id);
    files[`labels-${k}.raw`] = [new Uint8Array(start.buffer), { level: 6 }];
    files[`labels-${k}.journal`] = [journal, { level: 0 }];
    return {
      layer: id,
      file: `labels-${k}.raw`,
      journal: `labels-${k}.journal`,
      shape: volume.shape,
      calibration: volume.calibration,
      origin: volume.origin,
      supplied: [...volume.supplied].map(([key, values]) => [key, [...values]]),
    };
  });
  const description: ProjectDescription = {
    format: 'cytopane-project',
    version: 1,
    provenance,
    state: model.toJSON(),
    images,
    imageOf: Object.fromEntries(model.images.map(({ id, volume }) => [id, volumes.indexOf(volume)])),
    labels,
    controls,
  };
  files[PROJECT_ENTRY] = [new TextEncoder().encode(JSON.stringify(description, null, 1)), { level: 6 }];
  const size = volumes.reduce((sum, { data }) => sum + data.byteLength, 0);
  if (size > 0xf000_0000) throw new CytoError('too-large', 'The images do not fit into a project of 4 GiB.');
  return files;
}

/** The files of a project as one zip. */
export function zipProject(entries: ProjectEntries): Uint8Array {
  return zipSync(entries as Parameters<typeof zipSync>[0], { mtime: new Date(1980, 0, 2) });
}

/** The files in the zip of a project. @throws CytoError `corrupt-file` when it is damaged */
export function unzipProject(bytes: Uint8Array): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes);
  } catch (cause) {
    throw new CytoError('corrupt-file', 'The project file is damaged or incomplete.', { cause });
  }
}

/** The labels before the edits that can be undone, and the journal that leads from there to now. */
function withoutEdits(labels: LabelVolume, title: string): { start: Uint32Array; journal: Uint8Array } {
  const history = LabelHistory.of(labels);
  const start = labels.data.slice();
  for (const { change } of history.steps.slice(0, history.position).reverse()) {
    applyChange(start, labels.shape, change, 'undo');
  }
  const head = { shape: labels.shape, fingerprint: labelFingerprint({ data: start }), title, started: 0 };
  const undone = history.steps.slice(history.position).reverse();
  const parts = [
    journalHead(head),
    ...history.steps.map((step) => journalRecord({ kind: 'commit', step, source: 'restore' })),
    ...undone.map((step) => journalRecord({ kind: 'undo', step, source: 'restore' })),
  ];
  const journal = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    journal.set(part, at);
    at += part.length;
  }
  return { start, journal };
}

/**
 * Makes layers of the files of a project, which are used without a copy; nothing is shown yet.
 * @throws CytoError `corrupt-file` when they are damaged or none, `unsupported` when a later release wrote them
 */
export function readProject(files: Record<string, Uint8Array>): Project {
  try {
    return restored(files);
  } catch (cause) {
    if (cause instanceof CytoError && cause.kind !== 'internal') throw cause;
    throw new CytoError('corrupt-file', `The project file is damaged: ${asCytoError(cause).message}`, {
      cause,
    });
  }
}

function restored(files: Record<string, Uint8Array>): Project {
  const entry = (name: string): Uint8Array => {
    const bytes = files[name];
    if (!bytes) throw new CytoError('corrupt-file', `The project file lacks "${name}".`);
    return bytes;
  };
  const description = JSON.parse(new TextDecoder().decode(entry(PROJECT_ENTRY))) as ProjectDescription;
  if (description.format !== 'cytopane-project') {
    throw new CytoError('corrupt-file', 'The zip file is not a project.');
  }
  if (description.version !== 1) {
    throw new CytoError('unsupported', 'A later release wrote this project. Open it with that one.');
  }
  const state = parseViewerState(description.state);
  const volumes = description.images.map(({ file, dtype, shape, ...metadata }): Volume => {
    const raw = entry(file);
    const samples = viewAs(dtype, ownBuffer(raw), 0, sampleCount(shape));
    return createVolume({ ...metadata, data: samples, shape });
  });
  const labels = new Map(
    description.labels.map(({ layer, file, journal, shape, calibration, origin, supplied }) => {
      const data = new Uint32Array(ownBuffer(entry(file)));
      const volume = new LabelVolume(shape, calibration, data);
      replayJournal(LabelHistory.of(volume), parseJournal(entry(journal)));
      Object.assign(volume.origin, origin);
      for (const [key, values] of supplied) volume.supplied.set(key, new Map(values));
      return [layer, volume];
    }),
  );
  const layers = state.layers.map(({ id, kind, settings }): Layer => {
    if (kind === 'image') {
      const volume = volumes[description.imageOf[id]];
      if (!volume) throw new CytoError('corrupt-file', `The project file lacks the image of "${id}".`);
      return imageLayer(id, volume, settings as Parameters<typeof imageLayer>[2]);
    }
    const volume = labels.get(id);
    if (!volume) throw new CytoError('corrupt-file', `The project file lacks the labels of "${id}".`);
    return labelsLayer(id, volume, settings as Parameters<typeof labelsLayer>[2]);
  });
  return { layers, state, controls: description.controls, provenance: description.provenance };
}

/** The bytes as a buffer that begins with them. */
function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  const alone = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return (alone ? bytes : bytes.slice()).buffer as ArrayBuffer;
}
