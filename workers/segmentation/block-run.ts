import * as Comlink from 'comlink';
import { asCytoError, CytoError, fromWire, toWire, type WireError } from '../../core/errors.ts';
import type { ImageSource } from '../../core/image-source.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type { SegmentationParameters } from '../../core/segmentation-parameters.ts';
import { bytesPerSample, type Shape3, type VolumeData } from '../../core/volume.ts';
import type { VoxelBox } from '../../core/voxel-box.ts';
import { memoryBudget, refuseOversized } from './estimate.ts';
import type { SampleSource } from './volume/sample-source.ts';

/** A stack whose samples the worker asks for. */
export interface StreamedInput {
  shape: Shape3;
  channels: number;
  bytesPerSample: number;
  /** Where {@link offerSamples} answers. */
  port: MessagePort;
}

/**
 * What the worker is told of a stack larger than memory.
 * @throws CytoError `bad-input` for single planes, `too-large` if not even the labels fit
 */
export function planBlockRun(
  source: ImageSource,
  parameters: SegmentationParameters,
  memory = memoryBudget(),
  level = 0,
): Omit<StreamedInput, 'port'> {
  const [, , nz, ny, nx] = source.levels[level].shape;
  const shape: Shape3 = [nz, ny, nx];
  if (parameters.mode === '2d' || nz < 2)
    throw new CytoError('bad-input', 'Blocks are for stacks: stitch planes or use 3D.');
  const storage = {
    channels: parameters.channels.length,
    bytesPerSample: bytesPerSample(source.dtype),
  };
  refuseOversized(shape, parameters, storage, memory, true);
  return { shape, ...storage };
}

type Answer = { samples: VolumeData[] } | { error: WireError };
interface SampleEndpoint {
  read(box: VoxelBox): Promise<Answer>;
}

/** Reads boxes of a time point for the worker that holds the port, until it is closed. */
export function offerSamples(
  source: ImageSource,
  channels: readonly number[],
  { t = 0, level = 0, signal }: TaskOptions & { t?: number; level?: number },
): { port: MessagePort; close: () => void } {
  const { port1, port2 } = new MessageChannel();
  const endpoint: SampleEndpoint = {
    async read({ from, to }) {
      const range = (axis: number) => [from[axis], to[axis]] as const;
      try {
        const samples = await Promise.all(
          channels.map(async (c) => {
            const region = { t: [t, t + 1], c: [c, c + 1], z: range(0), y: range(1), x: range(2) } as const;
            return (await source.read(region, level, signal ? { signal } : {})).data;
          }),
        );
        const buffers = new Set(samples.map(({ buffer }) => buffer as ArrayBuffer));
        return Comlink.transfer({ samples }, [...buffers]);
      } catch (error) {
        return { error: toWire(asCytoError(error)) };
      }
    },
  };
  Comlink.expose(endpoint, port1);
  return { port: port2, close: () => port1.close() };
}

/** The worker's side of {@link offerSamples}. */
export function offeredSamples({ port, ...stack }: StreamedInput): SampleSource {
  const remote = Comlink.wrap<SampleEndpoint>(port);
  return {
    ...stack,
    read: async (box) => {
      const answer = await remote.read(box);
      if ('error' in answer) throw fromWire(answer.error);
      return answer.samples;
    },
  };
}
