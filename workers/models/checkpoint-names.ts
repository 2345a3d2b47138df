import type { SourceRequest } from './models.worker.ts';

/** Files of model folders and their packages. */
const OTHER_FILES = /\.(?:zip|ya?ml|onnx|npy|md|json|png)$/i;
const ENDING = /\.(?:pth|pt|ckpt)$/i;
/** Published names of checkpoints, which have no ending. */
const PUBLISHED = /\/cp(?:sam|dino)[\w-]*$/i;

/** Whether a name ends as those of PyTorch's checkpoints do. */
export const hasCheckpointEnding = (name: string): boolean => ENDING.test(name);

/** Whether a source may be a PyTorch checkpoint rather than a model folder or its zip; its name alone is looked at. */
export function mayBeCheckpoint(source: SourceRequest): boolean {
  if ('files' in source) return source.files.length === 1 && !OTHER_FILES.test(source.files[0].path);
  const { pathname } = new URL(source.url, globalThis.location?.href);
  return hasCheckpointEnding(pathname) || PUBLISHED.test(pathname);
}
