import type { Box } from '../../../core/label-volume.ts';
import type { ImageLayer, LabelsLayer } from '../../../core/layer.ts';
import {
  extractRectangle,
  extractSlice,
  projectLabels,
  projectSlices,
  slabRange,
} from '../../../core/slices.ts';
import type { Projection } from '../../../core/viewer-model.ts';
import { channelView, type DType, type Shape3, type VolumeData } from '../../../core/volume.ts';
import { layerShape, PLANE_AXES, type Plane } from '../plane.ts';
import type { SamplerPrefix } from './slice-shaders.ts';

interface Format {
  prefix: SamplerPrefix;
  internal: 'R8UI' | 'R8I' | 'R16UI' | 'R16I' | 'R32UI' | 'R32I' | 'R32F';
  format: 'RED_INTEGER' | 'RED';
  type: 'UNSIGNED_BYTE' | 'BYTE' | 'UNSIGNED_SHORT' | 'SHORT' | 'UNSIGNED_INT' | 'INT' | 'FLOAT';
}

export const FORMATS: Record<DType, Format> = {
  uint8: { prefix: 'u', internal: 'R8UI', format: 'RED_INTEGER', type: 'UNSIGNED_BYTE' },
  int8: { prefix: 'i', internal: 'R8I', format: 'RED_INTEGER', type: 'BYTE' },
  uint16: { prefix: 'u', internal: 'R16UI', format: 'RED_INTEGER', type: 'UNSIGNED_SHORT' },
  int16: { prefix: 'i', internal: 'R16I', format: 'RED_INTEGER', type: 'SHORT' },
  uint32: { prefix: 'u', internal: 'R32UI', format: 'RED_INTEGER', type: 'UNSIGNED_INT' },
  int32: { prefix: 'i', internal: 'R32I', format: 'RED_INTEGER', type: 'INT' },
  float32: { prefix: '', internal: 'R32F', format: 'RED', type: 'FLOAT' },
  // There are no double textures; what is lost lies beyond any screen.
  float64: { prefix: '', internal: 'R32F', format: 'RED', type: 'FLOAT' },
};

/** Several planes shown as one. */
export interface Slab {
  planes: number;
  projection: Projection;
}

/** A slice on the GPU in its own sample type. */
export interface SliceTexture {
  readonly texture: WebGLTexture;
  /** Samples that the texture holds; fewer than the slice has when it was too large. */
  readonly width: number;
  readonly height: number;
  dispose(): void;
}

/** One of an image. */
export interface ImageTexture extends SliceTexture {
  /** Counts uploads: the same number means the same samples. */
  readonly uploads: number;
}

export function createTexture(gl: WebGL2RenderingContext, target: number): WebGLTexture {
  const texture = gl.createTexture();
  gl.bindTexture(target, texture);
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
    gl.texParameteri(target, name, gl.NEAREST);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(target, name, gl.CLAMP_TO_EDGE);
  return texture;
}

/** Every n-th sample of every n-th row, for slices larger than a texture may be. */
function thinned<T extends VolumeData>(data: T, width: number, height: number, step: number) {
  const [w, h] = [Math.ceil(width / step), Math.ceil(height / step)];
  const result = new (data.constructor as new (n: number) => T)(w * h);
  for (let y = 0, at = 0; y < h; y++) {
    for (let x = 0; x < w; x++) result[at++] = data[y * step * width + x * step];
  }
  return { data: result, width: w, height: h };
}

/** One plane of an image layer: an array texture with one layer, or three for RGB. */
export class ImageSlice implements ImageTexture {
  readonly texture: WebGLTexture;
  readonly prefix: SamplerPrefix;
  readonly #gl: WebGL2RenderingContext;
  readonly #layer: ImageLayer;
  readonly #plane: Plane;
  readonly #shape: Shape3;
  width = 0;
  height = 0;
  uploads = 0;
  #key = '';
  #scratch: VolumeData | undefined;

  constructor(gl: WebGL2RenderingContext, layer: ImageLayer, plane: Plane) {
    this.#gl = gl;
    this.#layer = layer;
    this.#plane = plane;
    this.#shape = layerShape(layer);
    this.prefix = FORMATS[layer.volume.dtype].prefix;
    this.texture = createTexture(gl, gl.TEXTURE_2D_ARRAY);
  }

