import { LabelVolume } from '../../../core/label-volume.ts';
import type { Shape3, Spacing } from '../../../core/volume.ts';

/** A small generator of numbers 0…1 that gives the same series for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Labels from runs [z, y, x0, x1, label]. */
export function volumeOf(
  shape: Shape3,
  runs: ReadonlyArray<readonly [z: number, y: number, x0: number, x1: number, label: number]>,
  spacing: Spacing = [1, 1, 1],
): LabelVolume {
  const labels = new LabelVolume(shape, { spacing, unit: 'µm', calibrated: true });
  for (const [z, y, x0, x1, label] of runs) {
    const row = (z * shape[1] + y) * shape[2];
    labels.data.fill(label, row + x0, row + x1);
  }
  return labels;
}

/** A cube of `size` voxels with `count`³ cubic cells of `side` voxels, numbered from 1. */
export function cellGrid(size: number, count: number, side: number): LabelVolume {
  const labels = new LabelVolume([size, size, size], { spacing: [1, 1, 1], unit: 'µm', calibrated: true });
  const pitch = Math.floor(size / count);
  for (let cell = 0; cell < count ** 3; cell++) {
    const [z, y, x] = [Math.floor(cell / count ** 2), Math.floor(cell / count) % count, cell % count].map(
      (k) => k * pitch + 1,
    );
    for (let dz = 0; dz < side; dz++) {
      for (let dy = 0; dy < side; dy++) {
        const row = ((z + dz) * size + y + dy) * size;
        labels.data.fill(cell + 1, row + x, row + x + side);
      }
    }
  }
  return labels;
}
