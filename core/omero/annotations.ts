import { CytoError } from '../errors.ts';
import type { TaskOptions } from '../progress.ts';
import type { OmeroConnection } from './connection.ts';

/** Namespace of the key-value pairs that describe a result. */
export const RESULT_NAMESPACE = 'cytopane/segmentation';

/** Key-value pairs attached to an image. */
export interface MapAnnotation {
  id: number;
  values: Array<[key: string, value: string]>;
  date: string;
  owner: number | undefined;
  canDelete: boolean;
}

/** Attaches key-value pairs, or writes others in place of those of an annotation. @returns its id */
export async function writeMap(
  connection: OmeroConnection,
  imageId: number,
  values: ReadonlyArray<readonly [string, string]>,
  { annotationId, ...options }: TaskOptions & { annotationId?: number } = {},
): Promise<number> {
  const form = new URLSearchParams({
    image: String(imageId),
    mapAnnotation: JSON.stringify(values),
    ns: RESULT_NAMESPACE,
    ...(annotationId === undefined ? {} : { annId: String(annotationId) }),
  });
  const answer = await connection.postForm<{ annId?: number | number[] }>(
    'webclient/annotate_map/',
    form,
    options,
  );
  const id = Array.isArray(answer.annId) ? answer.annId[0] : answer.annId;
  if (id === undefined)
    throw new CytoError('network', 'OMERO did not say that it stored the description of the result.');
  return id;
}

/** Removes key-value pairs: an empty list does. */
export async function removeMap(
  connection: OmeroConnection,
  imageId: number,
  annotationId: number,
  options: TaskOptions = {},
): Promise<void> {
  const form = new URLSearchParams({
    image: String(imageId),
    mapAnnotation: '[]',
    ns: RESULT_NAMESPACE,
    annId: String(annotationId),
  });
  await connection.postForm('webclient/annotate_map/', form, options);
}

/** Key-value pairs of an image in our namespace. */
export async function readMaps(
  connection: OmeroConnection,
  imageId: number,
  options: TaskOptions = {},
): Promise<MapAnnotation[]> {
  interface Answer {
    annotations?: Array<{
      id: number;
      ns?: string | null;
      class?: string;
      date?: string;
      owner?: { id?: number };
      permissions?: { canDelete?: boolean };
      values?: Array<[string, string]>;
    }>;
  }
  const query = new URLSearchParams({ type: 'map', image: String(imageId), ns: RESULT_NAMESPACE });
  const { annotations = [] } = await connection.json<Answer>(`webclient/api/annotations/?${query}`, options);
  return annotations
    .filter(
      ({ ns, class: kind }) => ns === RESULT_NAMESPACE && (kind ?? 'MapAnnotationI') === 'MapAnnotationI',
    )
    .map(({ id, values = [], date = '', owner, permissions }) => ({
      id,
      values,
      date,
      owner: owner?.id,
      canDelete: permissions?.canDelete ?? false,
    }));
}

/** Attaches a file. @returns id of the annotation @throws CytoError `forbidden`, `network`, … */
export async function attachFile(
  connection: OmeroConnection,
  imageId: number,
  file: { name: string; type: string; bytes: Uint8Array },
  options: TaskOptions = {},
): Promise<number> {
  const form = new FormData();
  form.append('image', String(imageId));
  form.append(
    'annotation_file',
    new Blob([file.bytes as Uint8Array<ArrayBuffer>], { type: file.type }),
    file.name,
  );
  const answer = await connection.postForm<{ fileIds?: number[] }>('webclient/annotate_file/', form, options);
  const id = answer.fileIds?.at(-1);
  if (id === undefined) throw new CytoError('network', `OMERO did not say that it stored "${file.name}".`);
  return id;
}
