import { CytoError } from '../../core/errors.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { Sha256 } from '../../core/sha256.ts';
import {
  CARD,
  filesOf,
  type ModelCard,
  parseModelCard,
  weightsSize,
} from '../segmentation/network/model-card.ts';
import type { ModelSource } from './model-source.ts';
import type { ModelStore } from './model-store.ts';

/** A source with its card. */
export interface Offer {
  source: ModelSource;
  card: ModelCard;
  /** The card as it was written. */
  text: string;
}

/** Reads the card of a source; nothing else is loaded. @throws CytoError `model`, `not-found`, `network`, `aborted` */
export async function offerOf(source: ModelSource, signal?: AbortSignal): Promise<Offer> {
  const text = await (await source.open(CARD, signal ? { signal } : {})).text();
  return { source, card: parseModelCard(text), text };
}

/**
 * Copies a model to the store, with progress in bytes of the weights, and checks it. Files that are there already from
 * an interrupted download are not loaded again.
 * @throws CytoError `quota`, `corrupt-file`, `not-found`, `network`, `model`, `aborted`
 */
export async function addModel(
  { source, card, text }: Offer,
  store: ModelStore,
  { signal, onProgress }: TaskOptions = {},
): Promise<ModelCard> {
  const total = weightsSize(card);
  await needRoom(card.name, total);
  const key = source.resumable ? keyOf(source, card) : undefined;
  try {
    return await attempt();
  } catch (error) {
    // What was kept of an earlier download may have been the wrong part: once more from the beginning.
    if (!(source.resumable && error instanceof CytoError && error.kind === 'corrupt-file')) throw error;
    await (await store.begin(key)).discard();
    return attempt();
  }

  async function attempt(): Promise<ModelCard> {
    const sink = await store.begin(key);
    try {
      let before = 0;
      for (const file of filesOf(card)) {
        const counts = file === card.weights || file === card.externalData;
        await source.copy(file, sink, {
          ...(signal ? { signal } : {}),
          onBytes: (loaded) => {
            const value = before + loaded;
            if (counts) onProgress?.({ phase: 'load-model', value, total: Math.max(total ?? 0, value) });
          },
        });
        if (counts) before += file.size ?? 0;
      }
      const description = await sink.file(CARD);
      await description.write(new TextEncoder().encode(text));
      await description.close();
      return await sink.commit(source.where);
    } catch (error) {
      const resumable =
        source.resumable &&
        error instanceof CytoError &&
        (error.kind === 'network' || error.kind === 'aborted');
      if (!resumable) await sink.discard();
      throw error;
    }
  }
}

/** The same address and weights go on where they were interrupted. */
function keyOf({ where }: ModelSource, { weights, externalData }: ModelCard): string {
  const hash = new Sha256();
  hash.update(new TextEncoder().encode([where, weights.sha256, externalData?.sha256].join('\n')));
  return hash.hex().slice(0, 32);
}

/** @throws CytoError `quota` if the browser says that there is no room */
export async function needRoom(name: string, bytes: number | undefined): Promise<void> {
  const estimate = await globalThis.navigator?.storage?.estimate?.();
  if (bytes === undefined || estimate?.quota === undefined) return;
  const free = estimate.quota - (estimate.usage ?? 0);
  if (bytes <= free) return;
  throw new CytoError(
    'quota',
    `"${name}" needs ${(bytes / 1e6).toFixed(0)} MB, but this browser gives the page only ${(free / 1e6).toFixed(0)} MB more. Forget models that you no longer need, or free disk space.`,
  );
}
