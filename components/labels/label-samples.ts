import { CytoError } from '../../core/errors.ts';
import { LabelVolume, MAX_LABEL } from '../../core/label-volume.ts';
import type { Calibration, Shape3, VolumeData } from '../../core/volume.ts';

/** Labels as a host page may have them. */
export interface LabelSamples {
  /** One whole number per voxel, 0 for background. */
  data: VolumeData;
  /** Lengths of [y, x] or [z, y, x]. */
  shape: readonly number[];
  /** Absent: that of an image of the same size, otherwise one pixel per voxel. */
  calibration?: Calibration;
}

/**
 * Samples of any integer-valued type as a {@link LabelVolume}; Uint32 samples are shared, others converted.
 * @param scene shape and calibration of the image that the labels belong to, if known
 * @throws CytoError `bad-input` for values that are not whole numbers from 0 to {@link MAX_LABEL}
 */
export function labelVolumeOf(
  { data, shape, calibration }: LabelSamples,
  scene?: { shape: Shape3; calibration: Calibration },
): LabelVolume {
  if (shape.length < 2 || shape.length > 3) {
    throw new CytoError('bad-input', `Labels need a shape [y, x] or [z, y, x], not [${shape.join(', ')}].`);
  }
  const full = [...(shape.length === 2 ? [1] : []), ...shape] as unknown as Shape3;
  const sameSize = scene?.shape.every((length, axis) => length === full[axis]) ?? false;
  const known = calibration ??
    (sameSize ? scene?.calibration : undefined) ?? { spacing: [1, 1, 1], unit: 'px', calibrated: false };
  if (data instanceof Uint32Array) return new LabelVolume(full, known, data);
  const labels = new Uint32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (!(value >= 0 && value <= MAX_LABEL && Number.isInteger(value))) {
      throw new CytoError(
        'bad-input',
        `The value ${value} at sample ${i} is not a label: labels are whole numbers from 0 to ${MAX_LABEL}.`,
      );
    }
    labels[i] = value;
  }
  return new LabelVolume(full, known, labels);
}
