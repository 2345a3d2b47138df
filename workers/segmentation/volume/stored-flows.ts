import type { Shape3 } from '../../../core/volume.ts';
import { lengthsOf, mapAxes, type VoxelBox, voxelsOf } from '../../../core/voxel-box.ts';
import { type FlowArray, type FlowPrecision, flowArray, flowBytes } from './flow-array.ts';
import type { FlowFile } from './flow-file.ts';
import { KeptFlows } from './kept-flows.ts';

/** Voxels of a brick's side: planes of all three orientations are read with little that is not wanted. */
export const BRICK = 16;
const BRICK_VOXELS = BRICK ** 3;

/** Bytes of the flows of a volume in a file. */
export function storedBytes(shape: Shape3, precision: FlowPrecision): number {
  return 4 * flowBytes(precision) * BRICK_VOXELS * voxelsOf(bricksOf(shape));
}

const bricksOf = (shape: Shape3) => mapAxes(shape, (length) => Math.ceil(length / BRICK));

/** Flows and cellprob of a volume in a file, in bricks of 16³ voxels, one component of a brick after another. */
export class StoredFlows extends KeptFlows {
  readonly #file: FlowFile;
  readonly #bricks: Shape3;
  readonly #brick: FlowArray;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  /** @param file zeros, or what was written by another of the same shape and precision */
  constructor(shape: Shape3, precision: FlowPrecision, file: FlowFile) {
    super(shape);
    this.#file = file;
    this.#bricks = bricksOf(shape);
    this.#brick = flowArray(BRICK_VOXELS, precision);
    this.#bytes = new Uint8Array((this.#brick as unknown as Float32Array<ArrayBuffer>).buffer);
  }

  cut(component: number, box: VoxelBox): Float32Array {
    const lengths = lengthsOf(box);
    const [, height, width] = lengths;
    const out = new Float32Array(voxelsOf(lengths));
    this.#visit(component, box, (at, own) => {
      this.#file.read(this.#bytes, at);
      this.#rows(own, box, [height, width], (inBrick, inBox, run) => {
        for (let x = 0; x < run; x++) out[inBox + x] = this.#brick[inBrick + x];
      });
    });
    return out;
  }

  /** @param values [z, y, x] of the box */
  write(component: number, box: VoxelBox, values: { readonly [index: number]: number }): void {
    const [, height, width] = lengthsOf(box);
    this.#visit(component, box, (at, own, whole) => {
      if (!whole) this.#file.read(this.#bytes, at);
      this.#rows(own, box, [height, width], (inBrick, inBox, run) => {
        for (let x = 0; x < run; x++) this.#brick[inBrick + x] = values[inBox + x];
      });
      this.#file.write(this.#bytes, at);
    });
  }

  /** Calls back for each brick with its place in the file, its part of the box and whether that is all of it. */
  #visit(component: number, box: VoxelBox, each: (at: number, own: VoxelBox, whole: boolean) => void): void {
    const first = box.from.map((at) => Math.floor(at / BRICK));
    const stop = box.to.map((at) => Math.ceil(at / BRICK));
    const [, rows, columns] = this.#bricks;
    for (let z = first[0]; z < stop[0]; z++) {
      for (let y = first[1]; y < stop[1]; y++) {
        for (let x = first[2]; x < stop[2]; x++) {
          const corner: Shape3 = [z * BRICK, y * BRICK, x * BRICK];
          const from = mapAxes(corner, (at, axis) => Math.max(at, box.from[axis]));
          const to = mapAxes(corner, (at, axis) => Math.min(at + BRICK, box.to[axis]));
          const whole = corner.every(
            (at, axis) => from[axis] === at && to[axis] === Math.min(at + BRICK, this.shape[axis]),
          );
          const index = ((z * rows + y) * columns + x) * 4 + component;
          each(index * this.#bytes.length, { from, to }, whole);
        }
      }
    }
  }

  /** Calls back for each row of a brick's part with where it starts in the brick and in the box, and its length. */
  #rows(
    { from, to }: VoxelBox,
    box: VoxelBox,
    [height, width]: readonly [number, number],
    each: (inBrick: number, inBox: number, run: number) => void,
  ): void {
    const run = to[2] - from[2];
    for (let z = from[0]; z < to[0]; z++) {
      for (let y = from[1]; y < to[1]; y++) {
        const inBrick = ((z % BRICK) * BRICK + (y % BRICK)) * BRICK + (from[2] % BRICK);
        const inBox = ((z - box.from[0]) * height + y - box.from[1]) * width + from[2] - box.from[2];
        each(inBrick, inBox, run);
      }
    }
  }
}
