import { CytoError } from '../../core/errors.ts';
import type { Pane } from './pane.ts';

export interface PictureOptions {
  /** Picture pixels per CSS pixel. */
  ratio: number;
  overlays: boolean;
  /** Computed style of the grid; gives the overlay its colours. */
  styles: CSSStyleDeclaration;
  paint(pane: Pane, target: CanvasRenderingContext2D): void;
}

/**
 * Panes side by side as they lie on the page, as a PNG image.
 * @param size of the whole in CSS pixels
 * @throws CytoError `too-large`
 */
export async function pictureBlob(
  size: { width: number; height: number },
  panes: readonly Pane[],
  options: PictureOptions,
): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(size.width * options.ratio));
  canvas.height = Math.max(1, Math.round(size.height * options.ratio));
  await drawPicture(canvas.getContext('2d') as CanvasRenderingContext2D, panes, options);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else
        reject(
          new CytoError('too-large', `A picture of ${canvas.width}×${canvas.height} pixels is too large.`),
        );
    }, 'image/png');
  });
}

async function drawPicture(
  context: CanvasRenderingContext2D,
  panes: readonly Pane[],
  { ratio, overlays, styles, paint }: PictureOptions,
): Promise<void> {
  const property = (name: string, fallback: string) => styles.getPropertyValue(name).trim() || fallback;
  context.fillStyle = property('--_canvas', '#000');
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  for (const pane of panes) {
    const left = Math.round(pane.element.offsetLeft * ratio);
    const top = Math.round(pane.element.offsetTop * ratio);
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(pane.size.width * ratio));
    canvas.height = Math.max(1, Math.round(pane.size.height * ratio));
    paint(pane, canvas.getContext('2d') as CanvasRenderingContext2D);
    context.drawImage(canvas, left, top);
    if (overlays && pane.overlay.childNodes.length > 0) {
      const picture = await overlayPicture(pane, canvas.width, canvas.height, {
        ink: property('--_ink', '#fff'),
        accent: property('--_accent', '#4cc2ff'),
      });
      context.drawImage(picture, left, top, canvas.width, canvas.height);
    }
  }
}

/** The overlay as an image; its styles are written out, since a picture sees no style sheet. */
async function overlayPicture(
  pane: Pane,
  width: number,
  height: number,
  { ink, accent }: { ink: string; accent: string },
): Promise<HTMLImageElement> {
  const svg = pane.overlay.cloneNode(true) as SVGSVGElement;
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('viewBox', `0 0 ${pane.size.width} ${pane.size.height}`);
  svg.setAttribute('width', String(width));
  svg.setAttribute('height', String(height));
  svg.setAttribute('color', ink);
  for (const text of svg.querySelectorAll('text')) {
    text.setAttribute('font-family', 'sans-serif');
    text.setAttribute('font-size', '12');
    text.setAttribute('font-weight', '600');
    text.setAttribute('fill', ink);
    text.setAttribute('stroke', '#000');
    text.setAttribute('stroke-opacity', '0.65');
    text.setAttribute('stroke-width', '3');
    text.setAttribute('paint-order', 'stroke');
  }
  for (const rect of svg.querySelectorAll('rect')) rect.setAttribute('fill-opacity', '0.65');
  for (const line of svg.querySelectorAll('.scale-bar line')) {
    line.setAttribute('stroke', ink);
    line.setAttribute('stroke-width', '3');
  }
  for (const line of svg.querySelectorAll('.crosshair line')) line.setAttribute('stroke', accent);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
  await image.decode();
  return image;
}
