import { automaticWindow } from '../../core/contrast.ts';
import type { ComparedLabels, TrainingImage } from '../../workers/training/client.ts';

/** Outlines: a cell that matches a corrected one, one that does not, and a corrected cell that was missed. */
export const OUTLINES = { right: '#2ee6a6', wrong: '#ff9d2e', missed: '#ff5cf4' } as const;

/** Smaller images are shown enlarged by a whole number, so that outlines stay thin. */
const LEAST_SIDE = 480;

/** Grey, or red, green and blue for three channels, each in its automatic contrast. */
function pictureOf({ channels, shape }: TrainingImage): ImageData {
  const picture = new ImageData(shape[1], shape[0]);
  const windows = channels.map((samples) => automaticWindow(samples));
  for (let i = 0; i < shape[0] * shape[1]; i++) {
    for (let c = 0; c < 3; c++) {
      const k = channels.length === 3 ? c : 0;
      const [low, high] = windows[k];
      picture.data[4 * i + c] = (255 * (channels[k][i] - low)) / Math.max(high - low, Number.MIN_VALUE);
    }
    picture.data[4 * i + 3] = 255;
  }
  return picture;
}

/** Draws the edges between pixels of other labels, where a label has a colour. */
function drawOutlines(
  context: CanvasRenderingContext2D,
  labels: Uint32Array,
  [height, width]: TrainingImage['shape'],
  scale: number,
  colourOf: (label: number) => string | undefined,
): void {
  const thick = Math.max(1, Math.round(scale / 2));
  const at = (y: number, x: number) =>
    y < 0 || x < 0 || y >= height || x >= width ? 0 : labels[y * width + x];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const label = at(y, x);
      const colour = label > 0 ? colourOf(label) : undefined;
      if (!colour) continue;
      context.fillStyle = colour;
      const [left, top] = [x * scale, y * scale];
      if (at(y - 1, x) !== label) context.fillRect(left, top, scale, thick);
      if (at(y + 1, x) !== label) context.fillRect(left, top + scale - thick, scale, thick);
      if (at(y, x - 1) !== label) context.fillRect(left, top, thick, scale);
      if (at(y, x + 1) !== label) context.fillRect(left + scale - thick, top, thick, scale);
    }
  }
}

/**
 * Draws an image with the outlines of a model's cells over it, coloured by whether they match the corrected ones.
 * @param image the part that was compared, as an image of its own
 */
export function drawComparison(
  canvas: HTMLCanvasElement,
  image: TrainingImage,
  { labels, matched, missed }: ComparedLabels,
): void {
  const [height, width] = image.shape;
  const scale = Math.max(1, Math.ceil(LEAST_SIDE / Math.max(height, width)));
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d');
  if (!context) return;
  const small = new OffscreenCanvas(width, height);
  small.getContext('2d')?.putImageData(pictureOf(image), 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  const [right, lost] = [new Set(matched), new Set(missed)];
  drawOutlines(context, image.labels, image.shape, scale, (label) =>
    lost.has(label) ? OUTLINES.missed : undefined,
  );
  drawOutlines(context, labels, image.shape, scale, (label) =>
    right.has(label) ? OUTLINES.right : OUTLINES.wrong,
  );
}
