import { CytoError } from '../../../core/errors.ts';

/** A linked program and where its uniforms are. */
export class GlProgram {
  readonly program: WebGLProgram;
  readonly #gl: WebGL2RenderingContext;
  readonly #locations = new Map<string, WebGLUniformLocation | null>();

  constructor(gl: WebGL2RenderingContext, vertex: string, fragment: string) {
    this.#gl = gl;
    this.program = gl.createProgram();
    const shaders = [
      [gl.VERTEX_SHADER, vertex],
      [gl.FRAGMENT_SHADER, fragment],
    ] as const;
    const compiled = shaders.map(([type, source]) => {
      const shader = gl.createShader(type) as WebGLShader;
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(this.program, shader);
      return shader;
    });
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS) && !gl.isContextLost()) {
      const log = [
        gl.getProgramInfoLog(this.program),
        ...compiled.map((shader) => gl.getShaderInfoLog(shader)),
      ];
      throw new CytoError('internal', `A shader was refused: ${log.filter(Boolean).join('; ')}`);
    }
    for (const shader of compiled) gl.deleteShader(shader);
  }

  /** Location of a uniform; null if the compiler has dropped it. */
  at(name: string): WebGLUniformLocation | null {
    let location = this.#locations.get(name);
    if (location === undefined) {
      location = this.#gl.getUniformLocation(this.program, name);
      this.#locations.set(name, location);
    }
    return location;
  }
}

const programs = new WeakMap<WebGL2RenderingContext, Map<string, GlProgram>>();

/** The program of two sources, compiled once per context. */
export function programFor(gl: WebGL2RenderingContext, vertex: string, fragment: string): GlProgram {
  const known = programs.get(gl) ?? new Map<string, GlProgram>();
  programs.set(gl, known);
  const key = vertex + fragment;
  let program = known.get(key);
  if (!program) {
    program = new GlProgram(gl, vertex, fragment);
    known.set(key, program);
  }
  return program;
}
