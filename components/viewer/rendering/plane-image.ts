import { colormapRamp } from '../../../core/colormaps.ts';
import { layerWindow } from '../../../core/contrast.ts';
import type { ImageLayer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import { layerSpacing, PLANE_AXES, planeIndex, type Vec3 } from '../plane.ts';
import { screenToWorld } from '../plane-camera.ts';
import { ColorTable } from './color-table.ts';
import { DetailSlice } from './detail-slice.ts';
import { type GlProgram, programFor } from './gl-program.ts';
import type { PlaneFrame } from './painter.ts';
import { type Extent, footprintOf, layerExtent, place, slabOf } from './plane-placement.ts';
import { ReducedPicture, type Reduction, reductionFor, samplesPerPixel } from './reduced-picture.ts';
import { type ImageShading, imageFragment, pictureFragment, SLICE_VERTEX } from './slice-shaders.ts';
import { ImageSlice, type ImageTexture } from './slice-textures.ts';

/** Draws one plane of an image layer. */
export class PlaneImage {
  readonly #gl: WebGL2RenderingContext;
  readonly #layer: ImageLayer;
  readonly #changed: () => void;
  readonly #colors: ColorTable;
  readonly #reduced: ReducedPicture;
  #whole: ImageSlice | undefined;
  #detail: DetailSlice | undefined;

  /** @param changed called when something finer can be drawn */
  constructor(gl: WebGL2RenderingContext, layer: ImageLayer, changed: () => void) {
    this.#gl = gl;
    this.#layer = layer;
    this.#changed = changed;
    this.#colors = new ColorTable(gl, layer);
    this.#reduced = new ReducedPicture(gl);
  }

  /**
   * @param bottom whether nothing has been drawn below
   * @returns whether the layer has this plane
   */
  draw(model: ViewerModel, frame: PlaneFrame, bottom: boolean): boolean {
    const layer = this.#layer;
    const gl = this.#gl;
    const index = planeIndex(model, layer, frame.plane);
    if (index === undefined) return false;
    gl.activeTexture(gl.TEXTURE0);
    const slab = slabOf(model, layer, frame.plane);
    const part = slab.planes === 1 ? this.#finer(model, frame, index) : undefined;
    this.#whole ??= new ImageSlice(gl, layer, frame.plane);
    if (!part) this.#whole.show(model.cursor.t, index, slab);
    const slice = part?.slice ?? this.#whole;
    const extent = part?.extent ?? layerExtent(model, layer);

    // With nothing below there is nothing to add to or to take the minimum with.
    const blending = bottom ? 'translucent' : layer.blending;
    const minimum = blending === 'minimum';
    const footprint = footprintOf(frame, extent, slice);
    const reduction = reductionFor(slice, footprint, frame.width * frame.height);
    const program = reduction
      ? this.#useReduced(slice, reduction, minimum)
      : this.#useSamples(slice, this.#sampling(footprint), minimum);
    place(gl, program, frame, extent, slice);
    gl.uniform1f(program.at('opacity'), blending === 'opaque' ? 1 : layer.opacity);
    gl.blendEquation(minimum ? gl.MIN : gl.FUNC_ADD);
    const kept = blending === 'additive' ? gl.ONE : gl.ONE_MINUS_SRC_ALPHA;
    gl.blendFuncSeparate(gl.SRC_ALPHA, kept, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    return true;
  }

  #sampling(footprint: readonly [number, number]): ImageShading['sampling'] {
    const samples = samplesPerPixel(footprint);
    return samples[0] * samples[1] > 1 ? samples : this.#layer.interpolation;
  }

  /** A program that shows a slice from its samples, in use and with all but its place. */
  #useSamples(slice: ImageTexture, sampling: ImageShading['sampling'], minimum: boolean): GlProgram {
    const gl = this.#gl;
    const layer = this.#layer;
    const { prefix } = this.#whole as ImageSlice;
    const ramp = layer.gamma === 1 ? colormapRamp(layer.colormap) : undefined;
    const colors = layer.volume.rgb ? 'rgb' : ramp ? 'ramp' : 'table';
    const program = programFor(gl, SLICE_VERTEX, imageFragment({ prefix, sampling, colors, minimum }));
    gl.useProgram(program.program);
    if (colors === 'table') {
      gl.activeTexture(gl.TEXTURE1);
      this.#colors.bind();
      gl.uniform1i(program.at('colors'), 1);
    } else if (ramp) {
      const [from, to] = ramp;
      gl.uniform3f(program.at('lowColor'), from[0] / 255, from[1] / 255, from[2] / 255);
      gl.uniform3f(program.at('highColor'), to[0] / 255, to[1] / 255, to[2] / 255);
    }
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, slice.texture);
    const [low, high] = layerWindow(layer);
    gl.uniform1i(program.at('values'), 0);
    gl.uniform2f(program.at('window'), low, 1 / (high - low || 1));
    gl.uniform1f(program.at('gamma'), layer.gamma);
    return program;
  }

  /** The same from a reduced picture of the slice, which is made if it is not there. */
  #useReduced(slice: ImageTexture, reduction: Reduction, minimum: boolean): GlProgram {
    const gl = this.#gl;
    const { colormap, gamma } = this.#layer;
    const { width, height, step, samples } = reduction;
    const spanned = [width * step[0], height * step[1]] as const;
    const source = `${slice === this.#whole ? 'whole' : 'part'} ${slice.uploads} ${slice.width} ${slice.height}`;
    const key = [source, step, layerWindow(this.#layer), colormap, gamma].join(' ');
    const picture = this.#reduced.show(key, reduction, () => {
      const program = this.#useSamples(slice, samples[0] * samples[1] > 1 ? samples : 'nearest', false);
      gl.uniform4f(program.at('rectangle'), -1, -1, 1, 1);
      gl.uniform2f(program.at('samples'), ...spanned);
      gl.uniform2f(program.at('footprint'), ...step);
      gl.uniform1f(program.at('opacity'), 1);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    });
    const program = programFor(gl, SLICE_VERTEX, pictureFragment(minimum));
    gl.useProgram(program.program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, picture);
    gl.uniform1i(program.at('picture'), 0);
    gl.uniform2f(program.at('spanned'), ...spanned);
    return program;
  }

  /** The part on screen at a finer resolution than the one in memory, where there is one and it is worth showing. */
  #finer(model: ViewerModel, frame: PlaneFrame, index: number) {
    const layer = this.#layer;
    if (!layer.detail) return undefined;
    this.#detail ??= new DetailSlice(this.#gl, layer, layer.detail, frame.plane, this.#changed);
    const slice = this.#detail;
    const spacing = layerSpacing(layer, model.dims);
    const size = { width: frame.width / frame.pixelRatio, height: frame.height / frame.pixelRatio };
    const corner = (point: readonly [number, number]) => {
      const world = screenToWorld(frame.camera, frame.plane, size, point, 0);
      return [world[0] / spacing[0], world[1] / spacing[1], world[2] / spacing[2]] as const;
    };
    const shown = slice.show({
      t: Math.min(model.cursor.t, layer.volume.shape[0] - 1),
      index,
      from: corner([0, 0]),
      to: corner([size.width, size.height]),
      pixel: 1 / (frame.camera.scale * frame.pixelRatio * spacing[PLANE_AXES[frame.plane].right]),
    });
    if (!shown) return undefined;
    const scaled = (voxels: Vec3): Vec3 => [
      voxels[0] * spacing[0],
      voxels[1] * spacing[1],
      voxels[2] * spacing[2],
    ];
    return { slice, extent: { from: scaled(shown.from), to: scaled(shown.to) } satisfies Extent };
  }

  /** What is not shown is not to be read. */
  rest(): void {
    this.#detail?.rest();
  }

  dispose(): void {
    this.#whole?.dispose();
    this.#detail?.dispose();
    this.#colors.dispose();
    this.#reduced.dispose();
  }
}
