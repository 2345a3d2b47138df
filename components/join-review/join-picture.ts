import { contrastWindow } from '../../core/contrast.ts';
import { type LabelOutline, labelOutlines } from '../../core/exports/outlines.ts';
import type { LabelVolume } from '../../core/label-volume.ts';
import type { ImageLayer } from '../../core/layer.ts';
import { channelView } from '../../core/volume.ts';

/** A rectangle of a plane in voxels, half-open. */
export interface PlaneWindow {
  y0: number;
  x0: number;
  y1: number;
  x1: number;
}

/** A square around a cell in some planes, with a margin; undefined if it has no voxel there. */
export function windowAround(
  { data, shape }: LabelVolume,
  parts: ReadonlyArray<{ z: number; label: number }>,
): PlaneWindow | undefined {
  const [, ny, nx] = shape;
  let [y0, x0, y1, x1] = [ny, nx, 0, 0];
  for (const { z, label } of parts) {
    for (let y = 0, i = z * ny * nx; y < ny; y++) {
      for (let x = 0; x < nx; x++, i++) {
        if (data[i] !== label || label === 0) continue;
        if (y < y0) y0 = y;
        if (y >= y1) y1 = y + 1;
        if (x < x0) x0 = x;
        if (x >= x1) x1 = x + 1;
      }
    }
  }
  if (y1 <= y0) return undefined;
  const side = Math.max(16, Math.ceil(Math.max(y1 - y0, x1 - x0) * 1.7));
  const start = (from: number, to: number) => Math.round((from + to - side) / 2);
  const [top, left] = [start(y0, y1), start(x0, x1)];
  return { y0: top, x0: left, y1: top + side, x1: left + side };
}

/** Draws a window of a plane of an image as the viewer's contrast shows it, in grey or its own colours. */
export function drawWindow(
  canvas: HTMLCanvasElement,
  layer: ImageLayer,
  { t, z }: { t: number; z: number },
  { y0, x0, y1, x1 }: PlaneWindow,
): void {
  const { volume } = layer;
  const [nt, , , ny, nx] = volume.shape;
  const [low, high] = contrastWindow(volume, layer.channel, layer.contrast);
  const channels = volume.rgb ? [0, 1, 2] : [layer.channel, layer.channel, layer.channel];
  const samples = channels.map((c) => channelView(volume, Math.min(t, nt - 1), c));
  const picture = new ImageData(x1 - x0, y1 - y0);
  for (let y = y0, at = 0; y < y1; y++) {
    for (let x = x0; x < x1; x++, at += 4) {
      picture.data[at + 3] = 255;
      if (y < 0 || x < 0 || y >= ny || x >= nx) continue;
      const i = (z * ny + y) * nx + x;
      for (let c = 0; c < 3; c++) picture.data[at + c] = (255 * (samples[c][i] - low)) / (high - low || 1);
    }
  }
  const source = document.createElement('canvas');
  source.width = picture.width;
  source.height = picture.height;
  source.getContext('2d')?.putImageData(picture, 0, 0);
  const context = canvas.getContext('2d');
  if (!context) return;
  context.imageSmoothingEnabled = false;
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
}

/** Draws the outline of a label of a plane into the picture of a window. */
export function drawOutline(
  canvas: HTMLCanvasElement,
  { data, shape }: LabelVolume,
  { z, label }: { z: number; label: number },
  { y0, x0, y1, x1 }: PlaneWindow,
  stroke: { color: string; width: number; dash?: number[] },
): void {
  const context = canvas.getContext('2d');
  if (!context || label === 0) return;
  const [, ny, nx] = shape;
  const mask = new Uint32Array((y1 - y0) * (x1 - x0));
  for (let y = Math.max(0, y0); y < Math.min(ny, y1); y++) {
    for (let x = Math.max(0, x0); x < Math.min(nx, x1); x++)
      if (data[(z * ny + y) * nx + x] === label) mask[(y - y0) * (x1 - x0) + x - x0] = 1;
  }
  const scale = canvas.width / (x1 - x0);
  context.beginPath();
  for (const outline of labelOutlines(mask, [1, y1 - y0, x1 - x0])) trace(context, outline, scale);
  context.setLineDash(stroke.dash ?? []);
  context.lineWidth = stroke.width;
  context.strokeStyle = stroke.color;
  context.stroke();
}

function trace(context: CanvasRenderingContext2D, { polygons }: LabelOutline, scale: number): void {
  for (const { outer, holes } of polygons) {
    for (const ring of [outer, ...holes]) {
      ring.forEach(([x, y], k) => {
        if (k === 0) context.moveTo(x * scale, y * scale);
        else context.lineTo(x * scale, y * scale);
      });
      context.closePath();
    }
  }
}
