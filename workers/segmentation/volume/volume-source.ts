import { completeRegion, type ImageSource } from '../../../core/image-source.ts';
import { channelView, type Volume } from '../../../core/volume.ts';

/** An image in memory as a source that is read region by region. */
export function volumeSource(volume: Volume): ImageSource {
  const { data, shape, calibration, dtype, ...metadata } = volume;
  const [, , , ny, nx] = shape;
  return {
    ...metadata,
    calibration,
    dtype,
    levels: [{ shape, calibration, chunk: [1, ny, nx] }],
    readVolume: async () => volume,
    read: async (region) => {
      const { t, c, z, y, x } = completeRegion(region, shape);
      const lengths = [t, c, z, y, x].map(([start, stop]) => stop - start);
      const out = data.slice(
        0,
        lengths.reduce((product, length) => product * length, 1),
      );
      let to = 0;
      for (let time = t[0]; time < t[1]; time++) {
        for (let channel = c[0]; channel < c[1]; channel++) {
          const samples = channelView(volume, time, channel);
          for (let plane = z[0]; plane < z[1]; plane++) {
            for (let row = y[0]; row < y[1]; row++, to += lengths[4]) {
              const start = (plane * ny + row) * nx;
              out.set(samples.subarray(start + x[0], start + x[1]), to);
            }
          }
        }
      }
      return { data: out, shape: lengths as unknown as Volume['shape'] };
    },
    close: () => {},
  };
}
