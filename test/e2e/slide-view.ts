import type { Page } from 'playwright-core';

/** A place of the page in CSS pixels, and screen pixels per pixel of the slide there. */
export interface Look {
  left: number;
  top: number;
  shown: number;
}

/**
 * Brings a full-resolution pixel of the slide in the workbench into view, magnified about so much.
 * @param slide its pixels to a side, and their physical size
 */
export function lookAt(
  page: Page,
  slide: { side: number; pixelSize: number },
  { y, x, scale }: { y: number; x: number; scale: number },
): Promise<Look> {
  return page.evaluate(
    async ({ side, pixelSize, y, x, scale }) => {
      const { viewer } = document.querySelector('cyto-workbench')!;
      const voxel = side / viewer.model.dims.shape[2];
      const half = viewer.planeView('xy')!.size.height / 8 / scale; // a quarter of the pane is what it is given
      const box = [0, (y - half) / voxel, (x - half) / voxel, 1, (y + half) / voxel, (x + half) / voxel];
      await viewer.reveal(box as [number, number, number, number, number, number], { zoom: true });
      const view = viewer.planeView('xy')!;
      const frame = viewer.getBoundingClientRect();
      const at = (axis: 1 | 2, place: number, length: number) =>
        length / 2 + ((place + 0.5) * pixelSize - view.camera.center[axis]) * view.camera.scale;
      return {
        left: frame.left + view.left + at(2, x, view.size.width),
        top: frame.top + view.top + at(1, y, view.size.height),
        shown: view.camera.scale * pixelSize,
      };
    },
    { ...slide, y, x, scale },
  );
}

/** Value of the lowest layer at a place of the page. */
export function valueAt(page: Page, { left, top }: Look) {
  return page.evaluate(
    async ([x, y]) => (await document.querySelector('cyto-workbench')!.viewer.pick(x, y))?.values[0].value,
    [left, top] as const,
  );
}

/** Resolves when the workbench has drawn all that it shows. */
export function settled(page: Page): Promise<void> {
  return page.evaluate(() => document.querySelector('cyto-workbench')!.viewer.settled());
}

/** Bytes of tiles that the page holds. */
export function tileBytes(page: Page): Promise<number> {
  return page.evaluate(
    () => document.querySelector('cyto-workbench')!.viewer.model.images[0].detail?.bytes ?? 0,
  );
}
