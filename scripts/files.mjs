/** The few file-tree operations that the build scripts share. */
import * as fs from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Paths below `folder` (relative to `root`, with forward slashes) that match `pattern`, sorted. */
export async function glob(root, folder, pattern) {
  const found = await fs.readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter((path) => pattern.test(path))
    .sort();
}

/** Copies a file or folder, making the folders it needs. */
export async function cp(from, to) {
  await fs.mkdir(dirname(to), { recursive: true });
  await fs.cp(from, to, { recursive: true, dereference: true });
}

export const rm = (path) => fs.rm(path, { recursive: true, force: true });
export const mkdir = (path) => fs.mkdir(path, { recursive: true });
export const readdir = (path) => fs.readdir(path);
