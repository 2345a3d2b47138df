import type { Shape3, VolumeData } from './volume.ts';

/** Index into [z, y, x]. */
type Axis = 0 | 1 | 2;

/** Samples of one plane, row by row from its top left corner. */
export interface Slice<T> {
  data: T;
  /** Samples to the right. */
  width: number;
  /** Samples downwards. */
  height: number;
}

/**
 * One plane of samples [z, y, x]. A plane of whole rows is a view on the samples; any other is gathered.
 * @param right, down the axes of [z, y, x] that run to the right and downwards
 * @param index position along the third axis; clipped
 * @param target buffer to gather into, used if its type and length suit
 */
export function extractSlice<T extends VolumeData>(
  data: T,
  shape: Shape3,
  right: Axis,
  down: Axis,
  index: number,
  target?: VolumeData,
): Slice<T> {
  const across = (3 - right - down) as Axis;
  const strides = [shape[1] * shape[2], shape[2], 1];
  const width = shape[right];
  const height = shape[down];
  const position = Math.min(Math.max(0, index), shape[across] - 1);
  const start = position * strides[across];
  if (right === 2 && down === 1) {
    return { data: data.subarray(start, start + width * height) as T, width, height };
  }
  const length = width * height;
  const suits = target?.constructor === data.constructor && target.length === length;
  const gathered = (suits ? target : new (data.constructor as new (n: number) => T)(length)) as T;
  const [stepRight, stepDown] = [strides[right], strides[down]];
  let at = 0;
  for (let row = 0; row < height; row++) {
    let from = start + row * stepDown;
    if (stepRight === 1) {
      gathered.set(data.subarray(from, from + width) as never, at);
      at += width;
      continue;
    }
    for (let column = 0; column < width; column++, from += stepRight) gathered[at++] = data[from];
  }
  return { data: gathered, width, height };
}

/**
 * Part of one plane, row by row; costs what the part costs, not the plane.
 * @param rectangle [left, top, right, bottom] in samples along the axes to the right and downwards, half-open, inside
 */
export function extractRectangle<T extends VolumeData>(
  data: T,
  shape: Shape3,
  right: Axis,
  down: Axis,
  index: number,
  [left, top, end, bottom]: readonly [left: number, top: number, right: number, bottom: number],
): T {
  const across = (3 - right - down) as Axis;
  const strides = [shape[1] * shape[2], shape[2], 1];
  const part = new (data.constructor as new (n: number) => T)((end - left) * (bottom - top));
  let at = 0;
  for (let row = top; row < bottom; row++) {
    let from = index * strides[across] + row * strides[down] + left * strides[right];
    for (let column = left; column < end; column++, from += strides[right]) part[at++] = data[from];
  }
  return part;
}
