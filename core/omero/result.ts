import { CytoError } from '../errors.ts';
import type { TaskOptions } from '../progress.ts';
import { readMaps, removeMap } from './annotations.ts';
import type { OmeroConnection } from './connection.ts';
import { listRois } from './rois.ts';

/** A segmentation kept in OMERO: what was made for it, so that just this can be removed. */
export interface OmeroResult {
  imageId: number;
  /** Id of the key-value pairs that describe it. */
  annotationId: number;
  /** ROIs that were made. */
  roiIds: number[];
  /** File annotations that were made. */
  fileIds: number[];
  /** Number of labels. */
  objects: number;
  /** `complete`, or `saving` while it is under way or after it broke off. */
  state: 'saving' | 'complete';
  /** Model, parameters, software, … */
  provenance: Record<string, string>;
  date: string;
  canDelete: boolean;
}

const STATE = 'state';
const OBJECTS = 'objects';
const ROIS = 'ROIs';
const FILES = 'attached files';

/** Ids as ranges: `501-503,510`. */
export function idRanges(ids: readonly number[]): string {
  const sorted = [...ids].sort((a, b) => a - b);
  const ranges: Array<[number, number]> = [];
  for (const id of sorted) {
    const last = ranges.at(-1);
    if (last && id <= last[1] + 1) last[1] = id;
    else ranges.push([id, id]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

/** The inverse of {@link idRanges}; anything else in the text is left out. */
export function idsOf(ranges: string): number[] {
  return ranges.split(',').flatMap((range) => {
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(range) ?? [];
    const count = Number(last) - Number(first) + 1;
    return first !== undefined && count > 0 && count < 1e7
      ? Array.from({ length: count }, (_, k) => Number(first) + k)
      : [];
  });
}

/** The key-value pairs of a result. */
export function resultPairs(
  result: Pick<OmeroResult, 'roiIds' | 'fileIds' | 'objects' | 'state' | 'provenance'>,
): Array<[string, string]> {
  return [
    ...Object.entries(result.provenance),
    [OBJECTS, String(result.objects)],
    [ROIS, idRanges(result.roiIds)],
    [FILES, idRanges(result.fileIds)],
    [STATE, result.state],
  ];
}

/** Results that were saved with an image, oldest first. */
export async function listResults(
  connection: OmeroConnection,
  imageId: number,
  options: TaskOptions = {},
): Promise<OmeroResult[]> {
  const maps = await readMaps(connection, imageId, options);
  return maps
    .map(({ id, values, date, canDelete }): OmeroResult => {
      const pairs = Object.fromEntries(values);
      const {
        [OBJECTS]: objects,
        [ROIS]: rois = '',
        [FILES]: files = '',
        [STATE]: state,
        ...provenance
      } = pairs;
      return {
        imageId,
        annotationId: id,
        roiIds: idsOf(rois),
        fileIds: idsOf(files),
        objects: Number(objects) || 0,
        state: state === 'complete' ? 'complete' : 'saving',
        provenance,
        date,
        canDelete,
      };
    })
    .sort((a, b) => a.annotationId - b.annotationId);
}

const DELETE_BATCH = 500;

/**
 * Removes a result: its ROIs, its files and its description, and nothing else. What is gone already is no error. Ids of
 * a description that were edited to name ROIs of other images are left alone.
 * @throws CytoError `forbidden`, `login`, `network`; the description stays then, so that it can be tried again
 */
export async function removeResult(
  connection: OmeroConnection,
  result: OmeroResult,
  options: TaskOptions = {},
): Promise<void> {
  const wanted = new Set(result.roiIds);
  const present = (await listRois(connection, result.imageId, options)).filter((roi) => wanted.has(roi.id));
  const total = present.length + result.fileIds.length + 1;
  let done = 0;
  const step = (count: number) => {
    done += count;
    options.onProgress?.({ phase: 'remove', value: done, total });
  };
  const task = options.signal ? { signal: options.signal } : {};
  const viewer = await connection.offers(`iviewer/image_data/${result.imageId}/`, task);
  if (viewer) {
    for (let at = 0; at < present.length; at += DELETE_BATCH) {
      const batch = present.slice(at, at + DELETE_BATCH);
      const empty = Object.fromEntries(
        batch.map(({ id, shapeIds }) => [String(id), shapeIds.map((shape) => `${id}:${shape}`)]),
      );
      const rois = { count: batch.length, new: [], modified: [], deleted: {}, empty_rois: empty };
      const answer = await connection.postJson<{ errors?: string[] }>(
        'iviewer/persist_rois/',
        { imageId: result.imageId, rois: { ...rois, new_and_deleted: [] } },
        task,
      );
      if (answer.errors?.length) throw removalRefused(answer.errors[0]);
      step(batch.length);
    }
  } else {
    await Promise.all(
      present.map(async ({ id }) => {
        await deleted(connection, `api/v0/m/rois/${id}/`, task);
        step(1);
      }),
    );
  }
  for (const id of result.fileIds) {
    await removeFile(connection, id, task);
    step(1);
  }
  await removeMap(connection, result.imageId, result.annotationId, task);
  step(1);
}

const removalRefused = (why: string) =>
  new CytoError(
    'forbidden',
    `OMERO did not remove the ROIs: ${why.split('\n', 1)[0]}. Only their owner (or, in read-write groups, a member) may.`,
  );

async function deleted(connection: OmeroConnection, path: string, options: TaskOptions): Promise<void> {
  try {
    await connection.request(path, { ...options, method: 'DELETE', repeatable: true });
  } catch (error) {
    if (!(error instanceof CytoError && error.kind === 'not-found')) throw error;
  }
}

/** Deletes an attached file by the webclient's own action, which answers refusals with status 200. */
async function removeFile(connection: OmeroConnection, id: number, options: TaskOptions): Promise<void> {
  const answer = await connection.postForm<{ bad?: string; errs?: string }>(
    `webclient/action/delete/file/${id}/`,
    new URLSearchParams(),
    options,
  );
  if (answer.bad === 'true' && !/not found|does not exist|no such/i.test(answer.errs ?? ''))
    throw removalRefused(answer.errs ?? 'no reason given');
}
