import { assetUrl, setAssetBase } from '../../core/assets.ts';
import { CytoError } from '../../core/errors.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type { ByteSource } from '../../models/cpsam/checkpoint/byte-source.ts';
import { keepStorage } from '../kept-storage.ts';
import { CARD, type ModelCard, parseModelCard } from '../segmentation/network/model-card.ts';
import { serve } from '../serve.ts';
import { addModel, offerOf } from './add-model.ts';
import { mayBeCheckpoint } from './checkpoint-names.ts';
import { DEFAULT_MODEL } from './default-model.ts';
import { download } from './download.ts';
import { MemoryStorage } from './memory-storage.ts';
import { entryOf, type ModelEntry } from './model-entry.ts';
import { builtInFolder } from './model-folder.ts';
import { type NamedFile, sourceOfFiles, sourceOfUrl } from './model-source.ts';
import { FolderStore } from './model-store.ts';
import { hasOpfs, OpfsStorage } from './opfs-storage.ts';

/** An address, or files the user has chosen. */
export type SourceRequest = { url: string } | { files: NamedFile[] };

const opfs = hasOpfs();
const store = new FolderStore(opfs ? new OpfsStorage() : new MemoryStorage());
if (opfs) keepStorage();

/** Downloads that nobody has taken up for so long are removed. */
const ABANDONED_MS = 14 * 24 * 3600 * 1000;
let swept: Promise<void> | undefined;

const sourceOf = (source: SourceRequest, signal?: AbortSignal) =>
  'url' in source ? sourceOfUrl(source.url, signal) : sourceOfFiles(source.files);

let builtIn: Promise<ModelEntry[]> | undefined;

async function readBuiltIn(): Promise<ModelEntry[]> {
  const ids = JSON.parse(await (await download(assetUrl('models/index.json'))).text()) as string[];
  return Promise.all(
    ids.map(async (id) => {
      const folder = builtInFolder(id);
      const card = parseModelCard(await (await folder.open(CARD)).text());
      const isDefault = id === DEFAULT_MODEL;
      return entryOf(card, { id, state: 'built-in', origin: folder.where, isDefault });
    }),
  );
}

function builtInModels(): Promise<ModelEntry[]> {
  builtIn ??= readBuiltIn();
  // After a failure it is asked again.
  builtIn.catch(() => {
    builtIn = undefined;
  });
  return builtIn;
}

/** A stored model may not take the name of one that ships. */
async function refuseBuiltIn(id: string, name: string): Promise<void> {
  if (!(await builtInModels()).some((entry) => entry.id === id)) return;
  throw new CytoError(
    'bad-input',
    `"${name}" has the id "${id}" of a model that ships with the page. Choose that one, or give this one another id (config.cytopane.id in its rdf.yaml).`,
  );
}

async function storedEntry({ id }: ModelCard): Promise<ModelEntry> {
  const stored = (await store.list()).find(({ card }) => card.id === id);
  if (!stored) throw new CytoError('internal', `The model "${id}" is not there after it was stored.`);
  const { card, size, origin } = stored;
  return entryOf(card, { id, state: 'stored', origin, size });
}

/** A checkpoint with the code that converts it, which is loaded only then; undefined for model folders. */
async function checkpoint(
  source: SourceRequest,
  signal?: AbortSignal,
): Promise<{ file: ByteSource; models: typeof import('./checkpoint-models.ts') } | undefined> {
  if (!mayBeCheckpoint(source)) return undefined;
  const models = await import('./checkpoint-models.ts');
  const file = await models.checkpointOf(source, signal);
  return file && { file, models };
}

serve({
  /** Built-in models first, the default one at the top, then the stored ones by name. */
  async list(assetBase: string): Promise<ModelEntry[]> {
    setAssetBase(assetBase);
    const shipped = [...(await builtInModels())].sort((a, b) => Number(b.isDefault) - Number(a.isDefault));
    swept ??= store.sweep(Date.now() - ABANDONED_MS);
    // What could not be removed takes room, no more: the models are listed all the same.
    await swept.catch((error: unknown) => console.debug('cytopane:', error));
    const stored = await store.list();
    return [
      ...shipped,
      ...stored.map(({ card, size, origin }) =>
        entryOf(card, { id: card.id, state: 'stored', origin, size }),
      ),
    ];
  },

  /** What a source holds: only its card is read, of a checkpoint its names and shapes. */
  async inspect(source: SourceRequest, { signal }: TaskOptions): Promise<ModelEntry> {
    const found = await checkpoint(source, signal);
    if (found) {
      const id = 'url' in source ? source.url : found.file.name;
      return found.models.inspectCheckpoint(found.file, id, signal);
    }
    const { card, source: from } = await offerOf(await sourceOf(source, signal), signal);
    return entryOf(card, { id: 'url' in source ? source.url : card.id, state: 'remote', origin: from.where });
  },

  async add(assetBase: string, source: SourceRequest, options: TaskOptions): Promise<ModelEntry> {
    setAssetBase(assetBase);
    const found = await checkpoint(source, options.signal);
    if (found)
      return storedEntry(await found.models.addCheckpoint(found.file, store, refuseBuiltIn, options));
    const offer = await offerOf(await sourceOf(source, options.signal), options.signal);
    await refuseBuiltIn(offer.card.id, offer.card.name);
    return storedEntry(await addModel(offer, store, options));
  },

  files: (id: string): Promise<Map<string, Blob>> => store.files(id),

  forget: (id: string): Promise<void> => store.forget(id),
});
