import { CytoError } from '../../core/errors.ts';
import type { ImageSource } from '../../core/image-source.ts';
import { parseNpy } from '../../core/npy.ts';
import { createVolume } from '../../core/volume.ts';
import { volumeSource } from '../../core/volume-source.ts';
import { bytesOf, type NamedBlob } from './bytes.ts';

/** Opens a NumPy array of two to five axes; three axes are read as z, y, x. */
export async function openNpy(file: NamedBlob): Promise<ImageSource> {
  const { data, shape } = parseNpy(await bytesOf(file));
  if (shape.length < 2 || shape.length > 5) {
    throw new CytoError(
      'unsupported',
      `"${file.name}" has ${shape.length} axes; an image has two to five (t, c, z, y, x).`,
    );
  }
  const axes = { 2: 'YX', 3: 'ZYX', 4: 'CZYX', 5: 'TCZYX' }[shape.length] ?? 'YX';
  const notes = shape.length > 2 ? [`NumPy files do not name their axes; they are read as ${axes}.`] : [];
  return volumeSource(createVolume({ data, shape, name: file.name, storedAxes: axes, notes }));
}
