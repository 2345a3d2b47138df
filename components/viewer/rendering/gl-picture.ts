/** A picture that is drawn into and then used as a texture. */
export class GlPicture {
  readonly texture: WebGLTexture;
  readonly #gl: WebGL2RenderingContext;
  readonly #frame: WebGLFramebuffer;
  width = 0;
  height = 0;

  /** @param filter how its pixels are read between their middles */
  constructor(gl: WebGL2RenderingContext, filter: 'NEAREST' | 'LINEAR') {
    this.#gl = gl;
    this.texture = gl.createTexture();
    this.#frame = gl.createFramebuffer();
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, name, gl[filter]);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T])
      gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
  }

  /**
   * Draws into all of the picture, without blending; viewport, blending and framebuffer are as before afterwards.
   * @param draw the rectangle -1…1 of clip space is the picture; row 0 of the texture is at -1
   */
  draw(width: number, height: number, draw: () => void): void {
    const gl = this.#gl;
    const frame = gl.getParameter(gl.FRAMEBUFFER_BINDING) as WebGLFramebuffer | null;
    const viewport = gl.getParameter(gl.VIEWPORT) as Int32Array;
    const clipped = gl.isEnabled(gl.SCISSOR_TEST);
    if (width !== this.width || height !== this.height) {
      this.width = width;
      this.height = height;
      gl.bindTexture(gl.TEXTURE_2D, this.texture);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.texture, 0);
    gl.viewport(0, 0, width, height);
    gl.disable(gl.SCISSOR_TEST);
    gl.disable(gl.BLEND);
    draw();
    gl.enable(gl.BLEND);
    if (clipped) gl.enable(gl.SCISSOR_TEST);
    gl.viewport(viewport[0], viewport[1], viewport[2], viewport[3]);
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
  }

  dispose(): void {
    this.#gl.deleteFramebuffer(this.#frame);
    this.#gl.deleteTexture(this.texture);
  }
}
