import type { ExportedFile } from '../../core/exports/export-labels.ts';
import type { FolderFile } from '../../core/exports/ome-zarr.ts';

interface FileHandle {
  createWritable(): Promise<{ write(data: Blob): Promise<void>; close(): Promise<void> }>;
}
interface DirectoryHandle {
  getDirectoryHandle(name: string, options: { create: boolean }): Promise<DirectoryHandle>;
  getFileHandle(name: string, options: { create: boolean }): Promise<FileHandle>;
}

/** Browsers with file pickers; their types are not in the standard library yet. */
interface Pickers {
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileHandle>;
  showDirectoryPicker?: (options: { mode: 'readwrite' }) => Promise<DirectoryHandle>;
}

/** Where a file goes: a place that the user picked, or the folder of downloads. */
export type Destination = { handle: FileHandle } | 'download';

/**
 * Asks where to save. Must be called in a click, before anything that takes time.
 * @returns undefined when the user thought better of it
 */
export async function pickDestination(name: string): Promise<Destination | undefined> {
  const pickers = globalThis as Pickers;
  if (!pickers.showSaveFilePicker) return 'download';
  try {
    return { handle: await pickers.showSaveFilePicker({ suggestedName: name }) };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return undefined;
    // Pages in frames of other origins have the function but may not use it.
    return 'download';
  }
}

/** Whether a whole folder can be saved here. */
export const canPickFolder = (): boolean => (globalThis as Pickers).showDirectoryPicker !== undefined;

/** Asks for a folder to write into. @returns undefined when the user thought better of it */
export async function pickFolder(): Promise<DirectoryHandle | undefined> {
  try {
    return await (globalThis as Pickers).showDirectoryPicker?.({ mode: 'readwrite' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return undefined;
    throw error;
  }
}

export function blobOf({ bytes, type }: Pick<ExportedFile, 'bytes' | 'type'>): Blob {
  return new Blob([bytes as Uint8Array<ArrayBuffer>], { type });
}

/**
 * Announces a file by a cancelable `cyto-save` event of `element` and saves it unless a listener keeps it.
 * @returns whether it was saved here
 */
export async function saveFile(
  element: HTMLElement,
  name: string,
  blob: Blob,
  destination: Destination,
): Promise<boolean> {
  const event = new CustomEvent('cyto-save', {
    detail: { name, blob },
    bubbles: true,
    composed: true,
    cancelable: true,
  });
  if (!element.dispatchEvent(event)) return false;
  if (destination !== 'download') {
    await write(destination.handle, blob);
    return true;
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return true;
}

async function write(handle: FileHandle, blob: Blob): Promise<void> {
  const writable = await handle.createWritable();
  await writable.write(blob);
  await writable.close();
}

/** Writes files into a new folder of a picked one. */
export async function saveFolder(
  parent: DirectoryHandle,
  name: string,
  files: readonly FolderFile[],
): Promise<void> {
  const root = await parent.getDirectoryHandle(name, { create: true });
  const folders = new Map<string, DirectoryHandle>([['', root]]);
  const folderOf = async (path: string): Promise<DirectoryHandle> => {
    const known = folders.get(path);
    if (known) return known;
    const cut = path.lastIndexOf('/');
    const above = await folderOf(path.slice(0, Math.max(0, cut)));
    const folder = await above.getDirectoryHandle(path.slice(cut + 1), { create: true });
    folders.set(path, folder);
    return folder;
  };
  for (const [path, bytes] of files) {
    const cut = path.lastIndexOf('/');
    const folder = await folderOf(path.slice(0, Math.max(0, cut)));
    const handle = await folder.getFileHandle(path.slice(cut + 1), { create: true });
    await write(handle, blobOf({ bytes, type: '' }));
  }
}
