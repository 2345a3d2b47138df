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

/** Planes that a slab spans, half-open; `count` around `index`, as far as there are any. */
export function slabRange(index: number, count: number, length: number): readonly [from: number, to: number] {
  const from = index - Math.floor((count - 1) / 2);
  return [Math.max(0, from), Math.min(length, from + count)];
}

/**
 * The largest, mean or smallest samples across several planes.
 * @param range planes along the third axis, half-open, at least one
 */
export function projectSlices<T extends VolumeData>(
  data: T,
  shape: Shape3,
  right: Axis,
  down: Axis,
  [from, to]: readonly [from: number, to: number],
  projection: 'max' | 'mean' | 'min',
): Slice<T> {
  const first = extractSlice(data, shape, right, down, from);
  const sums = Float64Array.from(first.data);
  let scratch: T | undefined;
  for (let index = from + 1; index < to; index++) {
    const plane = extractSlice(data, shape, right, down, index, scratch).data;
    if (plane.buffer !== data.buffer) scratch = plane;
    if (projection === 'mean') for (let i = 0; i < sums.length; i++) sums[i] += plane[i];
    else if (projection === 'max')
      for (let i = 0; i < sums.length; i++) sums[i] = Math.max(sums[i], plane[i]);
    else for (let i = 0; i < sums.length; i++) sums[i] = Math.min(sums[i], plane[i]);
  }
  if (projection === 'mean') for (let i = 0; i < sums.length; i++) sums[i] /= to - from;
  const whole = !(data instanceof Float32Array || data instanceof Float64Array);
  if (whole && projection === 'mean') for (let i = 0; i < sums.length; i++) sums[i] = Math.round(sums[i]);
  return { ...first, data: new (data.constructor as new (values: Float64Array) => T)(sums) };
}

/** Labels of several planes in one picture: of those above one another the nearest to the middle one is seen. */
export function projectLabels(
  data: Uint32Array,
  shape: Shape3,
  right: Axis,
  down: Axis,
  [from, to]: readonly [from: number, to: number],
  middle: number,
): Slice<Uint32Array> {
  const order = Array.from({ length: to - from }, (_, k) => from + k);
  order.sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
  const { width, height } = extractSlice(data, shape, right, down, from);
  const seen = new Uint32Array(width * height);
  for (const index of order) {
    const plane = extractSlice(data, shape, right, down, index).data;
    for (let i = 0; i < seen.length; i++) if (plane[i] !== 0) seen[i] = plane[i];
  }
  return { data: seen, width, height };
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
