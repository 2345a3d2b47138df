import { encode } from 'jpeg-js';
import { bytesOfSamples, tiffFile } from '../workers/tiff-file.ts';
import { levelsOf } from './encode.ts';
import type { StoredImage, StoredShape } from './store.ts';

/** A request that names pixels outside the image. */
export class OutOfRange extends Error {}

/** Samples of a rectangle of one plane at a level (0 full; every second pixel at each further one). */
export function samplesOf(
  image: StoredImage,
  {
    level,
    t,
    c,
    z,
    x,
    y,
    w,
    h,
  }: { level: number; t: number; c: number; z: number; x: number; y: number; w: number; h: number },
) {
  const [nt, nc, nz, ny, nx] = image.shape;
  const size = levelsOf(image).at(level);
  const inside = (value: number, length: number) => value >= 0 && value < length;
  if (level < 0 || !size || !inside(t, nt) || !inside(c, nc) || !inside(z, nz)) throw new OutOfRange();
  if (x < 0 || y < 0 || w < 1 || h < 1 || x + w > size[1] || y + h > size[0]) throw new OutOfRange();
  const plane = ((t * nc + c) * nz + z) * ny * nx;
  const out = new (image.data.constructor as Uint16ArrayConstructor)(w * h);
  for (let row = 0; row < h; row++)
    for (let column = 0; column < w; column++)
      out[row * w + column] = image.data[plane + ((y + row) << level) * nx + ((x + column) << level)];
  return out;
}

/** The same as bytes with the highest first, as OMERO's pixel store gives them. */
export function bigEndianTile(image: StoredImage, request: Parameters<typeof samplesOf>[1]): Uint8Array {
  return bytesOfSamples(samplesOf(image, request), true);
}

/** The exporter's OME-TIFF of an image of one plane: big-endian, tiles of 128×128, uncompressed. */
export function omeTiff(image: StoredImage): Uint8Array {
  const [, , , ny, nx] = image.shape;
  const bytes = image.data.BYTES_PER_ELEMENT;
  const blocks: Uint8Array[] = [];
  for (let y = 0; y < ny; y += 128) {
    for (let x = 0; x < nx; x += 128) {
      const [w, h] = [Math.min(128, nx - x), Math.min(128, ny - y)];
      const part = bigEndianTile(image, { level: 0, t: 0, c: 0, z: 0, x, y, w, h });
      const block = new Uint8Array(128 * 128 * bytes);
      for (let row = 0; row < h; row++)
        block.set(part.subarray(row * w * bytes, (row + 1) * w * bytes), row * 128 * bytes);
      blocks.push(block);
    }
  }
  const type = image.type;
  const description = `<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="${image.name}"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="${type}" BigEndian="true" SizeX="${nx}" SizeY="${ny}" SizeZ="1" SizeC="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="1"/></Pixels></Image></OME>`;
  return tiffFile({
    width: nx,
    height: ny,
    blocks,
    tile: [128, 128],
    bits: bytes * 8,
    sampleFormat: type === 'float' ? 3 : 1,
    bigEndian: true,
    description,
  });
}

/** A grey JPEG of a rectangle of one channel, scaled to a window. */
export function jpeg(
  image: StoredImage,
  request: Parameters<typeof samplesOf>[1],
  [start, end]: readonly [number, number],
): Uint8Array {
  const samples = samplesOf(image, request);
  const rgba = new Uint8Array(samples.length * 4);
  samples.forEach((value, k) => {
    const grey = Math.max(0, Math.min(255, Math.round(((value - start) / (end - start)) * 255)));
    rgba.set([grey, grey, grey, 255], k * 4);
  });
  return encode({ data: rgba, width: request.w, height: request.h }, 95).data;
}

/**
 * Pixels of a polygon by the server's rule: pixel (i, j) counts if the point (i, j) lies inside, by java.awt's
 * definition of insideness (a point on a left or upper edge is inside). Written from that definition alone.
 */
export function polygonPixels(shape: StoredShape, width: number, height: number): number {
  const corners = [...String(shape.Points).matchAll(/([\d.]+),([\d.]+)/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);
  const [left, top] = [0, 1].map((axis) => Math.floor(Math.min(...corners.map((corner) => corner[axis]))));
  const [right, bottom] = [0, 1].map((axis) => Math.ceil(Math.max(...corners.map((corner) => corner[axis]))));
  let count = 0;
  for (let j = Math.max(0, top); j < Math.min(height, bottom); j++) {
    for (let i = Math.max(0, left); i < Math.min(width, right); i++) {
      let winding = 0;
      corners.forEach(([ax, ay], k) => {
        const [bx, by] = corners[(k + 1) % corners.length];
        const [down, low, high] = ay < by ? [1, ay, by] : [-1, by, ay];
        // Edges at the left of the point, or through it.
        if (j >= low && j < high && ax + ((j - ay) / (by - ay)) * (bx - ax) <= i) winding += down;
      });
      if (winding !== 0) count++;
    }
  }
  return count;
}
