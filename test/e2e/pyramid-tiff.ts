import { deflateSync } from 'node:zlib';

/** Pixels to a side of the full resolution, of a tile, and of each level's pixel in those of the one before. */
export const SIDE = 40_000;
export const TILE = 256;
export const STEP = 4;
export const LEVELS = 5;
/** Micrometres. */
export const PIXEL_SIZE = 0.5;

/** Sample at a full-resolution pixel: a step per tile with a fine pattern on it. */
export function pyramidSample(y: number, x: number): number {
  const tile = (3 * Math.floor(x / TILE) + 5 * Math.floor(y / TILE)) & 63;
  const [v, u] = [y % TILE, x % TILE];
  return 20 + 3 * tile + ((((u * u) >> 4) ^ ((v * v) >> 5)) % 3);
}

/** Tag, type (2 text, 3 short, 4 long), values. */
type Entry = readonly [tag: number, type: 2 | 3 | 4, values: readonly number[] | string];

/**
 * A pyramidal OME-TIFF as slide scanners and Bio-Formats write them: 8 bit, tiled, deflated, smaller resolutions in
 * SubIFDs. Tiles that hold the same stand in the file once, so that it is small.
 */
export function pyramidTiff(): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const append = (part: Uint8Array): number => {
    const at = size;
    const padded = new Uint8Array(part.length + (part.length & 1));
    padded.set(part);
    parts.push(padded);
    size += padded.length;
    return at;
  };
  append(new Uint8Array(8));

  const levels = Array.from({ length: LEVELS }, (_, level) => {
    const factor = STEP ** level;
    const side = Math.ceil(SIDE / factor);
    const across = Math.ceil(side / TILE);
    const known = new Map<number, readonly [offset: number, bytes: number]>();
    const tiles = Array.from({ length: across ** 2 }, (_, k) => {
      const [row, column] = [Math.floor(k / across), k % across];
      const key = (3 * column * factor + 5 * row * factor) & 63;
      let tile = known.get(key);
      if (!tile) {
        const deflated = deflateSync(tileSamples(row, column, factor));
        tile = [append(deflated), deflated.length];
        known.set(key, tile);
      }
      return tile;
    });
    return { side, tiles };
  });

  const entriesOf = ({ side, tiles }: (typeof levels)[number], level: number): Entry[] => [
    [254, 4, [level === 0 ? 0 : 1]],
    [256, 4, [side]],
    [257, 4, [side]],
    [258, 3, [8]],
    [259, 3, [8]],
    [262, 3, [1]],
    ...(level === 0 ? ([[270, 2, DESCRIPTION]] satisfies Entry[]) : []),
    [277, 3, [1]],
    [322, 4, [TILE]],
    [323, 4, [TILE]],
    [324, 4, tiles.map(([offset]) => offset)],
    [325, 4, tiles.map(([, bytes]) => bytes)],
  ];
  const smaller = levels.slice(1).map((level, k) => append(directory(entriesOf(level, k + 1), append)));
  const entries: Entry[] = [...entriesOf(levels[0], 0), [330, 4, smaller]];
  const first = append(
    directory(
      entries.sort((a, b) => a[0] - b[0]),
      append,
    ),
  );

  const file = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  file.set([0x49, 0x49, 42, 0]);
  new DataView(file.buffer).setUint32(4, first, true);
  return file;
}

function tileSamples(row: number, column: number, factor: number): Uint8Array {
  const samples = new Uint8Array(TILE * TILE);
  for (let y = 0, at = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++, at++) {
      samples[at] = pyramidSample((row * TILE + y) * factor, (column * TILE + x) * factor);
    }
  }
  return samples;
}

/** Bytes of an image file directory, without one behind it; values that do not fit into it are appended before. */
function directory(entries: readonly Entry[], append: (part: Uint8Array) => number): Uint8Array {
  const result = new Uint8Array(2 + entries.length * 12 + 4);
  const view = new DataView(result.buffer);
  view.setUint16(0, entries.length, true);
  for (const [k, [tag, type, values]] of entries.entries()) {
    const at = 2 + k * 12;
    const bytes = bytesOf(type, values);
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, typeof values === 'string' ? bytes.length : values.length, true);
    if (bytes.length <= 4) result.set(bytes, at + 8);
    else view.setUint32(at + 8, append(bytes), true);
  }
  return result;
}

function bytesOf(type: Entry[1], values: Entry[2]): Uint8Array {
  if (typeof values === 'string') return new TextEncoder().encode(`${values}\0`);
  return new Uint8Array((type === 3 ? Uint16Array : Uint32Array).from(values).buffer);
}

const DESCRIPTION = `<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="slide"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="${SIDE}" SizeY="${SIDE}" SizeC="1" SizeZ="1" SizeT="1" PhysicalSizeX="${PIXEL_SIZE}" PhysicalSizeXUnit="µm" PhysicalSizeY="${PIXEL_SIZE}" PhysicalSizeYUnit="µm"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="1"/></Pixels></Image></OME>`;
