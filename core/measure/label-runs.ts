import type { Box } from '../label-volume.ts';
import type { Shape3 } from '../volume.ts';

/**
 * The voxels of labels as runs along x, sorted by label: run k of label n is k = first[n] … first[n + 1] − 1, in the
 * order of the volume.
 */
export interface LabelRuns {
  /** Label ids, ascending. */
  ids: Uint32Array;
  /** Index of the first run of each label; one entry more than there are labels. */
  first: Uint32Array;
  /** Index of a run's first voxel in the volume. */
  starts: Uint32Array;
  /** Voxels of a run. */
  lengths: Uint32Array;
}

/** An array that grows. */
class Grower {
  values = new Uint32Array(4096);
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Uint32Array(this.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
  }
}

/**
 * Finds the runs of labels in one pass.
 * @param labels of `shape` [z, y, x], 0 is background
 * @param within only voxels of this box; runs are cut at its sides
 * @param wanted only these labels
 */
export function labelRuns(
  labels: Uint32Array,
  [nz, ny, nx]: Shape3,
  within: Box = [0, 0, 0, nz, ny, nx],
  wanted?: ReadonlySet<number>,
): LabelRuns {
  const [z0, y0, x0, z1, y1, x1] = within;
  const slots = new Map<number, number>();
  const slotOf = new Grower();
  const starts = new Grower();
  const lengths = new Grower();
  for (let z = z0; z < z1; z++) {
    for (let y = y0; y < y1; y++) {
      const row = (z * ny + y) * nx;
      const end = row + x1;
      for (let i = row + x0; i < end; ) {
        const label = labels[i];
        const start = i++;
        while (i < end && labels[i] === label) i++;
        if (label === 0 || (wanted && !wanted.has(label))) continue;
        let slot = slots.get(label);
        if (slot === undefined) {
          slot = slots.size;
          slots.set(label, slot);
        }
        slotOf.push(slot);
        starts.push(start);
        lengths.push(i - start);
      }
    }
  }
  return sorted(slots, slotOf, starts, lengths);
}

/** Counting sort of the runs by label; stable, so that the order of the volume is kept. */
function sorted(slots: Map<number, number>, slotOf: Grower, starts: Grower, lengths: Grower): LabelRuns {
  const ids = Uint32Array.from(slots.keys()).sort();
  const rank = new Uint32Array(ids.length);
  for (let n = 0; n < ids.length; n++) rank[slots.get(ids[n]) as number] = n;
  const first = new Uint32Array(ids.length + 1);
  for (let k = 0; k < slotOf.length; k++) first[rank[slotOf.values[k]] + 1]++;
  for (let n = 0; n < ids.length; n++) first[n + 1] += first[n];
  const next = first.slice();
  const out = {
    ids,
    first,
    starts: new Uint32Array(slotOf.length),
    lengths: new Uint32Array(slotOf.length),
  };
  for (let k = 0; k < slotOf.length; k++) {
    const at = next[rank[slotOf.values[k]]]++;
    out.starts[at] = starts.values[k];
    out.lengths[at] = lengths.values[k];
  }
  return out;
}
