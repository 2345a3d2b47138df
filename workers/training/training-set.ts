import { CytoError } from '../../core/errors.ts';
import type { VolumeData } from '../../core/volume.ts';
import type { SizeRule } from '../segmentation/cell-size.ts';
import { flowsFromLabels } from '../segmentation/masks/flows-from-labels.ts';
import { labelCounts, renumber } from '../segmentation/masks/renumber.ts';
import { NETWORK_DIAMETER } from '../segmentation/parameters.ts';
import { mapSamples, percentileMap } from '../segmentation/preprocess/normalise.ts';

/** A corrected image: one plane whose cells are all labelled, or a region of it. */
export interface TrainingImage {
  /** For people. */
  name: string;
  /** Samples [y, x] of the one to three channels that the network gets, as stored. */
  channels: readonly VolumeData[];
  shape: readonly [y: number, x: number];
  /** Uint32 [y, x]; numbering may have gaps. */
  labels: Uint32Array;
  /** The part that is fully labelled; what lies outside does not count. Absent: all of it. */
  region?: Region;
}

/** A rectangle in pixels. */
export interface Region {
  y: number;
  x: number;
  height: number;
  width: number;
}

/** An image as crops are cut from it. */
export interface PreparedImage {
  name: string;
  shape: readonly [y: number, x: number];
  /** Normalised channels. */
  channels: readonly Float32Array[];
  /** 1…N. */
  labels: Uint32Array;
  count: number;
  /** Float32 [2, y, x], unit flows. */
  flows: Float32Array;
  /** Scale at which the network sees it. */
  scale: number;
  /** Median diameter of the cells in pixels of the image. */
  diameter: number;
}

/** An image with fewer cells, or cells in sum, teaches nothing. */
export const LEAST_CELLS = { image: 1, set: 5 } as const;

function cut<T extends VolumeData>(samples: T, width: number, region: Region): T {
  const out = samples.slice(0, region.height * region.width) as T;
  for (let y = 0; y < region.height; y++) {
    const start = (region.y + y) * width + region.x;
    out.set(samples.subarray(start, start + region.width) as never, y * region.width);
  }
  return out;
}

/** A part of an image as an image of its own. */
export function partOf(image: TrainingImage, region: Region): TrainingImage {
  const [, width] = image.shape;
  return {
    name: image.name,
    channels: image.channels.map((samples) => cut(samples, width, region)),
    shape: [region.height, region.width],
    labels: cut(image.labels, width, region),
  };
}

/** Number of cells in the part of an image that counts. */
export function cellCount(image: TrainingImage): number {
  const part = image.region ? partOf(image, image.region) : image;
  return new Set(part.labels).size - Number(part.labels.includes(0));
}

/** @throws CytoError `bad-input` naming the images that cannot be used, and why */
export function checkImages(images: readonly TrainingImage[]): void {
  if (images.length === 0)
    throw new CytoError('bad-input', 'There is no image to learn from: correct one and add it.');
  let total = 0;
  for (const image of images) {
    const { name, channels, shape, labels, region } = image;
    const [height, width] = shape;
    if (channels.length < 1 || channels.length > 3)
      throw new CytoError(
        'bad-input',
        `"${name}" has ${channels.length} channels; choose one to three of them.`,
      );
    if ([labels, ...channels].some(({ length }) => length !== height * width))
      throw new CytoError('bad-input', `Image and labels of "${name}" differ in size.`);
    if (
      region &&
      (region.y < 0 || region.x < 0 || region.y + region.height > height || region.x + region.width > width)
    )
      throw new CytoError('bad-input', `The region of "${name}" reaches beyond the image.`);
    const count = cellCount(image);
    if (count < LEAST_CELLS.image) {
      throw new CytoError(
        'bad-input',
        `"${name}" has no labelled cell, so that nothing can be learned from it: label its cells or leave it out.`,
      );
    }
    total += count;
  }
  if (total < LEAST_CELLS.set) {
    throw new CytoError(
      'bad-input',
      `The images have ${total} labelled cells in all; at least ${LEAST_CELLS.set} are needed. Correct or add more.`,
    );
  }
}

function medianDiameter(labels: Uint32Array): number {
  const sizes = labelCounts(labels).subarray(1).slice().sort();
  return sizes.length === 0 ? 0 : Math.sqrt((4 / Math.PI) * sizes[sizes.length >> 1]);
}

/**
 * Normalises an image by percentiles of the whole of it, makes targets of its labels (spec §9) and chooses the scale:
 * that at which a run would show it to the network.
 * @param sizes the rule of the model's card for scaling by the size of cells, if it has one
 */
export function prepare(image: TrainingImage, sizes?: SizeRule): PreparedImage {
  const [height, width] = image.shape;
  const normalised = image.channels.map((samples) => {
    const out = new Float32Array(samples.length);
    mapSamples(samples, percentileMap(samples, [1, height, width]), out);
    return out;
  });
  const whole = { ...image, channels: normalised };
  const part = image.region ? partOf(whole, image.region) : whole;
  const labels = part.labels.slice();
  const count = renumber(labels);
  const diameter = medianDiameter(labels);
  const scaled = sizes && diameter > 0 && (diameter < sizes.below || diameter > sizes.above);
  return {
    name: image.name,
    shape: part.shape,
    channels: part.channels as readonly Float32Array[],
    labels,
    count,
    flows: flowsFromLabels(labels, part.shape),
    scale: scaled ? NETWORK_DIAMETER / diameter : 1,
    diameter,
  };
}

/** Images to learn from and images to judge by. */
export interface SplitSet {
  learn: TrainingImage[];
  /** Empty if nothing could be held back. */
  judge: TrainingImage[];
}

/** From this number of images on, a whole one is held back. */
const WHOLE_FROM = 4;

/** Share of an image that is held back where there are few. */
const STRIP = 0.35;

/**
 * Holds back what the new model is judged by: of four or more images the one whose number of cells lies in the middle;
 * of fewer a strip at the end of the image with most cells, if cells lie on both sides.
 */
export function split(images: readonly TrainingImage[]): SplitSet {
  const byCells = [...images].sort((a, b) => cellCount(a) - cellCount(b));
  if (images.length >= WHOLE_FROM) {
    const judge = byCells[byCells.length >> 1];
    return {
      learn: images.filter((image) => image !== judge),
      judge: [judge.region ? partOf(judge, judge.region) : judge],
    };
  }
  const largest = byCells[byCells.length - 1];
  const { y, x, height, width } = largest.region ?? {
    y: 0,
    x: 0,
    height: largest.shape[0],
    width: largest.shape[1],
  };
  const tall = height >= width;
  const kept = Math.round((tall ? height : width) * (1 - STRIP));
  const learnt: Region = tall ? { y, x, height: kept, width } : { y, x, height, width: kept };
  const held: Region = tall
    ? { y: y + kept, x, height: height - kept, width }
    : { y, x: x + kept, height, width: width - kept };
  const parts = { learn: { ...largest, region: learnt }, judge: partOf(largest, held) };
  const others = images.filter((image) => image !== largest);
  const enough = cellCount(parts.learn) >= LEAST_CELLS.image && cellCount(parts.judge) >= 2;
  if (!enough) return { learn: [...images], judge: [] };
  return { learn: [...others, parts.learn], judge: [parts.judge] };
}
