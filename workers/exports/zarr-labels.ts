import { unzipSync } from 'fflate';
import { CytoError } from '../../core/errors.ts';
import type { ReadLabels } from '../../core/exports/read-labels.ts';
import type { TaskOptions } from '../../core/progress.ts';

/**
 * The first label image of a zipped OME-Zarr that holds an image and its labels, at full resolution.
 * @throws CytoError `corrupt-file`, `unsupported`
 */
export async function readZarrLabels(
  name: string,
  zip: Uint8Array,
  options: TaskOptions = {},
): Promise<ReadLabels> {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(zip, { filter: (file) => /(^|\/)labels\//.test(file.name) });
  } catch (cause) {
    throw new CytoError('corrupt-file', `"${name}" is a damaged or incomplete zip file.`, { cause });
  }
  const list = Object.keys(entries).find((path) => /(^|\/)labels\/(\.zattrs|zarr\.json)$/.test(path)) ?? '';
  const [label] = namesIn(entries[list]);
  if (!label) throw new CytoError('corrupt-file', `"${name}" names no label image.`);
  const root = `${list.slice(0, list.lastIndexOf('/') + 1)}${label}/`;
  const files = Object.entries(entries)
    .filter(([path]) => path.startsWith(root))
    .map(([path, bytes]) => ({
      name: path,
      path: `${label}.zarr/${path.slice(root.length)}`,
      blob: new Blob([bytes as Uint8Array<ArrayBuffer>]),
    }));
  const { openImage } = await import('../io/open.ts');
  const { data, shape } = await (await openImage(files, options)).readVolume(0, options);
  const [, , z, y, x] = shape;
  return { labels: Uint32Array.from(data.subarray(0, z * y * x)), shape: [z, y, x] };
}

/** Names of label images in a labels group of either version. */
function namesIn(bytes: Uint8Array | undefined): string[] {
  if (!bytes) return [];
  const json = JSON.parse(new TextDecoder().decode(bytes)) as {
    labels?: string[];
    attributes?: { ome?: { labels?: string[] } };
  };
  return json.labels ?? json.attributes?.ome?.labels ?? [];
}
