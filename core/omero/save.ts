import { CytoError, throwIfAborted } from '../errors.ts';
import type { Provenance } from '../exports/export-labels.ts';
import { labelStatistics } from '../label-volume.ts';
import type { TaskOptions } from '../progress.ts';
import type { Shape3 } from '../volume.ts';
import { attachFile, writeMap } from './annotations.ts';
import type { OmeroConnection } from './connection.ts';
import { groupedRois } from './masks.ts';
import { pluginCapabilities } from './plugin.ts';
import { type OmeroResult, resultPairs } from './result.ts';
import { countRois, listRois, type Roi } from './rois.ts';
import { labelShapes, type PolygonShape } from './shapes.ts';

/** Shapes of one request at most: the server stores them in one transaction. */
const BATCH_SHAPES = 500;
/** Bytes of one request at most; Django refuses bodies above 2,621,440. */
const BATCH_BYTES = 2_000_000;

/** Labels to be saved with an image. */
export interface OmeroSave {
  imageId: number;
  /** Uint32 of `shape` [z, y, x], one time point. */
  labels: Uint32Array;
  shape: Shape3;
  t: number;
  /** Seed of the layer's colours. */
  seed?: number;
  provenance: Provenance;
  /** Whether ROIs are made. */
  rois: boolean;
  /** Files that are attached besides: label TIFF, zipped OME-Zarr, GeoJSON. */
  files: ReadonlyArray<{ name: string; type: string; bytes: Uint8Array }>;
}

/**
 * A save that can be taken up again: what was stored is not stored twice. It begins with a description in OMERO, so
 * that even a save that broke off for good can be found and removed.
 */
export class OmeroSaving {
  readonly result: OmeroResult;
  readonly #connection: OmeroConnection;
  readonly #save: OmeroSave;
  readonly #shapes: PolygonShape[];
  /** Polygons that are stored, as indices of `#shapes`. */
  readonly #stored = new Map<number, number>();
  #before: number | undefined;
  /** Whether ROIs were sent to the plug-in before. */
  #attempted = false;
  #filesDone = 0;

  constructor(connection: OmeroConnection, save: OmeroSave) {
    this.#connection = connection;
    this.#save = save;
    const { labels, shape, t, seed = 0 } = save;
    this.#shapes = save.rois ? [...labelShapes(labels, shape, { t, seed })] : [];
    this.result = {
      imageId: save.imageId,
      annotationId: 0,
      roiIds: [],
      fileIds: [],
      objects: labelStatistics(labels, shape).length,
      state: 'saving',
      provenance: Object.fromEntries(
        Object.entries(save.provenance).map(([key, value]) => [key, String(value)]),
      ),
      date: '',
      canDelete: true,
    };
  }

