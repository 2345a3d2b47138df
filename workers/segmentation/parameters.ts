import { CytoError } from '../../core/errors.ts';
import {
  cellprobThresholdFor,
  DEFAULT_PARAMETERS,
  SEGMENTATION_MODES,
  type SegmentationParameters,
} from '../../core/segmentation-parameters.ts';
import type { MaskParameters } from './masks/labels-from-flows.ts';
import { checkMaskParameters, defaultNiter } from './masks/labels-from-flows.ts';
import type { FlowSmoothing } from './volume/kept-flows.ts';

/** Diameter in pixels that networks of this family see: images are scaled by 30 / diameter. */
export const NETWORK_DIAMETER = 30;

/** The networks see three channels. */
const MOST_CHANNELS = 3;

/** Enlarging beyond this only exhausts memory (spec §14). */
const MOST_ENLARGEMENT = 8;

/** Beyond this the flows and planes of neighbouring cells are one. */
const MOST_SMOOTHING = 20;

/**
 * Standard deviations in voxels of the flow smoothing along z, y, x: one number is in pixels that the network sees, so
 * that small cells do not flow into each other; three are in voxels.
 */
export function smoothingOf(
  parameters: Pick<SegmentationParameters, 'flowSmoothing' | 'diameter'>,
): FlowSmoothing {
  const { flowSmoothing } = parameters;
  if (typeof flowSmoothing !== 'number') return flowSmoothing;
  const sigma = flowSmoothing / scaleOf(parameters);
  return [sigma, sigma, sigma];
}

/** Scale of the image for a diameter; 1 if none is given. */
export function scaleOf(parameters: Pick<SegmentationParameters, 'diameter'>): number {
  const { diameter } = parameters;
  return diameter === undefined || !(diameter > 0) ? 1 : NETWORK_DIAMETER / diameter;
}

/**
 * Parameters with defaults filled in and checked.
 * @throws CytoError `bad-input` naming the parameter that is out of range
 */
export function completeParameters(
  parameters: Partial<SegmentationParameters>,
  channelCount: number,
): SegmentationParameters {
  const given = Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined));
  const channels = Array.from({ length: Math.min(channelCount, MOST_CHANNELS) }, (_, c) => c);
  const full = { ...DEFAULT_PARAMETERS, channels, ...given } as SegmentationParameters;
  if (!('cellprobThreshold' in given)) full.cellprobThreshold = cellprobThresholdFor(full);
  const fail = (text: string): never => {
    throw new CytoError('bad-input', text);
  };
  if (!SEGMENTATION_MODES.includes(full.mode)) fail(`"${full.mode}" is not a mode; use 2d, stitch or 3d.`);
  if (full.channels.length < 1 || full.channels.length > MOST_CHANNELS)
    fail('Choose one to three channels to segment on.');
  for (const channel of full.channels) {
    if (!(channel >= 0 && channel < channelCount)) fail(`The image has no channel ${channel + 1}.`);
  }
  if (full.diameter !== undefined && !(full.diameter > 0))
    fail('The diameter must be a positive number of pixels.');
  if (scaleOf(full) > MOST_ENLARGEMENT) {
    fail(
      `A diameter of ${full.diameter} pixels would enlarge the image ${scaleOf(full).toFixed(1)} times; the smallest possible is ${NETWORK_DIAMETER / MOST_ENLARGEMENT}.`,
    );
  }
  if (!seeksAnisotropy(full)) full.anisotropy ??= 1;
  if (full.anisotropy !== undefined && !(full.anisotropy > 0))
    fail('The anisotropy (z step over xy step) must be a positive number.');
  if (full.combineViews !== 'mean' && full.combineViews !== 'sum')
    fail(`"${String(full.combineViews)}" is no way to combine views; use mean or sum.`);
  if (![full.flowSmoothing].flat().every((sigma) => sigma >= 0 && sigma <= MOST_SMOOTHING))
    fail(`The flow smoothing is one number or three, from 0 to ${MOST_SMOOTHING}.`);
  if (!(full.planeSmoothing >= 0 && full.planeSmoothing <= MOST_SMOOTHING))
    fail(`The smoothing of planes is a number from 0 to ${MOST_SMOOTHING}.`);
  if (!(full.stitchThreshold >= 0 && full.stitchThreshold <= 1))
    fail('The stitch threshold is an IoU between 0 and 1.');
  checkMaskParameters(maskParameters(full));
  return full;
}

/** Whether the anisotropy is to be learned from the cells: none is given, and views are not combined as the reference does. */
export function seeksAnisotropy({
  mode,
  combineViews,
  anisotropy,
}: Pick<SegmentationParameters, 'mode' | 'combineViews' | 'anisotropy'>): boolean {
  return anisotropy === undefined && mode === '3d' && combineViews === 'mean';
}

/** The part of the parameters that concerns flows → labels. */
export function maskParameters(parameters: SegmentationParameters): MaskParameters {
  const { cellprobThreshold, flowThreshold, minSize, maxSizeFraction, niter, diameter } = parameters;
  return {
    cellprobThreshold,
    flowThreshold,
    minSize,
    maxSizeFraction,
    niter: niter ?? defaultNiter(diameter),
  };
}
