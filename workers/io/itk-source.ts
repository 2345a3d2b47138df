import type { Image } from 'itk-wasm';
import { assetUrl } from '../../core/assets.ts';
import { CytoError } from '../../core/errors.ts';
import type { ImageSource } from '../../core/image-source.ts';
import { createVolume, type Shape5, sampleCount, type VolumeData } from '../../core/volume.ts';
import { volumeSource } from '../../core/volume-source.ts';
import { bytesOf, type NamedBlob } from './bytes.ts';
import { checkFits } from './memory.ts';
import { deinterleave } from './png-source.ts';

/** Formats that itk-wasm reads for us. */
export type ItkFormat = 'jpeg' | 'bmp' | 'nrrd' | 'meta' | 'mrc';

const NAMES: Record<ItkFormat, string> = {
  jpeg: 'JPEG',
  bmp: 'BMP',
  nrrd: 'NRRD',
  meta: 'MetaImage',
  mrc: 'MRC',
};

const PHYSICAL: readonly ItkFormat[] = ['nrrd', 'meta'];

/** One pipeline at a time: each has its own WASM memory. */
async function runReader(format: ItkFormat, path: string, data: Uint8Array): Promise<Image | undefined> {
  const io = await import('@itk-wasm/image-io');
  const reader = {
    jpeg: io.jpegReadImage,
    bmp: io.bmpReadImage,
    nrrd: io.nrrdReadImage,
    meta: io.metaReadImage,
    mrc: io.mrcReadImage,
  }[format];
  const pipelines = assetUrl('pipelines').href;
  io.setPipelinesBaseUrl(pipelines);
  const { couldRead, image } = await reader({ path, data }, { webWorker: false });
  return couldRead ? image : undefined;
}

/** Opens a file through itk-wasm. Samples keep their type; colours become channels. */
export async function openItk(file: NamedBlob, format: ItkFormat, data?: Uint8Array): Promise<ImageSource> {
  const corrupt = (cause?: unknown) =>
    new CytoError(
      'corrupt-file',
      `"${file.name}" could not be read as ${NAMES[format]}. The file is damaged or incomplete; export it again.`,
      { cause },
    );
  const bytes = data ?? (await bytesOf(file));
  let image: Image | undefined;
  try {
    image = await runReader(format, file.name, bytes);
  } catch (cause) {
    throw corrupt(cause);
  }
  if (!image?.data) throw corrupt();
  const { components } = image.imageType;
  const size = [...image.size, 1, 1, 1].slice(0, Math.max(2, image.size.length));
  const [nx, ny, nz = 1, nt = 1] = size;
  const shape: Shape5 = [nt, components, nz, ny, nx];
  const samples = image.data as VolumeData;
  if (samples.length !== sampleCount(shape)) throw corrupt();
  const colour = format === 'jpeg' || format === 'bmp';
  const grey = colour && components === 3 && isGrey(samples);
  const kept = grey ? 1 : Math.min(components, colour ? 3 : components);
  checkFits(shape, 'uint8', file.name);
  const [dx = 1, dy = 1, dz = 1] = image.spacing ?? [];
  const calibrated = PHYSICAL.includes(format);
  return volumeSource(
    createVolume({
      data: deinterleave(samples, components, kept),
      shape: [nt, kept, nz, ny, nx],
      name: file.name,
      storedAxes: components > 1 ? 'ZYXS' : 'ZYX',
      rgb: colour && kept === 3,
      ...(kept === 3 && colour ? { channels: [{ name: 'Red' }, { name: 'Green' }, { name: 'Blue' }] } : {}),
      calibration: calibrated
        ? { spacing: [Math.abs(dz), Math.abs(dy), Math.abs(dx)], unit: 'mm', calibrated: true }
        : { spacing: [1, 1, 1], unit: 'px', calibrated: false },
    }),
  );
}

/** Whether three interleaved colours are equal everywhere. */
function isGrey(samples: VolumeData): boolean {
  for (let i = 0; i < samples.length; i += 3) {
    if (samples[i] !== samples[i + 1] || samples[i] !== samples[i + 2]) return false;
  }
  return true;
}
