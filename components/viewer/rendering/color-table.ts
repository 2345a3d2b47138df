import { COLORMAP_SIZE, colormapTable } from '../../../core/colormaps.ts';
import type { ImageLayer } from '../../../core/layer.ts';

/** Entries of a table with a gamma, whose curve is steep at one end. */
const CURVED_SIZE = 2048;

/** A layer's colours from the low to the high end of its window on the GPU, its gamma included. */
export class ColorTable {
  readonly #gl: WebGL2RenderingContext;
  readonly #layer: ImageLayer;
  readonly #texture: WebGLTexture;
  #key = '';

  constructor(gl: WebGL2RenderingContext, layer: ImageLayer) {
    this.#gl = gl;
    this.#layer = layer;
    this.#texture = gl.createTexture();
  }

  /** Binds the table to the active texture unit, brought up to date. */
  bind(): void {
    const gl = this.#gl;
    const { colormap, gamma } = this.#layer;
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    const key = `${colormap} ${gamma}`;
    if (key === this.#key) return;
    this.#key = key;
    const colors = gamma === 1 ? colormapTable(colormap) : curved(colormapTable(colormap), gamma);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, name, gl.LINEAR);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T])
      gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
    const { RGBA8, RGBA, UNSIGNED_BYTE } = gl;
    gl.texImage2D(gl.TEXTURE_2D, 0, RGBA8, colors.length / 4, 1, 0, RGBA, UNSIGNED_BYTE, colors);
  }

  dispose(): void {
    this.#gl.deleteTexture(this.#texture);
  }
}

/** The colour at place p of the new table is the one at p to the power of gamma of the old. */
function curved(colors: Uint8Array, gamma: number): Uint8Array {
  const result = new Uint8Array(4 * CURVED_SIZE);
  for (let i = 0; i < CURVED_SIZE; i++) {
    const place = (i / (CURVED_SIZE - 1)) ** gamma * (COLORMAP_SIZE - 1);
    const below = Math.min(Math.floor(place), COLORMAP_SIZE - 2);
    const part = place - below;
    for (let c = 0; c < 4; c++) {
      const [low, high] = [colors[4 * below + c], colors[4 * below + 4 + c]];
      result[4 * i + c] = Math.round(low + (high - low) * part);
    }
  }
  return result;
}
