import { COLORMAP_SIZE, colormapTable } from '../../../core/colormaps.ts';
import { layerWindow } from '../../../core/contrast.ts';
import { displayBytes, fittingFactors, reducedShape, VOLUME_LIMITS } from '../../../core/display-volume.ts';
import type { ImageLayer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import { channelView } from '../../../core/volume.ts';
import { layerShape, layerSpacing } from '../plane.ts';
import {
  newColors,
  newImageData,
  newOpacities,
  newPlane,
  newSamples,
  newVolume,
  newVolumeMapper,
} from './vtk.ts';

/**
 * An image channel as a vtk.js volume over bytes that fit the device. The bytes carry window and gamma, so that 8 bits
 * are enough for what is seen.
 */
export class ImageVolume {
  readonly actor = newVolume();
  readonly #layer: ImageLayer;
  readonly #mapper = newVolumeMapper();
  readonly #image = newImageData();
  readonly #colors = newColors();
  readonly #opacities = newOpacities();
  #samplesKey = '';
  #lookKey = '';
  #cropKey = '';
  #step = 1;

  constructor(layer: ImageLayer) {
    this.#layer = layer;
    this.#mapper.setInputData(this.#image);
    this.#mapper.setAutoAdjustSampleDistances(false);
    this.#mapper.setImageSampleDistance(1);
    this.#mapper.setMaximumSamplesPerRay(4000);
    this.actor.setMapper(this.#mapper);
    const property = this.actor.getProperty();
    property.setRGBTransferFunction(0, this.#colors);
    property.setScalarOpacity(0, this.#opacities);
    property.setInterpolationTypeToLinear();
  }

  /** Brings samples and looks up to date. @returns whether anything had to be done */
  update(model: ViewerModel): boolean {
    const spacing = layerSpacing(this.#layer, model.dims);
    const samplesKey = this.#keyOfSamples(model);
    const { colormap, opacity, rendering, isoLevel } = this.#layer;
    const lookKey = [colormap, opacity, rendering, isoLevel, ...spacing].join(' ');
    let changed = this.#clip(model);
    if (samplesKey !== this.#samplesKey) {
      this.#samplesKey = samplesKey;
      this.#setSamples(model);
      this.#lookKey = '';
    }
    if (lookKey !== this.#lookKey) {
      this.#lookKey = lookKey;
      const { factors } = this.#size(model);
      const voxel = [2, 1, 0].map((axis) => spacing[axis] * factors[axis]) as [number, number, number];
      this.#image.setSpacing(voxel);
      this.#image.setOrigin(voxel.map((length) => length / 2) as [number, number, number]);
      this.#step = Math.min(...voxel);
      this.#applyLook();
      changed = true;
    }
    return changed;
  }

  /** Longer steps along each ray for pictures that are drawn at few pixels anyway. */
  setCoarse(coarse: boolean): void {
    this.#mapper.setSampleDistance(this.#step * (coarse ? 1.3 : 0.7));
  }

  /** Cuts away what lies outside the crop box. */
  #clip({ view, dims }: ViewerModel): boolean {
    const key = view.crop ? [...view.crop, ...dims.spacing].join(' ') : '';
    if (key === this.#cropKey) return false;
    this.#cropKey = key;
    this.#mapper.removeAllClippingPlanes();
    if (!view.crop) return true;
    for (const axis of [0, 1, 2] as const) {
      for (const end of [0, 3] as const) {
        const at: [number, number, number] = [0, 0, 0];
        at[2 - axis] = view.crop[axis + end] * dims.spacing[axis];
        const inwards: [number, number, number] = [0, 0, 0];
        inwards[2 - axis] = end === 0 ? 1 : -1;
        this.#mapper.addClippingPlane(newPlane(at, inwards));
      }
    }
    return true;
  }

  #size(model: ViewerModel) {
    const shape = layerShape(this.#layer);
    const spacing = layerSpacing(this.#layer, model.dims);
    const factors = fittingFactors(shape, spacing, VOLUME_LIMITS.imageVoxels, VOLUME_LIMITS.side);
    return { shape, factors, reduced: reducedShape(shape, factors) };
  }

  #setSamples(model: ViewerModel): void {
    const { reduced } = this.#size(model);
    const values = this.#samples(model);
    const voxels = reduced[0] * reduced[1] * reduced[2];
    this.#image.setDimensions(reduced[2], reduced[1], reduced[0]);
    this.#image.getPointData().setScalars(newSamples(values, values.length / voxels));
    this.#image.modified();
  }

  #keyOfSamples({ cursor }: ViewerModel): string {
    const { volume, channel, gamma } = this.#layer;
    const t = Math.min(cursor.t, volume.shape[0] - 1);
    return [t, volume.rgb ? 'rgb' : channel, gamma, ...layerWindow(this.#layer)].join(' ');
  }

  #samples(model: ViewerModel): Uint8Array {
    const { volume, channel, gamma } = this.#layer;
    const { shape, factors, reduced } = this.#size(model);
    const t = Math.min(model.cursor.t, volume.shape[0] - 1);
    if (!volume.rgb) {
      const c = Math.min(channel, volume.shape[1] - 1);
      return displayBytes(channelView(volume, t, c), shape, factors, layerWindow(this.#layer), gamma);
    }
    const target = new Uint8Array(reduced[0] * reduced[1] * reduced[2] * 4);
    for (const offset of [0, 1, 2]) {
      const options = { target, stride: 4, offset };
      displayBytes(channelView(volume, t, offset), shape, factors, layerWindow(this.#layer), gamma, options);
    }
    for (let i = 0; i < target.length; i += 4)
      target[i + 3] = Math.max(target[i], target[i + 1], target[i + 2]);
    return target;
  }

  #applyLook(): void {
    const { colormap, opacity, rendering, volume } = this.#layer;
    const property = this.actor.getProperty();
    property.setIndependentComponents(!volume.rgb);
    this.#setColors(volume.rgb ? 'gray' : colormap);
    this.#opacities.removeAllPoints();
    const shaded = rendering === 'iso';
    property.setShade(shaded);
    property.setAmbient(shaded ? 0.25 : 1);
    property.setDiffuse(shaded ? 0.75 : 0);
    property.setSpecular(shaded ? 0.2 : 0);
    property.setScalarOpacityUnitDistance(0, this.#step);
    if (rendering === 'mip') {
      this.#mapper.setBlendModeToMaximumIntensity();
      this.#setAlpha((alpha) => alpha * opacity);
      return;
    }
    this.#mapper.setBlendModeToComposite();
    if (rendering === 'iso') {
      // A steep ramp about the level instead of a jump: the surface stays smooth.
      const level = Math.min(Math.max(255 * this.#layer.isoLevel, 14), 241);
      this.#opacities.addPoint(0, 0);
      this.#opacities.addPoint(level - 12, 0);
      this.#opacities.addPoint(level + 12, opacity);
      this.#opacities.addPoint(255, opacity);
    } else if (rendering === 'attenuated-mip') {
      // Bright voxels hide what lies behind them, dim ones hardly: depth in a picture like a MIP.
      this.#setAlpha((alpha) => alpha ** 2.5 * 0.35 * opacity);
    } else {
      this.#setAlpha((alpha) => alpha ** 1.5 * 0.08 * opacity);
    }
  }

  /**
   * Colours at full strength; how bright a voxel is goes into its alpha. Over black this is the colour table
   * itself, and channels drawn after one another mix instead of hiding each other.
   */
  #setColors(colormap: ImageLayer['colormap']): void {
    const table = colormapTable(colormap);
    this.#colors.removeAllPoints();
    for (let i = 0; i < COLORMAP_SIZE; i += 5) {
      const [r, g, b] = table.subarray(i * 4, i * 4 + 3);
      const strength = Math.max(r, g, b, 1);
      // The darkest colours take the hue of the first that has one.
      const from = strength < 4 ? table.subarray(20 * 4, 20 * 4 + 3) : [r, g, b];
      const full = Math.max(...from, 1);
      this.#colors.addRGBPoint(i, from[0] / full, from[1] / full, from[2] / full);
    }
  }

  #setAlpha(curve: (alpha: number) => number): void {
    const table = colormapTable(this.#layer.volume.rgb ? 'gray' : this.#layer.colormap);
    for (let i = 0; i < COLORMAP_SIZE; i += 5) {
      const alpha = Math.max(table[i * 4], table[i * 4 + 1], table[i * 4 + 2]) / 255;
      // The lowest colours of viridis and the like are ground, not signal.
      this.#opacities.addPoint(i, curve(Math.min(alpha, i / 100 + alpha * (i / 255))));
    }
  }

  dispose(): void {
    this.actor.delete();
    this.#mapper.delete();
    this.#image.delete();
    this.#colors.delete();
    this.#opacities.delete();
  }
}
