import { CytoError, throwIfAborted } from '../../core/errors.ts';
import type { ImageSource } from '../../core/image-source.ts';
import type { TaskOptions } from '../../core/progress.ts';
import { allocate, createVolume, type Shape5, sampleCount } from '../../core/volume.ts';
import { volumeSource } from '../../core/volume-source.ts';
import type { NamedBlob } from './bytes.ts';
import { checkFits } from './memory.ts';

/**
 * Opens several files as the planes of one stack, ordered by name (numbers by value).
 * @throws CytoError `bad-input` if their sizes or types differ
 */
export async function openSequence(
  files: readonly NamedBlob[],
  open: (file: NamedBlob) => Promise<ImageSource>,
  options: TaskOptions,
): Promise<ImageSource> {
  const sorted = [...files].sort((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }));
  const first = await open(sorted[0]);
  const [nt, nc, nz, ny, nx] = first.levels[0].shape;
  if (nt !== 1 || nz !== 1) {
    throw new CytoError(
      'bad-input',
      `Several files were opened together, but "${sorted[0].name}" is a stack by itself. Open one file at a time.`,
    );
  }
  const shape: Shape5 = [1, nc, sorted.length, ny, nx];
  checkFits(shape, first.dtype, sorted[0].name);
  const data = allocate(first.dtype, sampleCount(shape));
  const area = ny * nx;
  for (let z = 0; z < sorted.length; z++) {
    throwIfAborted(options.signal);
    const source = z === 0 ? first : await open(sorted[z]);
    const plane = await source.readVolume(0, options.signal ? { signal: options.signal } : {});
    if (plane.dtype !== first.dtype || plane.shape.join() !== [1, nc, 1, ny, nx].join()) {
      throw new CytoError(
        'bad-input',
        `"${sorted[z].name}" differs in size or type from "${sorted[0].name}", so they do not form a stack. Open one file at a time.`,
      );
    }
    for (let c = 0; c < nc; c++)
      data.set(plane.data.subarray(c * area, (c + 1) * area), (c * sorted.length + z) * area);
    source.close();
    options.onProgress?.({ phase: 'read', value: z + 1, total: sorted.length });
  }
  const { name, calibration, channels, rgb } = first;
  return volumeSource(
    createVolume({
      data,
      shape,
      name,
      calibration,
      channels,
      rgb,
      storedAxes: 'ZYX',
      notes: [`${sorted.length} files are shown as one stack, ordered by name.`],
    }),
  );
}
