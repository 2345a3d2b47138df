import { COLORMAP_SIZE, colormapTable } from '../../../core/colormaps.ts';
import { layerWindow } from '../../../core/contrast.ts';
import type { Colormap, ImageLayer, LabelsLayer, Layer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import { layerShape, layerSpacing, PLANE_AXES, type Plane, planeIndex, type Vec3 } from '../plane.ts';
import { screenToWorld, worldToScreen } from '../plane-camera.ts';
import { DetailSlice } from './detail-slice.ts';
import { newDrawingProp } from './drawing-prop.ts';
import { type GlProgram, programFor } from './gl-program.ts';
import { IdList } from './id-list.ts';
import type { PlaneFrame } from './painter.ts';
import { RatingTable } from './rating-table.ts';
import { imageFragment, LABELS_FRAGMENT, SLICE_VERTEX } from './slice-shaders.ts';
import { ImageSlice, LabelsSlice, type Slab } from './slice-textures.ts';
import { newRenderer, type VtkRenderer } from './vtk.ts';

type LayerSlice = { layer: ImageLayer; slice: ImageSlice } | { layer: LabelsLayer; slice: LabelsSlice };

/** A box of the scene, physical. */
interface Extent {
  from: Vec3;
  to: Vec3;
}

/** Width of the outline of the selected label, CSS pixels. */
const HIGHLIGHT = 2;

/** Draws one plane of all layers of a model. */
export class PlanePainter {
  readonly renderer: VtkRenderer;
  readonly #model: ViewerModel;
  readonly #plane: Plane;
  readonly #changed: () => void;
  readonly #slices = new Map<Layer, LayerSlice>();
  readonly #details = new Map<Layer, DetailSlice>();
  readonly #tables = new Map<Colormap, WebGLTexture>();
  readonly #alsoSelected = new IdList();
  #gl: WebGL2RenderingContext | undefined;
  readonly #ratings = new RatingTable();
  #vertices: WebGLVertexArrayObject | null = null;
  #frame: PlaneFrame | undefined;

  /** @param changed called when something finer can be drawn, or in other colours */
  constructor(model: ViewerModel, plane: Plane, changed: () => void) {
    this.#model = model;
    this.#changed = changed;
    this.#plane = plane;
    this.renderer = newRenderer();
    this.renderer.setBackground([0, 0, 0, 0]);
    const drawing = { draw: (gl: WebGL2RenderingContext) => this.#draw(gl) };
    this.renderer.addViewProp(newDrawingProp({ drawing }));
  }

  /** What the next drawing of {@link renderer} shows. */
  prepare(frame: PlaneFrame): void {
    this.#frame = frame;
  }

  #draw(gl: WebGL2RenderingContext): void {
    const frame = this.#frame;
    if (!frame) return;
    if (gl !== this.#gl) this.#adopt(gl);
    this.#forgetRemovedLayers();
    gl.disable(gl.DEPTH_TEST);
    gl.bindVertexArray(this.#vertices);
    gl.enable(gl.BLEND);
    let bottom = true;
    for (const layer of this.#model.current) {
      if (!layer.visible || layer.opacity === 0) continue;
      const drawn =
        layer.kind === 'image'
          ? this.#drawImage(gl, frame, layer, bottom)
          : this.#drawLabels(gl, frame, layer);
      if (drawn && layer.kind === 'image') bottom = false;
    }
    // As vtk.js expects to find it.
    gl.blendEquation(gl.FUNC_ADD);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindVertexArray(null);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, null);
    gl.bindTexture(gl.TEXTURE_2D, null);
    gl.activeTexture(gl.TEXTURE0);
    gl.enable(gl.DEPTH_TEST);
  }

  /** A first or a new context: nothing of an older one can be used or need be freed. */
  #adopt(gl: WebGL2RenderingContext): void {
    this.#disposeSlices();
    this.#tables.clear();
    this.#ratings.dispose();
    this.#alsoSelected.dispose();
    this.#gl = gl;
    this.#vertices = gl.createVertexArray();
  }

  #disposeSlices(): void {
    for (const { slice } of this.#slices.values()) slice.dispose();
    for (const slice of this.#details.values()) slice.dispose();
    this.#slices.clear();
    this.#details.clear();
  }

  #forgetRemovedLayers(): void {
    for (const [layer, { slice }] of this.#slices) {
      if (this.#model.layers.includes(layer)) continue;
      slice.dispose();
      this.#slices.delete(layer);
      this.#details.get(layer)?.dispose();
      this.#details.delete(layer);
    }
    // What is not shown is not to be read.
    for (const [layer, slice] of this.#details) if (!layer.visible || layer.opacity === 0) slice.rest();
  }

  /** Places a texture of so many samples on the part of the scene that it shows. */
  #place(
    gl: WebGL2RenderingContext,
    program: GlProgram,
    frame: PlaneFrame,
    { from, to }: Extent,
    { width, height }: { width: number; height: number },
  ) {
    const { right, down } = PLANE_AXES[this.#plane];
    const size = { width: frame.width / frame.pixelRatio, height: frame.height / frame.pixelRatio };
    const [left, top] = worldToScreen(frame.camera, this.#plane, size, from);
    const [farX, farY] = worldToScreen(frame.camera, this.#plane, size, to);
    const clipX = (x: number) => (2 * x) / size.width - 1;
    const clipY = (y: number) => 1 - (2 * y) / size.height;
    gl.uniform4f(program.at('rectangle'), clipX(left), clipY(top), clipX(farX), clipY(farY));
    gl.uniform2f(program.at('samples'), width, height);
    const pixels = frame.camera.scale * frame.pixelRatio;
    gl.uniform2f(
      program.at('footprint'),
      width / ((to[right] - from[right]) * pixels),
      height / ((to[down] - from[down]) * pixels),
    );
  }

  #extent(layer: Layer): Extent {
    const shape = layerShape(layer);
    const spacing = layerSpacing(layer, this.#model.dims);
    return { from: [0, 0, 0], to: [shape[0] * spacing[0], shape[1] * spacing[1], shape[2] * spacing[2]] };
  }

  #drawImage(gl: WebGL2RenderingContext, frame: PlaneFrame, layer: ImageLayer, bottom: boolean): boolean {
    const index = planeIndex(this.#model, layer, this.#plane);
    if (index === undefined) return false;
    let entry = this.#slices.get(layer);
    if (entry?.layer.kind !== 'image') {
      entry = { layer, slice: new ImageSlice(gl, layer, this.#plane) };
      this.#slices.set(layer, entry);
    }
    const whole = entry.slice as ImageSlice;
    gl.activeTexture(gl.TEXTURE0);
    const slab = this.#slab(layer);
    const part = slab.planes === 1 ? this.#detail(gl, frame, layer, index) : undefined;
    if (!part) whole.show(this.#model.cursor.t, index, slab);
    const slice = part?.slice ?? whole;
    const program = programFor(gl, SLICE_VERTEX, imageFragment(whole.prefix));
    gl.useProgram(program.program);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, slice.texture);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#table(gl, layer.colormap));
    this.#place(gl, program, frame, part?.extent ?? this.#extent(layer), slice);
    const [low, high] = layerWindow(layer);
    gl.uniform1i(program.at('values'), 0);
    gl.uniform1i(program.at('colors'), 1);
    gl.uniform2f(program.at('window'), low, 1 / (high - low || 1));
    gl.uniform1f(program.at('gamma'), layer.gamma);
    gl.uniform1i(program.at('rgb'), layer.volume.rgb ? 1 : 0);
    gl.uniform1i(program.at('smoothly'), layer.interpolation === 'linear' ? 1 : 0);
    // With nothing below there is nothing to add to or to take the minimum with.
    const blending = bottom ? 'translucent' : layer.blending;
    gl.uniform1f(program.at('opacity'), blending === 'opaque' ? 1 : layer.opacity);
    gl.uniform1i(program.at('minimum'), blending === 'minimum' ? 1 : 0);
    gl.blendEquation(blending === 'minimum' ? gl.MIN : gl.FUNC_ADD);
    const kept = blending === 'additive' ? gl.ONE : gl.ONE_MINUS_SRC_ALPHA;
    gl.blendFuncSeparate(gl.SRC_ALPHA, kept, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    return true;
  }

  /** The part on screen at a finer resolution than the one in memory, where there is one and it is worth showing. */
  #detail(gl: WebGL2RenderingContext, frame: PlaneFrame, layer: ImageLayer, index: number) {
    if (!layer.detail) return undefined;
    let slice = this.#details.get(layer);
    if (!slice) {
      slice = new DetailSlice(gl, layer, layer.detail, this.#plane, this.#changed);
      this.#details.set(layer, slice);
    }
    const spacing = layerSpacing(layer, this.#model.dims);
    const size = { width: frame.width / frame.pixelRatio, height: frame.height / frame.pixelRatio };
    const corner = (point: readonly [number, number]) => {
      const world = screenToWorld(frame.camera, this.#plane, size, point, 0);
      return [world[0] / spacing[0], world[1] / spacing[1], world[2] / spacing[2]] as const;
    };
    const shown = slice.show({
      t: Math.min(this.#model.cursor.t, layer.volume.shape[0] - 1),
      index,
      from: corner([0, 0]),
      to: corner([size.width, size.height]),
      pixel: 1 / (frame.camera.scale * frame.pixelRatio * spacing[PLANE_AXES[this.#plane].right]),
    });
    if (!shown) return undefined;
    const scaled = (voxels: Vec3): Vec3 => [
      voxels[0] * spacing[0],
      voxels[1] * spacing[1],
      voxels[2] * spacing[2],
    ];
    return { slice, extent: { from: scaled(shown.from), to: scaled(shown.to) } };
  }

  #drawLabels(gl: WebGL2RenderingContext, frame: PlaneFrame, layer: LabelsLayer): boolean {
    const index = planeIndex(this.#model, layer, this.#plane);
    if (index === undefined) return false;
    let entry = this.#slices.get(layer);
    if (entry?.layer.kind !== 'labels') {
      entry = { layer, slice: new LabelsSlice(gl, layer, this.#plane, this.#changed) };
      this.#slices.set(layer, entry);
    }
    const slice = entry.slice as LabelsSlice;
    gl.activeTexture(gl.TEXTURE0);
    slice.show(index, this.#slab(layer));
    const program = programFor(gl, SLICE_VERTEX, LABELS_FRAGMENT);
    gl.useProgram(program.program);
    gl.bindTexture(gl.TEXTURE_2D, slice.texture);
    this.#place(gl, program, frame, this.#extent(layer), slice);
    gl.uniform1i(program.at('ids'), 0);
    gl.uniform1f(program.at('opacity'), layer.opacity);
    gl.uniform1f(program.at('contour'), layer.contour * frame.pixelRatio);
    gl.uniform1f(program.at('fillOpacity'), layer.fillOpacity);
    gl.uniform1f(program.at('highlight'), HIGHLIGHT * frame.pixelRatio);
    gl.uniform1ui(program.at('seed'), layer.seed >>> 0);
    gl.uniform1ui(program.at('selected'), layer.selected >>> 0);
    gl.uniform1ui(program.at('hovered'), layer.hovered >>> 0);
    gl.uniform1i(program.at('onlySelected'), layer.onlySelected && layer.selected > 0 ? 1 : 0);
    this.#alsoSelected.bind(gl, program, layer.alsoSelected);
    slice.tints.bind(gl, program, layer);
    gl.blendEquation(gl.FUNC_ADD);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.#ratings.bind(gl, program, layer);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    return true;
  }

  /** The slab in planes of a layer, which may lie closer or farther apart than those of the scene. */
  #slab(layer: Layer): Slab {
    const { view, dims } = this.#model;
    const { across } = PLANE_AXES[this.#plane];
    const step = dims.spacing[across] / layerSpacing(layer, dims)[across];
    return {
      planes: view.slab === 1 ? 1 : Math.max(1, Math.round(view.slab * step)),
      projection: view.projection,
    };
  }

  #table(gl: WebGL2RenderingContext, name: Colormap): WebGLTexture {
    const known = this.#tables.get(name);
    if (known) return known;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    const { RGBA8, RGBA, UNSIGNED_BYTE } = gl;
    gl.texImage2D(gl.TEXTURE_2D, 0, RGBA8, COLORMAP_SIZE, 1, 0, RGBA, UNSIGNED_BYTE, colormapTable(name));
    this.#tables.set(name, texture);
    return texture;
  }

  /** Frees all GPU memory. The renderer must have left its window. */
  dispose(): void {
    this.#disposeSlices();
    for (const texture of this.#tables.values()) this.#gl?.deleteTexture(texture);
    this.#tables.clear();
    this.#alsoSelected.dispose();
    this.#ratings.dispose();
    this.#gl?.deleteVertexArray(this.#vertices);
    this.renderer.delete();
  }
}
