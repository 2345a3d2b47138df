import type { TaskOptions } from '../progress.ts';
import type { OmeroConnection } from './connection.ts';

/** Something of OMERO that holds images, or an image. */
export type OmeroKind = 'image' | 'dataset' | 'project' | 'well' | 'plate' | 'screen';
export const OMERO_KINDS: readonly OmeroKind[] = ['image', 'dataset', 'project', 'well', 'plate', 'screen'];

/** An image in a list. */
export interface ListedImage {
  id: number;
  name: string;
}

interface ApiWell {
  Row?: number;
  Column?: number;
  WellSamples?: Array<{ Image?: { '@id': number; Name?: string } }>;
}

const PAGE = 500;

/** All objects of a list. */
async function all<T>(connection: OmeroConnection, path: string, options: TaskOptions): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const query = `${path.includes('?') ? '&' : '?'}limit=${PAGE}&offset=${found.length}`;
    const { data, meta } = await connection.json<{ data: T[]; meta?: { totalCount?: number } }>(
      `${path}${query}`,
      options,
    );
    found.push(...data);
    if (data.length === 0 || found.length >= (meta?.totalCount ?? 0)) return found;
  }
}

/** Images of datasets, wells, plates and so on, in the order given; an image is itself. */
export async function imagesOf(
  connection: OmeroConnection,
  objects: ReadonlyArray<{ kind: OmeroKind; id: number }>,
  options: TaskOptions = {},
): Promise<ListedImage[]> {
  const lists = await Promise.all(objects.map(({ kind, id }) => imagesOfOne(connection, kind, id, options)));
  const seen = new Set<number>();
  return lists.flat().filter(({ id }) => !seen.has(id) && seen.add(id));
}

async function imagesOfOne(
  connection: OmeroConnection,
  kind: OmeroKind,
  id: number,
  options: TaskOptions,
): Promise<ListedImage[]> {
  type Named = { '@id': number; Name?: string };
  const listed = ({ '@id': image, Name }: Named): ListedImage => ({
    id: image,
    name: Name ?? `Image ${image}`,
  });
  const inside = async (kindInside: OmeroKind, path: string) => {
    const found = await all<Named>(connection, path, options);
    const parts = found.map((object) => ({ kind: kindInside, id: object['@id'] }));
    return imagesOf(connection, parts, options);
  };
  switch (kind) {
    case 'image': {
      const answer = await connection.json<{ data: Named | Named[] }>(`api/v0/m/images/${id}/`, options);
      const image = Array.isArray(answer.data) ? answer.data[0] : answer.data;
      return [listed(image)];
    }
    case 'dataset':
      return (await all<Named>(connection, `api/v0/m/datasets/${id}/images/`, options)).map(listed);
    case 'project':
      return inside('dataset', `api/v0/m/projects/${id}/datasets/`);
    case 'screen':
      return inside('plate', `api/v0/m/screens/${id}/plates/`);
    case 'plate':
      return (await all<ApiWell>(connection, `api/v0/m/wells/?plate=${id}`, options)).flatMap(fieldsOf);
    case 'well':
      return fieldsOf((await connection.json<{ data: ApiWell }>(`api/v0/m/wells/${id}/`, options)).data);
  }
}

function fieldsOf({ Row = 0, Column = 0, WellSamples = [] }: ApiWell): ListedImage[] {
  return WellSamples.flatMap(({ Image }, field) =>
    Image
      ? [{ id: Image['@id'], name: `${wellName(Row, Column)} · ${Image.Name ?? `field ${field + 1}`}` }]
      : [],
  );
}

/** `B3` of row 1 and column 2; rows after Z go on with AA. */
function wellName(row: number, column: number): string {
  const letter = (index: number): string =>
    index < 0 ? '' : letter(Math.floor(index / 26) - 1) + String.fromCharCode(65 + (index % 26));
  return `${letter(row)}${column + 1}`;
}

/** Objects named by a page's address: `?image=1&image=2`, `?image=1,2`, `?dataset=3`, `?well=4`. */
export function objectsOfAddress(query: URLSearchParams): Array<{ kind: OmeroKind; id: number }> {
  return OMERO_KINDS.flatMap((kind) =>
    [...query.getAll(kind), ...query.getAll(`${kind}s`)]
      .flatMap((value) => value.split(','))
      .map(Number)
      .filter((id) => Number.isInteger(id) && id > 0)
      .map((id) => ({ kind, id })),
  );
}
