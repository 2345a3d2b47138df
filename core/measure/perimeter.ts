import type { Shape3, Spacing } from '../volume.ts';
import type { LabelRuns } from './label-runs.ts';

/**
 * Perimeter of label number `n` of a plane: every border pixel (one with a neighbour across an edge outside the label)
 * counts with half the steps to its neighbours on the border, after K. Benkrid and D. Crookes, "Design and FPGA
 * implementation of a perimeter estimator" (2000), as scikit-image's `perimeter` with neighborhood 4; steps are
 * physical, so that pixels need not be square.
 */
export function labelPerimeter(
  labels: Uint32Array,
  [, ny, nx]: Shape3,
  runs: LabelRuns,
  n: number,
  [, dy, dx]: Spacing,
): number {
  const id = runs.ids[n];
  const diagonal = Math.hypot(dy, dx);
  const inside = (y: number, x: number) => y >= 0 && y < ny && x >= 0 && x < nx && labels[y * nx + x] === id;
  const onBorder = (y: number, x: number) =>
    inside(y, x) && !(inside(y - 1, x) && inside(y + 1, x) && inside(y, x - 1) && inside(y, x + 1));
  const borders = (y: number, x: number) => (onBorder(y, x) ? 1 : 0);
  let perimeter = 0;
  for (let k = runs.first[n]; k < runs.first[n + 1]; k++) {
    const y = Math.floor(runs.starts[k] / nx);
    const x0 = runs.starts[k] % nx;
    for (let x = x0; x < x0 + runs.lengths[k]; x++) {
      if (!onBorder(y, x)) continue;
      const across = borders(y, x - 1) + borders(y, x + 1);
      const along = borders(y - 1, x) + borders(y + 1, x);
      const straight = across + along;
      const slanted =
        borders(y - 1, x - 1) + borders(y - 1, x + 1) + borders(y + 1, x - 1) + borders(y + 1, x + 1);
      const step = straight === 0 ? 0 : (across * dx + along * dy) / straight;
      if ((straight === 2 || straight === 3) && slanted <= 2) perimeter += step;
      else if ((straight === 0 && slanted === 2) || (straight === 1 && slanted === 3)) perimeter += diagonal;
      else if (straight === 1 && (slanted === 1 || slanted === 2)) perimeter += (step + diagonal) / 2;
    }
  }
  return perimeter;
}
