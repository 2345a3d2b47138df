import { assetUrl } from '../../../core/assets.ts';
import { CytoError } from '../../../core/errors.ts';
import { type NpyArray, parseNpy } from '../../../core/npy.ts';
import type { TaskOptions } from '../../../core/progress.ts';
import { type ModelCard, parseModelCard } from './model-card.ts';

/** A model ready to be opened. */
export interface Model {
  card: ModelCard;
  weights: Uint8Array;
  testInput: NpyArray;
  testOutput: NpyArray;
  /** Whether the weights' hash could be checked (it cannot on pages without a secure context). */
  hashChecked: boolean;
}

/** Reads one file of a model folder. */
export type FetchFile = (name: string, options?: TaskOptions) => Promise<Uint8Array>;

/** The id of the model that is used when none is named. */
export const DEFAULT_MODEL = 'starter';

/** Files of a model that ships with the package, by its id. */
export function builtInFiles(id: string): FetchFile {
  if (!/^[\w-]+$/.test(id)) throw new CytoError('model', `"${id}" is not the id of a model.`);
  return (name, options) => download(assetUrl(`models/${id}/${name}`), options);
}

/**
 * Downloads a file with progress in bytes.
 * @throws CytoError `not-found`, `network`, `aborted`
 */
export async function download(url: URL, { signal, onProgress }: TaskOptions = {}): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url, signal ? { signal } : {});
  } catch (cause) {
    if (signal?.aborted) throw new CytoError('aborted', 'The download was cancelled.', { cause });
    throw new CytoError(
      'network',
      `${url.href} could not be loaded. Check the address and the connection; a server of another origin must allow this page by CORS.`,
      { cause },
    );
  }
  if (response.status === 404) throw new CytoError('not-found', `There is no file at ${url.href}.`);
  if (!response.ok || !response.body) {
    throw new CytoError('network', `${url.href} answered with status ${response.status}.`);
  }
  const total = Number(response.headers.get('content-length') ?? 0);
  const parts: Uint8Array[] = [];
  let loaded = 0;
  for (let reader = response.body.getReader(), done = false; !done; ) {
    const chunk = await reader.read();
    done = chunk.done;
    if (!chunk.value) continue;
    parts.push(chunk.value);
    loaded += chunk.value.length;
    onProgress?.({ phase: 'load-model', value: loaded, total: Math.max(total, loaded) });
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function sha256(bytes: Uint8Array): Promise<string | undefined> {
  if (!globalThis.crypto?.subtle) return undefined;
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Loads a model's card, weights and test tensors and checks the weights' size and hash.
 * @throws CytoError `model` if the weights are not those the card describes
 */
export async function loadModel(files: FetchFile, options: TaskOptions = {}): Promise<Model> {
  const { signal } = options;
  const quiet = signal ? { signal } : {};
  const card = parseModelCard(new TextDecoder().decode(await files('rdf.yaml', quiet)));
  const [weights, input, output] = await Promise.all([
    files(card.weights.source, options),
    files(card.test.input, quiet),
    files(card.test.output, quiet),
  ]);
  const hash = await sha256(weights);
  if (weights.length !== card.weights.size || (hash !== undefined && hash !== card.weights.sha256)) {
    throw new CytoError(
      'model',
      `The weights of "${card.name}" are not those its description names (${weights.length} bytes). The file is damaged or was replaced; load the model again.`,
    );
  }
  return {
    card,
    weights,
    testInput: parseNpy(input),
    testOutput: parseNpy(output),
    hashChecked: hash !== undefined,
  };
}
