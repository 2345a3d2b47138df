import { CytoError } from '../../../core/errors.ts';
import { sampleCount } from '../../../core/volume.ts';

/** Most pixels or voxels a stage accepts: indices are held in Int32. */
export const MAX_SAMPLES = 2 ** 31 - 1;

/** A kind of typed array. */
interface ArrayType<T> {
  new (length: number): T;
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
}

/**
 * A typed array of zeros.
 * @throws CytoError `too-large` if the memory is not to be had
 */
export const zeros = <T>(Type: ArrayType<T>, length: number): T =>
  inMemory(length * Type.BYTES_PER_ELEMENT, () => new Type(length));

/**
 * A copy of a typed array.
 * @throws CytoError `too-large` if the memory is not to be had
 */
export const copyOf = <T extends Float32Array | Float64Array | Int32Array | Uint32Array>(array: T): T =>
  inMemory(array.byteLength, () => array.slice() as T);

function inMemory<T>(bytes: number, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new CytoError(
      'too-large',
      `${Math.ceil(bytes / 2 ** 20)} MiB of memory are not to be had. Work on a region or at a lower resolution.`,
      { cause },
    );
  }
}

/**
 * A typed array with the values of another, which is shorter, and zeros after them.
 * @throws CytoError `too-large` if the memory is not to be had
 */
export function longer<T extends Int32Array | Uint32Array>(array: T, length: number): T {
  const copy = zeros(array.constructor as ArrayType<T>, length);
  copy.set(array);
  return copy;
}

/** Most steps of a kernel: they are counted in Int32. */
export const MOST_STEPS = 2 ** 31 - 1;

/** Axis lengths of a plane [y, x] or a volume [z, y, x]. */
export type GridShape = readonly number[];

/**
 * Checks a 2D or 3D grid and the arrays said to lie on it.
 * @param arrays name → [array, samples per pixel]
 * @returns number of pixels
 * @throws CytoError `bad-input` for a bad shape or length, `too-large` above {@link MAX_SAMPLES}
 */
export function checkGrid(
  shape: GridShape,
  arrays: Record<string, readonly [ArrayLike<number>, number]>,
): number {
  if ((shape.length !== 2 && shape.length !== 3) || shape.some((n) => !Number.isInteger(n) || n < 1)) {
    throw new CytoError(
      'bad-input',
      `[${shape.join(', ')}] is neither [y, x] nor [z, y, x] with positive lengths.`,
    );
  }
  const count = sampleCount(shape);
  if (count > MAX_SAMPLES) {
    throw new CytoError(
      'too-large',
      `${count} pixels are more than the ${MAX_SAMPLES} that one run handles. Work on a region or at a lower resolution.`,
    );
  }
  for (const [name, [array, perPixel]] of Object.entries(arrays)) {
    if (array.length !== count * perPixel) {
      throw new CytoError(
        'bad-input',
        `${name} holds ${array.length} values, but a ${shape.join('×')} grid needs ${count * perPixel}.`,
      );
    }
  }
  return count;
}
