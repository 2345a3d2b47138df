import { nearestColormap } from '../../core/colormaps.ts';
import { type Colormap, type ImageLayer, type ImageLayerSettings, imageLayer } from '../../core/layer.ts';
import type { ImageDetail } from '../../core/tiled-image.ts';
import type { Volume } from '../../core/volume.ts';

/** Colours of channels that state none, in the order in which eyes tell them apart best when added up. */
const CHANNEL_COLORMAPS: readonly Colormap[] = ['green', 'magenta', 'cyan', 'yellow', 'red', 'blue'];

/**
 * Layers that show an image: one for RGB, else one per channel, added up where there are several.
 * @param id id of the first layer; those of further channels get a suffix
 * @param options.channel only this channel
 * @param options.settings override what the file states
 * @param options.detail finer resolutions of the image
 */
export function layersOfVolume(
  volume: Volume,
  id: string,
  {
    channel,
    settings = {},
    detail,
  }: {
    channel?: number | undefined;
    settings?: Partial<ImageLayerSettings>;
    detail?: ImageDetail | undefined;
  } = {},
): ImageLayer[] {
  if (volume.rgb && channel === undefined) return [imageLayer(id, volume, settings, detail)];
  const count = volume.shape[1];
  const wanted = channel === undefined ? Array.from({ length: count }, (_, c) => c) : [channel];
  const several = wanted.length > 1;
  return wanted.map((c, position) => {
    const info = volume.channels.at(c);
    const stated: Colormap | undefined = info?.color ? nearestColormap(info.color) : undefined;
    const own = {
      channel: c,
      colormap: stated ?? (several ? CHANNEL_COLORMAPS[position % CHANNEL_COLORMAPS.length] : 'gray'),
      blending: several ? ('additive' as const) : ('translucent' as const),
      ...(info?.window && info.window[1] > info.window[0] ? { contrast: info.window } : {}),
      ...settings,
      name: layerName(settings.name ?? volume.name, several ? (info?.name ?? `Channel ${c + 1}`) : undefined),
    };
    return imageLayer(position === 0 ? id : `${id}-channel-${c}`, volume, own, detail);
  });
}

function layerName(image: string, channel: string | undefined): string {
  return channel === undefined ? image : `${image} · ${channel}`;
}