  /** Uploads the plane at `index` of time `t`, or the slab around it, unless it is there already. */
  show(t: number, index: number, slab: Slab): void {
    const { volume, channel } = this.#layer;
    const count = volume.rgb ? 3 : 1;
    const first = volume.rgb ? 0 : Math.min(channel, volume.shape[1] - 1);
    const key = `${t} ${first} ${index} ${slab.planes} ${slab.planes > 1 ? slab.projection : ''}`;
    if (key === this.#key) return;
    this.#key = key;
    this.uploads++;
    const gl = this.#gl;
    const { internal, format, type } = FORMATS[volume.dtype];
    const { right, down, across } = PLANE_AXES[this.#plane];
    const range = slabRange(index, slab.planes, this.#shape[across]);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    for (let c = 0; c < count; c++) {
      const samples = channelView(volume, Math.min(t, volume.shape[0] - 1), first + c);
      let slice =
        range[1] - range[0] > 1
          ? projectSlices(samples, this.#shape, right, down, range, slab.projection)
          : extractSlice(samples, this.#shape, right, down, index, this.#scratch);
      if (slice.data.buffer !== samples.buffer) this.#scratch = slice.data;
      const limit = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
      const step = Math.ceil(Math.max(slice.width, slice.height) / limit);
      if (step > 1) slice = thinned(slice.data, slice.width, slice.height, step);
      const { width, height } = slice;
      if (width !== this.width || height !== this.height) {
        this.width = width;
        this.height = height;
        gl.texImage3D(
          gl.TEXTURE_2D_ARRAY,
          0,
          gl[internal],
          width,
          height,
          count,
          0,
          gl[format],
          gl[type],
          null,
        );
      }
      const pixels = slice.data instanceof Float64Array ? Float32Array.from(slice.data) : slice.data;
      gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, c, width, height, 1, gl[format], gl[type], pixels);
    }
  }

  dispose(): void {
    this.#gl.deleteTexture(this.texture);
  }
}

/** One plane of a label layer by its exact ids. Only the box that was edited is uploaded again. */
export class LabelsSlice implements SliceTexture {
  readonly texture: WebGLTexture;
  readonly #gl: WebGL2RenderingContext;
  readonly #layer: LabelsLayer;
  readonly #plane: Plane;
  width = 0;
  height = 0;
  #index = -1;
  #planes = 1;
  #step = 1;
  #revision = -1;
  #dirty: Box | undefined;
  #scratch: VolumeData | undefined;
  #bits = 0;
  readonly #onChange = (event: Event) => {
    const { box } = (event as CustomEvent<{ box: Box }>).detail;
    this.#dirty = this.#dirty ? union(this.#dirty, box) : box;
  };

  constructor(gl: WebGL2RenderingContext, layer: LabelsLayer, plane: Plane) {
    this.#gl = gl;
    this.#layer = layer;
    this.#plane = plane;
    this.texture = createTexture(gl, gl.TEXTURE_2D);
    layer.labels.addEventListener('change', this.#onChange);
  }

  /** All bits set in any id of the texture: no id is higher. */
  get bits(): number {
    return this.#bits >>> 0;
  }

  /** Uploads the plane at `index`, or the slab around it, or what has changed in it. */
  show(index: number, { planes }: Slab): void {
    const { labels } = this.#layer;
    const dirty = this.#dirty;
    const same = index === this.#index && planes === this.#planes;
    if (same && labels.revision === this.#revision) return;
    const partial = same && planes === 1 && dirty !== undefined && this.#step === 1;
    this.#dirty = undefined;
    this.#index = index;
    this.#planes = planes;
    this.#revision = labels.revision;
    const gl = this.#gl;
    const { right, down, across } = PLANE_AXES[this.#plane];
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    if (partial && (index < dirty[across] || index >= dirty[across + 3])) return;
    if (partial) {
      const [x0, x1, y0, y1] = [dirty[right], dirty[right + 3], dirty[down], dirty[down + 3]];
      if (x1 <= x0 || y1 <= y0) return;
      const pixels = extractRectangle(labels.data, labels.shape, right, down, index, [x0, y0, x1, y1]);
      this.#bits |= bitsOf(pixels);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, x0, y0, x1 - x0, y1 - y0, gl.RED_INTEGER, gl.UNSIGNED_INT, pixels);
      return;
    }
    const range = slabRange(index, planes, labels.shape[across]);
    let slice =
      range[1] - range[0] > 1
        ? projectLabels(labels.data, labels.shape, right, down, range, index)
        : extractSlice(labels.data, labels.shape, right, down, index, this.#scratch);
    if (slice.data.buffer !== labels.data.buffer) this.#scratch = slice.data;
    const limit = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
    this.#step = Math.ceil(Math.max(slice.width, slice.height) / limit);
    if (this.#step > 1) slice = thinned(slice.data, slice.width, slice.height, this.#step);
    const { data, width, height } = slice;
    this.#bits = bitsOf(data);
    if (width !== this.width || height !== this.height) {
      this.width = width;
      this.height = height;
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32UI, width, height, 0, gl.RED_INTEGER, gl.UNSIGNED_INT, data);
      return;
    }
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RED_INTEGER, gl.UNSIGNED_INT, data);
  }

  dispose(): void {
    this.#layer.labels.removeEventListener('change', this.#onChange);
    this.#gl.deleteTexture(this.texture);
  }
}

/** All bits that are set in any of the ids. */
function bitsOf(ids: Uint32Array): number {
  let bits = 0;
  for (let i = 0; i < ids.length; i++) bits |= ids[i];
  return bits;
}

/** The smallest box around two. */
export function union(a: Box, b: Box): Box {
  return [
    Math.min(a[0], b[0]),
    Math.min(a[1], b[1]),
    Math.min(a[2], b[2]),
    Math.max(a[3], b[3]),
    Math.max(a[4], b[4]),
    Math.max(a[5], b[5]),
  ];
}
