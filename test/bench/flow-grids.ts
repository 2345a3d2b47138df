import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flowsFromLabels } from '../../workers/segmentation/masks/flows-from-labels.ts';
import type { FixtureCase } from '../fixtures/fixture-case.ts';
import { loadFloats } from '../fixtures/npy.ts';
import { randomOf } from '../workers/kernels-comparison.ts';

/** Flows and cell probability of an image. */
export interface FlowGrid {
  shape: number[];
  dP: Float32Array;
  cellprob: Float32Array;
  /** Labels that the flows were made of, where they were. */
  labels?: Uint32Array;
}

const FIXTURES = fileURLToPath(new URL('../../../shared/fixtures/g2_masks_from_flows_2d', import.meta.url));

/** Whether {@link dense} is the fixture. */
export const hasDenseFixture = existsSync(FIXTURES);

/** The dense 1024² fixture; discs of the same density where it is not at hand. */
export function dense(): FlowGrid {
  if (hasDenseFixture) {
    const { cases } = JSON.parse(readFileSync(join(FIXTURES, 'cases.json'), 'utf8')) as {
      cases: FixtureCase[];
    };
    const fixture = cases.find(({ name }) => name === 'dense');
    if (fixture) {
      const { dP, cellprob } = fixture.inputs;
      return {
        shape: cellprob.shape,
        dP: loadFloats(FIXTURES, dP),
        cellprob: loadFloats(FIXTURES, cellprob),
      };
    }
  }
  return noisy(lattice([1, 1024, 1024], 12), [1024, 1024]);
}

/** Balls of radius 8 on a lattice with their flows. */
export const balls = (shape: [number, number, number]): FlowGrid => noisy(lattice(shape, 8), shape);

/** Planes of a stack, each numbered by itself. */
export interface PlaneStack {
  shape: [number, number, number];
  planes: Uint32Array;
  /** Most cells of a plane. */
  cells: number;
}

/**
 * Planes through balls side by side as in a tissue, above one another in columns.
 * @param level whether the balls of all columns begin at the same depth, so that some planes are nearly empty
 */
export function ballPlanes(shape: [number, number, number], radius: number, level: boolean): PlaneStack {
  const planes = lattice(shape, radius, level);
  const area = shape[1] * shape[2];
  let cells = 0;
  for (let z = 0; z < shape[0]; z++) {
    const plane = planes.subarray(z * area, (z + 1) * area);
    const numbers = new Map<number, number>();
    for (let i = 0; i < area; i++) {
      if (plane[i] === 0) continue;
      const number = numbers.get(plane[i]) ?? numbers.size + 1;
      numbers.set(plane[i], number);
      plane[i] = number;
    }
    cells = Math.max(cells, numbers.size);
  }
  return { shape, planes, cells };
}

function lattice([nz, ny, nx]: [number, number, number], radius: number, level = true): Uint32Array {
  const labels = new Uint32Array(nz * ny * nx);
  const pitch = 2 * radius + 1;
  const random = randomOf(3);
  let id = 0;
  const begins = Array.from({ length: Math.ceil(ny / pitch) * Math.ceil(nx / pitch) }, () =>
    level ? 0 : Math.floor(pitch * random()) - pitch,
  );
  const layers = Math.ceil(nz / pitch) + (level ? 0 : 1);
  for (let layer = 0; layer < layers; layer++) {
    for (let cy = radius, column = 0; cy < ny; cy += pitch) {
      for (let cx = radius; cx < nx; cx += pitch, column++) {
        const cz = (nz > 1 ? radius : 0) + layer * pitch + begins[column];
        id++;
        const r = radius * (0.8 + 0.2 * random());
        for (let z = Math.max(0, cz - radius); z <= Math.min(nz - 1, cz + radius); z++)
          for (let y = cy - radius; y <= Math.min(ny - 1, cy + radius); y++)
            for (let x = cx - radius; x <= Math.min(nx - 1, cx + radius); x++)
              if ((z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 <= r * r) labels[(z * ny + y) * nx + x] = id;
      }
    }
  }
  return labels;
}

function noisy(labels: Uint32Array, shape: number[]): FlowGrid {
  const random = randomOf(4);
  const dP = flowsFromLabels(labels, shape);
  for (let i = 0; i < dP.length; i++) dP[i] = 5 * dP[i] + (random() - 0.5);
  const cellprob = Float32Array.from(labels, (label) => (label ? 5 : -5) + random());
  return { shape, dP, cellprob, labels };
}

/** The plane repeated `times` × `times`. */
export function tiled({ dP, cellprob, shape: [ny, nx] }: FlowGrid, times: number): FlowGrid {
  const repeat = (component: Float32Array) => {
    const out = new Float32Array(component.length * times * times);
    for (let y = 0; y < ny * times; y++) {
      const row = component.subarray((y % ny) * nx, (y % ny) * nx + nx);
      for (let k = 0; k < times; k++) out.set(row, y * nx * times + k * nx);
    }
    return out;
  };
  const area = ny * nx;
  const flows = new Float32Array(2 * area * times * times);
  flows.set(repeat(dP.subarray(0, area)));
  flows.set(repeat(dP.subarray(area)), area * times * times);
  return { shape: [ny * times, nx * times], dP: flows, cellprob: repeat(cellprob) };
}

/** The upper left corner of a plane. */
export function cropped({ dP, cellprob, shape: [ny, nx] }: FlowGrid, side: number): FlowGrid {
  const crop = (component: Float32Array) =>
    Float32Array.from({ length: side * side }, (_, i) => component[Math.floor(i / side) * nx + (i % side)]);
  const flows = new Float32Array(2 * side * side);
  flows.set(crop(dP.subarray(0, ny * nx)));
  flows.set(crop(dP.subarray(ny * nx)), side * side);
  return { shape: [side, side], dP: flows, cellprob: crop(cellprob) };
}
