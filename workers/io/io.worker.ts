import { setAssetBase } from '../../core/assets.ts';
import { CytoError } from '../../core/errors.ts';
import type { ImageLevel, ImageSource, Region, RegionData } from '../../core/image-source.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type { DType, ImageMetadata, Volume } from '../../core/volume.ts';
import { moving, serve } from '../serve.ts';
import type { NamedBlob } from './bytes.ts';
import { openImage } from './open.ts';

/** What the page is told of an opened image. */
export interface SourceDescription extends ImageMetadata {
  id: number;
  dtype: DType;
  levels: readonly ImageLevel[];
}

const sources = new Map<number, ImageSource>();
let nextId = 1;

function sourceOf(id: number): ImageSource {
  const source = sources.get(id);
  if (!source) throw new CytoError('bad-input', 'This image was closed. Open it again.');
  return source;
}

serve({
  async open(
    input: string | NamedBlob[],
    assetBase: string,
    options: TaskOptions,
  ): Promise<SourceDescription> {
    setAssetBase(assetBase);
    const source = await openImage(typeof input === 'string' ? new URL(input) : input, options);
    const id = nextId++;
    sources.set(id, source);
    const { dtype, levels, name, calibration, channels, rgb, storedAxes, notes } = source;
    return { id, dtype, levels, name, calibration, channels, rgb, storedAxes, notes };
  },

  async read(id: number, region: Region, level: number, options: TaskOptions): Promise<RegionData> {
    const part = await sourceOf(id).read(region, level, options);
    const data = part.data.slice();
    return moving({ data, shape: part.shape }, [data.buffer as ArrayBuffer]);
  },

  async readVolume(id: number, level: number, options: TaskOptions): Promise<Volume> {
    const volume = await sourceOf(id).readVolume(level, options);
    // An image that is held in memory here is held no longer: the page has it now.
    const whole = volume.data.byteLength === volume.data.buffer.byteLength;
    const data = whole ? volume.data : volume.data.slice();
    return moving({ ...volume, data }, [data.buffer as ArrayBuffer]);
  },

  close(id: number): void {
    sources.get(id)?.close();
    sources.delete(id);
  },
});
