import { COLORMAP_SIZE, colormapTable } from '../../../core/colormaps.ts';
import { layerWindow } from '../../../core/contrast.ts';
import { displayBytes, fittingFactors, labelBytes, reducedShape } from '../../../core/display-volume.ts';
import type { ImageLayer, LabelsLayer, Layer } from '../../../core/layer.ts';
import type { ViewerModel } from '../../../core/viewer-model.ts';
import { channelView } from '../../../core/volume.ts';
import { layerShape, layerSpacing } from '../plane.ts';
import { newColors, newImageData, newOpacities, newSamples, newVolume, newVolumeMapper } from './vtk.ts';

/** Voxels of a 3D picture: more is not seen on a screen and costs memory on the device. */
const IMAGE_VOXELS = 2 ** 25;
const LABEL_VOXELS = 2 ** 24;
/** Largest side of a 3D texture that every WebGL 2 device has. */
const LARGEST_SIDE = 2048;

/** What both kinds of layers share: a vtk.js volume over bytes that fit the device. */
abstract class LayerVolumeBase<L extends Layer> {
  readonly actor = newVolume();
  protected readonly layer: L;
  protected readonly mapper = newVolumeMapper();
  protected readonly image = newImageData();
  protected readonly colors = newColors();
  protected readonly opacities = newOpacities();
  #samplesKey = '';
  #lookKey = '';
  #step = 1;

  constructor(layer: L) {
    this.layer = layer;
    this.mapper.setInputData(this.image);
    this.mapper.setAutoAdjustSampleDistances(false);
    this.mapper.setImageSampleDistance(1);
    this.mapper.setMaximumSamplesPerRay(4000);
    this.actor.setMapper(this.mapper);
    const property = this.actor.getProperty();
    property.setRGBTransferFunction(0, this.colors);
    property.setScalarOpacity(0, this.opacities);
    property.setInterpolationTypeToLinear();
  }

  /** Brings samples and looks up to date. @returns whether anything had to be done */
  update(model: ViewerModel): boolean {
    const spacing = layerSpacing(this.layer, model.dims);
    const samplesKey = this.samplesKey(model);
    const lookKey = `${this.lookKey()} ${spacing.join(' ')}`;
    let changed = false;
    if (samplesKey !== this.#samplesKey) {
      this.#samplesKey = samplesKey;
      this.#setSamples(model);
      changed = true;
    }
    if (changed || lookKey !== this.#lookKey) {
      this.#lookKey = lookKey;
      const { factors } = this.size(model);
      const voxel = [2, 1, 0].map((axis) => spacing[axis] * factors[axis]) as [number, number, number];
      this.image.setSpacing(voxel);
      this.image.setOrigin(voxel.map((length) => length / 2) as [number, number, number]);
      const step = Math.min(...voxel);
      this.#step = step;
      this.applyLook(step);
      changed = true;
    }
    return changed;
  }

  /** Longer steps along each ray for pictures that are drawn at few pixels anyway. */
  setCoarse(coarse: boolean): void {
    this.mapper.setSampleDistance(this.#step * (coarse ? 1.3 : 0.7));
  }

  protected size(model: ViewerModel) {
    const shape = layerShape(this.layer);
    const spacing = layerSpacing(this.layer, model.dims);
    const voxels = this.layer.kind === 'image' ? IMAGE_VOXELS : LABEL_VOXELS;
    const factors = fittingFactors(shape, spacing, voxels, LARGEST_SIDE);
    return { shape, factors, reduced: reducedShape(shape, factors) };
  }

  #setSamples(model: ViewerModel): void {
    const { reduced } = this.size(model);
    const values = this.samples(model);
    const voxels = reduced[0] * reduced[1] * reduced[2];
    this.image.setDimensions(reduced[2], reduced[1], reduced[0]);
    this.image.getPointData().setScalars(newSamples(values, values.length / voxels));
    this.image.modified();
  }

  protected abstract samplesKey(model: ViewerModel): string;
  protected abstract lookKey(): string;
  protected abstract samples(model: ViewerModel): Uint8Array;
  /** @param step smallest side of a voxel, physical units */
  protected abstract applyLook(step: number): void;

  dispose(): void {
    this.actor.delete();
    this.mapper.delete();
    this.image.delete();
    this.colors.delete();
    this.opacities.delete();
  }
}

