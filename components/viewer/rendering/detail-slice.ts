import type { ImageLayer } from '../../../core/layer.ts';
import { extractSlice } from '../../../core/slices.ts';
import {
  fillWindow,
  fittingDetail,
  levelIndex,
  placesOf,
  type Rectangle,
  type Samples,
  samplesOfTiles,
  tileSamples,
  tilesWithin,
  type WindowPlane,
} from '../../../core/tile-window.ts';
import type { ImageDetail, TilePlace } from '../../../core/tiled-image.ts';
import { allocate, channelView, type VolumeData } from '../../../core/volume.ts';
import { layerShape, PLANE_AXES, type Plane, type Vec3 } from '../plane.ts';
import { createTexture, FORMATS, type ImageTexture } from './slice-textures.ts';

/** What is on screen; places are voxels of the layer's volume. */
interface View {
  t: number;
  /** Plane of the volume. */
  index: number;
  from: Vec3;
  to: Vec3;
  /** Size of a device pixel. */
  pixel: number;
}

/** A part of the scene that a texture shows, in voxels of the layer's volume. */
interface Part {
  from: Vec3;
  to: Vec3;
}

/** Samples to a side that a window may have at most. */
const LARGEST_WINDOW = 8192;

/**
 * The part of a plane that is on screen at the resolution that fits the zoom: a texture of whole tiles of one level.
 * Until a tile has come its place is filled from coarser ones.
 */
export class DetailSlice implements ImageTexture {
  readonly texture: WebGLTexture;
  readonly #gl: WebGL2RenderingContext;
  readonly #layer: ImageLayer;
  readonly #image: ImageDetail;
  readonly #plane: Plane;
  readonly #changed: () => void;
  width = 0;
  height = 0;
  uploads = 0;
  #key = '';
  /** Tiles that the texture spans. */
  #tiles: Rectangle = [0, 0, 0, 0];
  /** Places whose own samples the texture lacks. */
  #lacking = new Map<string, TilePlace>();
  #scratch: VolumeData | undefined;
  readonly #onTile = (event: Event) => {
    if (this.#lacking.has(nameOf((event as CustomEvent<TilePlace>).detail))) this.#changed();
  };

