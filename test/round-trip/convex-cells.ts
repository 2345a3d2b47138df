import { renumber } from '../../workers/segmentation/masks/index.ts';
import { randomOf } from '../workers/kernels-comparison.ts';

export const SIDE = 96;
export const SHAPE = [SIDE, SIDE];

/**
 * Ellipses and polygons at random places, as many as fit, numbered 1…N in raster order.
 * @param least half of the smallest width in pixels
 * @param gap pixels of background between them
 */
export function convexCells(seed: number, least: number, gap: number): Uint32Array {
  const random = randomOf(seed);
  const labels = new Uint32Array(SIDE * SIDE);
  for (let id = 1; id <= 900; id++) {
    const [b, turn, y0, x0] = [least + 7 * random() ** 3, 7 * random(), SIDE * random(), SIDE * random()];
    const a = b * (1 + random());
    const corners = random() < 0.5 ? 0 : 5 + Math.floor(4 * random());
    const reach = Math.ceil(1.5 * a);
    const inside = (y: number, x: number) => {
      const u = ((x - x0) * Math.cos(turn) + (y - y0) * Math.sin(turn)) / a;
      const v = ((y - y0) * Math.cos(turn) - (x - x0) * Math.sin(turn)) / b;
      if (corners === 0) return u * u + v * v <= 1;
      for (let k = 0; k < corners; k++) {
        const angle = (2 * Math.PI * k) / corners;
        if (u * Math.cos(angle) + v * Math.sin(angle) > 1) return false;
      }
      return true;
    };
    const free = (y: number, x: number) => {
      for (let yy = y - gap; yy <= y + gap; yy++)
        for (let xx = x - gap; xx <= x + gap; xx++)
          if (yy < 0 || xx < 0 || yy >= SIDE || xx >= SIDE || labels[yy * SIDE + xx] !== 0) return false;
      return true;
    };
    const pixels: number[] = [];
    let fits = true;
    for (let y = Math.floor(y0) - reach; fits && y <= y0 + reach; y++)
      for (let x = Math.floor(x0) - reach; fits && x <= x0 + reach; x++) {
        if (!inside(y, x)) continue;
        fits = free(y, x);
        pixels.push(y * SIDE + x);
      }
    if (fits) for (const i of pixels) labels[i] = id;
  }
  renumber(labels);
  return labels;
}

/**
 * An image without background: each pixel belongs to the nearest of points that lie so far apart that cells, which are
 * convex, are 5 pixels wide or more.
 */
export function tissue(seed: number): { labels: Uint32Array; shape: [number, number] } {
  const random = randomOf(seed);
  const [ny, nx] = [40 + Math.floor(100 * random()), 40 + Math.floor(100 * random())];
  const least = 5.2 + 6 * random();
  const points: [y: number, x: number][] = [];
  for (let tries = 0; tries < 4000; tries++) {
    const [y, x] = [2.5 + random() * (ny - 6), 2.5 + random() * (nx - 6)];
    if (points.every((point) => Math.hypot(point[0] - y, point[1] - x) >= least)) points.push([y, x]);
  }
  const labels = new Uint32Array(ny * nx);
  for (let y = 0, i = 0; y < ny; y++) {
    for (let x = 0; x < nx; x++, i++) {
      let nearest = Number.POSITIVE_INFINITY;
      for (let k = 0; k < points.length; k++) {
        const distance = (points[k][0] - y) ** 2 + (points[k][1] - x) ** 2;
        if (distance >= nearest) continue;
        nearest = distance;
        labels[i] = k + 1;
      }
    }
  }
  return { labels, shape: [ny, nx] };
}

/** Rectangles of 5 pixels and more that fill an image. */
export function tiles(seed: number): { labels: Uint32Array; shape: [number, number] } {
  const random = randomOf(seed);
  const [height, width] = [5 + Math.floor(4 * random()), 5 + Math.floor(4 * random())];
  const [rows, columns] = [1 + Math.floor(12 * random()), 1 + Math.floor(12 * random())];
  const labels = new Uint32Array(rows * height * columns * width);
  for (let i = 0; i < labels.length; i++) {
    const x = i % (columns * width);
    const y = (i - x) / (columns * width);
    labels[i] = Math.floor(y / height) * columns + Math.floor(x / width) + 1;
  }
  return { labels, shape: [rows * height, columns * width] };
}
