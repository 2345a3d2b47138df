/** A table on the GPU in which a shader looks values up by their number, row after row. */
export class LookupTexture {
  readonly #unit: number;
  #gl: WebGL2RenderingContext | undefined;
  #texture: WebGLTexture | undefined;
  #uploads = 0;

  /** @param unit texture unit that the table is bound to */
  constructor(unit: number) {
    this.#unit = unit;
  }

  get unit(): number {
    return this.#unit;
  }

  /** Counts uploads: the same number means the same values. */
  get uploads(): number {
    return this.#uploads;
  }

  /** Binds the texture to its unit, which becomes the active one. @returns whether it is new and holds nothing yet */
  bind(gl: WebGL2RenderingContext): boolean {
    gl.activeTexture(gl.TEXTURE0 + this.#unit);
    const fresh = gl !== this.#gl || !this.#texture;
    if (fresh) {
      this.#gl = gl;
      this.#texture = gl.createTexture();
    }
    gl.bindTexture(gl.TEXTURE_2D, this.#texture as WebGLTexture);
    return fresh;
  }

  /** Fills the bound texture, `width` entries to a row; `values` are whole rows. */
  upload(kind: 'R8UI' | 'R32UI' | 'RGBA8', width: number, values: Uint8Array | Uint32Array): void {
    const gl = this.#gl;
    if (!gl) return;
    this.#uploads++;
    const perEntry = kind === 'RGBA8' ? 4 : 1;
    const rows = values.length / (width * perEntry);
    const format = kind === 'RGBA8' ? gl.RGBA : gl.RED_INTEGER;
    const type = kind === 'R32UI' ? gl.UNSIGNED_INT : gl.UNSIGNED_BYTE;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl[kind], width, rows, 0, format, type, values);
  }

  dispose(): void {
    if (this.#texture) this.#gl?.deleteTexture(this.#texture);
    this.#texture = undefined;
  }
}
