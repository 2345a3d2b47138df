import type { RefusalReason } from '../../../core/segmentation-parameters.ts';
import type { ModelCard } from './model-card.ts';

/** Why no GPU can be used. */
export type GpuObstacle = Exclude<RefusalReason, 'wrong-numbers' | 'lost' | 'failed'>;

/** An adapter as far as it matters for networks. */
export interface GpuProbe {
  adapter: GPUAdapter;
  /** Vendor and architecture, for people. */
  name: string;
  /** Tells this adapter from others: names, half floats and limits. */
  identity: string;
  shaderF16: boolean;
  /** Bytes. */
  largestBuffer: number;
}

/** Features and limits that inference profits from. */
const FEATURES = ['shader-f16', 'subgroups'] as const;
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const;

/**
 * Looks at the GPU of this browser.
 * @param emulated whether an adapter that is emulated in software will do
 */
export async function probeGpu(emulated: boolean): Promise<GpuProbe | GpuObstacle> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!gpu) return 'no-webgpu';
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return 'no-adapter';
  const { info, features, limits } = adapter;
  // Of two spellings one is older than the other.
  const old = (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter === true;
  const software = old || info.isFallbackAdapter || info.architecture === 'swiftshader';
  if (software && !emulated) return 'software';
  const words = [info.vendor, info.architecture, info.device, info.description].filter(Boolean);
  const able = FEATURES.filter((name) => features.has(name));
  return {
    adapter,
    name: [info.vendor, info.architecture].filter(Boolean).join(' '),
    identity: [...words, ...able, ...LIMITS.map((name) => limits[name])].join('|'),
    shaderF16: features.has('shader-f16'),
    largestBuffer: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
  };
}

/** Why this adapter cannot run this model, or undefined. */
export function unfit({ shaderF16, largestBuffer }: GpuProbe, { gpu }: ModelCard): GpuObstacle | undefined {
  if (gpu?.shaderF16 && !shaderF16) return 'f16';
  if (gpu?.largestBuffer !== undefined && gpu.largestBuffer > largestBuffer) return 'limits';
  return undefined;
}

/** As many tiles as the reference computes at once; a GPU is busy long before. */
const MOST_TILES = 8;
/** Tensors between nodes come in threes and fours; larger ones would crowd out a GPU that shares its memory. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * Tiles that one call of a model may take on a GPU, so that its largest tensor fits in one binding.
 * @param largestBuffer bytes of a binding of the adapter
 * @returns at least 1; 1 for models whose card does not tell the size of their tensors
 */
export function tilesPerCall(
  { largestBuffer }: Pick<GpuProbe, 'largestBuffer'>,
  { gpu, tile, sides }: Pick<ModelCard, 'gpu' | 'tile' | 'sides'>,
): number {
  if (gpu?.largestBuffer === undefined) return 1;
  // The card tells of a usual tile.
  const bytes = gpu.largestBuffer * ((sides?.largest ?? tile) / tile) ** 2;
  return Math.max(1, Math.min(MOST_TILES, Math.floor(Math.min(largestBuffer, MOST_BYTES) / bytes)));
}

/** A device with all that the adapter has of the features and limits that count. */
export function openDevice({ adapter }: GpuProbe): Promise<GPUDevice> {
  const known = LIMITS.filter((name) => adapter.limits[name] !== undefined);
  return adapter.requestDevice({
    requiredFeatures: FEATURES.filter((name) => adapter.features.has(name)),
    requiredLimits: Object.fromEntries(known.map((name) => [name, adapter.limits[name]])),
  });
}
