import { zeros } from '../masks/shape.ts';
import type { FlowFile } from './flow-file.ts';

/** Values that are read at a time to be counted. */
const PART = 2 ** 22;

/** Bytes of the ends of a volume in a file. */
export const endBytes = (voxels: number): number => 4 * voxels;

/**
 * Where the points of a volume ended, in a part of a file: Uint32 [z, y, x], 1 + row-major voxel in which the point of
 * a voxel ended, 0 where none was followed.
 */
export class EndFile {
  readonly #file: FlowFile;
  readonly #at: number;

  /** @param at byte of the file at which the ends begin */
  constructor(file: FlowFile, at: number) {
    this.#file = file;
    this.#at = at;
  }

  write(image: Uint32Array): void {
    this.#parts(image, (bytes, at) => this.#file.write(bytes, at));
  }

  read(voxels: number): Uint32Array {
    const image = zeros(Uint32Array, voxels);
    this.#parts(image, (bytes, at) => this.#file.read(bytes, at));
    return image;
  }

  #parts(image: Uint32Array, each: (bytes: Uint8Array<ArrayBuffer>, at: number) => void): void {
    for (let from = 0; from < image.length; from += PART) {
      const part = image.subarray(from, from + PART);
      const bytes = new Uint8Array(part.buffer as ArrayBuffer, part.byteOffset, part.byteLength);
      each(bytes, this.#at + endBytes(from));
    }
  }
}
