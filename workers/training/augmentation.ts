import type { Crops } from './optimiser.ts';
import type { PreparedImage } from './training-set.ts';

/** Scales lie in 1 ± half of this (spec §9). */
const SCALE_RANGE = 0.5;

/** Flows are learned five times as long (spec §9). */
const FLOW_FACTOR = 5;

/** Share of the crops that have a cell in the middle; the others lie anywhere. */
const ON_CELLS = 0.7;

/** How a crop lies in its image: rotated, scaled, perhaps mirrored. */
export interface Placement {
  /** Middle in pixels of the image. */
  y: number;
  x: number;
  /** Radians. */
  angle: number;
  /** Pixels of the crop per pixel of the image. */
  scale: number;
  mirror: boolean;
}

/** A placement by the reference's rule: any angle, scale within 1 ± 0.25, mirrored or not. */
export function randomPlacement(image: PreparedImage, random: () => number): Placement {
  const [height, width] = image.shape;
  let [y, x] = [random() * height, random() * width];
  if (random() < ON_CELLS && image.count > 0) {
    const wanted = 1 + Math.floor(random() * image.count);
    const first = image.labels.indexOf(wanted);
    const last = image.labels.lastIndexOf(wanted);
    y = (Math.floor(first / width) + Math.floor(last / width)) / 2;
    x = ((first % width) + (last % width)) / 2;
  }
  return {
    y,
    x,
    angle: random() * 2 * Math.PI,
    scale: image.scale * (1 + (random() - 0.5) * SCALE_RANGE),
    mirror: random() < 0.5,
  };
}

/**
 * Cuts a crop into place `n` of a batch: image and flows bilinear, cells nearest, flows turned along with the picture.
 * What lies outside the image is 0 and does not count.
 * @param side of the crops in pixels
 */
export function cutCrop(
  image: PreparedImage,
  placement: Placement,
  side: number,
  crops: Crops,
  n: number,
): void {
  const [height, width] = image.shape;
  const area = side * side;
  const plane = height * width;
  const { angle, scale, mirror } = placement;
  const [sin, cos] = [Math.sin(angle) / scale, Math.cos(angle) / scale];
  const [rotateY, rotateX] = [sin * scale, cos * scale];
  const sign = mirror ? -1 : 1;
  const middle = (side - 1) / 2;
  const picture = crops.image.subarray(n * 3 * area, (n + 1) * 3 * area).fill(0);
  const target = crops.target.subarray(n * 3 * area, (n + 1) * 3 * area).fill(0);
  const valid = crops.valid.subarray(n * area, (n + 1) * area).fill(0);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const v = row - middle;
      const u = (column - middle) * sign;
      const y = placement.y + u * sin + v * cos;
      const x = placement.x + u * cos - v * sin;
      if (!(y >= 0 && x >= 0 && y <= height - 1 && x <= width - 1)) continue;
      const i = row * side + column;
      valid[i] = 1;
      const y0 = Math.min(Math.floor(y), height - 2);
      const x0 = Math.min(Math.floor(x), width - 2);
      const [fy, fx] = [y - y0, x - x0];
      const at = y0 * width + x0;
      const between = (samples: Float32Array, start: number) => {
        const k = start + at;
        const top = samples[k] + (samples[k + 1] - samples[k]) * fx;
        const bottom = samples[k + width] + (samples[k + width + 1] - samples[k + width]) * fx;
        return top + (bottom - top) * fy;
      };
      for (let c = 0; c < image.channels.length; c++) picture[c * area + i] = between(image.channels[c], 0);
      if (image.labels[Math.round(y) * width + Math.round(x)] === 0) continue;
      target[2 * area + i] = 1;
      const flowY = between(image.flows, 0);
      const flowX = between(image.flows, plane);
      target[i] = FLOW_FACTOR * (flowY * rotateX - flowX * rotateY);
      target[area + i] = FLOW_FACTOR * sign * (flowY * rotateY + flowX * rotateX);
    }
  }
}

/** Empty crops for a batch. */
export function emptyCrops(batch: number, side: number): Crops {
  const area = side * side;
  return {
    image: new Float32Array(batch * 3 * area),
    target: new Float32Array(batch * 3 * area),
    valid: new Float32Array(batch * area),
  };
}
