import { GlPicture } from './gl-picture.ts';

/** Samples to a side that one pixel is the mean of at most; of more, so many are taken. */
const MOST_SAMPLES = 6;
/** A picture may have so many times the pixels of the pane: it is made of the whole plane, seen or not. */
const MOST_PIXELS = 4;
/** Samples per pixel up to which a plane is as large as its picture. */
const SAME_SIZE = 1.01;

/** How a plane is reduced before it is drawn smaller than it is. */
export interface Reduction {
  /** Size of the picture. */
  width: number;
  height: number;
  /** Samples of the plane that lie on a pixel's sides. */
  step: readonly [right: number, down: number];
  /** Places of them that its mean is taken of. */
  samples: readonly [right: number, down: number];
}

/** How many places of a pixel's footprint are looked at along each axis. */
export function samplesPerPixel(footprint: readonly [number, number]): [right: number, down: number] {
  const along = (samples: number) =>
    Math.min(MOST_SAMPLES, Math.max(1, Math.ceil(samples - (SAME_SIZE - 1))));
  return [along(footprint[0]), along(footprint[1])];
}

/**
 * The whole steps by which a plane is to be reduced; the rest, less than two, is left to the device's filter.
 * Undefined where it is magnified along an axis, or so much of it lies outside the pane that a picture of it would be wasted.
 * @param footprint samples per device pixel
 * @param pixels device pixels of the pane
 */
export function reductionFor(
  { width, height }: { width: number; height: number },
  footprint: readonly [number, number],
  pixels: number,
): Reduction | undefined {
  if (Math.min(...footprint) < 1 || Math.max(...footprint) <= SAME_SIZE) return undefined;
  const [right, down] = footprint.map((samples) => Math.max(1, Math.floor(samples)));
  const [w, h] = [Math.ceil(width / right), Math.ceil(height / down)];
  if (w * h > MOST_PIXELS * pixels) return undefined;
  return { width: w, height: h, step: [right, down], samples: samplesPerPixel([right, down]) };
}

/** A plane in its colours, reduced; made once for as long as plane, colours and reduction stay the same. */
export class ReducedPicture {
  readonly #gl: WebGL2RenderingContext;
  #picture: GlPicture | undefined;
  #key = '';

  constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl;
  }

  /** @param draw draws the plane over all of clip space, its first row at the bottom */
  show(key: string, { width, height }: Reduction, draw: () => void): WebGLTexture {
    this.#picture ??= new GlPicture(this.#gl, 'LINEAR');
    if (key !== this.#key) {
      this.#key = key;
      this.#picture.draw(width, height, draw);
    }
    return this.#picture.texture;
  }

  dispose(): void {
    this.#picture?.dispose();
  }
}
