/// <reference lib="dom" />
import type { ImageSource } from '../../core/image-source.ts';
import type { Reading, ReadLevel } from './manifest.ts';

/** What to open in the page, and in which order of axes and which type its samples are to be hashed. */
export interface Task {
  /** Addresses and paths of the files; or one address to open as it is. */
  files: { url: string; path: string }[] | string;
  rois: boolean;
  /** `order`: a permutation of the axes TCZYX. */
  levels: { order: string; dtype: string }[];
  timeout: number;
}

/** Runs in the page: reads an image with the built package. Self-contained, since it is sent there as text. */
export async function readInPage(task: Task): Promise<Reading> {
  const started = performance.now();
  const io: typeof import('../../workers/io/index.ts') = await import(
    new URL('/dist/io.js', location.href).href
  );
  const page = globalThis as unknown as { reader?: InstanceType<typeof io.ImageReader> };
  page.reader ??= new io.ImageReader();
  const signal = AbortSignal.timeout(task.timeout);

  const permuted = (data: ArrayLike<number>, shape: number[], order: string) => {
    if (order === 'TCZYX') return data;
    const steps = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1));
    const axes = [...order].map((axis) => 'TCZYX'.indexOf(axis));
    const [na, nb, nc, nd, ne] = axes.map((axis) => shape[axis]);
    const [sa, sb, sc, sd, se] = axes.map((axis) => steps[axis]);
    const out = new (data.constructor as Float64ArrayConstructor)(data.length);
    let i = 0;
    for (let a = 0; a < na; a++)
      for (let b = 0; b < nb; b++)
        for (let c = 0; c < nc; c++)
          for (let d = 0; d < nd; d++)
            for (let e = 0; e < ne; e++) out[i++] = data[a * sa + b * sb + c * sc + d * sd + e * se];
    return out;
  };

  /** Samples as the type the file stores, where our type is a wider one that holds it exactly. */
  const stored = (data: ArrayLike<number>, dtype: string): ArrayBufferView => {
    if (dtype === 'uint64') return BigUint64Array.from(Array.from(data, BigInt));
    if (dtype === 'int64') return BigInt64Array.from(Array.from(data, BigInt));
    if (dtype === 'float16') {
      const bits = new Uint32Array(1);
      const float = new Float32Array(bits.buffer);
      return Uint16Array.from(Array.from(data), (value) => {
        float[0] = value;
        const sign = (bits[0] >>> 16) & 0x8000;
        const exponent = ((bits[0] >>> 23) & 0xff) - 112;
        const mantissa = bits[0] & 0x7fffff;
        if (exponent >= 31) return sign | 0x7c00 | (exponent > 143 - 1 && mantissa ? mantissa >>> 13 : 0);
        if (exponent > 0) return sign | (exponent << 10) | (mantissa >>> 13);
        return exponent < -10 ? sign : sign | ((mantissa | 0x800000) >>> (14 - exponent));
      });
    }
    return data as unknown as ArrayBufferView;
  };

  const readLevel = async (source: ImageSource, level: number): Promise<ReadLevel> => {
    const { order, dtype } = task.levels[Math.min(level, task.levels.length - 1)] ?? {
      order: 'TCZYX',
      dtype: '',
    };
    const volume = await source.readVolume(level, { signal });
    const bytes = stored(permuted(volume.data, [...volume.shape], order), dtype);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource));
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (const value of volume.data) {
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
    }
    const { spacing, unit, calibrated, timeStep } = volume.calibration;
    return {
      shape: [...volume.shape],
      dtype: volume.dtype,
      spacing: [...spacing],
      unit,
      calibrated,
      timeStep: timeStep ?? null,
      sha256: [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
      min,
      max,
      mean: sum / volume.data.length,
    };
  };

  try {
    let input: File[] | string;
    if (typeof task.files === 'string') input = new URL(task.files, location.href).href;
    else {
      input = await Promise.all(
        task.files.map(async ({ url, path }) => {
          const file = new File([await (await fetch(url)).blob()], path.split('/').at(-1) ?? path);
          Object.defineProperty(file, 'webkitRelativePath', { value: path.includes('/') ? path : '' });
          return file;
        }),
      );
    }
    if (task.rois) {
      const rois = await io.readImagejRois((input as File[])[0]);
      return {
        rois: rois as unknown as Record<string, unknown>[],
        milliseconds: performance.now() - started,
      };
    }
    const source = await page.reader.open(Array.isArray(input) && input.length === 1 ? input[0] : input, {
      signal,
    });
    try {
      const levels: ReadLevel[] = [];
      for (let level = 0; level < Math.min(source.levels.length, Math.max(1, task.levels.length)); level++)
        levels.push(await readLevel(source, level));
      const { notes } = source;
      return {
        levels,
        levelCount: source.levels.length,
        notes,
        milliseconds: performance.now() - started,
      };
    } finally {
      source.close();
    }
  } catch (error) {
    const { kind, message } = error as { kind?: string; message: string };
    return { error: { kind: kind ?? 'untagged', message }, milliseconds: performance.now() - started };
  }
}
