import type { SegmentationMode, SegmentationParameters } from '../../core/segmentation-parameters.ts';
import { anisotropyOf, type Volume } from '../../core/volume.ts';
import type { BackendChoice } from '../../workers/segmentation/client.ts';

/** What a user or page has chosen for runs; undefined follows the image. */
export interface RunSettings {
  mode: SegmentationMode | undefined;
  /** Pixels of the xy plane. */
  diameter: number | undefined;
  channel: number | undefined;
  anisotropy: number | undefined;
  backend: BackendChoice;
  readonly server: string | undefined;
  cellprobThreshold: number;
  flowThreshold: number;
  minSize: number;
  stitchThreshold: number;
}

/** The mode that a run on this image has: stacks are stitched unless asked otherwise, single planes are 2D. */
export function modeFor({ mode }: Pick<RunSettings, 'mode'>, image: Volume): SegmentationMode {
  return image.shape[2] > 1 ? (mode ?? 'stitch') : '2d';
}

/** Parameters that can change without a run of the network. */
export function thresholdsOf(settings: RunSettings): Partial<SegmentationParameters> {
  const { cellprobThreshold, flowThreshold, minSize, stitchThreshold } = settings;
  return { cellprobThreshold, flowThreshold, minSize, stitchThreshold };
}

/** Parameters of a run on this image. */
export function parametersFor(settings: RunSettings, image: Volume): Partial<SegmentationParameters> {
  return {
    mode: modeFor(settings, image),
    ...(settings.channel === undefined ? {} : { channels: [Math.min(settings.channel, image.shape[1] - 1)] }),
    ...(settings.diameter ? { diameter: settings.diameter } : {}),
    ...thresholdsOf(settings),
    anisotropy: settings.anisotropy ?? anisotropyOf(image),
  };
}
