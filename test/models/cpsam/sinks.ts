import { readFile } from 'node:fs/promises';
import { blobSource } from '../../../models/cpsam/checkpoint/byte-source.ts';
import { type ConversionOptions, convert, openNetworkFile } from '../../../models/cpsam/convert.ts';
import type { Precision } from '../../../models/cpsam/network/weights.ts';
import { MemoryStorage } from '../../../workers/models/memory-storage.ts';
import { blobFolder, type ModelFolder } from '../../../workers/models/model-folder.ts';
import { FolderStore } from '../../../workers/models/model-store.ts';
import { loadModel, type Model } from '../../../workers/segmentation/network/model-files.ts';
import { runGraph } from '../../../workers/segmentation/network/run-graph.ts';

export const referenceFile = (name: string) => readFile(new URL(`reference/${name}`, import.meta.url));

/** A checkpoint in memory. */
export const sourceOf = (bytes: Uint8Array, name = 'mini.pth') =>
  blobSource(new Blob([Uint8Array.from(bytes)]), name);

/** Converts a checkpoint and stores it; the store checks sizes and hashes. */
export async function convertedFolder(
  bytes: Uint8Array,
  precision: Precision,
  options: Partial<ConversionOptions> = {},
): Promise<ModelFolder> {
  const store = new FolderStore(new MemoryStorage());
  const sink = await store.begin();
  await convert(await openNetworkFile(sourceOf(bytes)), sink, { precision, run: runGraph, ...options });
  const { id } = await sink.commit('mini.pth');
  return blobFolder(await store.files(id));
}

/** Converts a checkpoint, stores it and opens it again. */
export async function converted(
  bytes: Uint8Array,
  precision: Precision,
  options: Partial<ConversionOptions> = {},
): Promise<Model> {
  return loadModel(await convertedFolder(bytes, precision, options));
}
