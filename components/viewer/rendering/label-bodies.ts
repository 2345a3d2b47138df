import {
  blocksInUse,
  type Factors,
  fittingFactors,
  reducedBox,
  reducedLabels,
  reducedShape,
  VOLUME_LIMITS,
} from '../../../core/display-volume.ts';
import type { Box } from '../../../core/label-volume.ts';
import type { LabelsLayer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import type { Shape3 } from '../../../core/volume.ts';
import { inverse, rotate, type Xyz } from '../orbit-camera.ts';
import { layerSpacing, sceneExtent } from '../plane.ts';
import { programFor } from './gl-program.ts';
import { IdList } from './id-list.ts';
import { BLOCK, BODIES_FRAGMENT, BODIES_VERTEX } from './label-bodies-shader.ts';
import type { VolumeFrame } from './painter.ts';
import { RatingTable } from './rating-table.ts';
import { union } from './slice-textures.ts';
import { TintTable } from './tint-table.ts';

/** From the upper left, out of the screen: x to the right, y downwards, z into the screen. */
const LIGHT: Xyz = [-0.42, -0.5, -0.76];

/** One label layer as bodies in 3D. Its ids lie on the GPU; of an edit only the changed box is uploaded. */
export class LabelBodies {
  readonly #layer: LabelsLayer;
  readonly #alsoSelected = new IdList();
  readonly #tints: TintTable;
  #gl: WebGL2RenderingContext | undefined;
  readonly #ratings = new RatingTable();
  #ids: WebGLTexture | null = null;
  #blocks: WebGLTexture | null = null;
  #vertices: WebGLVertexArrayObject | null = null;
  #factors: Factors = [1, 1, 1];
  #shape: Shape3 = [0, 0, 0];
  /** The box to upload: all, or what was edited since. */
  #dirty: Box | undefined;
  readonly #onChange = (event: Event) => {
    const { box } = (event as CustomEvent<{ box: Box }>).detail;
    this.#dirty = this.#dirty ? union(this.#dirty, box) : box;
  };

  /** @param changed called when the labels have other colours though they were not edited */
  constructor(layer: LabelsLayer, changed: () => void) {
    this.#layer = layer;
    this.#tints = new TintTable(changed);
    layer.labels.addEventListener('change', this.#onChange);
  }

  /** Draws over what is there. `width` is that of the picture as drawn, in pixels. */
  draw(gl: WebGL2RenderingContext, model: ViewerModel, frame: VolumeFrame): void {
    this.#upload(gl, model);
    const layer = this.#layer;
    const spacing = layerSpacing(layer, model.dims);
    const voxel = [2, 1, 0].map((axis) => spacing[axis] * this.#factors[axis]) as [number, number, number];
    const program = programFor(gl, BODIES_VERTEX, BODIES_FRAGMENT);
    gl.useProgram(program.program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_3D, this.#ids);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_3D, this.#blocks);
    gl.uniform1i(program.at('ids'), 0);
    gl.uniform1i(program.at('blocks'), 1);
    this.#alsoSelected.bind(gl, program, layer.alsoSelected);
    this.#tints.bind(gl, program, layer);

    const back = inverse(frame.orbit.rotation);
    const [ez, ey, ex] = sceneExtent(model.dims);
    const { scale, offset } = frame.orbit;
    const size = [frame.width / frame.pixelRatio, frame.height / frame.pixelRatio];
    // From far before the scene: x to the right and y downwards on the screen.
    const far = 2 * Math.hypot(ex, ey, ez);
    const corner = rotate(back, [
      (-size[0] / 2 - offset[0]) / scale,
      (size[1] / 2 - offset[1]) / scale,
      -far,
    ]);
    const inVoxels = (v: Xyz): Xyz => [v[0] / voxel[0], v[1] / voxel[1], v[2] / voxel[2]];
    gl.uniform3f(
      program.at('origin'),
      ...inVoxels([corner[0] + ex / 2, corner[1] + ey / 2, corner[2] + ez / 2]),
    );
    gl.uniform3f(program.at('toRight'), ...inVoxels(rotate(back, [size[0] / scale, 0, 0])));
    gl.uniform3f(program.at('toTop'), ...inVoxels(rotate(back, [0, -size[1] / scale, 0])));
    gl.uniform3f(program.at('direction'), ...inVoxels(rotate(back, [0, 0, 1])));
    gl.uniform3f(program.at('light'), ...rotate(back, LIGHT));
    gl.uniform3f(program.at('voxel'), ...voxel);
    const [low, high] = this.#shownPart(model, voxel);
    gl.uniform3f(program.at('low'), ...low);
    gl.uniform3f(program.at('high'), ...high);
    // A surface stands for all the voxels of a cell, and is as dense as several of them.
    gl.uniform1f(program.at('opacity'), 1 - (1 - layer.opacity) ** 3);
    gl.uniform1ui(program.at('seed'), layer.seed >>> 0);
    gl.uniform1ui(program.at('selected'), layer.selected >>> 0);
    gl.uniform1ui(program.at('hovered'), layer.hovered >>> 0);
    gl.uniform1i(program.at('onlySelected'), layer.onlySelected && layer.selected > 0 ? 1 : 0);
    this.#ratings.bind(gl, program, layer);
    gl.bindVertexArray(this.#vertices);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.bindVertexArray(null);
    gl.bindTexture(gl.TEXTURE_3D, null);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_3D, null);
  }

  /** The part of the layer within the crop box, in voxels as drawn, x, y, z. */
  #shownPart({ view, dims }: ViewerModel, voxel: Xyz): [low: Xyz, high: Xyz] {
    const [nz, ny, nx] = this.#shape;
    if (!view.crop)
      return [
        [0, 0, 0],
        [nx, ny, nz],
      ];
    const { crop } = view;
    const at = (axis: 0 | 1 | 2, end: 0 | 3, length: number) => {
      const place = (crop[axis + end] * dims.spacing[axis]) / voxel[2 - axis];
      return Math.min(Math.max(Math.round(place), 0), length);
    };
    return [
      [at(2, 0, nx), at(1, 0, ny), at(0, 0, nz)],
      [at(2, 3, nx), at(1, 3, ny), at(0, 3, nz)],
    ];
  }

  #upload(gl: WebGL2RenderingContext, model: ViewerModel): void {
    const { labels } = this.#layer;
    if (gl !== this.#gl) {
      this.#gl = gl;
      this.#ids = gl.createTexture();
      this.#blocks = gl.createTexture();
      this.#vertices = gl.createVertexArray();
      this.#ratings.dispose();
      this.#alsoSelected.dispose();
      this.#tints.dispose();
      const spacing = layerSpacing(this.#layer, model.dims);
      const { labelVoxels, side } = VOLUME_LIMITS;
      this.#factors = fittingFactors(labels.shape, spacing, labelVoxels, side);
      this.#shape = reducedShape(labels.shape, this.#factors);
      for (const [texture, format, shape] of [
        [this.#ids, gl.R32UI, this.#shape],
        [this.#blocks, gl.R8UI, this.#shape.map((length) => Math.ceil(length / BLOCK))],
      ] as const) {
        gl.bindTexture(gl.TEXTURE_3D, texture);
        for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
          gl.texParameteri(gl.TEXTURE_3D, name, gl.NEAREST);
        gl.texStorage3D(gl.TEXTURE_3D, 1, format, shape[2], shape[1], shape[0]);
      }
      this.#dirty = [0, 0, 0, ...labels.shape];
    }
    if (!this.#dirty) return;
    const box = reducedBox(this.#dirty, labels.shape, this.#factors);
    this.#dirty = undefined;
    const [z, y, x] = box;
    const [depth, height, width] = [box[3] - z, box[4] - y, box[5] - x];
    if (depth <= 0 || height <= 0 || width <= 0) return;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    const { RED_INTEGER, UNSIGNED_INT, UNSIGNED_BYTE } = gl;
    const part = reducedLabels(labels.data, labels.shape, this.#factors, box);
    gl.bindTexture(gl.TEXTURE_3D, this.#ids);
    gl.texSubImage3D(gl.TEXTURE_3D, 0, x, y, z, width, height, depth, RED_INTEGER, UNSIGNED_INT, part);
    const used = blocksInUse(labels.data, labels.shape, this.#factors, box, BLOCK);
    const [bz, by, bx, ez, ey, ex] = used.box;
    gl.bindTexture(gl.TEXTURE_3D, this.#blocks);
    gl.texSubImage3D(
      gl.TEXTURE_3D,
      0,
      bx,
      by,
      bz,
      ex - bx,
      ey - by,
      ez - bz,
      RED_INTEGER,
      UNSIGNED_BYTE,
      used.data,
    );
  }

  dispose(): void {
    this.#layer.labels.removeEventListener('change', this.#onChange);
    this.#alsoSelected.dispose();
    this.#tints.dispose();
    this.#ratings.dispose();
    this.#gl?.deleteTexture(this.#ids);
    this.#gl?.deleteTexture(this.#blocks);
    this.#gl?.deleteVertexArray(this.#vertices);
    this.#gl = undefined;
  }
}