  /**
   * Saves, or goes on where it broke off.
   * @throws CytoError `forbidden`, `login`, `network`, `aborted`; calling it again goes on
   */
  async run(options: TaskOptions = {}): Promise<OmeroResult> {
    const { result } = this;
    if (result.objects === 0) throw new CytoError('bad-input', 'There are no labels to save.');
    const task = options.signal ? { signal: options.signal } : {};
    const stop = this.#connection.keepAlive();
    try {
      if (!result.annotationId)
        result.annotationId = await writeMap(this.#connection, result.imageId, resultPairs(result), task);
      try {
        if (this.#save.rois) await this.#saveRois(options);
        for (const file of this.#save.files.slice(this.#filesDone)) {
          result.fileIds.push(await attachFile(this.#connection, result.imageId, file, task));
          this.#filesDone++;
        }
        result.state = 'complete';
      } finally {
        // Also after a failure: what was made must be known to be removed.
        if (!options.signal?.aborted || result.roiIds.length > 0) {
          await writeMap(this.#connection, result.imageId, resultPairs(result), {
            annotationId: result.annotationId,
          });
        }
      }
      return result;
    } finally {
      stop();
    }
  }

  async #saveRois(options: TaskOptions): Promise<void> {
    const { imageId } = this.#save;
    const task = options.signal ? { signal: options.signal } : {};
    if (this.#before === undefined) this.#before = await countRois(this.#connection, imageId, task);
    if ((await pluginCapabilities(this.#connection, task)).rois) {
      await this.#saveGrouped(options);
      return;
    }
    await this.#savePolygons(options);
    await this.#verify(task);
  }

  /** By the plug-in: one ROI per label, with a mask in each of its planes. */
  async #saveGrouped(options: TaskOptions): Promise<void> {
    const { imageId, labels, shape, t, seed = 0 } = this.#save;
    const { result } = this;
    const task = options.signal ? { signal: options.signal } : {};
    // What is there of an earlier attempt, answered or not, is not made again.
    const present = new Map((await this.#newRois(task)).map((roi) => [roi.name, roi.id]));
    result.roiIds = this.#attempted ? [...present.values()] : [];
    const missing = [...groupedRois(labels, shape, { t, seed })].filter(
      ({ name }) => !(this.#attempted && present.has(name)),
    );
    this.#attempted = true;
    for (const batch of inBatches(missing, BATCH_BYTES)) {
      throwIfAborted(options.signal);
      const path = `cytopane/rois/${imageId}/`;
      const { ids } = await this.#connection.postJson<{ ids: number[] }>(path, { rois: batch }, task);
      result.roiIds.push(...ids);
      options.onProgress?.({ phase: 'save', value: result.roiIds.length, total: result.objects });
    }
  }

  async #savePolygons(options: TaskOptions): Promise<void> {
    const { imageId } = this.#save;
    const total = this.#shapes.length;
    const task = options.signal ? { signal: options.signal } : {};
    for (;;) {
      const batch = this.#nextBatch();
      if (batch.length === 0) return;
      throwIfAborted(options.signal);
      const entries = batch.map((index) => ({
        oldId: `-${index + 1}:-${index + 1}`,
        ...this.#shapes[index],
      }));
      const rois = { count: batch.length, new: entries, modified: [], deleted: {}, empty_rois: {} };
      let answer: { ids?: Record<string, string>; errors?: string[] };
      try {
        answer = await this.#connection.postJson(
          'iviewer/persist_rois/',
          { imageId, rois: { ...rois, new_and_deleted: [] } },
          task,
        );
      } catch (error) {
        throwIfAborted(options.signal);
        if (error instanceof CytoError && error.kind === 'not-found') {
          throw new CytoError(
            'unsupported',
            'This OMERO server has neither OMERO.iviewer nor the plug-in omero-cytopane, so no ROIs can be made. Save the labels as an attached file.',
            { cause: error },
          );
        }
        // The server may have stored the batch before the connection broke.
        if (
          !(error instanceof CytoError && error.kind === 'network') ||
          (await this.#adopt(batch, task)) === 0
        )
          throw error;
        continue;
      }
      for (const index of batch) {
        const id = answer.ids?.[`-${index + 1}:-${index + 1}`]?.split(':', 1)[0];
        if (id) this.#keep(index, Number(id));
      }
      if (answer.errors?.length) throw refused(answer.errors[0]);
      if (batch.some((index) => !this.#stored.has(index)) && (await this.#adopt(batch, task)) === 0)
        throw new CytoError('network', 'OMERO did not say that it stored all ROIs. Save again to go on.');
      options.onProgress?.({ phase: 'save', value: this.#stored.size, total });
    }
  }

  /** Polygons that are not stored yet and go into one request. */
  #nextBatch(): number[] {
    const batch: number[] = [];
    let bytes = 0;
    for (let index = 0; index < this.#shapes.length && batch.length < BATCH_SHAPES; index++) {
      if (this.#stored.has(index)) continue;
      bytes += JSON.stringify(this.#shapes[index]).length + 32;
      if (bytes > BATCH_BYTES && batch.length > 0) break;
      batch.push(index);
    }
    return batch;
  }

  #keep(index: number, roiId: number): void {
    this.#stored.set(index, roiId);
    this.result.roiIds.push(roiId);
  }

  /** Takes up polygons of a batch that the server has although it did not answer so. @returns how many */
  async #adopt(batch: readonly number[], options: TaskOptions): Promise<number> {
    const known = new Set(this.#stored.values());
    const present = new Map<string, number[]>();
    for (const roi of await this.#newRois(options)) {
      const key = keyOf(roi.shapes[0]);
      if (!known.has(roi.id)) present.set(key, [...(present.get(key) ?? []), roi.id]);
    }
    let adopted = 0;
    for (const index of batch) {
      const id = this.#stored.has(index) ? undefined : present.get(keyOf(this.#shapes[index]))?.shift();
      if (id === undefined) continue;
      this.#keep(index, id);
      adopted++;
    }
    return adopted;
  }

  #newRois(options: TaskOptions): Promise<Roi[]> {
    return listRois(this.#connection, this.#save.imageId, { ...options, from: this.#before ?? 0 });
  }

  /** Compares what the server has with what was sent. @throws CytoError `network` */
  async #verify(options: TaskOptions): Promise<void> {
    const present = new Map((await this.#newRois(options)).map((roi) => [roi.id, keyOf(roi.shapes[0])]));
    let missing = 0;
    for (const [index, id] of this.#stored) {
      if (present.get(id) === keyOf(this.#shapes[index])) continue;
      missing++;
      this.#stored.delete(index);
      this.result.roiIds.splice(this.result.roiIds.indexOf(id), 1);
    }
    if (missing > 0) {
      throw new CytoError(
        'network',
        `${missing} of ${this.#shapes.length} ROIs are not in OMERO as they were sent. Save again to add them.`,
      );
    }
  }
}

const keyOf = (shape: { Text?: string; TheZ?: number; TheT?: number; Points?: string } | undefined) =>
  `${shape?.Text}|${shape?.TheZ}|${shape?.TheT}|${shape?.Points}`;

function refused(error: string): CytoError {
  const line = error.split('\n', 1)[0];
  if (/SecurityViolation|permission/i.test(error)) {
    return new CytoError(
      'forbidden',
      'OMERO does not let you add ROIs to this image. Ask its owner to move it to a group in which members may annotate.',
      { cause: error },
    );
  }
  if (/RequestDataTooBig/.test(error)) {
    return new CytoError('too-large', `OMERO refused a request as too large: ${line}.`, { cause: error });
  }
  return new CytoError('network', `OMERO could not store the ROIs: ${line}. Save again to go on.`, {
    cause: error,
  });
}

function* inBatches<T>(items: Iterable<T>, limit: number): Generator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = JSON.stringify(item).length + 1;
    if (batch.length > 0 && (bytes + size > limit || batch.length >= BATCH_SHAPES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
