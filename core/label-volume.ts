import { CytoError } from './errors.ts';
import { type Calibration, type Shape3, sampleCount } from './volume.ts';

/** Bounding box of voxels, half-open: [z0, y0, x0, z1, y1, x1]. */
export type Box = readonly [z0: number, y0: number, x0: number, z1: number, y1: number, x1: number];

/** `origin.method` of labels that were begun by hand. */
export const MANUAL = 'manual';

/** Largest label id: Uint32 minus the value kept free for internal marks. */
export const MAX_LABEL = 0xffff_fffe;

/**
 * Instance labels of one time point: Uint32, shape [z, y, x], 0 is background.
 * A change is announced with {@link LabelVolume.touch}, so that views can upload only the changed box.
 */
export class LabelVolume extends EventTarget {
  readonly data: Uint32Array;
  readonly shape: Shape3;
  readonly calibration: Calibration;
  /** Measurements that came with the labels (`flow_error`, `cellprob`): column → label id → value. */
  readonly supplied = new Map<string, Map<number, number>>();
  /** How the labels came to be: model, parameters; written into every export. */
  readonly origin: Record<string, string | number> = {};
  #revision = 0;

  /**
   * @param shape lengths of z, y, x
   * @param data labels in C order; zero-filled when absent. Not copied.
   * @throws CytoError `bad-input` if data and shape disagree; `too-large` if the memory is not to be had
   */
  constructor(shape: Shape3, calibration: Calibration, data?: Uint32Array) {
    super();
    const length = sampleCount(shape);
    if (data !== undefined && data.length !== length) {
      throw new CytoError('bad-input', `${data.length} labels do not fill a shape of ${shape.join('×')}.`);
    }
    try {
      this.data = data ?? new Uint32Array(length);
    } catch (cause) {
      throw new CytoError('too-large', `Labels for ${shape.join('×')} voxels do not fit into memory.`, {
        cause,
      });
    }
    this.shape = shape;
    this.calibration = calibration;
  }

  /** Counts changes; equal revisions mean equal labels. */
  get revision(): number {
    return this.#revision;
  }

  /** Label at a voxel; 0 outside. */
  at(z: number, y: number, x: number): number {
    const [nz, ny, nx] = this.shape;
    if (z < 0 || y < 0 || x < 0 || z >= nz || y >= ny || x >= nx) return 0;
    return this.data[(z * ny + y) * nx + x];
  }

  /** Announces that labels inside `box` (default: everywhere) have changed. */
  touch(box: Box = [0, 0, 0, ...this.shape]): void {
    this.#revision++;
    this.dispatchEvent(new CustomEvent<{ box: Box }>('change', { detail: { box } }));
  }
}

/** What is known of one label without reading the image. */
export interface LabelStatistics {
  id: number;
  /** Voxels. */
  count: number;
  /** Mean voxel index [z, y, x]. */
  centroid: readonly [z: number, y: number, x: number];
  box: Box;
}

/**
 * Size, centroid and bounding box of every label, ascending by id, in one pass.
 * @param shape lengths of z, y, x of `data`
 */
export function labelStatistics(data: ArrayLike<number>, shape: Shape3): LabelStatistics[] {
  const [nz, ny, nx] = shape;
  const slots = new Map<number, number>();
  const sums: number[] = []; // per label: count, Σz, Σy, Σx, z0, y0, x0, z1, y1, x1
  let index = 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      let runLabel = 0;
      let at = -1;
      for (let x = 0; x < nx; x++, index++) {
        const label = data[index];
        if (label === 0) continue;
        if (label !== runLabel) {
          runLabel = label;
          const known = slots.get(label);
          if (known === undefined) {
            at = sums.length;
            slots.set(label, at);
            sums.push(0, 0, 0, 0, z, y, x, z + 1, y + 1, x + 1);
          } else {
            at = known;
          }
        }
        sums[at]++;
        sums[at + 1] += z;
        sums[at + 2] += y;
        sums[at + 3] += x;
        if (y < sums[at + 5]) sums[at + 5] = y;
        if (x < sums[at + 6]) sums[at + 6] = x;
        if (z >= sums[at + 7]) sums[at + 7] = z + 1;
        if (y >= sums[at + 8]) sums[at + 8] = y + 1;
        if (x >= sums[at + 9]) sums[at + 9] = x + 1;
      }
    }
  }
  return [...slots]
    .map(([id, at]): LabelStatistics => {
      const count = sums[at];
      return {
        id,
        count,
        centroid: [sums[at + 1] / count, sums[at + 2] / count, sums[at + 3] / count],
        box: sums.slice(at + 4, at + 10) as unknown as Box,
      };
    })
    .sort((a, b) => a.id - b.id);
}
