import type { VolumeData } from '../volume.ts';
import type { LabelRuns } from './label-runs.ts';

/** Samples of one channel inside one label. */
export interface LabelIntensity {
  mean: number;
  min: number;
  max: number;
  /** Standard deviation of the population. */
  sd: number;
  /** Sum of the samples. */
  integrated: number;
}

/** Intensities of label number `n`; samples that are not numbers are left out. @param samples of the labels' shape */
export function labelIntensity(runs: LabelRuns, n: number, samples: VolumeData): LabelIntensity {
  let count = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  // Sums of differences to the first sample lose no digits where the mean is far from 0.
  let shift = Number.NaN;
  let sum = 0;
  let squares = 0;
  for (let k = runs.first[n]; k < runs.first[n + 1]; k++) {
    const end = runs.starts[k] + runs.lengths[k];
    for (let i = runs.starts[k]; i < end; i++) {
      const value = samples[i];
      if (Number.isNaN(value)) continue;
      if (count === 0) shift = value;
      const difference = value - shift;
      count++;
      sum += difference;
      squares += difference * difference;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  if (count === 0)
    return { mean: Number.NaN, min: Number.NaN, max: Number.NaN, sd: Number.NaN, integrated: 0 };
  const mean = sum / count;
  return {
    mean: shift + mean,
    min,
    max,
    sd: Math.sqrt(Math.max(0, squares / count - mean * mean)),
    integrated: sum + shift * count,
  };
}
