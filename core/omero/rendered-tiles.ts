import type { ImageOpener } from '../image-provider.ts';
import type { TaskOptions } from '../progress.ts';
import type { VolumeData } from '../volume.ts';
import type { OmeroConnection } from './connection.ts';
import type { OmeroImage } from './image-details.ts';
import { TILE, type TileRequest } from './tile-source.ts';

/** One channel at a time in grey, scaled to its display window: 8-bit samples that went through JPEG. */
export function renderedTile(connection: OmeroConnection, opener: ImageOpener, image: OmeroImage) {
  return async (request: TileRequest, options: TaskOptions): Promise<VolumeData> => {
    const { level, t, c, z, x, y, width, height } = request;
    const window = image.channels[c]?.window;
    const others = image.channels.flatMap((_, k) => (k === c ? [] : [`-${k + 1}`]));
    const shown = `${c + 1}|${window ? window.join(':') : ''}$FFFFFF`;
    const settings = `c=${[shown, ...others].join(',')}&m=g&q=1`;
    // Smaller resolutions are given on a grid of tiles only.
    const [left, top] = [x - (x % TILE), y - (y % TILE)];
    const place =
      level === 0
        ? `region=${x},${y},${width},${height}`
        : `tile=${level},${left / TILE},${top / TILE},${TILE},${TILE}`;
    const within = level === 0 ? [0, 0] : [x - left, y - top];
    const { signal } = options;
    const path = `webgateway/render_image_region/${image.id}/${z}/${t}/?${place}&${settings}`;
    const answer = await connection.request(path, signal ? { signal } : {});
    const file = new File([await answer.blob()], 'tile.jpg', { type: 'image/jpeg' });
    const source = await opener.open(file, signal ? { signal } : {});
    try {
      const { data } = await source.read(
        {
          t: [0, 1],
          c: [0, 1],
          z: [0, 1],
          x: [within[0], within[0] + width],
          y: [within[1], within[1] + height],
        },
        0,
        signal ? { signal } : {},
      );
      return data;
    } finally {
      source.close();
    }
  };
}
