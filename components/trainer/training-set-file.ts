import { strFromU8, strToU8, unzip, zip } from 'fflate';
import { CytoError } from '../../core/errors.ts';
import { cellposeSeg } from '../../core/exports/cellpose-seg.ts';
import { labelTiff } from '../../core/exports/label-tiff.ts';
import { VERSION } from '../../core/version.ts';
import type { VolumeData } from '../../core/volume.ts';
import { ImageReader } from '../../workers/io/client.ts';
import type { CorrectedImage } from './corrected-image.ts';

/** File in the zip that describes the others. */
const ENTRY = 'training-set.json';

interface StoredSet {
  format: 'cytopane-training-set';
  version: 1;
  madeWith: string;
  images: (Pick<CorrectedImage, 'name' | 'cells' | 'corrections' | 'region'> & { file: string })[];
}

const PIXELS = { spacing: [1, 1, 1] as const, unit: 'px', calibrated: false };

/** Samples as whole numbers from 0 on; others are mapped to 16 bits, which normalising undoes. */
function wholeNumbers(samples: VolumeData): Uint32Array {
  if (samples.every((value) => value >= 0 && Number.isInteger(value))) return Uint32Array.from(samples);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of samples) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const scale = high > low ? 65535 / (high - low) : 0;
  return Uint32Array.from(samples, (value) =>
    Number.isFinite(value) ? Math.round((value - low) * scale) : 0,
  );
}

/** Names of files: letters and digits of the image's name, each once. */
function fileNames(images: readonly CorrectedImage[]): string[] {
  return images.map(({ name }, i) => `${String(i + 1).padStart(2, '0')}-${name.replace(/[^\w-]+/g, '_')}`);
}

/**
 * Corrected images as one zip in the layout of Cellpose: `NAME.tif` (channels as pages), `NAME_masks.tif`, `NAME_seg.npy`,
 * and a description that {@link readTrainingSet} reads.
 */
export async function trainingSetZip(images: readonly CorrectedImage[]): Promise<Blob> {
  const files: Record<string, Uint8Array> = {};
  const names = fileNames(images);
  images.forEach(({ channels, shape, labels }, i) => {
    const area = shape[0] * shape[1];
    const samples = new Uint32Array(channels.length * area);
    channels.forEach((channel, c) => {
      samples.set(wholeNumbers(channel), c * area);
    });
    files[`${names[i]}.tif`] = labelTiff(samples, [channels.length, ...shape], PIXELS);
    files[`${names[i]}_masks.tif`] = labelTiff(labels, [1, ...shape], PIXELS);
    files[`${names[i]}_seg.npy`] = cellposeSeg(labels, [1, ...shape], { fileName: `${names[i]}.tif` });
  });
  const description: StoredSet = {
    format: 'cytopane-training-set',
    version: 1,
    madeWith: `cytopane ${VERSION}`,
    images: images.map(({ name, cells, corrections, region }, i) => ({
      name,
      cells,
      corrections,
      file: names[i],
      ...(region ? { region } : {}),
    })),
  };
  files[ENTRY] = strToU8(JSON.stringify(description, null, 2));
  return new Promise((resolve, reject) => {
    zip(files, { level: 1 }, (error, bytes) => {
      if (error) reject(error);
      else resolve(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/zip' }));
    });
  });
}

/** Reads a saved training set. @throws CytoError `corrupt-file` if it is none */
export async function readTrainingSet(file: Blob): Promise<CorrectedImage[]> {
  const wrong = (cause?: unknown) =>
    new CytoError('corrupt-file', 'This file is no training set that was saved here.', { cause });
  const bytes = new Uint8Array(await file.arrayBuffer());
  const files = await new Promise<Record<string, Uint8Array>>((resolve, reject) => {
    unzip(bytes, (error, entries) => (error ? reject(wrong(error)) : resolve(entries)));
  });
  if (!files[ENTRY]) throw wrong();
  const { format, images } = JSON.parse(strFromU8(files[ENTRY])) as StoredSet;
  if (format !== 'cytopane-training-set') throw wrong();
  const reader = new ImageReader();
  const read = async (name: string) => {
    if (!files[name]) throw wrong();
    const source = await reader.open(new File([files[name] as Uint8Array<ArrayBuffer>], name));
    return source.readVolume();
  };
  try {
    const found: CorrectedImage[] = [];
    for (const { file: stem, ...rest } of images) {
      const { data, shape } = await read(`${stem}.tif`);
      const [height, width] = shape.slice(3);
      const area = height * width;
      const channels = Array.from({ length: data.length / area }, (_, c) =>
        data.slice(c * area, (c + 1) * area),
      );
      const labels = Uint32Array.from((await read(`${stem}_masks.tif`)).data);
      found.push({ ...rest, channels, shape: [height, width], labels });
    }
    return found;
  } finally {
    reader.dispose();
  }
}