/** An image channel; its bytes carry window and gamma, so that 8 bits are enough for what is seen. */
export class ImageVolume extends LayerVolumeBase<ImageLayer> {
  get #window(): readonly [number, number] {
    return layerWindow(this.layer);
  }

  protected override samplesKey({ cursor }: ViewerModel): string {
    const { volume, channel, gamma } = this.layer;
    return [
      Math.min(cursor.t, volume.shape[0] - 1),
      volume.rgb ? 'rgb' : channel,
      gamma,
      ...this.#window,
    ].join(' ');
  }
  protected override lookKey(): string {
    const { colormap, opacity, rendering, isoLevel } = this.layer;
    return [colormap, opacity, rendering, isoLevel].join(' ');
  }

  protected override samples(model: ViewerModel): Uint8Array {
    const { volume, channel, gamma } = this.layer;
    const { shape, factors, reduced } = this.size(model);
    const t = Math.min(model.cursor.t, volume.shape[0] - 1);
    if (!volume.rgb) {
      const c = Math.min(channel, volume.shape[1] - 1);
      return displayBytes(channelView(volume, t, c), shape, factors, this.#window, gamma);
    }
    const target = new Uint8Array(reduced[0] * reduced[1] * reduced[2] * 4);
    for (const offset of [0, 1, 2]) {
      const options = { target, stride: 4, offset };
      displayBytes(channelView(volume, t, offset), shape, factors, this.#window, gamma, options);
    }
    for (let i = 0; i < target.length; i += 4)
      target[i + 3] = Math.max(target[i], target[i + 1], target[i + 2]);
    return target;
  }

  protected override applyLook(step: number): void {
    const { colormap, opacity, rendering, volume } = this.layer;
    const property = this.actor.getProperty();
    property.setIndependentComponents(!volume.rgb);
    this.#setColors(volume.rgb ? 'gray' : colormap);
    this.opacities.removeAllPoints();
    const shaded = rendering === 'iso';
    property.setShade(shaded);
    property.setAmbient(shaded ? 0.25 : 1);
    property.setDiffuse(shaded ? 0.75 : 0);
    property.setSpecular(shaded ? 0.2 : 0);
    property.setScalarOpacityUnitDistance(0, step);
    if (rendering === 'mip') {
      this.mapper.setBlendModeToMaximumIntensity();
      this.#setAlpha((alpha) => alpha * opacity);
      return;
    }
    this.mapper.setBlendModeToComposite();
    if (rendering === 'iso') {
      // A steep ramp about the level instead of a jump: the surface stays smooth.
      const level = Math.min(Math.max(255 * this.layer.isoLevel, 14), 241);
      this.opacities.addPoint(0, 0);
      this.opacities.addPoint(level - 12, 0);
      this.opacities.addPoint(level + 12, opacity);
      this.opacities.addPoint(255, opacity);
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
    this.colors.removeAllPoints();
    for (let i = 0; i < COLORMAP_SIZE; i += 5) {
      const [r, g, b] = table.subarray(i * 4, i * 4 + 3);
      const strength = Math.max(r, g, b, 1);
      // The darkest colours take the hue of the first that has one.
      const from = strength < 4 ? table.subarray(20 * 4, 20 * 4 + 3) : [r, g, b];
      const full = Math.max(...from, 1);
      this.colors.addRGBPoint(i, from[0] / full, from[1] / full, from[2] / full);
    }
  }

  #setAlpha(curve: (alpha: number) => number): void {
    const table = colormapTable(this.layer.volume.rgb ? 'gray' : this.layer.colormap);
    for (let i = 0; i < COLORMAP_SIZE; i += 5) {
      const alpha = Math.max(table[i * 4], table[i * 4 + 1], table[i * 4 + 2]) / 255;
      // The lowest colours of viridis and the like are ground, not signal.
      this.opacities.addPoint(i, curve(Math.min(alpha, i / 100 + alpha * (i / 255))));
    }
  }
}

/** Labels as shaded bodies in their own colours. */
export class LabelsVolume extends LayerVolumeBase<LabelsLayer> {
  protected override samplesKey(): string {
    const { labels, seed, selected } = this.layer;
    return [labels.revision, seed, selected].join(' ');
  }
  protected override lookKey(): string {
    return String(this.layer.opacity);
  }

  protected override samples(model: ViewerModel): Uint8Array {
    const { labels, seed, selected } = this.layer;
    const { shape, factors } = this.size(model);
    return labelBytes(labels.data, shape, factors, { seed, selected });
  }

  protected override applyLook(step: number): void {
    const property = this.actor.getProperty();
    this.mapper.setBlendModeToComposite();
    property.setIndependentComponents(false);
    property.setShade(true);
    property.setAmbient(0.3);
    property.setDiffuse(0.8);
    property.setSpecular(0.15);
    property.setSpecularPower(12);
    property.setScalarOpacityUnitDistance(0, step);
    this.colors.removeAllPoints();
    this.colors.addRGBPoint(0, 0, 0, 0);
    this.colors.addRGBPoint(255, 1, 1, 1);
    this.opacities.removeAllPoints();
    this.opacities.addPoint(0, 0);
    this.opacities.addPoint(90, 0);
    this.opacities.addPoint(160, this.layer.opacity);
    this.opacities.addPoint(255, this.layer.opacity);
  }
}
