import { property } from 'lit/decorators.js';
import { CytoError } from '../../core/errors.ts';
import {
  BLENDINGS,
  COLORMAPS,
  type Contrast,
  type ImageLayer,
  type ImageLayerSettings,
  INTERPOLATIONS,
  RENDERINGS,
} from '../../core/layer.ts';
import { createVolume, type Volume, type VolumeOptions } from '../../core/volume.ts';
import { LayerElement, type LayerHost, stated } from '../viewer/layer-element.ts';
import { layersOfVolume } from '../viewer/layers-of-volume.ts';
import type { ReadImage } from '../viewer/read-image.ts';

/**
 * An image inside a `<cyto-viewer>`: one layer per channel, or the one named by `channel`.
 * Attributes are initial and host-set values; what the user changes lives in the viewer's model.
 *
 * @tag cyto-image
 * @attr {boolean} hidden - Whether the image is hidden.
 * @fires load - The image is in the viewer; `detail.layerIds`.
 * @fires error - It could not be loaded or an attribute has no such value; `detail.kind`, `detail.message`.
 */
export class CytoImage extends LayerElement {
  /** Samples instead of a file: a Volume, or `{data, shape, …}` with a typed array and a shape of 2 to 5 axes in the order t, c, z, y, x. */
  @property({ attribute: false }) accessor data: Volume | VolumeOptions | undefined;
  /** Index of the one channel to show, counted from 0; absent shows all. */
  @property({ type: Number }) accessor channel: number | undefined;
  /** gray, gray-inverted, green, magenta, cyan, yellow, red, blue, bop-blue, bop-orange, bop-purple, viridis, cividis, magma, plasma, inferno or turbo. */
  @property() accessor colormap: string | undefined;
  /** Display window in sample values, `"low high"`, or `"auto"` for the 0.5 to 99.5 percentiles. */
  @property() accessor contrast: string | Contrast | undefined;
  /** Exponent of the display curve; below 1 brightens. */
  @property({ type: Number }) accessor gamma: number | undefined;
  /** How the layer is laid over those below: translucent, additive, minimum or opaque. */
  @property() accessor blending: string | undefined;
  /** How planes magnify samples: nearest (crisp squares) or linear (smoothly). */
  @property() accessor interpolation: string | undefined;
  /** How the 3D view draws it: mip, attenuated-mip, translucent or iso. */
  @property() accessor rendering: string | undefined;
  /** Where in the display window the surface of the rendering `iso` lies, 0…1. */
  @property({ type: Number, attribute: 'iso-level' }) accessor isoLevel: number | undefined;

  protected override readonly contentProperties = ['src', 'data', 'channel'];

  protected override hasContent(): boolean {
    return this.data !== undefined || Boolean(this.src);
  }

  protected override settings(): Partial<ImageLayerSettings> {
    return stated<ImageLayerSettings>({
      name: this.name,
      visible: this.hasAttribute('hidden') ? false : undefined,
      opacity: this.opacity,
      channel: undefined,
      colormap: this.oneOf('colormap', this.colormap, COLORMAPS),
      contrast: this.#contrast(),
      gamma: this.gamma,
      blending: this.oneOf('blending', this.blending, BLENDINGS),
      clipped: undefined,
      interpolation: this.oneOf('interpolation', this.interpolation, INTERPOLATIONS),
      rendering: this.oneOf('rendering', this.rendering, RENDERINGS),
      isoLevel: this.isoLevel,
    });
  }

  protected override async makeLayers(
    host: LayerHost,
    id: string,
    signal: AbortSignal,
  ): Promise<ImageLayer[]> {
    const { volume, detail }: ReadImage = this.data
      ? { volume: asVolume(this.data) }
      : await host.readImage(this.src ?? '', { signal });
    const channels = volume.shape[1];
    if (this.channel !== undefined && !(this.channel >= 0 && this.channel < channels)) {
      throw new CytoError(
        'bad-input',
        `There is no channel ${this.channel} in "${volume.name}", which has ${channels} (counted from 0).`,
      );
    }
    return layersOfVolume(volume, id, { channel: this.channel, settings: this.settings(), detail });
  }

  #contrast(): Contrast | undefined {
    const { contrast } = this;
    if (contrast === undefined || contrast === 'auto') return contrast;
    const window =
      typeof contrast === 'string'
        ? contrast
            .trim()
            .split(/[\s,]+/)
            .map(Number)
        : contrast;
    if (window.length === 2 && window.every(Number.isFinite) && window[0] !== window[1]) {
      return [window[0], window[1]];
    }
    this.reportError(
      new CytoError('bad-input', `<${this.localName} contrast="${contrast}">: write "auto" or "low high".`),
    );
    return undefined;
  }
}

function asVolume(data: Volume | VolumeOptions): Volume {
  return 'dtype' in data && data.shape.length === 5 ? (data as Volume) : createVolume(data);
}

declare global {
  interface HTMLElementTagNameMap {
    'cyto-image': CytoImage;
  }
}
