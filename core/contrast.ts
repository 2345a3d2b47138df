import type { Contrast, ImageLayer } from './layer.ts';
import { channelView, type Volume, type VolumeData } from './volume.ts';

/** Samples looked at for automatic contrast and histograms. */
const SAMPLES = 100_000;

/** Percent of samples that automatic contrast lets lie outside its window at either end, unless told otherwise. */
const CLIPPED = 0.5;

/** A regular sub-sample in ascending order, without what is not finite. */
function sortedSamples(data: VolumeData): Float64Array {
  // An odd step that shares no factor with usual row lengths, so that columns are not picked out.
  const step = data.length <= SAMPLES ? 1 : Math.floor(data.length / SAMPLES) | 1;
  const picked = new Float64Array(Math.ceil(data.length / step));
  let count = 0;
  for (let i = 0; i < data.length; i += step) if (Number.isFinite(data[i])) picked[count++] = data[i];
  return picked.subarray(0, count).sort();
}

function windowOf(sorted: Float64Array, clipped: number): [low: number, high: number] {
  if (sorted.length === 0) return [0, 1];
  const last = sorted.length - 1;
  const low = sorted[Math.floor((clipped / 100) * last)];
  const high = sorted[Math.ceil((1 - clipped / 100) * last)];
  if (high > low) return [low, high];
  // Almost all samples are equal: few and small objects on an even ground, or nothing at all.
  return sorted[last] > sorted[0] ? [sorted[0], sorted[last]] : [sorted[0], sorted[0] + 1];
}

/**
 * Display window that leaves `clipped` percent of a regular sub-sample out at either end; never empty.
 * Samples that are not finite are left out.
 */
export function automaticWindow(data: VolumeData, clipped = CLIPPED): [low: number, high: number] {
  return windowOf(sortedSamples(data), clipped);
}

interface ChannelSamples {
  sorted: Float64Array;
  windows: Map<number, readonly [number, number]>;
  histograms: Map<number, SampleHistogram>;
}

const known = new WeakMap<VolumeData, Map<string, ChannelSamples>>();

/** Samples of a channel at the middle time point, of all channels for RGB; taken once. */
function channelSamples(volume: Volume, channel: number): ChannelSamples {
  const channels = known.get(volume.data) ?? new Map<string, ChannelSamples>();
  known.set(volume.data, channels);
  const key = volume.rgb ? 'rgb' : String(channel);
  let samples = channels.get(key);
  if (!samples) {
    const middle = Math.floor((volume.shape[0] - 1) / 2);
    const data = volume.rgb ? volume.data : channelView(volume, middle, channel);
    samples = { sorted: sortedSamples(data), windows: new Map(), histograms: new Map() };
    channels.set(key, samples);
  }
  return samples;
}

/**
 * Window of a layer in sample values: the stated one, or the automatic one of its channel over all times.
 * @param clipped percent of samples outside an automatic window at either end
 */
export function contrastWindow(
  volume: Volume,
  channel: number,
  contrast: Contrast,
  clipped = CLIPPED,
): readonly [low: number, high: number] {
  if (contrast !== 'auto') return contrast;
  // Colours are shown as they are.
  if (volume.rgb && volume.dtype === 'uint8') return [0, 255];
  const { sorted, windows } = channelSamples(volume, channel);
  let window = windows.get(clipped);
  if (!window) {
    window = windowOf(sorted, clipped);
    windows.set(clipped, window);
  }
  return window;
}

/** Window of an image layer in sample values. */
export function layerWindow(layer: ImageLayer): readonly [low: number, high: number] {
  return contrastWindow(layer.volume, layer.channel, layer.contrast, layer.clipped);
}

/** How often sample values occur, from a regular sub-sample. */
export interface SampleHistogram {
  /** Smallest and largest sample looked at; equal for an even image. */
  range: readonly [low: number, high: number];
  /** Counts over equal parts of the range. */
  counts: Uint32Array;
}

/** Histogram of a channel (of all three for RGB) at the middle time point. */
export function sampleHistogram(volume: Volume, channel: number, bins: number): SampleHistogram {
  const { sorted, histograms } = channelSamples(volume, channel);
  let histogram = histograms.get(bins);
  if (!histogram) {
    const [low, high] = [sorted.at(0) ?? 0, sorted.at(-1) ?? 0];
    const counts = new Uint32Array(bins);
    const scale = high > low ? bins / (high - low) : 0;
    for (const value of sorted) counts[Math.min(bins - 1, Math.floor((value - low) * scale))]++;
    histogram = { range: [low, high], counts };
    histograms.set(bins, histogram);
  }
  return histogram;
}
