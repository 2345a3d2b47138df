import type { Contrast } from './layer.ts';
import { channelView, type Volume, type VolumeData } from './volume.ts';

/** Samples looked at for automatic contrast. */
const SAMPLES = 100_000;

/** The part of samples that automatic contrast lets lie outside its window at either end. */
const TAIL = 0.005;

/**
 * Display window from the 0.5 to the 99.5 percentile of a regular sub-sample; never empty.
 * Samples that are not finite are left out.
 */
export function automaticWindow(data: VolumeData): [low: number, high: number] {
  // An odd step that shares no factor with usual row lengths, so that columns are not picked out.
  const step = data.length <= SAMPLES ? 1 : Math.floor(data.length / SAMPLES) | 1;
  const picked = new Float64Array(Math.ceil(data.length / step));
  let count = 0;
  for (let i = 0; i < data.length; i += step) if (Number.isFinite(data[i])) picked[count++] = data[i];
  if (count === 0) return [0, 1];
  const sorted = picked.subarray(0, count).sort();
  const low = sorted[Math.floor(TAIL * (count - 1))];
  const high = sorted[Math.ceil((1 - TAIL) * (count - 1))];
  if (high > low) return [low, high];
  // Almost all samples are equal: few and small objects on an even ground, or nothing at all.
  const [first, last] = [sorted[0], sorted[count - 1]];
  return last > first ? [first, last] : [first, first + 1];
}

const windows = new WeakMap<VolumeData, Map<string, [number, number]>>();

/** Window of a layer in sample values: the stated one, or the automatic one of its channel over all times. */
export function contrastWindow(
  volume: Volume,
  channel: number,
  contrast: Contrast,
): readonly [low: number, high: number] {
  if (contrast !== 'auto') return contrast;
  // Colours are shown as they are.
  if (volume.rgb && volume.dtype === 'uint8') return [0, 255];
  const known = windows.get(volume.data) ?? new Map<string, [number, number]>();
  windows.set(volume.data, known);
  const key = volume.rgb ? 'rgb' : String(channel);
  let window = known.get(key);
  if (!window) {
    const middle = Math.floor((volume.shape[0] - 1) / 2);
    window = automaticWindow(volume.rgb ? volume.data : channelView(volume, middle, channel));
    known.set(key, window);
  }
  return window;
}
