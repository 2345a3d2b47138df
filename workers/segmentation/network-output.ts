import { throwIfAborted } from '../../core/errors.ts';
import type { TaskOptions } from '../../core/progress.ts';
import type { NetworkOutput, OutputKind } from '../../core/segmentation-parameters.ts';
import { allocate, type Shape3 } from '../../core/volume.ts';

/** What the network gave for the image, plane by plane, on the image's grid. */
export interface OutputPlanes {
  readonly shape: Shape3;
  /** Logits [y, x]. */
  cellprob(z: number): ArrayLike<number>;
  /** Flows within the plane, dY and dX [y, x]. */
  flows(z: number): readonly [dY: ArrayLike<number>, dX: ArrayLike<number>];
}

type Options = TaskOptions & { pause?: () => Promise<void> };

/** Lengths of flows looked at to find the one that gets full colour. */
const SAMPLES = 200_000;

/** The network's output as samples to be shown. @throws CytoError `too-large`, `aborted` */
export async function networkOutput(
  planes: OutputPlanes,
  kind: OutputKind,
  options: Options = {},
): Promise<NetworkOutput> {
  const [nz, ny, nx] = planes.shape;
  const area = ny * nx;
  const each = async (write: (z: number) => void) => {
    for (let z = 0; z < nz; z++) {
      options.onProgress?.({ phase: 'masks', value: z, total: nz });
      await options.pause?.();
      throwIfAborted(options.signal);
      write(z);
    }
  };
  if (kind === 'cellprob') {
    const data = allocate('float32', nz * area) as Float32Array;
    await each((z) => data.set(planes.cellprob(z), z * area));
    return { kind, data, shape: planes.shape };
  }
  const data = allocate('uint8', 3 * nz * area) as Uint8Array;
  const range = lengthRange(planes);
  await each((z) => {
    const [dY, dX] = planes.flows(z);
    for (let i = 0; i < area; i++) {
      const color = flowColor(dY[i], dX[i], range);
      for (let c = 0; c < 3; c++) data[c * nz * area + z * area + i] = color[c];
    }
  });
  return { kind, data, shape: planes.shape };
}

/**
 * Colour of a flow on Cellpose's wheel (`dx_to_circ` of its plots): direction as hue, length as brightness.
 * @param range lengths that are black and of full colour
 */
export function flowColor(
  dY: number,
  dX: number,
  [low, high]: readonly [number, number],
): [red: number, green: number, blue: number] {
  const part = Math.min(Math.max((Math.hypot(dY, dX) - low) / (high - low || 1), 0), 1);
  const angle = Math.atan2(dX, dY) + Math.PI;
  const channel = (turn: number) =>
    Math.floor(127.5 * part * (Math.cos(angle + (turn * 2 * Math.PI) / 3) + 1));
  return [channel(0), channel(1), channel(2)];
}

/** First and 99th percentile of the lengths of flows, from a regular sub-sample. */
function lengthRange(planes: OutputPlanes): readonly [number, number] {
  const [nz, ny, nx] = planes.shape;
  const area = ny * nx;
  const step = Math.max(1, Math.floor((nz * area) / SAMPLES)) | 1;
  const lengths: number[] = [];
  for (let z = 0, next = 0; z < nz; z++) {
    if (next >= (z + 1) * area) continue;
    const [dY, dX] = planes.flows(z);
    for (; next < (z + 1) * area; next += step) {
      const i = next - z * area;
      lengths.push(Math.hypot(dY[i], dX[i]));
    }
  }
  const sorted = Float64Array.from(lengths).sort();
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))];
  return [at(0.01), at(0.99)];
}
