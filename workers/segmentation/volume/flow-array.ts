/** One component of a volume's flows, [z, y, x]; half precision where memory is short. */
export interface FlowArray {
  readonly length: number;
  readonly BYTES_PER_ELEMENT: number;
  [index: number]: number;
  subarray(start: number, stop?: number): FlowArray & ArrayLike<number>;
  set(values: ArrayLike<number>, offset?: number): void;
}

/** How flows are kept: 4 bytes, or 2 with 11 significant bits. */
export type FlowPrecision = 'single' | 'half';

type HalfConstructor = new (length: number) => FlowArray;
const Half = (globalThis as { Float16Array?: HalfConstructor }).Float16Array;

/** Whether this JavaScript has arrays of half precision. */
export const HAS_HALF = Half !== undefined;

/** Bytes of one flow component per voxel. */
export function flowBytes(precision: FlowPrecision): number {
  return precision === 'half' && HAS_HALF ? 2 : 4;
}

/** Zeros; single precision where half is not to be had. */
export function flowArray(length: number, precision: FlowPrecision): FlowArray {
  return precision === 'half' && Half ? new Half(length) : new Float32Array(length);
}