  constructor(
    gl: WebGL2RenderingContext,
    layer: ImageLayer,
    image: ImageDetail,
    plane: Plane,
    changed: () => void,
  ) {
    this.#gl = gl;
    this.#layer = layer;
    this.#image = image;
    this.#plane = plane;
    this.#changed = changed;
    this.texture = createTexture(gl, gl.TEXTURE_2D_ARRAY);
    image.addEventListener('tile', this.#onTile);
  }

  /** Brings the texture up to date. @returns what it shows; undefined where the volume itself is fine enough */
  show(view: View): Part | undefined {
    const image = this.#image;
    const axes = PLANE_AXES[this.#plane];
    const found = this.#levelFor(view);
    if (!found) {
      this.rest();
      return undefined;
    }
    const { level, tiles, grid } = found;
    const plane: WindowPlane = {
      axes,
      t: view.t,
      c: image.depth === 3 ? 0 : Math.min(this.#layer.channel, this.#layer.volume.shape[1] - 1),
      depth: view.index + 0.5,
    };
    const key = [level, plane.t, plane.c, levelIndex(image, level, plane)].join(' ');
    const [x0, y0, x1, y1] = this.#tiles;
    const holds = x0 <= tiles[0] && y0 <= tiles[1] && x1 >= tiles[2] && y1 >= tiles[3];
    if (key !== this.#key || !holds) {
      this.#key = key;
      this.#tiles = tiles;
      this.#fill(level, plane, view.index, samplesOfTiles(grid, tiles));
    } else {
      this.#addArrived(samplesOfTiles(grid, this.#tiles));
    }
    image.want(this, placesOf(image, level, plane, tiles));
    const voxel = image.voxel(level);
    const rectangle = samplesOfTiles(grid, this.#tiles);
    const corner = (x: number, y: number): Vec3 => {
      const place: [number, number, number] = [0, 0, 0];
      place[axes.right] = x * voxel[axes.right];
      place[axes.down] = y * voxel[axes.down];
      return place;
    };
    return { from: corner(rectangle[0], rectangle[1]), to: corner(rectangle[2], rectangle[3]) };
  }

  /** Asks for nothing any longer; the texture is kept. */
  rest(): void {
    this.#image.want(this, []);
  }

  /** The level to show and its tiles on screen: a coarser one where the window would grow too large. */
  #levelFor(view: View) {
    const image = this.#image;
    const axes = PLANE_AXES[this.#plane];
    for (let level = fittingDetail(image, axes, view.pixel); level < image.overview; level++) {
      const grid = image.grid(level, axes);
      if (!grid) continue;
      const voxel = image.voxel(level);
      const along = (place: Vec3, axis: 0 | 1 | 2) => place[axis] / voxel[axis];
      const tiles = tilesWithin(grid, [
        along(view.from, axes.right),
        along(view.from, axes.down),
        along(view.to, axes.right),
        along(view.to, axes.down),
      ]);
      const [x0, y0, x1, y1] = samplesOfTiles(grid, tiles);
      if (x1 <= x0 || y1 <= y0) return undefined;
      if (x1 - x0 <= LARGEST_WINDOW && y1 - y0 <= LARGEST_WINDOW) return { level, tiles, grid };
    }
    return undefined;
  }

  #fill(level: number, plane: WindowPlane, index: number, rectangle: Rectangle): void {
    this.uploads++;
    const gl = this.#gl;
    const image = this.#image;
    const { internal, format, type } = FORMATS[image.dtype];
    const [width, height] = [rectangle[2] - rectangle[0], rectangle[3] - rectangle[1]];
    const length = width * height * image.depth;
    if (this.#scratch?.length !== length) this.#scratch = allocate(image.dtype, length);
    const voxel = image.voxel(level);
    const { right, down } = plane.axes;
    const target: Samples = { data: this.#scratch, rectangle, voxel: [voxel[right], voxel[down]] };
    const there = fillWindow(image, plane, level, target, this.#overview(plane, index));
    this.#lacking = new Map(
      placesOf(image, level, plane, this.#tiles).map((place) => [nameOf(place), place]),
    );
    for (const place of there) this.#lacking.delete(nameOf(place));
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    const pixels = shown(this.#scratch);
    if (width === this.width && height === this.height) {
      gl.texSubImage3D(
        gl.TEXTURE_2D_ARRAY,
        0,
        0,
        0,
        0,
        width,
        height,
        image.depth,
        gl[format],
        gl[type],
        pixels,
      );
      return;
    }
    this.width = width;
    this.height = height;
    const target3d = gl.TEXTURE_2D_ARRAY;
    gl.texImage3D(target3d, 0, gl[internal], width, height, image.depth, 0, gl[format], gl[type], pixels);
  }

  /** Uploads the tiles that have come since the window was filled. */
  #addArrived(rectangle: Rectangle): void {
    const gl = this.#gl;
    const { format, type } = FORMATS[this.#image.dtype];
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    for (const [name, place] of this.#lacking) {
      const tile = tileSamples(this.#image, place);
      if (!tile) continue;
      this.#lacking.delete(name);
      this.uploads++;
      const [x0, y0, x1, y1] = tile.rectangle;
      const at = [x0 - rectangle[0], y0 - rectangle[1], 0, x1 - x0, y1 - y0, this.#image.depth] as const;
      gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, ...at, gl[format], gl[type], shown(tile.data));
    }
  }

  /** The plane of the volume in memory. */
  #overview({ axes, t, c }: WindowPlane, index: number): Samples {
    const { volume } = this.#layer;
    const shape = layerShape(this.#layer);
    const planes = Array.from({ length: this.#image.depth }, (_, channel) =>
      extractSlice(channelView(volume, t, c + channel), shape, axes.right, axes.down, index),
    );
    const { width, height } = planes[0];
    const rectangle: Rectangle = [0, 0, width, height];
    if (planes.length === 1) return { data: planes[0].data, rectangle, voxel: [1, 1] };
    const data = allocate(volume.dtype, width * height * planes.length);
    planes.forEach((plane, channel) => {
      data.set(plane.data as never, channel * width * height);
    });
    return { data, rectangle, voxel: [1, 1] };
  }

  dispose(): void {
    this.rest();
    this.#image.removeEventListener('tile', this.#onTile);
    this.#gl.deleteTexture(this.texture);
  }
}

/** There are no double textures. */
function shown(samples: VolumeData): VolumeData {
  return samples instanceof Float64Array ? Float32Array.from(samples) : samples;
}

function nameOf({ level, t, c, index, column, row }: TilePlace): string {
  return [level, t, c, index, column, row].join(' ');
}
