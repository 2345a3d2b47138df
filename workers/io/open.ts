import { CytoError, throwIfAborted } from '../../core/errors.ts';
import type { ImageSource } from '../../core/image-source.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { fetchBlob, type NamedBlob, nameOfUrl, request } from './bytes.ts';
import { joinDetached } from './detached-header.ts';
import { formatOf } from './format.ts';
import { openItk } from './itk-source.ts';
import { openNifti } from './nifti-source.ts';
import { openNpy } from './npy-source.ts';
import { openPng } from './png-source.ts';
import { openSequence } from './sequence-source.ts';
import { openTiff } from './tiff/tiff-source.ts';
import { openZarr } from './zarr-source.ts';
import { filesStore, urlStore, zarrRoot, zipStore } from './zarr-store.ts';

/** What can be opened: an address, a file, or the files of a folder (with their paths). */
export type OpenInput = URL | NamedBlob | readonly NamedBlob[];

/** TIFFs above this size are read in parts from their server. */
const RANGE_ABOVE = 32 * 2 ** 20;

/**
 * Opens an image of any supported format, told by its content.
 * @throws CytoError with a sentence that names the problem and the way out
 */
export async function openImage(input: OpenInput, options: TaskOptions = {}): Promise<ImageSource> {
  throwIfAborted(options.signal);
  if (input instanceof URL) return openUrl(input, options);
  if (!Array.isArray(input)) return openFile(input as NamedBlob, [input as NamedBlob], options);
  const files = input as readonly NamedBlob[];
  if (files.length === 0) throw new CytoError('bad-input', 'No file was given to open.');
  const paths = files.map(({ path }) => path);
  const root = zarrRoot(paths);
  if (root !== undefined)
    return openZarr(filesStore(files, root), root.split('/').filter(Boolean).at(-1) ?? 'zarr');
  if (files.length === 1) return openFile(files[0], files, options);
  const header = files.find(({ name }) => /\.(nhdr|mhd)$/i.test(name));
  if (header) return openFile(header, files, options);
  return openSequence(files, (file) => openFile(file, files, options), options);
}

async function openFile(
  file: NamedBlob,
  all: readonly NamedBlob[],
  options: TaskOptions,
): Promise<ImageSource> {
  if (file.blob.size === 0)
    throw new CytoError('corrupt-file', `"${file.name}" is empty (0 bytes). Copy or export it again.`);
  const format = await formatOf(file);
  switch (format) {
    case 'tiff':
      return openTiff(file, options);
    case 'png':
      return openPng(file);
    case 'npy':
      return openNpy(file);
    case 'nifti':
      return openNifti(file);
    case 'nrrd':
    case 'meta':
      return openItk(file, format, await joinDetached(file, all));
    case 'jpeg':
    case 'bmp':
    case 'mrc':
      return openItk(file, format);
    case 'zip': {
      const { store } = await zipStore(file);
      return openZarr(store, file.name.replace(/(\.ome)?(\.zarr)?\.zip$/i, ''));
    }
    default:
      throw new CytoError(
        'unsupported',
        `"${file.name}" ${format === 'text' ? 'is a text file, not an image' : 'is not an image that can be read here'}. TIFF, OME-TIFF, OME-Zarr, PNG, JPEG, BMP, NRRD, NIfTI, MetaImage, MRC and NPY can be opened; export it as OME-TIFF.`,
      );
  }
}

async function openUrl(url: URL, options: TaskOptions): Promise<ImageSource> {
  if (!/^(https?|blob|data):$/.test(url.protocol)) {
    throw new CytoError(
      'bad-input',
      `Addresses of the kind ${url.protocol} cannot be opened; use http or https.`,
    );
  }
  const name = nameOfUrl(url);
  if (/\.zarr\/?$/i.test(url.pathname) || url.pathname.endsWith('/'))
    return openZarr(urlStore(url, options.signal), name);
  if (/\.tiff?$/i.test(url.pathname) && url.protocol.startsWith('http')) {
    const head = await request(url, {
      method: 'HEAD',
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const size = Number(head.headers.get('content-length') ?? 0);
    const ranges = head.headers.get('accept-ranges') === 'bytes';
    if (ranges && size > RANGE_ABOVE) return openTiff(url, options);
  }
  let file: NamedBlob;
  try {
    file = await fetchBlob(url, options);
  } catch (error) {
    // A folder address without a final slash may be a zarr hierarchy on a server that lists nothing.
    if (!(error instanceof CytoError && error.kind === 'not-found') || /\.\w{2,5}$/.test(url.pathname))
      throw error;
    return openZarr(urlStore(url, options.signal), name);
  }
  return openFile(file, [file], options);
}
