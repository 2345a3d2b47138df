import { flowsFromLabels } from '../../workers/segmentation/masks/flows-from-labels.ts';

/** Flows and cell probability on a grid. */
export interface FlowField {
  name: string;
  shape: number[];
  dP: Float32Array;
  cellprob: Float32Array;
}

/** Numbers in 0…1 of a seeded sequence (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Random vectors, smooth along the rows, of the size of network flows; about two thirds are foreground. */
function randomField(name: string, shape: number[], seed: number, size = 5): FlowField {
  const random = randomOf(seed);
  const count = shape.reduce((product, n) => product * n, 1);
  const dP = new Float32Array(shape.length * count);
  let value = 0;
  for (let i = 0; i < dP.length; i++) {
    value = 0.8 * value + 0.6 * size * (random() - 0.5);
    dP[i] = value;
  }
  const cellprob = Float32Array.from({ length: count }, () => 4 * random() - 1.3);
  return { name, shape, dP, cellprob };
}

/** Balls (discs) on a jittered lattice with their own flows and a little noise. */
function cells(name: string, shape: number[], radius: number, seed: number): FlowField {
  const random = randomOf(seed);
  const [nz, ny, nx] = shape.length === 3 ? shape : [1, shape[0], shape[1]];
  const labels = new Uint32Array(nz * ny * nx);
  const pitch = 2 * radius + 1;
  let id = 0;
  for (let cz = shape.length === 3 ? radius : 0; cz < nz; cz += pitch) {
    for (let cy = radius; cy < ny; cy += pitch) {
      for (let cx = radius; cx < nx; cx += pitch) {
        id++;
        const [z0, y0, x0] = [cz, cy + random() - 0.5, cx + random() - 0.5];
        for (let z = 0, i = 0; z < nz; z++)
          for (let y = 0; y < ny; y++)
            for (let x = 0; x < nx; x++, i++)
              if (labels[i] === 0 && (z - z0) ** 2 + (y - y0) ** 2 + (x - x0) ** 2 <= radius * radius)
                labels[i] = id;
      }
    }
  }
  const dP = flowsFromLabels(labels, shape).map((flow) => 5 * flow + (flow ? 0.6 * (random() - 0.5) : 0));
  return { name, shape, dP, cellprob: Float32Array.from(labels, (label) => (label ? 6 : -6)) };
}

/** Fields that every kernel must treat alike. */
export function flowFields(): FlowField[] {
  const everywhere = randomField('all foreground', [40, 50], 5);
  everywhere.cellprob.fill(3);
  const nothing = randomField('no foreground', [40, 50], 6);
  nothing.cellprob.fill(-3);
  const still = randomField('no flow', [30, 30], 7, 0);
  const corner = randomField('foreground in a corner', [64, 80], 8);
  corner.cellprob
    .fill(-1)
    .subarray(60 * 80)
    .fill(1);
  return [
    randomField('random plane', [61, 83], 1),
    randomField('random volume', [9, 31, 27], 2),
    randomField('strong flows', [37, 29], 3, 400),
    randomField('strong flows in a volume', [7, 19, 23], 4, 400),
    everywhere,
    nothing,
    still,
    corner,
    randomField('one row', [1, 70], 9),
    randomField('one column', [70, 1], 10),
    randomField('one pixel', [1, 1], 11),
    randomField('one plane of a volume', [1, 20, 30], 12),
    randomField('a volume one wide', [12, 20, 1], 13),
    randomField('huge flows', [20, 30], 14, 1e38),
    cells('discs', [97, 110], 9, 15),
    cells('balls', [24, 40, 41], 6, 16),
  ];
}
